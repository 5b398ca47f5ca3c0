package augment

import (
	"fmt"

	"hourglass/internal/random"
)

// Worker applies pipelines to images. It holds the memory that this takes, so
// that nothing is allocated once it has seen the largest image. A Worker must
// not be used by two goroutines at once; its zero value is ready.
type Worker struct {
	random  random.Source
	columns []int // of the input, for each column of the output; -1 outside
	bytes   []uint8
	colours affine
	mean    [3]float64
	normal  [512]float32
}

// Apply writes to dst what p makes of the image src [h,w,c] with a draw that is
// a function of seed, epoch and index alone. dst and src must not overlap. c is
// 1 or 3. Apply panics if the sizes don't agree.
func (k *Worker) Apply(p *Pipeline, dst, src []uint8, h, w, c int, seed, epoch uint64, index int) {
	n := h * w * c
	if h < 1 || w < 1 || c != 1 && c != 3 || len(dst) != n || len(src) != n {
		panic(fmt.Sprintf("augment: image [%d,%d,%d] from %d bytes to %d", h, w, c, len(src), len(dst)))
	}
	if m := p.matrix(&k.random, h, w, seed, epoch, index); m != identity {
		k.warp(dst, src, h, w, c, &m, p.zero)
	} else {
		copy(dst, src)
	}
	k.recolor(p, dst, h, w, c, seed, epoch, index)
	for i := range p.steps {
		s := &p.steps[i]
		if s.stage < blur {
			continue
		}
		v := s.draw(&k.random, h, w, seed, epoch, index)
		at := counter(index, s.turn, s.id|fillings)
		switch s.stage {
		case blur:
			k.blur(dst, h, w, c, v[0])
		case noise:
			k.noise(dst, v[0], seed, stream+epoch, at)
		case erase:
			k.random.Reset(seed, stream+epoch, at)
			k.erase(dst, w, c, v)
		}
	}
}

// fillings marks the purpose of random numbers that fill pixels.
const fillings = 0x80

// Apply is [Worker.Apply] by a new worker.
func (p *Pipeline) Apply(dst, src []uint8, h, w, c int, seed, epoch uint64, index int) {
	new(Worker).Apply(p, dst, src, h, w, c, seed, epoch, index)
}

// matrix composes the geometry: from the output to the input.
func (p *Pipeline) matrix(r *random.Source, h, w int, seed, epoch uint64, index int) matrix {
	m := identity
	for i := range p.steps {
		if s := &p.steps[i]; s.stage == geometry {
			v := s.draw(r, h, w, seed, epoch, index)
			inverse := s.inverse(v, h, w)
			m = m.times(&inverse)
		}
	}
	return m
}

// recolor applies the composed colour maps in place.
func (k *Worker) recolor(p *Pipeline, pix []uint8, h, w, c int, seed, epoch uint64, index int) {
	k.colours = same

	known := false
	for i := range p.steps {
		s := &p.steps[i]
		if s.stage != colour {
			continue
		}
		if s.Name == "contrast" && !known {
			k.mean, known = meanColour(pix, c), true
		}
		v := s.draw(&k.random, h, w, seed, epoch, index)
		s.kind.recolor(&k.colours, v, &k.mean)
	}
	if k.colours != same {
		k.colours.apply(pix, c)
	}
}

// grow returns a slice of length n, in the memory of s where that is enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
