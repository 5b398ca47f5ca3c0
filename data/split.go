package data

import (
	"slices"

	"hourglass/internal/random"
)

const (
	// DefaultHeldOut is the share of a set that Split holds out.
	DefaultHeldOut = 0.2

	// DefaultMaxHeldOut caps the number of images that Split holds out of a
	// set that is not divided.
	DefaultMaxHeldOut = 10000
)

// SplitOptions says how a set is divided.
type SplitOptions struct {
	Seed       uint64
	HeldOut    float64 // share held out at random; 0 means DefaultHeldOut
	MaxHeldOut int     // cap on it; 0 means DefaultMaxHeldOut
}

// splitStream keeps the draw of Split apart from others of the same seed.
const splitStream = 0x53504c4954 << 16

// Split returns the images to learn from and those held out, each as
// increasing indices.
//
// A set that is divided already is split so: images to train on, and those in
// no part, are learnt from; the test part is held out, or the val part where
// there is no test part. Any other set loses a share drawn at random by the
// seed, of at least one image. The only image of a set is on both sides; a set
// without images has none on either.
func (s *Set) Split(o SplitOptions) (train, heldout []int) { return split(s.Len(), s.Parts, o) }

func split(n int, parts []Part, o SplitOptions) (train, heldout []int) {
	var count [PartTest + 1]int
	for _, p := range parts {
		count[p]++
	}
	held := PartTest
	if count[held] == 0 {
		held = PartVal
	}
	if count[held] > 0 && count[PartTrain]+count[PartNone] > 0 {
		for i, p := range parts {
			switch p {
			case PartTrain, PartNone:
				train = append(train, i)
			case held:
				heldout = append(heldout, i)
			}
		}
		return train, heldout
	}
	switch n {
	case 0:
		return nil, nil
	case 1:
		return []int{0}, []int{0}
	}
	if o.HeldOut <= 0 {
		o.HeldOut = DefaultHeldOut
	}
	if o.MaxHeldOut <= 0 {
		o.MaxHeldOut = DefaultMaxHeldOut
	}
	k := int(o.HeldOut*float64(n) + 0.5)
	k = max(1, min(k, o.MaxHeldOut, n-1))
	order := random.Perm(n, o.Seed, splitStream)
	heldout, train = order[:k:k], order[k:]
	slices.Sort(heldout)
	slices.Sort(train)
	return train, heldout
}
