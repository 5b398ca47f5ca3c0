package cpu

import (
	"fmt"
	"math"
	"slices"

	"hourglass/engine/backend"
	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/internal/large"
	"hourglass/tensor"
)

// buffer is where a value lies. Several nodes share one: a reshape and its
// operand, an operation done in place, a variable and its new value.
type buffer struct {
	dtype tensor.DType
	size  int // elements
	f32   []float32
	i32   []int32
	u8    []uint8

	fixed    bool // the same in every run, on a frozen store: a leaf, or made of such
	arena    bool // placed by the memory plan
	first    int  // step that writes it
	lastRead int  // last step that reads it
}

func (b *buffer) bind(t *tensor.Tensor) { b.f32, b.i32, b.u8 = t.Float32(), t.Int32(), t.Uint8() }

func (b *buffer) copyTo(d *buffer) {
	copy(d.f32, b.f32)
	copy(d.i32, b.i32)
	copy(d.u8, b.u8)
}

// step is one operation of a program.
type step struct {
	node   *graph.Node
	kernel kernel
}

// atEnd is the time of what happens after the last step: copies to outputs,
// then to variables.
const atEnd = math.MaxInt

// compiler holds the state of one compilation.
type compiler struct {
	*Backend
	g       *graph.Graph
	buffers map[*graph.Node]*buffer
	once    []step // of what is fixed: they run when the program is compiled
	steps   []step
	program Program
}

// Program is a compiled graph.
type Program struct {
	graph   *graph.Graph
	inputs  []*graph.Node
	bound   []*buffer // of the inputs
	steps   []step
	arena   []float32
	scratch []float32
	outputs []*tensor.Tensor
	written []*tensor.Tensor // outputs and updated variables: no input may be one of them
	parts   parts
	// copies run in order after the steps: to outputs, then snapshots of
	// variables that other variables take over, then to variables.
	copies []move
}

type move struct{ from, to *buffer }

// Run implements [backend.Program].
func (p *Program) Run(inputs []*tensor.Tensor) error {
	if err := backend.CheckInputs(p.graph, p.inputs, inputs); err != nil {
		return err
	}
	for i, in := range inputs {
		for _, w := range p.written {
			if shareMemory(in, w) {
				return fmt.Errorf("cpu: input %q of program %s is an output of it or a variable that it updates: give a clone", p.inputs[i].Name(), p.graph.Name)
			}
		}
	}
	for part := range p.parts.number() {
		p.bindInputs(inputs, part)
		for i := range p.steps {
			p.steps[i].kernel.run(p.scratch)
		}
		p.copyResults(part)
	}
	return nil
}

// shareMemory reports whether two tensors begin at the same place.
func shareMemory(a, b *tensor.Tensor) bool {
	if a.DType() != b.DType() {
		return false
	}
	switch a.DType() {
	case tensor.Float32:
		return &a.Float32()[0] == &b.Float32()[0]
	case tensor.Int32:
		return &a.Int32()[0] == &b.Int32()[0]
	}
	return &a.Uint8()[0] == &b.Uint8()[0]
}

func (p *Program) bindInputs(inputs []*tensor.Tensor, part int) {
	for i, t := range inputs {
		p.bound[i].bind(t)
		p.parts.narrow(i, part, p.bound[i])
	}
}

func (p *Program) copyResults(part int) {
	for _, m := range p.copies {
		m.from.copyTo(m.to)
	}
	p.parts.gather(part, p.outputs)
}

// Output implements [backend.Program].
func (p *Program) Output(i int) *tensor.Tensor {
	if p.parts.outputs != nil {
		return p.parts.outputs[i]
	}
	return p.outputs[i]
}

// placeValues decides for each node which buffer it has, lists the steps, and
// fixes what is done in place.
func (c *compiler) placeValues(store *backend.Store) error {
	variables, err := store.Bind(c.g)
	if err != nil {
		return err
	}
	c.program.graph = c.g
	c.program.inputs = c.g.Inputs()
	for _, n := range c.g.Nodes {
		b := &buffer{dtype: n.DType(), size: n.Shape().Elements()}
		switch n.Op() {
		case graph.OpInput:
			c.program.bound = append(c.program.bound, b)
		case graph.OpVariable:
			b.bind(variables[0])
			b.fixed = store.Frozen()
			variables = variables[1:]
		case graph.OpConstant:
			b.bind(n.Attrs().(graph.ConstantAttrs).Value)
			b.fixed = store.Frozen()
		case graph.OpReshape:
			b = c.buffers[n.Input(0)]
		default:
			if c.isFixed(n) {
				b.fixed = true
				b.bind(tensor.New(n.DType(), n.Shape()...))
				c.once = append(c.once, step{node: n})
				break
			}
			b.arena = n.DType() == tensor.Float32
			b.first = len(c.steps)
			if !b.arena {
				b.bind(tensor.New(n.DType(), n.Shape()...))
			}
			c.steps = append(c.steps, step{node: n})
		}
		c.buffers[n] = b
	}
	for i, s := range c.steps {
		for _, in := range s.node.Inputs() {
			b := c.buffers[in]
			b.lastRead = max(b.lastRead, i)
		}
	}
	c.placeOutputs()
	c.placeUpdates()
	for _, u := range c.g.Updates {
		c.program.written = append(c.program.written, store.Get(u.Variable.Name()))
	}
	for i, s := range c.steps {
		if s.node.Op() == graph.OpFused {
			c.reuseOperand(i, s.node, s.node.Inputs())
		} else if s.node.Op().Class() == graph.ClassDense {
			if _, addend := graph.Extras(s.node); addend >= 0 {
				c.reuseOperand(i, s.node, s.node.Inputs()[addend:])
			}
		}
	}
	return nil
}

