package data

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Pairs is a set of images, each with a mask that says the class of every
// pixel. Its images have parts, but no labels of their own.
type Pairs struct {
	*Set
	Masks []uint8 // [N,H,W], places in Classes.Classes, or Ignored
	List  ClassList
	// Scale is the size of the pairs' pixels as a share of their size in the
	// source: the median over the images of the larger of new height by old and
	// new width by old, as they are cut at the other two sides.
	Scale float64
}

// Mask returns the mask of image i, [H,W], as a part of p.Masks.
func (p *Pairs) Mask(i int) []uint8 {
	n := p.Height * p.Width
	return p.Masks[i*n : (i+1)*n : (i+1)*n]
}

const (
	imagesFolder = "images"
	labelsFolder = "labels"

	// pairPixels is the largest area that pairs are kept at when no size is
	// asked for: two cores learn from larger ones too slowly.
	pairPixels = 320 * 320
	// MaxPairScale bounds what the images of pairs are enlarged by.
	MaxPairScale = 16
	// mostFound is the largest number of values that are taken for classes
	// when nothing says what the classes are: more look like a photograph.
	mostFound = 64
)

// OpenPairs reads a folder of images and labels: below a folder images/ the
// images, and at the same place below labels/ a PNG of the same name for each,
// as large as the image. Folders train, val and test, above or below these two,
// say the part. A pixel of a label says its class by its grey value or palette
// index; by its colour if the label is stored in colours, or has a palette all
// of whose used colours are those of classes. Without a list of classes the
// values found are the classes; list.Ignored may say which are not.
//
// All pairs are brought to one size by scaling and cropping the centre: the
// images as Open does, the labels by the nearest pixel. o.Size is then the
// shorter side; the proportions are those of the image in the middle. With no
// size, images that all agree keep theirs, others get the middle one's, both
// scaled down to at most 102,400 pixels.
//
// Broken images are skipped and named in the set. A label that is missing,
// broken, of another size, with a value that is no class, or ignored all over
// is an error: to learn from the rest would hide a mistake.
func OpenPairs(ctx context.Context, source string, o Options, list ClassList) (*Pairs, error) {
	side := o.Size
	o.Size = 0
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if side < 0 || side > MaxSide {
		return nil, fmt.Errorf("image size %d is out of range: choose 1 to %d pixels, or 0 to keep the images' own", side, MaxSide)
	}
	if err := list.Check(); err != nil {
		return nil, err
	}
	images, labels, warnings, err := listPairs(ctx, source, o)
	if err != nil {
		return nil, err
	}
	entries, err := survey(ctx, images, o, &progress{})
	if err != nil {
		return nil, err
	}
	p := &Pairs{Set: &Set{Source: source}, List: list}
	if o.Height == 0 {
		o.Height, o.Width = pairShape(entries, side)
	}
	if p.Scale = pairScale(entries, o.Height, o.Width); p.Scale > MaxPairScale {
		return nil, &EnlargedError{p.Scale}
	}
	both := &folder{files: slices.Concat(images.files, labels.files)}
	p.Fingerprint = fingerprint(absolute(source), both, o)
	if err := p.openImages(ctx, images, o); err != nil {
		return nil, err
	}
	p.Warnings = append(p.Warnings, warnings...)
	_, _, p.Parts = labelNames(p.Names)
	return p, p.openMasks(ctx, entries, labels, o)
}

// EnlargedError reports a size for which the images of pairs would be enlarged more
// than [MaxPairScale] times.
type EnlargedError struct{ Times float64 }

func (e *EnlargedError) Error() string {
	return fmt.Sprintf("the images would be %.3g times as large as they are; the most is %d", e.Times, MaxPairScale)
}

