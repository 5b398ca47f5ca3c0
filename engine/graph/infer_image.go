package graph

import (
	"errors"
	"fmt"

	"hourglass/tensor"
)

func inferConv2D(n *Node) (result, error) {
	x, w := n.inputs[0].shape, n.inputs[1].shape
	if len(x) != 4 || len(w) != 4 {
		return result{}, errors.New("image and weights must have rank 4")
	}
	a, out, err := convOut(n)
	if err != nil {
		return result{}, err
	}
	if x[1] != a.Height || x[2] != a.Width || x[3] != w[2]*a.Groups {
		return result{}, fmt.Errorf("image must be [N %d %d %d]", a.Height, a.Width, w[2]*a.Groups)
	}
	if err := weightFits(a, w); err != nil {
		return result{}, err
	}
	return finished(n, tensor.Shape{x[0], out[0], out[1], w[3]})
}

func inferConv2DGradInput(n *Node) (result, error) {
	dy, w := n.inputs[0].shape, n.inputs[1].shape
	if len(dy) != 4 || len(w) != 4 {
		return result{}, errors.New("gradient and weights must have rank 4")
	}
	a, out, err := convOut(n)
	if err != nil {
		return result{}, err
	}
	if err := weightFits(a, w); err != nil {
		return result{}, err
	}
	if dy[1] != out[0] || dy[2] != out[1] || dy[3] != w[3] {
		return result{}, fmt.Errorf("gradient must be [N %d %d %d]", out[0], out[1], w[3])
	}
	return finished(n, tensor.Shape{dy[0], a.Height, a.Width, w[2] * a.Groups})
}

func inferConv2DGradWeight(n *Node) (result, error) {
	a, out, err := convOut(n)
	if err != nil {
		return result{}, err
	}
	if err := rank(n, 4); err != nil {
		return result{}, err
	}
	x, dy := n.inputs[0].shape, n.inputs[1].shape
	switch {
	case x[1] != a.Height || x[2] != a.Width || x[3]%a.Groups != 0:
		return result{}, fmt.Errorf("image must be [N %d %d C] with C a multiple of %d groups", a.Height, a.Width, a.Groups)
	case dy[0] != x[0] || dy[1] != out[0] || dy[2] != out[1] || dy[3]%a.Groups != 0:
		return result{}, fmt.Errorf("gradient must be [%d %d %d K] with K a multiple of %d groups", x[0], out[0], out[1], a.Groups)
	}
	return float(tensor.Shape{a.Kernel[0], a.Kernel[1], x[3] / a.Groups, dy[3]}, nil)
}

// convOut checks a convolution's attributes and types and returns the spatial
// size of its output side.
func convOut(n *Node) (ConvAttrs, [2]int, error) {
	a, err := attrsOf[ConvAttrs](n)
	if err != nil {
		return a, [2]int{}, err
	}
	if err := floats(n); err != nil {
		return a, [2]int{}, err
	}
	if a.Groups < 1 {
		return a, [2]int{}, fmt.Errorf("%d groups; there must be at least 1", a.Groups)
	}
	out, err := windowOut(a.Window, a.Height, a.Width)
	return a, out, err
}

func windowOut(w Window, height, width int) ([2]int, error) {
	if err := w.Validate(); err != nil {
		return [2]int{}, err
	}
	out := [2]int{w.Out(0, height), w.Out(1, width)}
	if out[0] < 1 || out[1] < 1 {
		return out, fmt.Errorf("a kernel of %dx%d (dilation %v) does not fit an image of %dx%d with padding %v and %v",
			w.Kernel[0], w.Kernel[1], w.Dilation, height, width, w.PadBefore, w.PadAfter)
	}
	return out, nil
}

func weightFits(a ConvAttrs, w tensor.Shape) error {
	if w[0] != a.Kernel[0] || w[1] != a.Kernel[1] {
		return fmt.Errorf("weights are %dx%d, the kernel is %dx%d", w[0], w[1], a.Kernel[0], a.Kernel[1])
	}
	if w[3]%a.Groups != 0 {
		return fmt.Errorf("%d output channels do not divide into %d groups", w[3], a.Groups)
	}
	return nil
}

func poolAttrs(n *Node) (PoolAttrs, [2]int, error) {
	a, err := attrsOf[PoolAttrs](n)
	if err != nil {
		return a, [2]int{}, err
	}
	if err := floats(n); err != nil {
		return a, [2]int{}, err
	}
	if err := rank(n, 4); err != nil {
		return a, [2]int{}, err
	}
	for i := range a.Kernel {
		// A window that lies wholly in the padding would have no value.
		if a.PadBefore[i] >= a.Kernel[i] || a.PadAfter[i] >= a.Kernel[i] {
			return a, [2]int{}, errors.New("padding must be smaller than the kernel")
		}
		if a.Dilation[i] != 1 {
			return a, [2]int{}, errors.New("pooling has no dilation")
		}
	}
	out, err := windowOut(a.Window, a.Height, a.Width)
	return a, out, err
}

