package backendtest

import (
	"fmt"
	"math"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/ref"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// Chooser makes the choices of a random program: a random source, or a
// property test's generator.
type Chooser interface {
	// IntN returns a number from 0 to n-1.
	IntN(n int) int
}

// RandomProgram returns a program of mixed operations with inputs, variables,
// outputs and updates, and values to feed it. All values are whole numbers
// small enough for float32 to hold every sum, so that backends and passes
// must agree exactly.
func RandomProgram(c Chooser) (*graph.Graph, ref.Values, error) {
	m := &mixer{Chooser: c, b: graph.NewBuilder("random"), feeds: make(ref.Values)}
	for i := range 2 + c.IntN(2) {
		m.leaf(fmt.Sprintf("x%d", i), m.b.Input, m.shape())
	}
	var variables []*graph.Node
	for i := range 1 + c.IntN(2) {
		m.leaf(fmt.Sprintf("v%d", i), m.b.Variable, m.shape())
		variables = append(variables, m.values[len(m.values)-1].node)
	}
	for range 4 + c.IntN(16) {
		m.grow()
	}
	for _, v := range variables {
		m.update(v)
	}
	for i := range 1 + c.IntN(4) {
		// Late values are the likelier outputs; leaves are possible.
		at := max(c.IntN(len(m.values)), c.IntN(len(m.values)))
		m.b.Output(fmt.Sprintf("y%d", i), m.values[at].node)
	}
	g, err := m.b.Graph()
	return g, m.feeds, err
}

// sized is a value with the largest magnitude that it may have.
type sized struct {
	node *graph.Node
	size float64
}

type mixer struct {
	Chooser
	b      *graph.Builder
	values []sized
	feeds  ref.Values
}

// limit keeps every partial sum within what float32 counts exactly.
const limit = 1 << 22

// shape returns one of a few shapes that fit each other in many ways.
func (m *mixer) shape() tensor.Shape {
	return []tensor.Shape{{2, 4, 4, 3}, {2, 4, 4, 3}, {3}, {1, 4, 4, 1}, {2, 1, 1, 3}, {}, {32, 3}, {3, 3}, {4, 1}}[m.IntN(9)]
}

func (m *mixer) leaf(name string, declare func(string, tensor.DType, ...int) *graph.Node, shape tensor.Shape) {
	values := make([]float64, shape.Elements())
	for i := range values {
		values[i] = float64(m.IntN(7) - 3)
	}
	m.feeds[name] = values
	m.values = append(m.values, sized{declare(name, tensor.Float32, shape...), 3})
}

func (m *mixer) add(n *graph.Node, size float64) {
	if size <= limit && m.b.Err() == nil {
		m.values = append(m.values, sized{n, size})
	}
}

func (m *mixer) pick() sized { return m.values[m.IntN(len(m.values))] }

// grow adds one operation on values that fit it, or nothing.
func (m *mixer) grow() {
	x := m.pick()
	switch m.IntN(6) {
	case 0:
		m.unary(x)
	case 1, 2:
		m.binary(x, m.pick())
	case 3:
		m.view(x)
	case 4:
		m.reduce(x)
	case 5:
		m.dense(x, m.pick())
	}
}

func (m *mixer) unary(x sized) {
	b := m.b
	switch m.IntN(13) {
	case 0:
		m.add(b.Neg(x.node), x.size)
	case 1:
		m.add(b.Relu(x.node), x.size)
	case 2:
		m.add(b.Abs(x.node), x.size)
	case 3:
		m.add(b.Scale(x.node, float64(m.IntN(4)-1)), 2*x.size) // -1 to 2
	case 4:
		m.add(b.AddScalar(x.node, float64(m.IntN(3)-1)), x.size+1)
	case 5:
		m.add(b.Step(x.node), 1)
	case 6:
		m.add(b.Relu6(x.node), 6)
	case 7:
		m.add(b.Sign(x.node), 1)
	case 8:
		if x.size <= math.Sqrt(limit) {
			m.add(b.Square(x.node), x.size*x.size)
		}
	case 9:
		m.add(b.LeakyRelu(x.node, 2), 2*x.size)
	case 10:
		m.add(b.Floor(x.node), x.size)
	case 11:
		win := m.window()
		win.Dilation = [2]int{1, 1} // pools have no other
		if m.slides(win, x.node.Shape()) {
			m.add(b.MaxPool(x.node, win), x.size)
		}
	case 12:
		if shape := x.node.Shape(); len(shape) == 4 && shape.Elements() < 500 {
			m.add(b.UpsampleNearest(x.node, 2), x.size)
		}
	}
}

// window returns a window of up to 3×3 with any of a few steps and margins.
func (m *mixer) window() graph.Window {
	pair := func(least, n int) [2]int { return [2]int{least + m.IntN(n), least + m.IntN(n)} }
	return graph.Window{Kernel: pair(1, 3), Stride: pair(1, 2), Dilation: pair(1, 2), PadBefore: pair(0, 2), PadAfter: pair(0, 2)}
}

// slides reports whether values of a shape are images over which a window slides.
func (m *mixer) slides(win graph.Window, shape tensor.Shape) bool {
	return len(shape) == 4 && win.Out(0, shape[1]) >= 1 && win.Out(1, shape[2]) >= 1 &&
		max(win.PadBefore[0], win.PadAfter[0]) < win.Kernel[0] && max(win.PadBefore[1], win.PadAfter[1]) < win.Kernel[1]
}

func (m *mixer) binary(x, y sized) {
	b := m.b
	if m.IntN(4) == 0 { // a literal
		v := float64(m.IntN(4) - 1)
		y = sized{b.Scalar(v), math.Abs(v)}
		if m.IntN(2) == 0 {
			x, y = y, x
		}
	}
	if _, err := tensor.Broadcast(x.node.Shape(), y.node.Shape()); err != nil {
		return
	}
	size := max(x.size, y.size)
	switch m.IntN(10) {
	case 0:
		m.add(b.Add(x.node, y.node), x.size+y.size)
	case 1:
		m.add(b.Sub(x.node, y.node), x.size+y.size)
	case 2, 3:
		if x.size*y.size <= limit {
			m.add(b.Mul(x.node, y.node), x.size*y.size)
		}
	case 4:
		m.add(b.Max(x.node, y.node), size)
	case 5:
		m.add(b.Min(x.node, y.node), size)
	case 6:
		m.add(b.Greater(x.node, y.node), 1)
	case 7:
		m.add(b.Select(b.GreaterEqual(x.node, y.node), x.node, y.node), size)
	case 8:
		m.add(b.Equal(x.node, y.node), 1)
	case 9:
		if x.size*y.size <= limit {
			product := b.Mul(x.node, y.node)
			z := m.pick()
			if _, err := tensor.Broadcast(product.Shape(), z.node.Shape()); err == nil {
				m.add(b.MulAdd(x.node, y.node, z.node), x.size*y.size+z.size)
			}
		}
	}
}

func (m *mixer) view(x sized) {
	b, shape := m.b, x.node.Shape()
	switch m.IntN(6) {
	case 0:
		m.add(b.Reshape(x.node, shape.Elements()), x.size)
	case 1:
		perm := make([]int, len(shape))
		for i := range perm {
			j := m.IntN(i + 1)
			perm[i], perm[j] = perm[j], i
		}
		m.add(b.Transpose(x.node, perm...), x.size)
	case 2:
		to := shape.Clone()
		for i := range to {
			if to[i] == 1 && m.IntN(2) == 0 {
				to[i] = 3
			}
		}
		if m.IntN(3) == 0 && len(to) < 4 && to.Elements() < 250 {
			to = append(tensor.Shape{2}, to...)
		}
		m.add(b.BroadcastTo(x.node, to...), x.size)
	case 3:
		if len(shape) > 0 {
			axis, y := m.IntN(len(shape)), m.pick()
			if !differOnly(axis, shape, y.node.Shape()) {
				y = x
			}
			m.add(b.Concat(axis, x.node, y.node, x.node), max(x.size, y.size))
		}
	case 4:
		begin, end := make([]int, len(shape)), shape.Clone()
		for i := range shape {
			begin[i] = m.IntN(shape[i])
			end[i] = begin[i] + 1 + m.IntN(shape[i]-begin[i])
		}
		m.add(b.Slice(x.node, begin, end), x.size)
	case 5:
		before, after := make([]int, len(shape)), make([]int, len(shape))
		for i := range shape {
			before[i], after[i] = m.IntN(2), m.IntN(2)
		}
		if shape.Elements() < 500 {
			m.add(b.Pad(x.node, before, after), x.size)
		}
	}
}

// differOnly reports whether two shapes are the same but perhaps along an axis.
func differOnly(axis int, a, b tensor.Shape) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if i != axis && a[i] != b[i] {
			return false
		}
	}
	return true
}

