package data

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
)

const (
	// DefaultPhotosBytes caps the decoded pixels of Photos.
	DefaultPhotosBytes = 2 << 30

	// minPhotoPixels is how far Photos are reduced to make more of them fit.
	minPhotoPixels = 128 * 128
)

// Photos are images of different sizes, decoded at the size they have: what is
// learnt from crops of images needs their pixels as they are. They have three
// channels, grey ones with equal values. They are not changed once OpenPhotos
// has returned them, and may be read by many goroutines.
type Photos struct {
	Source string // as it was given to OpenPhotos
	Photos []Photo
	Parts  []Part // of each; nil if the source is not divided

	Found       int    // images that the source holds
	Skipped     []Skip // those left out, in order of name
	Fingerprint string // of the listing of the source and the options
	Warnings    []string
}

// Photo is one image [Height,Width,3] of 0–255.
type Photo struct {
	Name          string // its path inside the source
	Height, Width int
	Pixels        []uint8
}

// Len returns the number of images.
func (p *Photos) Len() int { return len(p.Photos) }

// Split divides photos as [Set.Split] does sets.
func (p *Photos) Split(o SplitOptions) (train, heldout []int) { return split(p.Len(), p.Parts, o) }

// OpenPhotos reads the images of a source, which is one of those that [Open]
// takes, each at its own size. If together they have more bytes than
// o.MaxBytes, by default DefaultPhotosBytes, the largest are reduced until they
// fit. Of o it heeds the caps, the threads and the progress; nothing is cached,
// since decoding photographs takes little of the time that learning from their
// crops does. Its errors are those of Open.
func OpenPhotos(ctx context.Context, source string, o Options) (*Photos, error) {
	o.Size, o.Height, o.Width, o.Gray, o.RGB = 0, 0, 0, false, true
	setDefault(&o.MaxBytes, DefaultPhotosBytes)
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	t, err := openFileTree(ctx, source, o)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return photosOfSet(ctx, source, o)
	}
	if c, ok := t.(io.Closer); ok {
		defer c.Close()
	}
	p := &Photos{Source: source, Fingerprint: fingerprint(absolute(source), t, o)}
	if err := p.gather(ctx, t, o); err != nil {
		return nil, err
	}
	if w := damage(source, t); w != "" {
		p.Warnings = append(p.Warnings, w)
	}
	if p.Found == 0 {
		return photosOfSet(ctx, source, o) // a folder may hold files of arrays
	}
	if p.Len() == 0 {
		s := &Set{Source: source, Skipped: p.Skipped}
		return nil, s.checkUsable("")
	}
	return p, nil
}

// openFileTree opens a source that is made of image files; it returns nil for
// any other.
func openFileTree(ctx context.Context, source string, o Options) (tree, error) {
	if slices.Contains(Builtins(), source) {
		return nil, nil
	}
	info, err := statSource(source)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		t, err := listFolder(ctx, source, o.MaxImages)
		if err != nil {
			return nil, openError(source, err)
		}
		return t, nil
	}
	if isCSV(source) {
		t, err := listCSV(source, o)
		if err != nil {
			return nil, openError(source, err)
		}
		return t, nil
	}
	kind, packed, err := sniffFile(source, o)
	if err != nil {
		return nil, openError(source, err)
	}
	switch kind {
	case kindZip:
		t, err := openZip(source, o)
		if err != nil {
			return nil, err
		}
		return t, nil
	case kindTar:
		t, err := openTar(source, o)
		if err != nil {
			return nil, openError(source, err)
		}
		return t, nil
	case kindImage:
		if !packed {
			return listFiles([]string{source}), nil
		}
	}
	return nil, nil
}

// photosOfSet makes photos of a source whose images have one size.
func photosOfSet(ctx context.Context, source string, o Options) (*Photos, error) {
	set, err := Open(ctx, source, o)
	if err != nil {
		return nil, err
	}
	p := &Photos{Source: source, Parts: set.Parts, Found: set.Found, Skipped: set.Skipped,
		Fingerprint: set.Fingerprint, Warnings: set.Warnings}
	for i, name := range set.Names {
		p.Photos = append(p.Photos, Photo{name, set.Height, set.Width, rgbOf(set.Image(i), set.Channels)})
	}
	return p, nil
}

