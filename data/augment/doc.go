// Package augment changes training images at random in ways that leave what
// they show the same: it moves, turns, recolours, blurs and covers them.
//
// A [Pipeline] is read from a list such as "flip,shift=2,rotate=15,colour=0.2"
// and applied by a [Worker], one for each goroutine, which allocates nothing
// once it has seen the largest image. Images are bytes [H,W,C], 0–255, with
// one channel (grey) or three (red, green, blue).
//
// What is done to an image is a pure function of seed, epoch and the image's
// index, whatever was done to others before and by which goroutine: a run can
// be repeated, and resumed, to the bit. What one transformation draws does not
// depend on the others in the list either.
//
// The stages always follow one another in this order, whatever the order of
// the list:
//
//  1. Geometry (shift, flip, alternate, rotate, skew, scale, crop, perspective), composed
//     in the order of the list into one homography, so that pixels are
//     interpolated once.
//  2. Colour (brightness, darken, lighten, contrast, saturation, hue, colour,
//     grey), composed in the order of the list into one affine map of the
//     channels, so that values are rounded and clipped once.
//  3. Blur, noise, erase.
//
// [Mixer] mixes the images of a batch with each other, which no list can do.
package augment
