package cpu

import (
	"slices"
	"unsafe"

	"hourglass/engine/graph"
	"hourglass/internal/par"
)

// batch is a step that runs several chains which follow each other in a
// program. Chains of one size that read what others of them write, place by
// place, form a group and take turns tile by tile, so that what they hand on
// stays in the cache: an optimiser's moments, say, and the parameter's new
// value. Groups have nothing to do with each other; the small ones, such as the
// updates of biases, share parts of the work, so that no thread is woken for
// each.
type batch struct {
	pool    *par.Pool
	groups  []*group
	writes  map[memory]*group
	reads   map[memory][]access
	steady  steadyTiles
	tasks   []task
	parts   []int // the first task of each part, and their number
	own     int   // elements of scratch for each worker
	scratch []float32
}

// group is a list of chains of one size.
type group struct {
	chains []*chain
	size   int
	tile   int    // elements that a chain runs over before the next takes its turn
	period int    // which divides tile
	into   *group // that it has become part of
}

// latest returns the group that g is part of by now.
func (g *group) latest() *group {
	for g.into != nil {
		g = g.into
	}
	return g
}

// access is a read of a value by a group, place by place or not.
type access struct {
	by     *group
	direct bool
}

// memory names what a buffer lies in: two buffers may be one variable.
type memory struct {
	at     unsafe.Pointer
	buffer *buffer // for what has no place yet
}

func memoryOf(b *buffer) memory {
	if len(b.f32) > 0 {
		return memory{at: unsafe.Pointer(unsafe.SliceData(b.f32))}
	}
	return memory{buffer: b}
}

// task is a piece of a group's work.
type task struct {
	*group
	begin, end int
}

// joinChains makes batches of the chains among some steps. It returns the steps
// that are left and, for each one before, the number of that which it is part
// of.
func (c *compiler) joinChains(steps []step) (joined []step, place []int) {
	place = make([]int, len(steps))
	var open *batch
	finish := func() {
		if open != nil {
			joined[len(joined)-1].kernel = open.kernel()
			open = nil
		}
	}
	for i, s := range steps {
		ch := s.kernel.chain
		switch {
		case ch == nil:
			finish()
			joined = append(joined, s)
		case open == nil || !open.take(ch):
			finish()
			open = &batch{pool: c.pool, writes: make(map[memory]*group), reads: make(map[memory][]access)}
			open.take(ch)
			joined = append(joined, s)
		case size(s.node) > size(joined[len(joined)-1].node):
			joined[len(joined)-1].node = s.node // the largest stands for all
		}
		place[i] = len(joined) - 1
	}
	finish()
	return joined, place
}

func size(n *graph.Node) int { return n.Shape().Elements() }

// take adds a chain to the batch, or reports that it cannot: that it needs, or
// would spoil, a value of the batch at other places than its own.
func (b *batch) take(ch *chain) bool {
	home := &group{size: ch.size, tile: ch.tile, period: ch.period}
	var met []*group // that it must take turns with
	out := memoryOf(ch.out)
	if b.writes[out] != nil {
		return false
	}
	meet := func(g *group, direct bool) bool {
		if g = g.latest(); !direct || g.size != ch.size {
			return false
		}
		if !slices.Contains(met, g) {
			met = append(met, g)
		}
		return true
	}
	for i := range ch.operands {
		op := &ch.operands[i]
		if g := b.writes[memoryOf(op.buf)]; g != nil && !meet(g, op.mode == direct) {
			return false
		}
	}
	for _, r := range b.reads[out] {
		if !meet(r.by, r.direct) {
			return false
		}
	}
	for _, g := range met {
		home.period, home.tile = max(home.period, g.period), min(home.tile, g.tile)
	}
	for _, g := range append(met, &group{period: ch.period}) {
		if home.period > home.tile || home.period%g.period != 0 {
			return false
		}
	}
	home.tile = home.tile / home.period * home.period
	// Values in the arena would live longer for the company of strangers.
	if len(met) == 0 && len(b.groups) > 0 && ch.out.arena && ch.size > partSize {
		return false
	}
	for _, g := range met {
		home.chains = append(home.chains, g.chains...)
		g.into = home
	}
	home.chains = append(home.chains, ch)
	b.groups = append(b.groups, home)
	b.writes[out] = home
	for i := range ch.operands {
		op := &ch.operands[i]
		at := memoryOf(op.buf)
		b.reads[at] = append(b.reads[at], access{home, op.mode == direct})
	}
	return true
}

// kernel cuts the work into parts and returns what runs it.
func (b *batch) kernel() kernel {
	b.writes, b.reads = nil, nil
	inPart := partSize // elements in the last part
	for _, g := range b.groups {
		if g.into != nil {
			continue
		}
		for _, ch := range g.chains {
			b.steady.add(ch)
			b.own = max(b.own, ch.own())
		}
		step := max(1, partSize/g.tile) * g.tile
		for begin := 0; begin < g.size; begin += step {
			end := min(begin+step, g.size)
			if inPart+end-begin > partSize {
				b.parts = append(b.parts, len(b.tasks))
				inPart = 0
			}
			b.tasks = append(b.tasks, task{g, begin, end})
			inPart += end - begin
		}
	}
	b.parts = append(b.parts, len(b.tasks))
	work := b.part
	return kernel{run: func(scratch []float32) {
		b.steady.fill(scratch)
		b.scratch = scratch[b.steady.size:]
		b.pool.Run(len(b.parts)-1, work)
	}, scratch: b.steady.size + b.own*b.pool.Threads()}
}

// part runs the tasks of one part.
func (b *batch) part(worker, part int) {
	own := b.scratch[worker*b.own:][:b.own]
	for _, t := range b.tasks[b.parts[part]:b.parts[part+1]] {
		for at := t.begin; at < t.end; at += t.tile {
			n := min(t.tile, t.end-at)
			for _, ch := range t.chains {
				ch.run(worker, own, at, n)
			}
		}
	}
}
