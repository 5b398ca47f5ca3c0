package graph

import (
	"errors"
	"fmt"

	"hourglass/tensor"
)

// result is what a shape rule returns.
type result struct {
	shape tensor.Shape
	dtype tensor.DType
}

func float(shape tensor.Shape, err error) (result, error) {
	return result{shape, tensor.Float32}, err
}

// floats reports an operand that is not f32.
func floats(n *Node) error {
	for i, in := range n.inputs {
		if in.dtype != tensor.Float32 {
			return fmt.Errorf("operand %d is %v; it must be f32 (cast it)", i, in.dtype)
		}
	}
	return nil
}

func rank(n *Node, want int) error {
	for i, in := range n.inputs {
		if len(in.shape) != want {
			return fmt.Errorf("operand %d has rank %d; it must be %d", i, len(in.shape), want)
		}
	}
	return nil
}

// attrsOf returns the attributes of type T. Their absence is a bug of the
// caller inside this module, reported as an error like any other.
func attrsOf[T any](n *Node) (T, error) {
	a, ok := n.attrs.(T)
	if !ok {
		return a, fmt.Errorf("its attributes are %T, not %T", n.attrs, a)
	}
	return a, nil
}

func inferLeaf(n *Node) (result, error) {
	return result{}, errors.New("inputs and variables are declared, not built")
}

func inferConstant(n *Node) (result, error) {
	a, err := attrsOf[ConstantAttrs](n)
	if err != nil {
		return result{}, err
	}
	if a.Value == nil {
		return result{}, errors.New("it has no value")
	}
	return result{a.Value.Shape(), a.Value.DType()}, nil
}

func inferRandom(n *Node) (result, error) {
	a, err := attrsOf[RandomAttrs](n)
	if err != nil {
		return result{}, err
	}
	if in := n.inputs[0]; in.dtype != tensor.Int32 || len(in.shape) != 0 {
		return result{}, errors.New("the position in the sequence must be an i32 scalar")
	}
	return float(a.Shape, nil)
}

func inferUnary(n *Node) (result, error) {
	switch n.op {
	case OpScale, OpAddScalar, OpLeakyRelu:
		if _, err := attrsOf[FloatAttrs](n); err != nil {
			return result{}, err
		}
	}
	return float(n.inputs[0].shape, floats(n))
}

func inferCast(n *Node) (result, error) {
	a, err := attrsOf[CastAttrs](n)
	if err != nil {
		return result{}, err
	}
	if a.To != tensor.Float32 {
		return result{}, fmt.Errorf("a cast to %v is not offered, only to f32", a.To)
	}
	return float(n.inputs[0].shape, nil)
}

func inferBroadcasting(n *Node) (result, error) {
	if err := floats(n); err != nil {
		return result{}, err
	}
	shape := n.inputs[0].shape
	var err error
	for _, in := range n.inputs[1:] {
		if shape, err = tensor.Broadcast(shape, in.shape); err != nil {
			return result{}, err
		}
	}
	return float(shape, nil)
}

// inferFused checks the body as well as the operands, so that no backend has
// to.
func inferFused(n *Node) (result, error) {
	a, err := attrsOf[FusedAttrs](n)
	if err != nil {
		return result{}, err
	}
	if len(a.Body) == 0 {
		return result{}, errors.New("its body is empty")
	}
	shapes, err := chainShapes(n, a.Body)
	if err != nil {
		return result{}, err
	}
	return float(shapes[len(shapes)-1], nil)
}

// inferFusedSums asks for summed values of one shape, to which all others
// broadcast.
func inferFusedSums(n *Node) (result, error) {
	a, err := attrsOf[SumsAttrs](n)
	if err != nil {
		return result{}, err
	}
	shapes, err := chainShapes(n, a.Body)
	if err != nil {
		return result{}, err
	}
	if len(a.Sums) == 0 {
		return result{}, errors.New("it sums nothing")
	}
	var whole tensor.Shape
	for _, s := range shapes {
		if whole, err = tensor.Broadcast(whole, s); err != nil {
			return result{}, err
		}
	}
	if len(whole) == 0 {
		return result{}, errors.New("a scalar has no channel axis")
	}
	for _, v := range a.Sums {
		if v < 0 || v >= len(shapes) || !shapes[v].Equal(whole) {
			return result{}, fmt.Errorf("summed value %d of %d is not of the shape %v", v, len(shapes), whole)
		}
		if v < len(n.inputs) && n.inputs[v].dtype != tensor.Float32 {
			return result{}, fmt.Errorf("operand %d is %v; cast it before it is summed", v, n.inputs[v].dtype)
		}
	}
	return float(tensor.Shape{len(a.Sums), whole[len(whole)-1]}, nil)
}

