package graph

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"hourglass/tensor"
)

// Builder traces a computation. Its methods never fail: the first error, with
// the operation, the operands' shapes and the caller's file and line, is kept
// and returned by [Builder.Graph]; what is built on top of it is ignored. An
// operand that is nil or another builder's is such an error.
type Builder struct {
	name    string
	nodes   []*Node
	names   map[string]*Node // inputs and variables
	outputs []Output
	updates []Update
	err     error
}

// Error reports an operation that cannot be built.
type Error struct {
	Op     Op
	Shapes []tensor.Shape // of the operands
	Caller string         // file:line outside this package
	Within string         // what was being built of it, such as a layer of a network; or ""
	Reason error
}

func (e *Error) Error() string {
	shapes := make([]string, len(e.Shapes))
	for i, s := range e.Shapes {
		shapes[i] = s.String()
	}
	where := e.Caller
	if e.Within != "" {
		where += ", in " + e.Within
	}
	return fmt.Sprintf("graph: %v(%s) at %s: %v", e.Op, strings.Join(shapes, ", "), where, e.Reason)
}

func (e *Error) Unwrap() error { return e.Reason }

// NewBuilder returns an empty builder for a program of the given name.
func NewBuilder(name string) *Builder {
	return &Builder{name: name, names: make(map[string]*Node)}
}

// Err returns the first error, nil if there is none so far.
func (b *Builder) Err() error { return b.err }

// Fail records an error found by a caller, such as a layer that cannot be
// built on its input.
func (b *Builder) Fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Node appends an operation with inferred shape and type. It is the one way
// into the graph: the named methods below and every pass go through it.
func (b *Builder) Node(op Op, attrs any, inputs ...*Node) *Node {
	n := &Node{op: op, attrs: attrs, inputs: inputs, owner: b, dtype: tensor.Float32}
	if b.err != nil {
		return b.poison(n)
	}
	for i, in := range inputs {
		switch {
		case in == nil:
			return b.fail(n, fmt.Errorf("operand %d is missing", i))
		case in.owner != b:
			return b.fail(n, fmt.Errorf("operand %d does not belong to this builder", i))
		}
	}
	if int(op) >= len(opTable) || opTable[op].infer == nil {
		return b.fail(n, errors.New("there is no such operation"))
	}
	info := opTable[op]
	if len(inputs) < info.min || (info.max >= 0 && len(inputs) > info.max) {
		return b.fail(n, fmt.Errorf("it has %d operands", len(inputs)))
	}
	r, err := info.infer(n)
	if err == nil {
		err = r.shape.Validate()
	}
	if err != nil {
		return b.fail(n, err)
	}
	n.shape, n.dtype = r.shape, r.dtype
	n.id = len(b.nodes)
	b.nodes = append(b.nodes, n)
	return n
}

func (b *Builder) fail(n *Node, reason error) *Node {
	e := &Error{Op: n.op, Caller: caller(), Reason: reason}
	for _, in := range n.inputs {
		if in != nil {
			e.Shapes = append(e.Shapes, in.shape)
		}
	}
	b.err = e
	return b.poison(n)
}

// poison gives a node that could not be built a shape that later calls can
// look at without harm; they return early because the builder has an error.
func (b *Builder) poison(n *Node) *Node {
	n.shape = tensor.Shape{1, 1, 1, 1}
	n.inputs = nil
	return n
}

// caller finds the first frame outside the packages that only pass calls on.
func caller() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, "hourglass/engine/graph.") || strings.HasSuffix(f.File, "_test.go") {
			file := f.File[strings.LastIndexByte(f.File, '/')+1:]
			return fmt.Sprintf("%s:%d", file, f.Line)
		}
		if !more {
			return "unknown caller"
		}
	}
}

// Input declares a value that each run is given. Names are unique among
// inputs and variables.
func (b *Builder) Input(name string, dtype tensor.DType, shape ...int) *Node {
	return b.named(OpInput, name, dtype, shape)
}

