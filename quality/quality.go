// Package quality measures how near an image is to its original, as people
// who compare codecs and restorers do: mean squared error, PSNR, SSIM and
// MS-SSIM.
//
// Images are [H,W,C] of bytes or of float32. The data range L is the greatest
// less the least value that a pixel can have: 255 for bytes and 1 for float32
// unless [Options] says otherwise. Scores do not change when the two images
// trade places, and do not depend on the number of threads.
package quality

import (
	"fmt"
	"math"

	"hourglass/internal/par"
	"hourglass/tensor"
)

// Pixel is the type of one channel of one pixel.
type Pixel interface{ uint8 | float32 }

// Options are the options of a comparison. The zero value is ready to use.
type Options struct {
	// Range is L; 0 means 255 for bytes and 1 for float32.
	Range float64
	// Pool is the workers, those of an engine ([hourglass/engine.Engine.Pool]), which
	// serve one call at a time: a second one panics. Nil means GOMAXPROCS threads for
	// the call.
	Pool *par.Pool
}

// rangeOf returns the data range of pixels of type T.
func rangeOf[T Pixel](o Options) (float64, error) {
	l := o.Range
	if l == 0 {
		l = 1
		if _, bytes := any(*new(T)).(uint8); bytes {
			l = 255
		}
	}
	if !(l > 0) || math.IsInf(l, 0) {
		return 0, fmt.Errorf("quality: the data range is %v; it must be a positive number", o.Range)
	}
	return l, nil
}

// MSE returns the mean squared difference of two images, in squared units of
// their pixels.
func MSE[T Pixel](x, y []T) (float64, error) {
	if len(x) != len(y) || len(x) == 0 {
		return 0, fmt.Errorf("quality: images of %d and %d values cannot be compared; they must have one size", len(x), len(y))
	}
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return sum / float64(len(x)), nil
}

// PSNR returns the peak signal-to-noise ratio of two images in dB, +Inf where
// they are equal.
func PSNR[T Pixel](x, y []T, o Options) (float64, error) {
	l, err := rangeOf[T](o)
	if err != nil {
		return 0, err
	}
	mse, err := MSE(x, y)
	if err != nil {
		return 0, err
	}
	return Decibels(mse, l), nil
}

// Decibels returns the peak signal-to-noise ratio, 10·log₁₀(L²/mse) in dB, of
// a mean squared error and a data range; +Inf for an error of 0.
func Decibels(mse, dataRange float64) float64 {
	return 20*math.Log10(dataRange) - 10*math.Log10(mse)
}

// check reports images that are not both [height,width,channels], or smaller
// than least pixels a side, which what needs.
func check[T Pixel](what string, x, y []T, height, width, channels, least int) error {
	shape := tensor.Shape{height, width, channels}
	if err := shape.Validate(); err != nil {
		return fmt.Errorf("quality: %w", err)
	}
	if n := shape.Elements(); len(x) != n || len(y) != n {
		return fmt.Errorf("quality: images of %d and %d values are not both [%d,%d,%d]", len(x), len(y), height, width, channels)
	}
	if min(height, width) < least {
		return fmt.Errorf("quality: %s needs images of at least %d×%d pixels, and these have %d×%d (width×height): compare larger ones, or by a measure that needs less",
			what, least, least, width, height)
	}
	return nil
}
