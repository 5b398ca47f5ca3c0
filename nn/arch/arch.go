// Package arch builds ready-made networks: autoencoders ([New]), classifiers
// ([Classifier]), networks that segment ([UNet], [ResUNet]) and the transforms
// of an image codec ([NewCodec]). What it returns is plain data, to be stored,
// changed or traced like any other network.
package arch

import (
	"fmt"
	"slices"
	"strings"

	"hourglass/nn"
	"hourglass/tensor"
)

// Autoencoder is an encoder from images [N,H,W,C] with values in 0–1 to
// latents, and a decoder back.
type Autoencoder struct {
	Encoder, Decoder nn.Layer
	// Latent is the number of values that an image has at the waist.
	Latent int
	// Grid is the shape [h,w,c] of latents that keep a grid. It is nil where
	// they are vectors [N,Latent].
	Grid []int
}

// Options tune what New builds. The zero value is the documented default.
type Options struct {
	// Width is the number of channels once the image is halved; each further
	// halving doubles them up to MaxWidth. 0 means 32.
	Width int
	// MaxWidth defaults to 256.
	MaxWidth int
	// Blocks is the number of residual blocks in each stage, by default none.
	Blocks int
	// Hidden lists the widths between pixels and waist of a dense network, by
	// default 512 and 256.
	Hidden []int
	// Activation is "relu" (the default), "leaky_relu", "silu" or "gelu".
	Activation string
	// Norm is "batch" (the default), "group" or "none".
	Norm string
	// Upsample is how a decoder grows the image: "transpose" (a transposed
	// convolution of 4×4, the default), "nearest", "bilinear" (each followed
	// by a convolution of 3×3) or "shuffle" (a convolution and a pixel
	// shuffle).
	Upsample string
	// Decoder is one of Decoders; "" means "mirror".
	Decoder string
	// Output is "sigmoid" (the default), or "linear" for a loss that takes
	// logits or for a caller that clips to 0–1.
	Output string
}

// Kinds returns the names of autoencoders that [New] builds:
//
//   - conv: convolutions, and a vector as the waist;
//   - dense: products of matrices only;
//   - spatial: convolutions, and a small grid of vectors as the waist;
//   - wide: a middle of more values than the input, no bottleneck at all.
func Kinds() []string { return []string{"conv", "dense", "spatial", "wide"} }

// Decoders returns the names of decoders:
//
//   - mirror: the encoder's shape, reversed;
//   - light: half its channels;
//   - heavy: its channels with one more residual block in each stage;
//   - dense: products of matrices with the widths of Options.Hidden;
//   - linear: one product of matrices, the only kind that PCA has.
func Decoders() []string { return []string{"mirror", "light", "heavy", "dense", "linear"} }

// MinSide is the least height and width of images that an autoencoder takes.
const MinSide = 8

// Limits of what can be asked for, so that sizes from a command line or a
// file cannot overflow.
const (
	maxSide     = 1 << 14
	maxChannels = 1 << 12
	maxBlocks   = 64
)

// New returns an autoencoder of a kind for images of height×width pixels, at
// least 8 each, and the given number of channels.
//
// Latent is the number of values at the waist: at least 1 and at most
// height·width·channels. A spatial waist has the largest multiple of its grid
// that does not exceed it. A wide one needs more than the image has, and
// takes the smallest multiple of height·width that is not less; 0 asks it for
// four times the channels.
func New(kind string, height, width, channels, latent int, o Options) (Autoencoder, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Autoencoder{}, err
	}
	if min(height, width) < MinSide || max(height, width) > maxSide || channels < 1 || channels > maxChannels {
		return Autoencoder{}, fmt.Errorf("arch: images are %dx%d with %d channels; height and width must be %d to %d and channels 1 to %d",
			height, width, channels, MinSide, maxSide, maxChannels)
	}
	image := tensor.Shape{height, width, channels}
	if err := image.Validate(); err != nil {
		return Autoencoder{}, fmt.Errorf("arch: %w", err)
	}
	if !slices.Contains(Kinds(), kind) {
		return Autoencoder{}, fmt.Errorf("arch: architecture %q is unknown; choose one of %s", kind, strings.Join(Kinds(), ", "))
	}
	pixels := image.Elements()
	if kind == "wide" {
		return o.wide(image, latent)
	}
	if latent < 1 || latent > pixels {
		return Autoencoder{}, fmt.Errorf("arch: latent is %d; it must be 1 to %d, the number of values of an image of %dx%d with %d channels",
			latent, pixels, height, width, channels)
	}
	switch kind {
	case "dense":
		return o.dense(image, latent), nil
	case "spatial":
		return o.spatial(image, latent), nil
	}
	return o.conv(image, latent), nil
}

// withDefaults fills in what is left to the default and checks the rest.
func (o Options) withDefaults() (Options, error) {
	if o.Width == 0 {
		o.Width = 32
	}
	if o.MaxWidth == 0 {
		o.MaxWidth = max(256, o.Width)
	}
	if o.Hidden == nil {
		o.Hidden = []int{512, 256}
	}
	for _, c := range []struct {
		name   string
		value  *string
		choice []string // the first is the default
	}{
		{"activation", &o.Activation, []string{"relu", "leaky_relu", "silu", "gelu"}},
		{"norm", &o.Norm, []string{"batch", "group", "none"}},
		{"upsampling", &o.Upsample, []string{"transpose", "nearest", "bilinear", "shuffle"}},
		{"decoder", &o.Decoder, Decoders()},
		{"output", &o.Output, []string{"sigmoid", "linear"}},
	} {
		if *c.value == "" {
			*c.value = c.choice[0]
		}
		if !slices.Contains(c.choice, *c.value) {
			return o, fmt.Errorf("arch: %s %q is unknown; choose one of %s", c.name, *c.value, strings.Join(c.choice, ", "))
		}
	}
	if o.Width < 1 || o.MaxWidth < o.Width || o.MaxWidth > maxChannels || o.Blocks < 0 || o.Blocks > maxBlocks {
		return o, fmt.Errorf("arch: widths %d to %d must lie in 1 to %d, and blocks (%d) in 0 to %d",
			o.Width, o.MaxWidth, maxChannels, o.Blocks, maxBlocks)
	}
	for _, h := range o.Hidden {
		if h < 1 || h > 1<<16 {
			return o, fmt.Errorf("arch: hidden width %d must be 1 to %d", h, 1<<16)
		}
	}
	return o, nil
}
