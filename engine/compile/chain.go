package compile

import (
	"slices"

	"hourglass/engine/graph"
)

// Limits of a fused chain: its tiles should stay in the first-level cache.
const (
	maxFusedInputs = 14
	maxFusedBody   = 40
	// maxSumChannels is the widest row that a chain adds up; a tile holds one
	// at least.
	maxSumChannels = 1024
)

// FuseChains joins element-wise operations of one shape into chains that run
// tile by tile, so that what lies between them never goes to memory, and lets
// chains end in sums over rows (OpFusedSums) as well as in a value (OpFused).
//
// A value goes to memory if something reads it that is no chain. One that only
// chains read is part of its reader, and of several where computing it again
// costs less than writing it and reading it back: the passes over memory that
// either takes are counted. A value that is in memory anyway is still computed
// again where a chain reads all that it is made of.
//
// Every element-wise operation ends in a chain, alone if need be, so that
// backends have one way to run them.
func FuseChains(g *graph.Graph) (*graph.Graph, error) {
	f := newFuser(g)
	for _, n := range slices.Backward(g.Nodes) {
		switch {
		case f.isSum[n]:
			f.placeSum(n)
		case isLink(n):
			f.place(n)
		}
	}
	return f.emit()
}

// isLink reports whether an operation can be part of a chain.
func isLink(n *graph.Node) bool {
	return n.Op().Class() == graph.ClassElementwise && n.Op() != graph.OpFused
}

// chain is a fused operation in the making.
type chain struct {
	sums     []*graph.Node // its ends, if it ends in sums
	root     *graph.Node   // its end, if it ends in a value
	members  map[*graph.Node]bool
	operands map[*graph.Node]bool // what members and sums read of the same shape or smaller
	fused    *graph.Node          // in the copy, once it is emitted
}

func newChain() *chain {
	return &chain{members: make(map[*graph.Node]bool), operands: make(map[*graph.Node]bool)}
}

// fits reports whether n, now an operand, can become a member.
func (c *chain) fits(n *graph.Node) bool {
	if len(c.members) >= maxFusedBody {
		return false
	}
	grown := len(c.operands) - 1
	for _, in := range n.Inputs() {
		if !c.operands[in] && !c.members[in] {
			grown++
		}
	}
	return grown <= maxFusedInputs
}

// take makes n a member.
func (c *chain) take(n *graph.Node) {
	delete(c.operands, n)
	c.members[n] = true
	for _, in := range n.Inputs() {
		if !c.members[in] {
			c.operands[in] = true
		}
	}
}

// fuser decides, from the last node to the first, which chains there are.
type fuser struct {
	g       *graph.Graph
	index   map[*graph.Node]int
	isSum   map[*graph.Node]bool
	readers map[*graph.Node][]*chain // chains that read a value, those of one shape only
	stored  map[*graph.Node]bool     // goes to memory for certain
	own     map[*graph.Node]recipe   // how a link is made
	recipes map[*graph.Node]recipe   // what reading a node takes: nothing but itself if it is stored
	rooted  map[*graph.Node]*chain   // the chain that ends in a node
	open    []*chain                 // chains of sums
}

// recipe is what computing an element of a value takes.
type recipe struct {
	reads []*graph.Node // values in memory, as large as the result
	work  int           // in about the time of a pass over an operand in the cache
}

// maxReads bounds the lists of recipes; longer ones are not worth repeating.
const maxReads = 4

// workWeight is the cost of a pass over a tile in the cache, in passes over
// memory: an estimate from the times of a few kernels.
const workWeight = 0.2

func newFuser(g *graph.Graph) *fuser {
	f := &fuser{
		g:       g,
		index:   make(map[*graph.Node]int, len(g.Nodes)),
		isSum:   make(map[*graph.Node]bool),
		readers: make(map[*graph.Node][]*chain),
		stored:  make(map[*graph.Node]bool),
		own:     make(map[*graph.Node]recipe),
		recipes: make(map[*graph.Node]recipe),
		rooted:  make(map[*graph.Node]*chain),
	}
	for _, o := range g.Outputs {
		f.stored[o.Node] = true
	}
	for _, u := range g.Updates {
		f.stored[u.Value] = true
	}
	for i, n := range g.Nodes {
		f.index[n] = i
		f.isSum[n] = sumsRows(n)
		for _, in := range n.Inputs() {
			if !f.isSum[n] && (!isLink(n) || !in.Shape().Equal(n.Shape())) {
				f.stored[in] = true
			}
		}
	}
	for _, n := range g.Nodes {
		f.recipes[n] = recipe{reads: []*graph.Node{n}}
		if isLink(n) {
			f.own[n] = f.recipeOf(n)
			if !f.stored[n] {
				f.recipes[n] = f.own[n]
			}
		}
	}
	return f
}