func inferPool(n *Node) (result, error) {
	a, out, err := poolAttrs(n)
	if err != nil {
		return result{}, err
	}
	x := n.inputs[0].shape
	if x[1] != a.Height || x[2] != a.Width {
		return result{}, fmt.Errorf("image must be [N %d %d C]", a.Height, a.Width)
	}
	return float(tensor.Shape{x[0], out[0], out[1], x[3]}, nil)
}

func inferMaxPoolGrad(n *Node) (result, error) {
	a, out, err := poolAttrs(n)
	if err != nil {
		return result{}, err
	}
	x, dy := n.inputs[0].shape, n.inputs[1].shape
	if x[1] != a.Height || x[2] != a.Width || !dy.Equal(tensor.Shape{x[0], out[0], out[1], x[3]}) {
		return result{}, fmt.Errorf("operands must be [N %d %d C] and [N %d %d C]", a.Height, a.Width, out[0], out[1])
	}
	return float(x, nil)
}

func inferAvgPoolGrad(n *Node) (result, error) {
	a, out, err := poolAttrs(n)
	if err != nil {
		return result{}, err
	}
	dy := n.inputs[0].shape
	if dy[1] != out[0] || dy[2] != out[1] {
		return result{}, fmt.Errorf("gradient must be [N %d %d C]", out[0], out[1])
	}
	return float(tensor.Shape{dy[0], a.Height, a.Width, dy[3]}, nil)
}

func resizeAttrs(n *Node) (ResizeAttrs, tensor.Shape, error) {
	a, err := attrsOf[ResizeAttrs](n)
	if err != nil {
		return a, nil, err
	}
	if err := rank(n, 4); err != nil {
		return a, nil, err
	}
	return a, n.inputs[0].shape, floats(n)
}

func inferUpsample(n *Node) (result, error) {
	a, x, err := resizeAttrs(n)
	if err != nil {
		return result{}, err
	}
	if a.Factor < 1 || a.Factor > 1<<16 {
		return result{}, fmt.Errorf("factor is %d; it must be positive", a.Factor)
	}
	return float(tensor.Shape{x[0], x[1] * a.Factor, x[2] * a.Factor, x[3]}, nil)
}

func inferUpsampleGrad(n *Node) (result, error) {
	a, dy, err := resizeAttrs(n)
	if err != nil {
		return result{}, err
	}
	if a.Factor < 1 || dy[1]%a.Factor != 0 || dy[2]%a.Factor != 0 {
		return result{}, fmt.Errorf("height and width must be multiples of the factor %d", a.Factor)
	}
	return float(tensor.Shape{dy[0], dy[1] / a.Factor, dy[2] / a.Factor, dy[3]}, nil)
}

func inferResize(n *Node) (result, error) {
	a, x, err := resizeAttrs(n)
	if err != nil {
		return result{}, err
	}
	return float(tensor.Shape{x[0], a.Height, a.Width, x[3]}, nil)
}

func channelsOf(n *Node, i int) (int, error) {
	s := n.inputs[i].shape
	if len(s) == 0 {
		return 0, fmt.Errorf("operand %d is a scalar; it must have a channel axis", i)
	}
	return s[len(s)-1], nil
}

func inferMoments(n *Node) (result, error) {
	c, err := channelsOf(n, 0)
	if err != nil {
		return result{}, err
	}
	return float(tensor.Shape{2, c}, floats(n))
}

// normFits checks that operand i of a batch-norm operation is [2,C] (moments
// and the like) or [C], as its rank says.
func normFits(n *Node, c int, ranks map[int]int) error {
	if err := floats(n); err != nil {
		return err
	}
	if _, err := attrsOf[NormAttrs](n); err != nil {
		return err
	}
	for i, in := range n.inputs {
		want := tensor.Shape{c}
		switch ranks[i] {
		case 0:
			continue
		case 2:
			want = tensor.Shape{2, c}
		}
		if !in.shape.Equal(want) {
			return fmt.Errorf("operand %d has shape %v, not %v", i, in.shape, want)
		}
	}
	return nil
}

func inferBatchNorm(n *Node) (result, error) {
	c, err := channelsOf(n, 0)
	if err != nil {
		return result{}, err
	}
	if m := n.inputs[1]; m.op != OpMoments || m.inputs[0] != n.inputs[0] {
		return result{}, errors.New("its second operand must be the moments of its first: the gradient depends on it")
	}
	return float(n.inputs[0].shape, normFits(n, c, map[int]int{1: 2, 2: 1, 3: 1}))
}

func inferBatchNormGradReduce(n *Node) (result, error) {
	c, err := channelsOf(n, 0)
	if err != nil {
		return result{}, err
	}
	if !n.inputs[2].shape.Equal(n.inputs[0].shape) {
		return result{}, errors.New("gradient and image differ in shape")
	}
	return float(tensor.Shape{2, c}, normFits(n, c, map[int]int{1: 2}))
}

func inferBatchNormGradInput(n *Node) (result, error) {
	c, err := channelsOf(n, 0)
	if err != nil {
		return result{}, err
	}
	if !n.inputs[3].shape.Equal(n.inputs[0].shape) {
		return result{}, errors.New("gradient and image differ in shape")
	}
	return float(n.inputs[0].shape, normFits(n, c, map[int]int{1: 2, 2: 1, 4: 2}))
}
