package cli

import (
	"image"
	"image/png"
	"runtime"
	"sync"

	"hourglass/internal/atomicfile"
)

// pictures writes many pictures while the next are computed: to compress one took
// about as long as to compute it, and takes a third where its file may be a tenth
// larger. As many as there are threads wait at a time; with one thread none does.
type pictures struct {
	places  chan struct{}
	running sync.WaitGroup
	mu      sync.Mutex
	err     error // the first
}

// newPictures returns a writer for so many threads, 0 for all. Its done must be
// called before the command ends.
func newPictures(threads int) *pictures {
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return &pictures{places: make(chan struct{}, threads)}
}

// write writes a picture, which must not change any more, soon. It fails if this or
// an earlier one could not be written.
func (p *pictures) write(path string, m image.Image) error {
	if cap(p.places) == 1 {
		p.encode(path, m)
		return p.failure()
	}
	p.places <- struct{}{}
	p.running.Go(func() {
		p.encode(path, m)
		<-p.places
	})
	return p.failure()
}

func (p *pictures) encode(path string, m image.Image) {
	if err := encodePNG(path, m, png.BestSpeed, atomicfile.WriteSoon); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.err == nil {
			p.err = unwritable(err)
		}
	}
}

func (p *pictures) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// done waits for all pictures. It fails if one could not be written.
func (p *pictures) done() error {
	p.running.Wait()
	return p.failure()
}