// listPairs finds the images of a folder and their labels, in the same order.
func listPairs(ctx context.Context, source string, o Options) (images, labels *folder, warnings []string, err error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s cannot be read: %w", source, reason(err))
	}
	form := "give a folder with " + imagesFolder + "/ and " + labelsFolder + "/, or with train/, val/ and test/ that hold these"
	if !info.IsDir() {
		return nil, nil, nil, fmt.Errorf("%s is no folder: %s", source, form)
	}
	all, err := listFolder(ctx, source, o.MaxImages)
	if err != nil {
		return nil, nil, nil, openError(source, err)
	}
	images, labels = &folder{}, &folder{}
	found := map[string]diskFile{} // labels that no image has claimed
	for _, f := range all.files {
		if slices.Contains(strings.Split(path.Dir(f.name), "/"), labelsFolder) && !inImages(f.name) && claimsImage(f.name) {
			found[f.name] = f
		}
	}
	for _, f := range all.files {
		if !inImages(f.name) || !claimsImage(f.name) {
			continue
		}
		want := labelOf(f.name)
		label, ok := found[want]
		if !ok {
			return nil, nil, nil, fmt.Errorf("%s: the image %s has no label: it would be %s; add it, or leave the image out",
				source, Printable(f.name), Printable(want))
		}
		images.files, labels.files = append(images.files, f), append(labels.files, label)
	}
	if len(images.files) == 0 {
		return nil, nil, nil, fmt.Errorf("%w in %s that have labels: %s", ErrNoImages, source, form)
	}
	named := map[string]bool{}
	for _, f := range images.files {
		name := Printable(f.name)
		if named[name] {
			return nil, nil, nil, fmt.Errorf("%s: the names of two images differ only in characters that cannot be shown, as %s: give them others", source, name)
		}
		named[name] = true
	}
	claimed := map[string]bool{}
	for _, f := range labels.files {
		if claimed[f.name] {
			return nil, nil, nil, fmt.Errorf("%s: the label %s belongs to two images, which differ only in the ending of their names: leave one out", source, Printable(f.name))
		}
		claimed[f.name] = true
	}
	if left := len(found) - len(claimed); left > 0 {
		warnings = append(warnings, fmt.Sprintf("%d of the %d labels have no image and are left out", left, len(found)))
	}
	return images, labels, warnings, nil
}

func inImages(name string) bool {
	return slices.Contains(strings.Split(path.Dir(name), "/"), imagesFolder)
}

// labelOf returns the name of the label of an image.
func labelOf(name string) string {
	folders := strings.Split(path.Dir(name), "/")
	for i := len(folders) - 1; i >= 0; i-- {
		if folders[i] == imagesFolder {
			folders[i] = labelsFolder
			break
		}
	}
	base := path.Base(name)
	return path.Join(path.Join(folders...), strings.TrimSuffix(base, path.Ext(base))+".png")
}

// pairShape chooses the size of pairs from the headers of the images: side is
// the shorter one, 0 if none was asked for.
func pairShape(entries []*entry, side int) (height, width int) {
	var use []*entry
	agree := true
	for _, e := range entries {
		if e.usable() {
			use = append(use, e)
			agree = agree && e.width == use[0].width && e.height == use[0].height
		}
	}
	if len(use) == 0 {
		return DefaultSize, DefaultSize
	}
	slices.SortStableFunc(use, func(a, b *entry) int { return cmp.Compare(a.width*a.height, b.width*b.height) })
	middle := use[len(use)/2]
	h, w := float64(middle.height), float64(middle.width)
	if side > 0 {
		s := float64(side) / min(h, w)
		return max(1, int(math.Round(h*s))), max(1, int(math.Round(w*s)))
	}
	if h*w <= pairPixels && agree {
		return middle.height, middle.width
	}
	// Multiples of 8 halve well.
	s := min(1, math.Sqrt(pairPixels/(h*w))) / 8
	return 8 * max(2, int(h*s)), 8 * max(2, int(w*s))
}

// pairScale returns the median of what the images are scaled by before they are cut.
func pairScale(entries []*entry, height, width int) float64 {
	var scales []float64
	for _, e := range entries {
		if e.usable() {
			scales = append(scales, max(float64(height)/float64(e.height), float64(width)/float64(e.width)))
		}
	}
	if len(scales) == 0 {
		return 1
	}
	slices.Sort(scales)
	return scales[len(scales)/2]
}