func (m *mixer) reduce(x sized) {
	b, shape := m.b, x.node.Shape()
	var axes []int
	for i := range shape {
		if m.IntN(2) == 0 {
			axes = append(axes, i)
		}
	}
	switch m.IntN(3) {
	case 0:
		y := b.Node(graph.OpReduceSum, graph.ListAttrs{Values: axes}, x.node)
		m.add(y, x.size*float64(shape.Elements()/y.Shape().Elements()))
	case 1:
		m.add(b.Node(graph.OpReduceMax, graph.ListAttrs{Values: axes}, x.node), x.size)
	case 2:
		if len(shape) > 0 {
			m.add(b.Cast(b.ArgMax(x.node)), float64(shape[len(shape)-1]))
		}
	}
}

// dense multiplies matrices or convolves images, perhaps with a factor, a bias
// and a rectifier behind, which compilation moves inside.
func (m *mixer) dense(x, w sized) {
	b, xs := m.b, x.node.Shape()
	if len(xs) != 2 && len(xs) != 4 {
		return
	}
	channels, out, kernel := xs[len(xs)-1], 1+m.IntN(3), 1+m.IntN(2)
	// Weights are the first elements of any value.
	weights := func(shape ...int) *graph.Node {
		flat := b.Reshape(w.node, w.node.Shape().Elements())
		return b.Reshape(b.Slice(flat, []int{0}, []int{tensor.Shape(shape).Elements()}), shape...)
	}
	size := x.size * w.size * float64(kernel*kernel*channels)
	if w.node.Shape().Elements() < kernel*kernel*channels*out || size > limit {
		return
	}
	var y *graph.Node
	switch choice := m.IntN(4); {
	case len(xs) == 2 && choice == 0:
		y = b.MatMul(x.node, weights(out, channels), false, true)
	case len(xs) == 2 && choice == 1:
		rows := xs[0]
		if size = x.size * w.size * float64(rows); w.node.Shape().Elements() < rows*out || size > limit {
			return
		}
		y = b.MatMul(x.node, weights(rows, out), true, false)
	case len(xs) == 2:
		y = b.MatMul(x.node, weights(channels, out), false, false)
	case choice == 0:
		win := graph.Window{Stride: [2]int{kernel, kernel}}
		y = b.ConvTranspose2D(x.node, weights(kernel, kernel, out, channels), win, 1, kernel*xs[1], kernel*xs[2])
	case choice == 3: // any window but that of Winograd's algorithm, which rounds
		win, groups := m.window(), 1
		if m.IntN(2) == 0 {
			groups, out = channels, channels*(1+m.IntN(2))
		}
		kh, kw := win.Kernel[0], win.Kernel[1]
		size = x.size * w.size * float64(kh*kw*channels/groups)
		if kh*kw == 9 && groups == 1 && win.Stride == [2]int{1, 1} && win.Dilation == [2]int{1, 1} ||
			!m.slides(win, xs) || w.node.Shape().Elements() < kh*kw*channels/groups*out || size > limit {
			return
		}
		y = b.Conv2D(x.node, weights(kh, kw, channels/groups, out), win, groups)
	case choice == 1: // depthwise
		out = channels
		y = b.Conv2D(x.node, weights(kernel, kernel, 1, out), graph.Window{PadBefore: [2]int{1, 1}}, out)
	default:
		y = b.Conv2D(x.node, weights(kernel, kernel, channels, out), graph.Window{PadAfter: [2]int{1, 1}}, 1)
	}
	m.epilogue(sized{y, size}, sized{weights(out), w.size})
}

