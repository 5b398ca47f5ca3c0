package graph

import (
	"errors"
	"fmt"

	"hourglass/tensor"
)

func same(n *Node, shape tensor.Shape, err error) (result, error) {
	return result{shape, n.inputs[0].dtype}, err
}

func inferReshape(n *Node) (result, error) {
	a, err := attrsOf[ListAttrs](n)
	if err != nil {
		return result{}, err
	}
	shape := tensor.Shape(a.Values)
	if err := shape.Validate(); err != nil {
		return result{}, err
	}
	if x := n.inputs[0].shape; x.Elements() != shape.Elements() {
		return result{}, fmt.Errorf("%d elements do not fill %v", x.Elements(), shape)
	}
	return same(n, shape, nil)
}

func inferTranspose(n *Node) (result, error) {
	a, err := attrsOf[ListAttrs](n)
	if err != nil {
		return result{}, err
	}
	x := n.inputs[0].shape
	bad := fmt.Errorf("%v is no permutation of the axes of %v", a.Values, x)
	if len(a.Values) != len(x) {
		return result{}, bad
	}
	shape := make(tensor.Shape, len(x))
	seen := make([]bool, len(x))
	for i, axis := range a.Values {
		if axis < 0 || axis >= len(x) || seen[axis] {
			return result{}, bad
		}
		shape[i], seen[axis] = x[axis], true
	}
	return same(n, shape, nil)
}

func inferBroadcast(n *Node) (result, error) {
	a, err := attrsOf[ListAttrs](n)
	if err != nil {
		return result{}, err
	}
	to := tensor.Shape(a.Values)
	shape, err := tensor.Broadcast(n.inputs[0].shape, to)
	if err != nil {
		return result{}, err
	}
	if !shape.Equal(to) {
		return result{}, fmt.Errorf("it does not broadcast to %v", to)
	}
	return same(n, shape, nil)
}

func inferConcat(n *Node) (result, error) {
	a, err := attrsOf[AxisAttrs](n)
	if err != nil {
		return result{}, err
	}
	first := n.inputs[0]
	if a.Axis < 0 || a.Axis >= len(first.shape) {
		return result{}, fmt.Errorf("rank %d has no axis %d", len(first.shape), a.Axis)
	}
	shape := first.shape.Clone()
	for i, in := range n.inputs[1:] {
		other := in.shape.Clone()
		if in.dtype != first.dtype || len(other) != len(shape) {
			return result{}, fmt.Errorf("operand %d differs in type or rank from the first", i+1)
		}
		shape[a.Axis] += other[a.Axis]
		other[a.Axis] = shape[a.Axis]
		if !other.Equal(shape) {
			return result{}, fmt.Errorf("operand %d differs from the first in more than axis %d", i+1, a.Axis)
		}
	}
	return same(n, shape, nil)
}

func inferSlice(n *Node) (result, error) {
	a, err := attrsOf[SliceAttrs](n)
	if err != nil {
		return result{}, err
	}
	x := n.inputs[0].shape
	if len(a.Begin) != len(x) || len(a.End) != len(x) {
		return result{}, errors.New("there must be a beginning and an end for each axis")
	}
	shape := make(tensor.Shape, len(x))
	for i := range x {
		if a.Begin[i] < 0 || a.End[i] <= a.Begin[i] || a.End[i] > x[i] {
			return result{}, fmt.Errorf("[%d,%d) does not lie in axis %d of length %d", a.Begin[i], a.End[i], i, x[i])
		}
		shape[i] = a.End[i] - a.Begin[i]
	}
	return same(n, shape, nil)
}

func inferPad(n *Node) (result, error) {
	a, err := attrsOf[PadAttrs](n)
	if err != nil {
		return result{}, err
	}
	x := n.inputs[0].shape
	if len(a.Before) != len(x) || len(a.After) != len(x) {
		return result{}, errors.New("there must be a padding before and after each axis")
	}
	shape := make(tensor.Shape, len(x))
	for i := range x {
		if min(a.Before[i], a.After[i]) < 0 || max(a.Before[i], a.After[i]) > tensor.MaxElements {
			return result{}, fmt.Errorf("padding of axis %d is %d and %d", i, a.Before[i], a.After[i])
		}
		shape[i] = x[i] + a.Before[i] + a.After[i]
	}
	return same(n, shape, nil)
}

func inferOneHot(n *Node) (result, error) {
	a, err := attrsOf[OneHotAttrs](n)
	if err != nil {
		return result{}, err
	}
	in := n.inputs[0]
	if in.dtype != tensor.Int32 || a.Depth < 1 {
		return result{}, errors.New("labels must be i32 and the depth positive")
	}
	return float(append(in.shape.Clone(), a.Depth), nil)
}