// isFixed reports whether an operation gives the same in every run of a program
// on a frozen store. What is larger than what it is made of, such as a bias laid
// out over an image, is made anew in each run instead of kept.
func (c *compiler) isFixed(n *graph.Node) bool {
	size := 0
	for _, in := range n.Inputs() {
		b := c.buffers[in]
		if !b.fixed {
			return false
		}
		size += b.size
	}
	return n.Shape().Elements() <= size
}

// placeOutputs gives each output a tensor of its own. The operation that
// makes the value writes there at once, unless the value is a leaf or is an
// output already.
func (c *compiler) placeOutputs() {
	for _, o := range c.g.Outputs {
		t := tensor.New(o.Node.DType(), o.Node.Shape()...)
		c.program.outputs = append(c.program.outputs, t)
		c.program.written = append(c.program.written, t)
		b := c.buffers[o.Node]
		if b.arena {
			b.arena = false
			b.bind(t)
			continue
		}
		to := &buffer{}
		to.bind(t)
		c.program.copies = append(c.program.copies, move{b, to})
		b.lastRead = atEnd
	}
}

// placeUpdates lets the operation that makes a variable's new value write it
// into the variable where no later step reads the old value; other values are
// copied after the last step.
func (c *compiler) placeUpdates() {
	holdsVariable := make(map[*buffer]bool)
	for _, u := range c.g.Updates {
		holdsVariable[c.buffers[u.Variable]] = true
	}
	// A variable whose old value becomes that of another one is read at the
	// end; it must be saved before any variable is written.
	var saves, writes []move
	for _, u := range c.g.Updates {
		from := c.buffers[u.Value]
		if holdsVariable[from] && from != c.buffers[u.Variable] {
			save := &buffer{dtype: from.dtype, size: from.size}
			save.bind(tensor.New(u.Value.DType(), u.Value.Shape()...))
			saves = append(saves, move{from, save})
			writes = append(writes, move{save, c.buffers[u.Variable]})
			from.lastRead = atEnd
		}
	}
	for _, u := range c.g.Updates {
		from, to := c.buffers[u.Value], c.buffers[u.Variable]
		if holdsVariable[from] {
			continue
		}
		// The writer may itself be the last reader if it reads element i of
		// the old value only for element i of the new one.
		if from.arena && to.lastRead <= from.first && (to.lastRead < from.first || c.readsInPlace(from.first, to)) {
			from.arena = false
			from.f32 = to.f32
			continue
		}
		from.lastRead = atEnd
		writes = append(writes, move{from, to})
	}
	c.program.copies = append(append(c.program.copies, saves...), writes...)
}

// readsInPlace reports whether step i reads element i of each operand that lies
// in b only for element i of its result.
func (c *compiler) readsInPlace(i int, b *buffer) bool {
	n := c.steps[i].node
	addend := -1
	if n.Op().Class() == graph.ClassDense {
		_, addend = graph.Extras(n)
	}
	for j, in := range n.Inputs() {
		if c.buffers[in] == b && j != addend && (n.Op() != graph.OpFused || !in.Shape().Equal(n.Shape())) {
			return false
		}
	}
	return true
}

// reuseOperand gives the result of step i the buffer of one of some operands
// that nothing reads afterwards, and that the step reads in place.
func (c *compiler) reuseOperand(i int, n *graph.Node, operands []*graph.Node) {
	out := c.buffers[n]
	if !out.arena {
		return
	}
	for _, in := range operands {
		b := c.buffers[in]
		if b == out || !b.arena || b.lastRead != i || b.size != out.size || !c.readsInPlace(i, b) {
			continue
		}
		b.lastRead = out.lastRead
		for m, other := range c.buffers { // the result and its reshapes
			if other == out {
				c.buffers[m] = b
			}
		}
		for j, m := range c.program.copies {
			if m.from == out {
				c.program.copies[j].from = b
			}
		}
		return
	}
}

// finish places the arena's buffers and allocates everything. It fails where that is
// more memory than is free.
func (c *compiler) finish() (*Program, error) {
	p := &c.program
	steps, place := c.joinChains(c.steps)
	p.steps = steps
	once, _ := c.joinChains(c.once)
	for _, s := range slices.Concat(once, steps) {
		p.scratch = growTo(p.scratch, s.kernel.scratch)
	}
	for _, s := range once {
		if s.kernel.prepare != nil { // what it lays out, the steps before have computed
			s.kernel.prepare()
		}
		s.kernel.run(p.scratch)
	}
	for i := range steps {
		if k := &steps[i].kernel; k.prepare != nil {
			k.prepare()
			k.prepare = nil // and with it what was laid out
		}
	}
	var placed []*buffer
	var intervals []compile.Interval
	seen := make(map[*buffer]bool)
	for i, s := range c.steps {
		b := c.buffers[s.node]
		if !b.arena || seen[b] {
			continue
		}
		seen[b] = true
		placed = append(placed, b)
		intervals = append(intervals, compile.Interval{
			Size: b.size, First: place[b.first], Last: place[min(max(b.lastRead, i), len(place)-1)]})
	}
	offsets, total := compile.PlanMemory(intervals, lineFloats)
	if err := large.Check(total + len(p.scratch)); err != nil {
		return nil, fmt.Errorf("cpu: program %s: %w", c.g.Name, err)
	}
	p.arena = large.Floats(total)
	for i, b := range placed {
		b.f32 = p.arena[offsets[i] : offsets[i]+b.size : offsets[i]+b.size]
	}
	return p, nil
}

func growTo(s []float32, n int) []float32 {
	if n > len(s) {
		return make([]float32, n)
	}
	return s
}