// sumsRows reports whether a chain can end in n: a sum over all axes but the
// last.
func sumsRows(n *graph.Node) bool {
	if n.Op() != graph.OpReduceSum {
		return false
	}
	shape := n.Input(0).Shape()
	if len(shape) == 0 {
		return false
	}
	channels := shape[len(shape)-1]
	return overRows(n) && channels <= maxSumChannels && shape.Elements() > channels
}

// recipeOf adds up the recipes of a link's operands. Operands that repeat are
// small and count for nothing.
func (f *fuser) recipeOf(n *graph.Node) recipe {
	r := recipe{work: effort(n.Op())}
	for _, in := range n.Inputs() {
		if !in.Shape().Equal(n.Shape()) {
			continue
		}
		part := f.recipes[in]
		r.work += part.work
		r.reads = union(r.reads, part.reads)
	}
	if len(r.reads) > maxReads {
		r.work = maxFusedBody * 10
	}
	return r
}

func union(a, b []*graph.Node) []*graph.Node {
	for _, n := range b {
		if len(a) <= maxReads && !slices.Contains(a, n) {
			a = append(a[:len(a):len(a)], n)
		}
	}
	return a
}

// effort returns about how long an operation takes beside an addition.
func effort(op graph.Op) int {
	switch op {
	case graph.OpExp, graph.OpLog, graph.OpSigmoid, graph.OpTanh, graph.OpDiv, graph.OpSqrt, graph.OpRsqrt, graph.OpReciprocal:
		return 4
	case graph.OpErf, graph.OpLog1p:
		return 8
	case graph.OpExpm1, graph.OpPow:
		return 40
	}
	return 1
}

// read notes the chain's operands.
func (f *fuser) read(c *chain, n *graph.Node) {
	for _, in := range n.Inputs() {
		if !slices.Contains(f.readers[in], c) {
			f.readers[in] = append(f.readers[in], c)
		}
	}
}

// join makes n a member of c.
func (f *fuser) join(c *chain, n *graph.Node) {
	c.take(n)
	f.read(c, n)
}

// placeSum lets a sum end a chain: one that ends in other sums of what it
// reads too, or else a new one. A sum of what is no link is an operation of
// its own unless it shares the reading.
func (f *fuser) placeSum(n *graph.Node) {
	x := n.Input(0)
	reads := f.recipes[x].reads
	for _, c := range f.open {
		first := c.sums[0].Input(0)
		if !first.Shape().Equal(x.Shape()) || len(c.sums) >= 4 {
			continue
		}
		// The chain runs where its first sum stands: all that its sums add up
		// must be there by then.
		ready := true
		shares := false
		for _, s := range c.sums {
			ready = ready && f.index[s.Input(0)] < f.index[n]
			for _, y := range f.recipes[s.Input(0)].reads {
				shares = shares || slices.Contains(reads, y)
			}
		}
		if ready && shares && len(c.operands) < maxFusedInputs {
			f.addSum(c, n)
			return
		}
	}
	c := newChain()
	f.open = append(f.open, c)
	f.addSum(c, n)
}

func (f *fuser) addSum(c *chain, n *graph.Node) {
	c.sums = append(c.sums, n)
	if x := n.Input(0); !c.members[x] {
		c.operands[x] = true
		f.read(c, n)
	}
}

