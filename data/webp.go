package data

import "image"

// widenWebP stretches the samples of a lossy WebP image, in place. WebP stores
// luma in 16–235 and chroma in 16–240 (RFC 6386, section 9.2, and ITU-R
// BT.601), while Go's YCbCr model, and so every conversion to RGB, takes them
// as 0–255; without this the image would come out pale.
func widenWebP(img image.Image) {
	var ycc *image.YCbCr
	switch m := img.(type) {
	case *image.YCbCr:
		ycc = m
	case *image.NYCbCrA:
		ycc = &m.YCbCr
	default:
		return // lossless: RGB already
	}
	var luma, chroma [256]uint8
	for v := range 256 {
		luma[v] = stretch(v-16, 219, 0)
		chroma[v] = stretch(v-128, 224, 128)
	}
	for i, v := range ycc.Y {
		ycc.Y[i] = luma[v]
	}
	for i, v := range ycc.Cb {
		ycc.Cb[i] = chroma[v]
	}
	for i, v := range ycc.Cr {
		ycc.Cr[i] = chroma[v]
	}
}

// stretch returns v·255/steps + zero, rounded and clamped to a byte.
func stretch(v, steps, zero int) uint8 {
	scaled := (2*255*(v+steps) + steps) / (2 * steps) // v+steps is positive
	return uint8(max(0, min(255, scaled-255+zero)))
}