// Variable declares a value that lives between runs and may be updated.
func (b *Builder) Variable(name string, dtype tensor.DType, shape ...int) *Node {
	return b.named(OpVariable, name, dtype, shape)
}

func (b *Builder) named(op Op, name string, dtype tensor.DType, shape tensor.Shape) *Node {
	n := &Node{op: op, attrs: NameAttrs{name}, owner: b, shape: shape.Clone(), dtype: dtype}
	if b.err != nil {
		return b.poison(n)
	}
	if _, ok := b.names[name]; ok || name == "" {
		return b.fail(n, fmt.Errorf("the name %q is empty or taken", name))
	}
	if err := shape.Validate(); err != nil {
		return b.fail(n, err)
	}
	n.id = len(b.nodes)
	b.nodes = append(b.nodes, n)
	b.names[name] = n
	return n
}

// Output names a value that a run hands back.
func (b *Builder) Output(name string, n *Node) {
	if n == nil || n.owner != b {
		b.Fail(fmt.Errorf("graph: output %q does not belong to this builder", name))
		return
	}
	for _, o := range b.outputs {
		if o.Name == name {
			b.Fail(fmt.Errorf("graph: two outputs are called %q", name))
		}
	}
	b.outputs = append(b.outputs, Output{name, n})
}

// Update makes each run leave value in variable. All reads of the variable in
// the program see the old value.
func (b *Builder) Update(variable, value *Node) {
	switch {
	case b.err != nil:
		return
	case variable == nil || value == nil || variable.owner != b || value.owner != b:
		b.Fail(errors.New("graph: an update of or by what does not belong to this builder"))
		return
	case variable.op != OpVariable:
		b.Fail(fmt.Errorf("graph: update of %%%d, a %v, which is no variable", variable.id, variable.op))
	case variable.dtype != value.dtype || !variable.shape.Equal(value.shape):
		b.Fail(fmt.Errorf("graph: update of %q, %v%v, by a value of %v%v",
			variable.Name(), variable.dtype, variable.shape, value.dtype, value.shape))
	}
	for _, u := range b.updates {
		if u.Variable == variable {
			b.Fail(fmt.Errorf("graph: %q is updated twice", variable.Name()))
		}
	}
	b.updates = append(b.updates, Update{variable, value})
}

// After returns the value that a variable has after a run, as far as it has
// been built: that of its update, or the variable itself.
func (b *Builder) After(variable *Node) *Node {
	for _, u := range b.updates {
		if u.Variable == variable {
			return u.Value
		}
	}
	return variable
}

// Guard makes the updates given so far depend on a scalar: where it is 0, the
// variables stay as they are.
func (b *Builder) Guard(cond *Node) {
	cond = b.ToScalar(cond)
	for i, u := range b.updates {
		b.updates[i].Value = b.Select(cond, u.Value, u.Variable)
	}
}

// Graph closes the program: it returns the nodes that outputs and updates
// need and every declared input, all of which a run is given; or the first error.
// The builder must not be used afterwards.
func (b *Builder) Graph() (*Graph, error) {
	if b.err != nil {
		return nil, b.err
	}
	if len(b.outputs) == 0 && len(b.updates) == 0 {
		return nil, fmt.Errorf("graph: program %q has neither outputs nor updates", b.name)
	}
	needed := make([]bool, len(b.nodes))
	mark := func(n *Node) { needed[n.id] = true }
	for _, o := range b.outputs {
		mark(o.Node)
	}
	for _, u := range b.updates {
		mark(u.Variable)
		mark(u.Value)
	}
	for i := len(b.nodes) - 1; i >= 0; i-- {
		// Declared inputs stay: the signature of a program is what it declares.
		if b.nodes[i].op == OpInput {
			needed[i] = true
		}
		if needed[i] {
			for _, in := range b.nodes[i].inputs {
				mark(in)
			}
		}
	}
	g := &Graph{Name: b.name, Outputs: b.outputs, Updates: b.updates}
	for i, n := range b.nodes {
		if needed[i] {
			g.Nodes = append(g.Nodes, n)
		}
	}
	return g, nil
}