// place decides where a link is computed. All that reads it has been placed.
func (f *fuser) place(n *graph.Node) {
	var readers []*chain
	for _, c := range f.readers[n] {
		if c.operands[n] {
			readers = append(readers, c)
		}
	}
	fits := !f.stored[n] && len(readers) > 0
	for _, c := range readers {
		fits = fits && c.fits(n)
	}
	if fits && (len(readers) == 1 || f.cheaper(n, readers)) {
		for _, c := range readers {
			f.join(c, n)
		}
		return
	}
	f.stored[n], f.recipes[n] = true, recipe{reads: []*graph.Node{n}}
	for _, c := range readers {
		if f.free(n, c) {
			f.join(c, n)
		}
	}
	c := newChain()
	c.root = n
	f.rooted[n] = c
	f.join(c, n)
}

// cheaper reports whether to compute n in each of the chains that read it
// rather than once.
func (f *fuser) cheaper(n *graph.Node, readers []*chain) bool {
	r := f.own[n]
	again := workWeight * float64(r.work*(len(readers)-1))
	for _, c := range readers {
		again += float64(f.more(n, c))
	}
	once := len(r.reads) + 1 + len(readers)
	return len(r.reads) <= maxReads && again <= float64(once)
}

// free reports whether a chain that reads n reads all that n is made of too,
// so that to compute it again saves a pass.
func (f *fuser) free(n *graph.Node, c *chain) bool {
	r := f.own[n]
	return len(r.reads) > 0 && len(r.reads) <= maxReads && workWeight*float64(r.work) < 1 && f.more(n, c) == 0 && c.fits(n)
}

// more returns how many values a chain would read in addition to what it reads
// beside n.
func (f *fuser) more(n *graph.Node, c *chain) int {
	var known []*graph.Node
	for o := range c.operands {
		if o != n && o.Shape().Equal(n.Shape()) {
			known = append(known, f.recipes[o].reads...)
		}
	}
	count := 0
	for _, y := range f.own[n].reads {
		if !slices.Contains(known, y) {
			count++
		}
	}
	return count
}

// emit writes the graph with its chains. A link that is only a member stands
// in the copy by itself, where nothing reads it, so that it is dropped.
func (f *fuser) emit() (*graph.Graph, error) {
	ending := make(map[*graph.Node]*chain)
	for _, c := range f.open {
		if len(c.members) == 0 && len(c.sums) == 1 {
			continue // a plain sum
		}
		slices.SortFunc(c.sums, func(a, b *graph.Node) int { return f.index[a] - f.index[b] })
		for _, s := range c.sums {
			ending[s] = c
		}
	}
	return rewrite(f.g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		if c := f.rooted[n]; c != nil {
			inputs, body, _ := f.write(c)
			return r.Node(graph.OpFused, graph.FusedAttrs{Body: body}, r.mapped(inputs)...)
		}
		c := ending[n]
		if c == nil {
			return nil
		}
		if c.fused == nil {
			inputs, body, number := f.write(c)
			sums := make([]int, len(c.sums))
			for i, s := range c.sums {
				sums[i] = number[s.Input(0)]
			}
			c.fused = r.Node(graph.OpFusedSums, graph.SumsAttrs{Body: body, Sums: sums}, r.mapped(inputs)...)
		}
		i := slices.Index(c.sums, n)
		row := c.fused
		if len(c.sums) > 1 {
			row = r.Slice(row, []int{i, 0}, []int{i + 1, row.Shape()[1]})
		}
		return r.Reshape(row, n.Shape()...)
	})
}

// write numbers the inputs and instructions of a chain: members in the order
// of the graph, which puts the root last.
func (f *fuser) write(c *chain) (inputs []*graph.Node, body []graph.Instruction, number map[*graph.Node]int) {
	byIndex := func(set map[*graph.Node]bool) []*graph.Node {
		list := make([]*graph.Node, 0, len(set))
		for n := range set {
			list = append(list, n)
		}
		slices.SortFunc(list, func(a, b *graph.Node) int { return f.index[a] - f.index[b] })
		return list
	}
	inputs, number = byIndex(c.operands), make(map[*graph.Node]int)
	for i, n := range inputs {
		number[n] = i
	}
	members := byIndex(c.members)
	for i, n := range members {
		number[n] = len(inputs) + i
	}
	for _, n := range members {
		args := make([]int, len(n.Inputs()))
		for i, in := range n.Inputs() {
			args[i] = number[in]
		}
		body = append(body, graph.Instruction{Op: n.Op(), Args: args, Attrs: n.Attrs()})
	}
	return inputs, body, number
}
