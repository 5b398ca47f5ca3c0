package data

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"hourglass/data/builtin"
	"hourglass/format"
)

// FormatError is a fault in an IDX, CIFAR or .npy file, with its offset.
type FormatError = format.Error

// raw is a block of pixels that needed no decoding.
type raw struct {
	name                    string // the file, for the names of images
	n                       int
	height, width, channels int
	pixels                  []uint8 // [n,height,width,channels]
	labels                  []int32 // or nil
	classes                 int     // of CIFAR's files, 0 for others
	part                    Part
}

// adopt appends blocks to an empty set, in the shape that o asks for, by
// default that of the blocks. All blocks must agree in shape; labels are kept
// if all have them.
func (s *Set) adopt(ctx context.Context, blocks []*raw, classes []string, o Options) error {
	if len(blocks) == 0 {
		return s.checkUsable("")
	}
	first := blocks[0]
	s.Height, s.Width, s.Channels = first.height, first.width, first.channels
	if o.Height != 0 {
		s.Height, s.Width = o.Height, o.Width
	}
	switch {
	case o.Gray:
		s.Channels = 1
	case o.RGB:
		s.Channels = 3
	}
	total, labelled, divided := 0, true, false
	for _, b := range blocks {
		if b.height != first.height || b.width != first.width || b.channels != first.channels {
			return fmt.Errorf("%s holds images of %d×%d×%d, but %s of %d×%d×%d: give one of them",
				first.name, first.height, first.width, first.channels, b.name, b.height, b.width, b.channels)
		}
		if b.classes != first.classes {
			return fmt.Errorf("%s has labels of %d classes, but %s of %d: give one of them", first.name, first.classes, b.name, b.classes)
		}
		total += b.n
		labelled = labelled && b.labels != nil
		divided = divided || b.part != PartNone
	}
	if total == 0 {
		return s.checkUsable("")
	}
	if total > o.MaxImages {
		return &LimitError{s.Source, fmt.Sprintf("it holds %d images", total), int64(o.MaxImages), "give a part of it"}
	}
	asIs := s.Height == first.height && s.Width == first.width && s.Channels == first.channels
	if len(blocks) == 1 && asIs {
		s.Pixels = first.pixels
	} else if err := s.allocate(total, o); err != nil {
		return err
	}
	at := 0
	for _, b := range blocks {
		for i := range b.n {
			s.Names = append(s.Names, fmt.Sprintf("%s#%05d", b.name, i))
			if divided {
				s.Parts = append(s.Parts, b.part)
			}
		}
		if labelled {
			s.Labels = append(s.Labels, b.labels...)
		}
		dst := s.Pixels[at*s.ImageBytes() : (at+b.n)*s.ImageBytes()]
		at += b.n
		if asIs {
			copy(dst, b.pixels)
		} else if err := b.reshape(ctx, dst, s, o); err != nil {
			return err
		}
		b.pixels = nil
	}
	if labelled {
		s.Classes = nameClasses(s.Labels, classes)
	}
	s.Found = total
	return nil
}

// held returns an error if files of arrays hold more bytes together than a set may.
func held(blocks []*raw, source string, o Options) error {
	total := int64(0)
	for _, b := range blocks {
		total += int64(len(b.pixels))
	}
	if total > o.MaxBytes {
		return &LimitError{source, "its arrays take more bytes together than are allowed", o.MaxBytes, "give a part of it"}
	}
	return nil
}

// reshape writes the images of b to dst in the shape of s.
func (b *raw) reshape(ctx context.Context, dst []uint8, s *Set, o Options) error {
	var next atomic.Int64
	var team sync.WaitGroup
	for range o.Threads {
		team.Go(func() {
			r := renderer{height: s.Height, width: s.Width, channels: s.Channels}
			rgba := image.NewRGBA(image.Rect(0, 0, b.width, b.height))
			size := b.height * b.width * b.channels
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= b.n {
					return
				}
				pixels := b.pixels[i*size : (i+1)*size]
				var img image.Image = &image.Gray{Pix: pixels, Stride: b.width, Rect: rgba.Rect}
				if b.channels == 3 {
					for k := range b.height * b.width {
						copy(rgba.Pix[4*k:4*k+3], pixels[3*k:3*k+3])
						rgba.Pix[4*k+3] = 0xff
					}
					img = rgba
				}
				r.render(dst[i*s.ImageBytes():(i+1)*s.ImageBytes()], img, 1)
			}
		})
	}
	team.Wait()
	return ctx.Err()
}

// nameClasses extends known by numbers so that every label has a name.
func nameClasses(labels []int32, known []string) []string {
	most := int32(len(known)) - 1
	for _, l := range labels {
		most = max(most, l)
	}
	classes := append([]string(nil), known...)
	for l := int32(len(known)); l <= most; l++ {
		classes = append(classes, fmt.Sprint(l))
	}
	return classes
}

func openFashion(ctx context.Context, o Options, s *Set) error {
	pixels, labels, err := builtin.Fashion()
	if err != nil {
		return err
	}
	b := &raw{
		name: s.Source, n: builtin.FashionLen,
		height: builtin.FashionSide, width: builtin.FashionSide, channels: 1,
		pixels: pixels, labels: widen(labels),
	}
	s.Fingerprint = fingerprint("built-in set fashion, version 1", nil, o)
	if err := s.adopt(ctx, []*raw{b}, builtin.FashionClasses(), o); err != nil {
		return err
	}
	if _, err := os.Stat(s.Source); err == nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("%s is the built-in set; for the folder or file of this name give .%c%s", s.Source, filepath.Separator, s.Source))
	}
	s.Parts = make([]Part, s.Len())
	for i := range s.Parts {
		s.Parts[i] = PartVal
		if i < builtin.FashionTrain {
			s.Parts[i] = PartTrain
		}
	}
	return nil
}

func widen(labels []uint8) []int32 {
	out := make([]int32, len(labels))
	for i, l := range labels {
		out[i] = int32(l)
	}
	return out
}
