package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/task/autoencode"
	"hourglass/train/model"
	"hourglass/train/run"
)

// load reads the model at path, or the one in the run's folder at path.
func load(e *engine.Engine, path string) (*autoencode.Model, error) {
	m, err := autoencode.Load(e, modelPath(path))
	if err != nil {
		return nil, unloadable(err)
	}
	return m, nil
}

// modelPath is the path of a model, that of a run's folder standing for the
// one in it.
func modelPath(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, run.ModelFile)
	}
	return path
}

// unloadable says of an error that it is about a model.
func unloadable(err error) error {
	return advised{fmt.Errorf("cannot load the model: %w", err),
		"give the " + run.ModelFile + " that hourglass learn, train or resume wrote, or its run's folder"}
}

// images are the pictures that a model is put to use on.
type images struct {
	sets    []*data.Set
	names   [][]string // of the images of each set
	skipped []run.Skipped
	size    int // bytes of an image
}

// openImages reads every path at the size and with the channels of a model.
// Images that cannot be used are skipped as long as some are left.
func (a *app) openImages(ctx context.Context, c run.Images, paths []string, t *tracker) (*images, error) {
	o := data.Options{
		Height: c.Height, Width: c.Width, Gray: c.Channels == 1, RGB: c.Channels == 3,
		NoCache: true, Threads: a.threads,
	}
	if len(paths) == 1 {
		o.Progress = t.read // one file among many is no progress worth telling
	}
	t.begin("reading")
	im := &images{skipped: []run.Skipped{}, size: c.Height * c.Width * c.Channels}
	var failure error
	for _, p := range paths {
		set, err := data.Open(ctx, p, o)
		switch {
		case errors.Is(err, data.ErrNoImages):
			im.skipped = append(im.skipped, run.Skipped{Name: p, Reason: oneLine(err.Error())})
			failure = err
			continue
		case err != nil:
			return nil, err
		}
		t.warn(set.Warnings)
		for _, k := range set.Skipped {
			im.skipped = append(im.skipped, run.Skipped{Name: within(p, k.Name), Reason: k.Reason})
		}
		names := set.Names
		if len(paths) > 1 {
			names = make([]string, len(set.Names))
			for i, n := range set.Names {
				names[i] = within(p, n)
			}
		}
		im.sets, im.names = append(im.sets, set), append(im.names, names)
	}
	if len(im.sets) == 0 {
		if len(paths) > 1 {
			failure = fmt.Errorf("none of the %d paths holds an image that can be used; the last: %w", len(paths), failure)
		}
		return nil, failure
	}
	for _, k := range im.skipped {
		t.note("skipped " + oneLine(k.Name) + ": " + oneLine(k.Reason))
	}
	return im, nil
}

// within names a file of a source among those of several sources.
func within(source, name string) string {
	source = filepath.ToSlash(source)
	if name == source {
		return name
	}
	return path.Join(source, name)
}

func (im *images) len() int {
	n := 0
	for _, s := range im.sets {
		n += s.Len()
	}
	return n
}

// labels returns the names of the images' classes, "" where there is none, or
// nil if no image has one.
func (im *images) labels() []string {
	var labels []string
	labelled := false
	for _, s := range im.sets {
		for i := range s.Len() {
			label := ""
			if s.Labels != nil {
				labelled, label = true, s.Classes[s.Labels[i]]
			}
			labels = append(labels, label)
		}
	}
	if !labelled {
		return nil
	}
	return labels
}

// blocks calls f with the images in turn, some at a time: their names and pixels,
// which are valid until f returns.
func (im *images) blocks(ctx context.Context, t *tracker, f func(names []string, pixels []uint8) error) error {
	total, done := im.len(), 0
	var names []string
	block := model.Block(im.size)
	pixels := make([]uint8, 0, min(total, block)*im.size)
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(names, pixels); err != nil {
			return err
		}
		done += len(names)
		names, pixels = names[:0], pixels[:0]
		t.advance(done, total, func() string { return number(done) + " of " + count(total, "image") })
		return nil
	}
	for i, s := range im.sets {
		for j := range s.Len() {
			names = append(names, im.names[i][j])
			if pixels = append(pixels, s.Image(j)...); len(names) == block {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	return flush()
}
