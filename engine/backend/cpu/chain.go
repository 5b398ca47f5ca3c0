package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/kernel/vec"
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
	size     int   // elements of the whole
	period   int   // the longest of operands that look the same in every tile
	tile     int   // elements a tile
	vec      *vec.Set
	values   [][][]float32 // per worker: the tiles of inputs and results
}

func lowerFused(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	body := n.Attrs().(graph.FusedAttrs).Body
	ch := &chain{out: out, vec: c.vec}
	found := findPatterns(len(in), body, []int{len(in) + len(body) - 1})
	if err := ch.assemble(found, true, c.pool.Threads()); err != nil {
		return kernel{}, err
	}
	ch.place(n.Inputs(), in, n.Shape(), 1)
	return kernel{chain: ch}, nil // batches make it run
}

// assemble chooses kernels and scratch tiles. A result may take the tile of
// an operand that is read for the last time, the ends keep theirs. If direct,
// the last result goes to the chain's own.
func (ch *chain) assemble(p *patterns, direct bool, threads int) error {
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
	ch.values = make([][][]float32, threads)
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
	ch.period = period
	for i, b := range in {
		op := newOperand(b, nodes[i].Shape(), whole, ch.tile)
		switch op.mode {
		case direct, steady:
		default:
			op.slot = ch.slots
			ch.slots++
		}
		ch.operands = append(ch.operands, op)
	}
	ch.size = whole.Elements()
}

// own returns the elements of scratch that a worker needs for itself.
func (ch *chain) own() int { return ch.slots * ch.tile }

// run carries the n elements from at on, at most a tile, through the chain.
func (ch *chain) run(worker int, own []float32, at, n int) {
	values := ch.values[worker]
	for i := range ch.operands {
		op := &ch.operands[i]
		switch op.mode {
		case direct:
			values[i] = op.buf.f32[at : at+n]
		case steady:
			values[i] = op.tile[:n]
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

// steadyTiles are the operands of some chains that look the same in every
// tile. They are filled once a run, for all workers and, where chains share an
// operand, for all of them.
type steadyTiles struct {
	vec     *vec.Set
	members []steadyTile
	size    int // elements of scratch
}

type steadyTile struct {
	first *operand
	also  []*operand
	at, n int
}

// add takes in the operands of a chain.
func (t *steadyTiles) add(ch *chain) {
	t.vec = ch.vec
next:
	for i := range ch.operands {
		op := &ch.operands[i]
		if op.mode != steady {
			continue
		}
		n := min(ch.tile, ch.size)
		for k := range t.members {
			if m := &t.members[k]; m.first.buf == op.buf && m.first.period == op.period && m.n >= n {
				m.also = append(m.also, op)
				continue next
			}
		}
		t.members = append(t.members, steadyTile{first: op, at: t.size, n: n})
		t.size += (n + lineFloats - 1) / lineFloats * lineFloats
	}
}

// lineFloats is the number of float32s in a cache line and in a full vector.
const lineFloats = 16

func (t *steadyTiles) fill(scratch []float32) {
	for i := range t.members {
		m := &t.members[i]
		tile := scratch[m.at:][:m.n]
		m.first.fill(tile, 0, t.vec)
		m.first.tile = tile
		for _, op := range m.also {
			op.tile = tile
		}
	}
}
