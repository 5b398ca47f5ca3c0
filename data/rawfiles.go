package data

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"hourglass/format/idx"
)

// openRaw reads files of arrays, all of one kind.
func openRaw(ctx context.Context, kind container, paths []string, o Options, s *Set) error {
	var blocks []*raw
	var classes []string
	for _, p := range paths {
		var b *raw
		var err error
		switch kind {
		case kindIDX:
			b, err = s.openIDX(p, o)
		case kindCIFAR:
			b, classes, err = openCIFAR(p, o)
		case kindNPY:
			b, err = openNPY(ctx, p, o)
		}
		if err != nil {
			return openError(p, err)
		}
		b.name = filepath.Base(p)
		blocks = append(blocks, b)
		if err := held(blocks, s.Source, o); err != nil {
			return err
		}
	}
	if s.Fingerprint == "" {
		s.Fingerprint = fingerprint(absolute(s.Source), listFiles(paths), o)
	}
	return s.adopt(ctx, blocks, classes, o)
}

// partOf reads the part off the words in the name of a file of arrays, as
// those of MNIST's and CIFAR's files have it.
func partOf(name string) Part {
	for word := range strings.FieldsFuncSeq(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if p := partNamed(word); p != PartNone {
			return p
		}
		if word == "t10k" { // MNIST's 10,000 test images
			return PartTest
		}
	}
	if strings.HasPrefix(name, "data_batch") {
		return PartTrain
	}
	return PartNone
}

// openLimited opens a file that may be compressed, with the limits that
// follow from its size and o.
func openLimited(path string, o Options) (*stream, idx.Limits, error) {
	in, err := openStream(path, o)
	if err != nil {
		return nil, idx.Limits{}, err
	}
	l := idx.Limits{MaxBytes: o.MaxBytes}
	if info, err := in.file.Stat(); err == nil && in.plain() {
		l.Size = info.Size()
	}
	return in, l, nil
}

func readIDX(path string, o Options) (*idx.Array, error) {
	in, limits, err := openLimited(path, o)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return idx.Read(in, limits)
}

// openIDX reads images [N,H,W] or [N,H,W,C] and the labels beside them.
func (s *Set) openIDX(p string, o Options) (*raw, error) {
	a, err := readIDX(p, o)
	if err != nil {
		return nil, err
	}
	b := &raw{n: a.Shape[0], channels: 1, pixels: a.Data, part: partOf(filepath.Base(p))}
	switch {
	case len(a.Shape) == 1:
		return nil, errors.New("it holds labels, not images: give the file of images, which are found with their labels")
	case len(a.Shape) < 3 || min(a.Shape[1], a.Shape[2]) < 1:
		return nil, fmt.Errorf("an array of shape %v holds no images: [N,H,W] or [N,H,W,C] is wanted", a.Shape)
	case len(a.Shape) == 4:
		b.channels = a.Shape[3]
	}
	b.height, b.width = a.Shape[1], a.Shape[2]
	if b.channels != 1 && b.channels != 3 {
		return nil, fmt.Errorf("images of %d channels: 1 or 3 are wanted", b.channels)
	}
	beside := labelsBeside(p)
	if beside == "" {
		return b, nil
	}
	labels, err := readIDX(beside, o)
	switch {
	case err != nil:
		s.Warnings = append(s.Warnings, fmt.Sprintf("the labels in %s are left out: %v", filepath.Base(beside), err))
	case len(labels.Shape) != 1 || labels.Shape[0] != b.n:
		s.Warnings = append(s.Warnings, fmt.Sprintf("the labels in %s are left out: their shape is %v, for %d images", filepath.Base(beside), labels.Shape, b.n))
	default:
		b.labels = widen(labels.Data)
	}
	return b, nil
}

// labelsBeside returns the file of labels that belongs to a file of images:
// "train-images-idx3-ubyte.gz" has "train-labels-idx1-ubyte.gz", packed or
// not. It returns "" if there is none.
func labelsBeside(p string) string {
	dir, name := filepath.Split(p)
	at := strings.LastIndex(name, "images")
	if at < 0 {
		return ""
	}
	name = strings.TrimSuffix(name[:at]+"labels"+name[at+len("images"):], ".gz")
	for _, n := range []string{name, strings.Replace(name, "idx3", "idx1", 1), strings.Replace(name, "idx4", "idx1", 1)} {
		for _, suffix := range []string{"", ".gz"} {
			if info, err := os.Stat(dir + n + suffix); err == nil && info.Mode().IsRegular() {
				return dir + n + suffix
			}
		}
	}
	return ""
}
