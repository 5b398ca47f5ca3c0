package cpu

import (
	"hourglass/engine/graph"
	"hourglass/internal/par"
	"hourglass/tensor"
)

// sums runs a chain and adds up the rows of some of its values. A part adds
// its tiles up place by place and folds the rows of that sum onto each other;
// the parts are joined in order in float64. The result does not depend on the
// number of threads, and chains of additions in float32 are short.
type sums struct {
	chain
	pool     *par.Pool
	channels int
	perPart  int // tiles a part
	parts    int
	steady   steadyTiles
	scratch  []float32 // each worker's own, of the chain
	into     []accumulation
	grads    []int     // instead of into: the operands of AddGrads, or of AddGradsRelu
	acc      []float32 // for each worker: a tile for each sum
	partial  []float32 // for each part: the sums of its rows
}

// accumulation adds up a value, or its product with another one.
type accumulation struct{ value, factor int }

const noFactor = -1

func lowerFusedSums(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	a := n.Attrs().(graph.SumsAttrs)
	s := &sums{chain: chain{out: out, vec: c.vec}, pool: c.pool, channels: n.Shape()[1]}
	p := findPatterns(len(in), a.Body, s.accumulate(len(in), a))
	s.grads = s.findGrads(p)
	if err := s.assemble(p, false, c.pool.Threads()); err != nil {
		return kernel{}, err
	}
	s.place(n.Inputs(), in, wholeOf(n, a), s.channels)
	s.perPart = max(1, 2*partSize/s.tile)
	s.parts = (s.size + s.perPart*s.tile - 1) / (s.perPart * s.tile)
	s.steady.add(&s.chain)
	own, accumulators, partials := s.own()*c.pool.Threads(), len(s.into)*s.tile*c.pool.Threads(), out.size*s.parts
	work, join := s.sumPart, s.joinPart
	return kernel{run: func(scratch []float32) {
		s.steady.fill(scratch)
		rest := scratch[s.steady.size:]
		s.scratch, rest = rest[:own], rest[own:]
		s.acc, s.partial = rest[:accumulators], rest[accumulators:][:partials]
		s.pool.Run(s.parts, work)
		s.pool.Run((s.out.size+joinChunk-1)/joinChunk, join)
	}, scratch: s.steady.size + own + accumulators + partials}, nil
}

// wholeOf returns the shape of the values that are summed.
func wholeOf(n *graph.Node, a graph.SumsAttrs) tensor.Shape {
	var whole tensor.Shape
	for _, in := range n.Inputs() {
		whole, _ = tensor.Broadcast(whole, in.Shape()) // the shape rule has checked it
	}
	return whole
}

// accumulate says how each sum is added up, and returns the values that it
// takes: a product that nothing else reads is part of the addition.
func (s *sums) accumulate(inputs int, a graph.SumsAttrs) (ends []int) {
	uses := make([]int, inputs+len(a.Body))
	for _, in := range a.Body {
		for _, arg := range in.Args {
			uses[arg]++
		}
	}
	for _, v := range a.Sums {
		uses[v]++
	}
	for _, v := range a.Sums {
		acc := accumulation{v, noFactor}
		if v >= inputs && uses[v] == 1 {
			if in := a.Body[v-inputs]; in.Op == graph.OpMul {
				acc = accumulation{in.Args[0], in.Args[1]}
				ends = append(ends, acc.factor)
			}
		}
		ends = append(ends, acc.value)
		s.into = append(s.into, acc)
	}
	return ends
}

// sumPart adds up the tiles of one part.
func (s *sums) sumPart(worker, part int) {
	begin := part * s.perPart * s.tile
	end := min(begin+s.perPart*s.tile, s.size)
	width := min(s.tile, end-begin)
	acc := s.acc[worker*len(s.into)*s.tile:][:len(s.into)*s.tile]
	for k := range s.into {
		s.vec.Fill(acc[k*s.tile:][:width], 0)
	}
	values, own := s.values[worker], s.scratch[worker*s.own():][:s.own()]
	for at := begin; at < end; at += s.tile {
		n := min(s.tile, end-at)
		s.run(worker, own, at, n)
		if s.grads != nil {
			s.addGrads(acc[:n], acc[s.tile:][:n], values)
			continue
		}
		for k, in := range s.into {
			sum := acc[k*s.tile:][:n]
			if in.factor == noFactor {
				s.vec.Add(sum, sum, values[in.value])
			} else {
				s.vec.MulAdd(sum, values[in.value], values[in.factor], sum)
			}
		}
	}
	for k := range s.into {
		sum := acc[k*s.tile:][:width]
		s.fold(sum)
		copy(s.partial[(part*len(s.into)+k)*s.channels:][:s.channels], sum)
	}
}

// findGrads recognises the sums of the gradients of a batch normalisation,
//
//	d = x - m,  Σ g·d and Σ g
//
// where g may be v·step(d·s + t), and takes them out of the chain. It returns
// the numbers of g, x and m, or of v, x, m, s and t; nil if the sums are none.
func (s *sums) findGrads(p *patterns) []int {
	if len(s.into) != 2 || s.into[1].factor != noFactor {
		return nil
	}
	g, d := s.into[0].value, s.into[0].factor
	if d == s.into[1].value {
		g, d = d, g
	}
	if g != s.into[1].value || d < p.inputs {
		return nil
	}
	sub := &p.links[d-p.inputs]
	if sub.gone || sub.op != graph.OpSub || g == sub.args[0] || g == sub.args[1] {
		return nil
	}
	var found []int
	if v, e, mask := p.rectified(g, 2); v != nil && e == d && p.uses[d] == 2 {
		found = []int{v.args[0], sub.args[0], sub.args[1], mask.args[1], mask.args[2]}
		v.gone, mask.gone = true, true
	} else if p.uses[d] == 1 {
		found = []int{g, sub.args[0], sub.args[1]}
	} else {
		return nil
	}
	sub.gone = true
	p.ends = found
	return found
}

func (s *sums) addGrads(gamma, beta []float32, values [][]float32) {
	in := s.grads
	if len(in) == 3 {
		s.vec.AddGrads(gamma, beta, values[in[0]], values[in[1]], values[in[2]])
	} else {
		s.vec.AddGradsRelu(gamma, beta, values[in[0]], values[in[1]], values[in[2]], values[in[3]], values[in[4]])
	}
}

// fold adds the rows in v up in the first of them, the upper half onto the
// lower until one is left.
func (s *sums) fold(v []float32) {
	for rows := len(v) / s.channels; rows > 1; {
		half := (rows + 1) / 2
		low := v[:(rows-half)*s.channels]
		s.vec.Add(low, low, v[half*s.channels:rows*s.channels])
		rows = half
	}
}

// joinChunk is the number of results that are joined together.
const joinChunk = 64

// joinPart adds up the parts for one chunk of the results.
func (s *sums) joinPart(_, chunk int) {
	begin := chunk * joinChunk
	var total [joinChunk]float64
	n := min(joinChunk, s.out.size-begin)
	for part := range s.parts {
		for i, v := range s.partial[part*s.out.size+begin:][:n] {
			total[i] += float64(v)
		}
	}
	for i, v := range total[:n] {
		s.out.f32[begin+i] = float32(v)
	}
}