// epilogue adds what becomes of a value by factors and offsets, one number per
// channel, and rectifiers.
func (m *mixer) epilogue(y, row sized) {
	b := m.b
	for range m.IntN(5) {
		switch m.IntN(5) {
		case 4:
			y = sized{b.Relu6(y.node), 6}
		case 0:
			y = sized{b.Add(y.node, row.node), y.size + row.size}
		case 1:
			y = sized{b.Add(row.node, y.node), y.size + row.size}
		case 2:
			if y.size*row.size <= limit {
				y = sized{b.Mul(y.node, row.node), y.size * row.size}
			}
		case 3:
			y.node = b.Relu(y.node)
		}
	}
	m.add(y.node, y.size)
}

// update gives a variable some value of its shape, if there is one.
func (m *mixer) update(v *graph.Node) {
	var fitting []*graph.Node
	for _, x := range m.values {
		if x.node.Shape().Equal(v.Shape()) {
			fitting = append(fitting, x.node)
		}
	}
	if n := m.IntN(len(fitting) + 1); n < len(fitting) {
		m.b.Update(v, fitting[n])
	}
}

// testRandomPrograms compares whole programs, of which no part may be off.
func testRandomPrograms(t *testing.T, be backend.Backend) {
	for seed := range uint64(150) {
		g, feeds, err := RandomProgram(random.NewSource(seed, 0, 0))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		outputs, updates, err := ref.Evaluate(g, feeds)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		store := backend.NewStore()
		p, err := be.Compile(g, store)
		if err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, g)
		}
		var inputs []*tensor.Tensor
		for _, n := range g.Inputs() {
			x := tensor.New(tensor.Float32, n.Shape()...)
			narrow(x, feeds[n.Name()])
			inputs = append(inputs, x)
		}
		for _, n := range g.Variables() {
			narrow(store.Get(n.Name()), feeds[n.Name()])
		}
		mustRun(t, p, inputs...)
		for i, o := range g.Outputs {
			if err := compare(p.Output(i), outputs[o.Name], nil); err != nil {
				t.Fatalf("seed %d, output %q: %v\n%v", seed, o.Name, err, g)
			}
		}
		for name, want := range updates {
			if err := compare(store.Get(name), want, nil); err != nil {
				t.Fatalf("seed %d, variable %q: %v\n%v", seed, name, err, g)
			}
		}

		// In use, as a model is: what depends on variables alone is computed once.
		g.Updates = nil
		store = backend.NewStore()
		values, err := store.Bind(g)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range g.Variables() {
			narrow(values[i], feeds[n.Name()])
		}
		store.Freeze()
		if p, err = be.Compile(g, store); err != nil {
			t.Fatalf("seed %d, frozen: %v\n%v", seed, err, g)
		}
		mustRun(t, p, inputs...)
		for i, o := range g.Outputs {
			if err := compare(p.Output(i), outputs[o.Name], nil); err != nil {
				t.Fatalf("seed %d, frozen, output %q: %v\n%v", seed, o.Name, err, g)
			}
		}
	}
}

func narrow(t *tensor.Tensor, values []float64) {
	for i, v := range values {
		t.Float32()[i] = float32(v)
	}
}
