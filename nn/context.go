package nn

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Options says what a network is traced for. The zero value is use: dropout
// is off and normalisation reads its running statistics.
type Options struct {
	// Training selects batch statistics, dropout and updates of running
	// statistics.
	Training bool
	// Step is the number of the training step, an i32 scalar. Dropout draws
	// its masks by it; networks without dropout need none.
	Step *graph.Node
	// Seed selects the random sequences of dropout.
	Seed uint64
	// Observe, if not nil, is given the result of every layer that is not made
	// of others, in order, with the layer's path.
	Observe func(path string, y *graph.Node)
}

// Param is a variable that a network declared.
type Param struct {
	Name string // scope and name joined by dots, such as "encoder.0.weight"
	Node *graph.Node
	Init Init
	// Trainable is false for running statistics.
	Trainable bool
	// Decay is false for biases and the scales and offsets of normalisation:
	// whatever has less than two axes, and divisive normalisation. Pulling those towards zero costs fit
	// and saves nothing.
	Decay bool
}

// Row describes one applied layer.
type Row struct {
	Name       string // scope, such as "encoder.0"
	Kind       string
	Output     tensor.Shape
	Parameters int   // trainable numbers
	MACs       int64 // multiply-adds for one image; 0 for layers without products of matrices
}

// Context collects what the layers of one network declare while they are
// traced into one graph.
type Context struct {
	b      *graph.Builder
	o      Options
	scope  []string
	params []Param
	shared map[string]*graph.Node // what another context declared, to be used here; nil to declare
	rows   []Row
	macs   int64 // counted by the layer being applied
}

// NewContext returns a context that adds to b.
func NewContext(b *graph.Builder, o Options) *Context { return &Context{b: b, o: o} }

// Again returns a context for layers that are applied once more in the same
// graph with the parameters they have: it takes those that c declared, by their
// names, and declares none. Its scope is that of c. Layers that update running
// statistics in training cannot be applied twice, and those that draw at random draw
// the same again.
func (c *Context) Again() *Context {
	again := NewContext(c.b, c.o)
	again.scope = slices.Clone(c.scope)
	again.shared = make(map[string]*graph.Node, len(c.params))
	maps.Copy(again.shared, c.shared)
	for _, p := range c.params {
		again.shared[p.Name] = p.Node
	}
	return again
}

// Builder returns the builder that layers add to.
func (c *Context) Builder() *graph.Builder { return c.b }

// Training reports whether the network is traced for training.
func (c *Context) Training() bool { return c.o.Training }

// Scope runs f with name appended to the path that parameters declared within
// are named by.
func (c *Context) Scope(name string, f func()) {
	c.scope = append(c.scope, name)
	f()
	c.scope = c.scope[:len(c.scope)-1]
}

// Path returns the current scope, its names joined by dots.
func (c *Context) Path() string { return strings.Join(c.scope, ".") }

func (c *Context) fullName(name string) string {
	if len(c.scope) == 0 {
		return name
	}
	return c.Path() + "." + name
}

// Layer applies l within the scope name and notes it in the table of rows.
func (c *Context) Layer(name string, l Layer, x *graph.Node) (y *graph.Node) {
	c.Scope(name, func() {
		if l == nil {
			c.b.Fail(fmt.Errorf("nn: layer %s is missing", c.Path()))
			y = x
			return
		}
		if x == nil {
			c.b.Fail(fmt.Errorf("nn: layer %s has no input", c.Path()))
			y = c.b.Scalar(0)
			return
		}
		if _, ok := l.(composite); ok {
			y = l.Apply(c, x)
			return
		}
		declared, sound := len(c.params), c.b.Err() == nil
		c.macs = 0
		y = l.Apply(c, x)
		if err := c.b.Err(); err != nil {
			var failed *graph.Error
			if sound && errors.As(err, &failed) {
				failed.Within = fmt.Sprintf("layer %s (%s), which got %v%v", c.Path(), l.Kind(), x.DType(), x.Shape())
			}
			return
		}
		r := Row{Name: c.Path(), Kind: l.Kind(), Output: y.Shape(), MACs: c.macs}
		for _, p := range c.params[declared:] {
			if p.Trainable {
				r.Parameters += p.Node.Shape().Elements()
			}
		}
		c.rows = append(c.rows, r)
		if c.o.Observe != nil {
			c.o.Observe(r.Name, y)
		}
	})
	return y
}

// Param declares a trainable f32 variable. Its name is the current path and
// name, which must be new to the graph.
func (c *Context) Param(name string, init Init, shape ...int) *graph.Node {
	return c.declare(Param{Name: c.fullName(name), Init: init, Trainable: true, Decay: len(shape) >= 2}, shape)
}

// paramWithoutDecay declares a matrix that is a scale and not a weight.
func (c *Context) paramWithoutDecay(name string, init Init, shape ...int) *graph.Node {
	return c.declare(Param{Name: c.fullName(name), Init: init, Trainable: true}, shape)
}

// State declares an f32 variable that the optimiser leaves alone, such as a
// running mean. Layers change it by [Context.Update].
func (c *Context) State(name string, initial float32, shape ...int) *graph.Node {
	init := Init{Kind: InitConstant, Value: float64(initial)}
	return c.declare(Param{Name: c.fullName(name), Init: init}, shape)
}

func (c *Context) declare(p Param, shape tensor.Shape) *graph.Node {
	if err := shape.Validate(); err != nil {
		c.b.Fail(fmt.Errorf("nn: parameter %s: %w", p.Name, err))
	}
	if c.shared != nil {
		node, ok := c.shared[p.Name]
		if !ok || !node.Shape().Equal(tensor.Shape(shape)) {
			c.b.Fail(fmt.Errorf("nn: there is no parameter %s of shape %v to apply again", p.Name, shape))
			return c.b.Variable(p.Name, tensor.Float32, shape...)
		}
		return node
	}
	p.Node = c.b.Variable(p.Name, tensor.Float32, shape...)
	if c.b.Err() == nil {
		c.params = append(c.params, p)
	}
	return p.Node
}

// Update gives a state its value after the run.
func (c *Context) Update(state, value *graph.Node) { c.b.Update(state, value) }

// CountMACs adds n to the multiply-adds for one image of the layer being
// applied.
func (c *Context) CountMACs(n int64) { c.macs += n }

// Fail records with the builder that layer l cannot be applied to x and
// returns x, so that a layer can return the call. The reason says what the
// layer needs.
func (c *Context) Fail(l Layer, x *graph.Node, reason string, args ...any) *graph.Node {
	if c.b.Err() != nil {
		return x
	}
	name := l.Kind()
	if len(c.scope) > 0 {
		name = c.Path() + " (" + name + ")"
	}
	c.b.Fail(fmt.Errorf("nn: layer %s got %v%v: %s", name, x.DType(), x.Shape(), fmt.Sprintf(reason, args...)))
	return x
}

// Params returns what was declared, in order.
func (c *Context) Params() []Param { return c.params }

// Trainable returns the parameters that an optimiser may change, in order.
func (c *Context) Trainable() []Param {
	var t []Param
	for _, p := range c.params {
		if p.Trainable {
			t = append(t, p)
		}
	}
	return t
}

// Rows returns one row for each layer that was applied and is not made of
// other layers, in order.
func (c *Context) Rows() []Row { return c.rows }

// stream returns the number of the random sequence that belongs to a name.
// Purposes keep an initialiser and a mask of one name apart.
func stream(purpose, name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	h.Write([]byte{0})
	h.Write([]byte(name))
	return h.Sum64()
}
