package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
	"hourglass/tensor"
)

const (
	// A tile is what a chain carries through all its instructions at a time:
	// at most longTile elements, at least shortTile, and as many as let the
	// tiles of all values lie in the first-level cache together.
	longTile, shortTile = 2048, 512
	cacheFloats         = 7 << 10
	// partSize is about how many elements are one part of parallel work.
	partSize = 16384
)

// chain runs a fused sequence of element-wise instructions tile by tile.
type chain struct {
	out      *buffer
	operands []operand
	code     []instruction
	slotOf   []int // scratch tile of each instruction's result, -1 for the chain's
	slots    int   // scratch tiles per worker
	shared   int   // scratch tiles of all workers: operands that look the same in every tile
	size     int   // elements of the whole
	tile     int   // elements a tile
	perPart  int   // tiles a part
	parts    int
	vec      *vec.Set
	pool     *par.Pool

	scratch []float32
	values  [][][]float32 // per worker: the tiles of inputs and results
	work    func(worker, part int)
}

func lowerFused(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	body := n.Attrs().(graph.FusedAttrs).Body
	ch := &chain{out: out, vec: c.vec, pool: c.pool}
	found := findPatterns(len(in), body, []int{len(in) + len(body) - 1})
	if err := ch.assemble(found, true); err != nil {
		return kernel{}, err
	}
	ch.place(n.Inputs(), in, n.Shape(), 1)
	ch.work = ch.part
	run := func(scratch []float32) {
		ch.begin(scratch)
		ch.pool.Run(ch.parts, ch.work)
	}
	return kernel{run, ch.scratchSize()}, nil
}

// assemble chooses kernels and scratch tiles. A result may take the tile of
// an operand that is read for the last time, the ends keep theirs. If direct,
// the last result goes to the chain's own.
func (ch *chain) assemble(p *patterns, direct bool) error {
	last := make([]int, p.inputs+len(p.links))
	for i, l := range p.links {
		if !l.gone {
			for _, a := range l.args {
				last[a] = i
			}
		}
	}
	for _, e := range p.ends {
		last[e] = len(p.links)
	}
	var free []int
	slot := make([]int, p.inputs+len(p.links))
	for i, l := range p.links {
		if l.gone {
			continue
		}
		code, err := instructionOf(l, ch.vec)
		if err != nil {
			return err
		}
		copy(code.args[:], l.args)
		code.dst = p.inputs + i
		ch.code = append(ch.code, code)
		for j, a := range l.args {
			if a >= p.inputs && last[a] == i && !seenBefore(l.args[:j], a) {
				free = append(free, slot[a])
			}
		}
		at := ch.slots
		switch {
		case direct && i == len(p.links)-1:
			at = -1
		case len(free) > 0:
			at = free[len(free)-1]
			free = free[:len(free)-1]
		default:
			ch.slots++
		}
		slot[code.dst] = at
		ch.slotOf = append(ch.slotOf, at)
	}
	ch.values = make([][][]float32, ch.pool.Threads())
	for w := range ch.values {
		ch.values[w] = make([][]float32, p.inputs+len(p.links))
	}
	return nil
}

func seenBefore(args []int, a int) bool {
	for _, b := range args {
		if a == b {
			return true
		}
	}
	return false
}

// place chooses the length of a tile, a multiple of period, and says how
// operands reach it.
func (ch *chain) place(nodes []*graph.Node, in []*buffer, whole tensor.Shape, period int) {
	// The longest period with which an operand repeats divides a tile, if it
	// fits in one: its repetition then looks the same in every tile.
	for _, n := range nodes {
		if p, ok := periodOf(n.Shape(), whole); ok && p <= longTile {
			period = max(period, p)
		}
	}
	ch.tile = min(longTile, max(shortTile, cacheFloats/(len(in)+ch.slots+1)))
	ch.tile = max(ch.tile/period, 1) * period
	for i, b := range in {
		op := newOperand(b, nodes[i].Shape(), whole, ch.tile)
		switch op.mode {
		case direct:
		case steady:
			op.slot = ch.shared
			ch.shared++
		default:
			op.slot = ch.slots
			ch.slots++
		}
		ch.operands = append(ch.operands, op)
	}
	ch.size = whole.Elements()
	tiles := (ch.size + ch.tile - 1) / ch.tile
	ch.perPart = max(1, partSize/ch.tile)
	ch.parts = (tiles + ch.perPart - 1) / ch.perPart
}

func (ch *chain) scratchSize() int { return (ch.shared + ch.slots*ch.pool.Threads()) * ch.tile }

// begin fills the tiles that all workers read.
func (ch *chain) begin(scratch []float32) {
	ch.scratch = scratch
	for i := range ch.operands {
		if op := &ch.operands[i]; op.mode == steady {
			op.fill(scratch[op.slot*ch.tile:][:min(ch.tile, ch.size)], 0, ch.vec)
		}
	}
}

// part runs the tiles of one part.
func (ch *chain) part(worker, part int) {
	begin := part * ch.perPart * ch.tile
	end := min(begin+ch.perPart*ch.tile, ch.size)
	for at := begin; at < end; at += ch.tile {
		ch.run(worker, at, min(ch.tile, end-at))
	}
}

// run carries the n elements from at on through the chain.
func (ch *chain) run(worker, at, n int) {
	values := ch.values[worker]
	own := ch.scratch[(ch.shared+worker*ch.slots)*ch.tile:]
	for i := range ch.operands {
		op := &ch.operands[i]
		switch op.mode {
		case direct:
			values[i] = op.buf.f32[at : at+n]
		case steady:
			values[i] = ch.scratch[op.slot*ch.tile:][:n]
		default:
			values[i] = own[op.slot*ch.tile:][:n]
			op.fill(values[i], at, ch.vec)
		}
	}
	for i := range ch.code {
		in := &ch.code[i]
		if slot := ch.slotOf[i]; slot >= 0 {
			values[in.dst] = own[slot*ch.tile:][:n]
		} else {
			values[in.dst] = ch.out.f32[at : at+n]
		}
		in.run(values)
	}
}
