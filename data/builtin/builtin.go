// Package builtin holds the image sets that are embedded in the program, so
// that it can be tried without any data at hand.
//
// Fashion is the first 10,000 of the 60,000 training images of Fashion-MNIST
// (Xiao, Rasul and Vollgraf, "Fashion-MNIST: a Novel Image Dataset for
// Benchmarking Machine Learning Algorithms", 2017), copyright Zalando SE, under
// the MIT licence in LICENSE.fashion-mnist. Its official test set is not part
// of it, and so stays untouched.
package builtin

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"

	"hourglass/format/idx"
)

//go:generate go run make.go -from /usr/share/datasets/fashion-mnist

//go:embed fashion-images.idx3.gz
var fashionImages []byte

//go:embed fashion-labels.idx1.gz
var fashionLabels []byte

// The shape of Fashion, and how many of its images, from the first on, are
// meant to learn from; the rest is meant to be held out.
const (
	FashionLen   = 10000
	FashionTrain = 8000
	FashionSide  = 28
)

// FashionClasses returns the names of the ten classes in order of their label.
func FashionClasses() []string {
	return []string{
		"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
		"Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
	}
}

// Fashion decodes the set: pixels [10000,28,28], 0 for the background to 255,
// and labels [10000], indices into FashionClasses. Each call returns slices of
// its own.
func Fashion() (pixels []uint8, labels []uint8, err error) {
	if pixels, err = unpack(fashionImages, FashionLen, FashionSide, FashionSide); err != nil {
		return nil, nil, fmt.Errorf("built-in set fashion: images: %w", err)
	}
	if labels, err = unpack(fashionLabels, FashionLen); err != nil {
		return nil, nil, fmt.Errorf("built-in set fashion: labels: %w", err)
	}
	return pixels, labels, nil
}

// unpack decodes a gzipped IDX array of the given shape.
func unpack(packed []byte, shape ...int) ([]uint8, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	a, err := idx.Read(z, idx.Limits{MaxBytes: FashionLen * FashionSide * FashionSide})
	if err != nil {
		return nil, err
	}
	if fmt.Sprint(a.Shape) != fmt.Sprint(shape) {
		return nil, fmt.Errorf("the array has shape %v, not %v", a.Shape, shape)
	}
	return a.Data, nil
}
