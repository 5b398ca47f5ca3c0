package data

import (
	"context"
	"io"
	"sync"
)

// file is one file of a source on its way to a worker.
type file struct {
	ordinal int    // its place in the order in which the source yields files
	name    string // path inside the source, with slashes
	open    func() (io.ReadCloser, error)
	done    func() // gives back what open reads from; may be nil
	size    int64  // bytes that reading it takes, as far as is known and not counted by the source

	// err says why the file cannot be used, if the source itself knows.
	err error
	// ignored files do not claim to be images and are not worth a mention.
	ignored bool
	// named files were given by the user one by one: all are worth a mention.
	named bool
}

// tree is a source made of files: a folder, a list or an archive.
type tree interface {
	// walk yields every file of the tree, always in the same order and with
	// ordinals counted from 0. Files for which want is false may be yielded
	// as ignored; a nil want means all. It stops at the first error of yield
	// and returns it.
	walk(ctx context.Context, want func(ordinal int) bool, yield func(file) error) error

	// listing describes the contents without reading them, for a fingerprint.
	listing(w io.Writer)
}

// entry is what is known of one file of a tree.
type entry struct {
	name    string
	ignored bool  // not an image, and not claiming to be one
	err     error // why it is skipped
	header
	slot    int // its place in the set
	decoded bool
}

// usable reports whether e is, as far as is known, an image that can be read.
func (e *entry) usable() bool { return !e.ignored && e.err == nil }

// forEach walks t and calls work for each file on one of threads goroutines.
// Before that, for each file in order and on one goroutine, it calls entryOf;
// files for which that returns nil are not worked on.
func forEach(ctx context.Context, t tree, threads int, want func(int) bool, entryOf func(file) *entry, work func(worker int, f file, e *entry)) error {
	type job struct {
		f file
		e *entry
	}
	jobs := make(chan job, 2*threads)
	var team sync.WaitGroup
	for w := range threads {
		team.Go(func() {
			for j := range jobs {
				if ctx.Err() == nil {
					work(w, j.f, j.e)
				}
				j.f.finish()
			}
		})
	}
	err := t.walk(ctx, want, func(f file) error {
		e := entryOf(f)
		if e == nil {
			f.finish()
			return ctx.Err()
		}
		select {
		case jobs <- job{f, e}:
			return nil
		case <-ctx.Done():
			f.finish()
			return ctx.Err()
		}
	})
	close(jobs)
	team.Wait()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

func (f *file) finish() {
	if f.done != nil {
		f.done()
	}
}

// gate bounds the sum of the weights that are inside it, so that the memory
// taken by images being decoded does not grow with the number of threads when
// they are large. One weight of any size may enter an empty gate.
type gate struct {
	mu     sync.Mutex
	leave  sync.Cond
	limit  int64
	inside int64
}

func newGate(limit int64) *gate {
	g := &gate{limit: limit}
	g.leave.L = &g.mu
	return g
}

func (g *gate) enter(weight int64) {
	g.mu.Lock()
	for g.inside > 0 && g.inside+weight > g.limit {
		g.leave.Wait()
	}
	g.inside += weight
	g.mu.Unlock()
}

func (g *gate) exit(weight int64) {
	g.mu.Lock()
	g.inside -= weight
	g.mu.Unlock()
	g.leave.Broadcast()
}