// openImages reads the images by way of the cache.
func (p *Pairs) openImages(ctx context.Context, t *folder, o Options) error {
	store := openCache(filepath.Join(p.Source, imagesFolder), o)
	if store.load(p.Set, o.MaxBytes) {
		return nil
	}
	if err := gather(ctx, t, o, p.Set); err != nil {
		return err
	}
	if err := p.checkUsable(""); err != nil {
		return err
	}
	if err := store.save(p.Set); err != nil {
		p.Warnings = append(p.Warnings, fmt.Sprintf("the decoded images could not be kept for the next time: %v", err))
	}
	return nil
}

// openMasks reads the labels of the images that could be read.
func (p *Pairs) openMasks(ctx context.Context, images []*entry, labels *folder, o Options) error {
	n := p.Height * p.Width
	if int64(p.Len()) > o.MaxBytes/int64(n) {
		what := fmt.Sprintf("%d masks of %d×%d pixels take more bytes than are allowed", p.Len(), p.Width, p.Height)
		return &LimitError{p.Source, what, o.MaxBytes, "choose a smaller image size"}
	}
	p.Masks = make([]uint8, p.Len()*n)
	slots := make(map[string]int, p.Len())
	for i, name := range p.Names {
		slots[name] = i
	}
	team := make([]*maskReader, o.Threads)
	for i := range team {
		team[i] = newMaskReader(p.List, p.Height, p.Width, o.MaxPixels)
	}
	room := newGate(inFlight)
	errs := make([]error, len(images)) // of the label of each image
	err := forEach(ctx, labels, o.Threads, nil, func(f file) *entry {
		e := images[f.ordinal]
		slot, ok := slots[e.name]
		if !ok {
			return nil // its image was skipped
		}
		if f.err != nil {
			errs[f.ordinal] = f.err
			return nil
		}
		return &entry{name: f.name, slot: slot}
	}, func(worker int, f file, e *entry) {
		m, img := team[worker], images[f.ordinal]
		weight := int64(img.width)*int64(img.height) + f.size
		room.enter(weight)
		defer room.exit(weight)
		r, err := f.open()
		if err == nil {
			m.data, err = readWhole(r, m.data, o.MaxFileBytes)
			r.Close()
		}
		if err == nil {
			err = m.read(p.Mask(e.slot), m.data, img.height, img.width)
		}
		m.data = reusable(m.data)
		errs[f.ordinal] = err
	})
	if err != nil {
		return err
	}
	for i, err := range errs {
		if err != nil {
			return fmt.Errorf("%s: the label %s cannot be used: %w", p.Source, Printable(labels.files[i].name), err)
		}
	}
	if len(p.List.Classes) == 0 {
		return p.findClasses(team)
	}
	return nil
}

// findClasses makes the values that labels have the classes.
func (p *Pairs) findClasses(team []*maskReader) error {
	places, known := p.List.table()
	values := 0
	var seen [256]bool
	for v := range seen {
		for _, m := range team {
			seen[v] = seen[v] || m.seen[v]
		}
		if seen[v] && !known[v] {
			values++
		}
	}
	switch {
	case values > mostFound:
		return fmt.Errorf("%s: the labels have %d values, which looks like pictures: name the classes in a file or by a flag if they are labels", p.Source, values)
	case values > 2 && seen[255] && !known[255]:
		return fmt.Errorf("%s: the labels have the value 255 beside %d others, which often marks what belongs to none: say that it is ignored, or name the classes", p.Source, values-1)
	case values < 2:
		return fmt.Errorf("%s: the labels have %d value beside what is ignored: there is nothing to tell apart", p.Source, values)
	}
	for v := range seen {
		if !seen[v] || known[v] {
			continue
		}
		name := fmt.Sprintf("class %d", v)
		if values == 2 && seen[0] && !known[0] {
			name = map[bool]string{true: "background", false: "foreground"}[v == 0]
		}
		places[v] = uint8(len(p.List.Classes))
		p.List.Classes = append(p.List.Classes, Class{Name: name, Value: uint8(v)})
	}
	for i, v := range p.Masks {
		p.Masks[i] = places[v]
	}
	return p.List.Check()
}