// chainShapes returns the shapes of a chain's operands and results.
func chainShapes(n *Node, body []Instruction) ([]tensor.Shape, error) {
	shapes := make([]tensor.Shape, 0, len(n.inputs)+len(body))
	for _, in := range n.inputs {
		shapes = append(shapes, in.shape)
	}
	for i, in := range body {
		info := opTable[in.Op]
		if info.class != ClassElementwise || in.Op == OpFused || len(in.Args) != info.min {
			return nil, fmt.Errorf("instruction %d, %v of %d, cannot be fused", i, in.Op, len(in.Args))
		}
		var shape tensor.Shape
		var err error
		for _, arg := range in.Args {
			if arg < 0 || arg >= len(shapes) {
				return nil, fmt.Errorf("instruction %d reads value %d of %d", i, arg, len(shapes))
			}
			if shape, err = tensor.Broadcast(shape, shapes[arg]); err != nil {
				return nil, fmt.Errorf("instruction %d: %w", i, err)
			}
		}
		shapes = append(shapes, shape)
	}
	return shapes, nil
}

func inferReduce(n *Node) (result, error) {
	a, err := attrsOf[ListAttrs](n)
	if err != nil {
		return result{}, err
	}
	shape := n.inputs[0].shape.Clone()
	last := -1
	for _, axis := range a.Values {
		if axis <= last || axis >= len(shape) {
			return result{}, fmt.Errorf("axes %v are not ascending axes of rank %d", a.Values, len(shape))
		}
		shape[axis], last = 1, axis
	}
	return float(shape, floats(n))
}

func inferArgMax(n *Node) (result, error) {
	if err := floats(n); err != nil {
		return result{}, err
	}
	shape := n.inputs[0].shape
	if len(shape) == 0 {
		return result{}, errors.New("a scalar has no axis")
	}
	return result{shape[:len(shape)-1].Clone(), tensor.Int32}, nil
}

func inferLastAxis(n *Node) (result, error) {
	if len(n.inputs[0].shape) == 0 {
		return result{}, errors.New("a scalar has no axis")
	}
	return float(n.inputs[0].shape, floats(n))
}

func inferMatMul(n *Node) (result, error) {
	a, err := attrsOf[MatMulAttrs](n)
	if err != nil {
		return result{}, err
	}
	if err := floats(n); err != nil {
		return result{}, err
	}
	x, y := n.inputs[0].shape, n.inputs[1].shape
	if len(x) != 2 || len(y) != 2 {
		return result{}, errors.New("both operands must have rank 2")
	}
	m, k, k2, cols := x[0], x[1], y[0], y[1]
	if a.TransA {
		m, k = k, m
	}
	if a.TransB {
		k2, cols = cols, k2
	}
	if k != k2 {
		return result{}, fmt.Errorf("inner lengths %d and %d differ", k, k2)
	}
	return finished(n, tensor.Shape{m, cols})
}

// Extras returns which operands of a product or a convolution are added to its
// result before the activation, −1 for none: a bias over the last axis, and an
// addend of the result's shape. They follow the two factors in this order.
func Extras(n *Node) (bias, addend int) {
	bias, addend = -1, -1
	for i := 2; i < len(n.inputs); i++ {
		if len(n.inputs[i].shape) == 1 {
			bias = i
		} else {
			addend = i
		}
	}
	return bias, addend
}

// finished checks the optional operands of a dense operation.
func finished(n *Node, out tensor.Shape) (result, error) {
	bias, addend := Extras(n)
	channels := out[len(out)-1]
	switch {
	case bias >= 0 && !n.inputs[bias].shape.Equal(tensor.Shape{channels}):
		return result{}, fmt.Errorf("the bias has shape %v, not [%d]", n.inputs[bias].shape, channels)
	case addend >= 0 && !n.inputs[addend].shape.Equal(out):
		return result{}, fmt.Errorf("what is added has shape %v, not %v", n.inputs[addend].shape, out)
	case len(n.inputs) == 4 && (bias != 2 || addend != 3):
		return result{}, errors.New("after the factors there may be one bias and then one addend")
	}
	return float(out, nil)
}