// rgbOf returns pixels of one or three channels as three.
func rgbOf(pixels []uint8, channels int) []uint8 {
	if channels == 3 {
		return pixels
	}
	rgb := make([]uint8, 3*len(pixels))
	for i, v := range pixels {
		rgb[3*i], rgb[3*i+1], rgb[3*i+2] = v, v, v
	}
	return rgb
}

// gather decodes the images of a tree: the headers first, which say how much
// memory the pixels need.
func (p *Photos) gather(ctx context.Context, t tree, o Options) error {
	report := &progress{call: o.Progress}
	all, err := survey(ctx, t, o, report)
	if err != nil {
		return err
	}
	var use []*entry
	for _, e := range all {
		if e.usable() && min(e.width, e.height) < MinSide {
			e.err = fmt.Errorf("%d×%d pixels is less than the %d a side that are taken", e.width, e.height, MinSide)
		}
		if e.usable() {
			use = append(use, e)
		}
	}
	slices.SortStableFunc(use, func(a, b *entry) int { return cmp.Compare(a.name, b.name) })
	most, err := p.reduction(use, o)
	if err != nil {
		return err
	}
	photos := make([]Photo, len(use))
	for i, e := range use {
		e.slot = i
		h, w := reduced(e.height, e.width, most)
		photos[i] = Photo{Name: e.name, Height: h, Width: w}
	}
	report.begin(len(use))
	err = decodeAll(ctx, t, all, o, report, func(_ int, e *entry, file []byte) error {
		into := &photos[e.slot]
		into.Pixels = make([]uint8, 3*into.Height*into.Width)
		r := renderer{height: into.Height, width: into.Width, channels: 3}
		return r.decode(into.Pixels, e.header, file)
	})
	if err != nil {
		return err
	}
	p.keep(use, photos)
	p.Skipped = skips(all)
	p.Found = p.Len() + len(p.Skipped)
	names := make([]string, p.Len())
	for i := range names {
		names[i] = p.Photos[i].Name
	}
	if l, ok := t.(*labelled); ok {
		_, part := l.byName()
		p.Parts = partsOf(names, part)
	} else {
		_, _, p.Parts = labelNames(names)
	}
	return nil
}

// keep takes over the photos that could be decoded.
func (p *Photos) keep(use []*entry, photos []Photo) {
	for i, e := range use {
		if e.decoded {
			p.Photos = append(p.Photos, photos[i])
		} else if e.err == nil { // the second pass never came to it
			e.err = errChanged
		}
	}
}

// reduction returns how many pixels an image may have at most for all to fit.
func (p *Photos) reduction(use []*entry, o Options) (int64, error) {
	const bytes = 3
	areas := make([]int64, len(use))
	total := int64(0)
	for i, e := range use {
		areas[i] = int64(e.width) * int64(e.height)
		total += areas[i]
	}
	room := o.MaxBytes / bytes
	if total <= room {
		return math.MaxInt64, nil
	}
	// What the small ones leave is shared evenly by the others.
	slices.Sort(areas)
	most := int64(0)
	for i, a := range areas {
		most = room / int64(len(areas)-i)
		if a > most {
			break
		}
		room -= a
	}
	if most < minPhotoPixels {
		what := fmt.Sprintf("%d images take more bytes than are allowed, even at %d pixels each", len(use), minPhotoPixels)
		return 0, &LimitError{p.Source, what, o.MaxBytes, "choose a part of them"}
	}
	p.Warnings = append(p.Warnings, fmt.Sprintf("images of more than %d pixels are reduced to that, so that all fit into memory", most))
	return most, nil
}

// reduced returns the size of an image of height×width brought to at most most
// pixels.
func reduced(height, width int, most int64) (int, int) {
	area := float64(height) * float64(width)
	if area <= float64(most) {
		return height, width
	}
	f := math.Sqrt(float64(most) / area)
	h := min(max(1, int(float64(height)*f)), int(most))
	return h, min(max(1, int(float64(width)*f)), int(most)/h)
}
