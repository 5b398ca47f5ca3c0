package nn

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Depthwise as a number of groups stands for one group for each input
// channel.
const Depthwise = -1

// Conv is a convolution (in the field's sense: a correlation) of images
// [N,H,W,C] with weights [KH,KW,C/Groups,Out].
type Conv struct {
	// Out is the number of output channels; 0 means as many as the input has.
	Out int `json:"out,omitempty"`
	// Kernel is the kernel's height, 0 means 3; KernelWidth its width where it
	// differs. The same holds for Stride (1) and Dilation (1).
	Kernel        int `json:"kernel,omitempty"`
	KernelWidth   int `json:"kernel_width,omitempty"`
	Stride        int `json:"stride,omitempty"`
	StrideWidth   int `json:"stride_width,omitempty"`
	Dilation      int `json:"dilation,omitempty"`
	DilationWidth int `json:"dilation_width,omitempty"`
	// Padding defaults to [Same].
	Padding Padding `json:"padding,omitzero"`
	// Groups cuts the channels into groups that do not see each other; 0 means
	// 1, [Depthwise] as many as there are input channels.
	Groups int      `json:"groups,omitempty"`
	NoBias bool     `json:"no_bias,omitempty"`
	Init   InitKind `json:"init,omitempty"`
}

// Kind returns "conv".
func (Conv) Kind() string { return "conv" }

// Apply implements [Layer].
func (l Conv) Apply(c *Context, x *graph.Node) *graph.Node {
	if !images(c, l, x) {
		return x
	}
	in := x.Shape()[3]
	out, groups, err := channels(in, l.Out, l.Groups)
	if err != nil {
		return c.Fail(l, x, "%v", err)
	}
	g := geometry{
		kernel:   pair(l.Kernel, l.KernelWidth, 3),
		stride:   pair(l.Stride, l.StrideWidth, 1),
		dilation: pair(l.Dilation, l.DilationWidth, 1),
		pad:      l.Padding.or(PadSame),
	}
	win, err := g.window(x.Shape()[1], x.Shape()[2])
	if err != nil {
		return c.Fail(l, x, "%v", err)
	}
	fanIn := g.kernel[0] * g.kernel[1] * (in / groups)
	w := c.Param("weight", Init{Kind: l.Init, FanIn: fanIn, FanOut: g.kernel[0] * g.kernel[1] * (out / groups)},
		g.kernel[0], g.kernel[1], in/groups, out)
	y := c.b.Conv2D(x, w, win, groups)
	c.CountMACs(int64(y.Shape().Elements()/y.Shape()[0]) * int64(fanIn))
	if !l.NoBias {
		y = c.b.Add(y, c.Param("bias", biasInit(l.Init, fanIn), out))
	}
	return y
}

// channels fills in the output channels and groups of a convolution.
func channels(in, out, groups int) (int, int, error) {
	if out == 0 {
		out = in
	}
	switch groups {
	case 0:
		groups = 1
	case Depthwise:
		groups = in
	}
	switch {
	case out < 0:
		return 0, 0, fmt.Errorf("out is %d; it must not be negative", out)
	case groups < 1:
		return 0, 0, fmt.Errorf("there are %d groups; use a positive number, or %d for one for each channel", groups, Depthwise)
	case in%groups != 0 || out%groups != 0:
		return 0, 0, fmt.Errorf("%d input and %d output channels do not both divide into %d groups", in, out, groups)
	}
	return out, groups, nil
}

// ConvTranspose is the adjoint of a convolution (Dumoulin & Visin 2016,
// chapter 4): images [N,H,W,C] grow by the stride. Its weights are those of
// the convolution that it reverses, [KH,KW,Out/Groups,C].
type ConvTranspose struct {
	// Out is the number of output channels; 0 means as many as the input has.
	Out int `json:"out,omitempty"`
	// Kernel is the kernel's height, 0 means 4; KernelWidth its width where it
	// differs. The same holds for Stride (2) and Dilation (1).
	Kernel        int `json:"kernel,omitempty"`
	KernelWidth   int `json:"kernel_width,omitempty"`
	Stride        int `json:"stride,omitempty"`
	StrideWidth   int `json:"stride_width,omitempty"`
	Dilation      int `json:"dilation,omitempty"`
	DilationWidth int `json:"dilation_width,omitempty"`
	// Padding is taken off the result. It defaults to [Same]: the output is
	// the input times the stride. [Valid] gives (in−1)·stride + span and
	// explicit sides subtract from that, as in PyTorch.
	Padding Padding `json:"padding,omitzero"`
	// OutputPadding lengthens the output at the bottom and right, under
	// padding that is not [Same]; it must be less than the stride.
	OutputPadding      int `json:"output_padding,omitempty"`
	OutputPaddingWidth int `json:"output_padding_width,omitempty"`
	// Height and Width name the output's size instead; under [Same] any size
	// that the convolution would take to the input's is possible: from
	// (in−1)·stride+1 to in·stride.
	Height int      `json:"height,omitempty"`
	Width  int      `json:"width,omitempty"`
	Groups int      `json:"groups,omitempty"` // as in Conv
	NoBias bool     `json:"no_bias,omitempty"`
	Init   InitKind `json:"init,omitempty"`
}

// Kind returns "conv_transpose".
func (ConvTranspose) Kind() string { return "conv_transpose" }

// Apply implements [Layer].
func (l ConvTranspose) Apply(c *Context, x *graph.Node) *graph.Node {
	if !images(c, l, x) {
		return x
	}
	in := x.Shape()[3]
	out, groups, err := channels(in, l.Out, l.Groups)
	if err != nil {
		return c.Fail(l, x, "%v", err)
	}
	g := geometry{
		kernel:   pair(l.Kernel, l.KernelWidth, 4),
		stride:   pair(l.Stride, l.StrideWidth, 2),
		dilation: pair(l.Dilation, l.DilationWidth, 1),
		pad:      l.Padding.or(PadSame),
	}
	size, err := l.size(g, x.Shape()[1], x.Shape()[2])
	if err != nil {
		return c.Fail(l, x, "%v", err)
	}
	win, err := g.window(size[0], size[1])
	if err != nil {
		return c.Fail(l, x, "%v", err)
	}
	if win.Out(0, size[0]) != x.Shape()[1] || win.Out(1, size[1]) != x.Shape()[2] {
		return c.Fail(l, x, "no output of %dx%d belongs to it under stride %v and this padding", size[0], size[1], g.stride)
	}
	area := g.kernel[0] * g.kernel[1]
	init := Init{Kind: l.Init, FanIn: area * (out / groups), FanOut: area * (in / groups)}
	if l.Init != InitDefault {
		// An output sees one in stride² of the kernel's places on average.
		steps := g.stride[0] * g.stride[1]
		init.FanIn, init.FanOut = max(1, area*(in/groups)/steps), max(1, area*(out/groups)/steps)
	}
	w := c.Param("weight", init, g.kernel[0], g.kernel[1], out/groups, in)
	y := c.b.ConvTranspose2D(x, w, win, groups, size[0], size[1])
	c.CountMACs(int64(x.Shape().Elements()/x.Shape()[0]) * int64(area*(out/groups)))
	if !l.NoBias {
		y = c.b.Add(y, c.Param("bias", biasInit(l.Init, init.FanIn), out))
	}
	return y
}

// size returns the output's height and width for an input of height×width.
func (l ConvTranspose) size(g geometry, height, width int) ([2]int, error) {
	named := [2]int{l.Height, l.Width}
	more := pair(l.OutputPadding, l.OutputPaddingWidth, 0)
	removed := [2]int{g.pad.Top + g.pad.Bottom, g.pad.Left + g.pad.Right}
	var size [2]int
	for i, in := range [2]int{height, width} {
		if g.stride[i] < 1 || g.stride[i] > maxWindow || g.kernel[i] < 1 || g.kernel[i] > maxWindow ||
			g.dilation[i] < 1 || g.dilation[i] > maxWindow {
			return size, fmt.Errorf("kernel, stride and dilation must be 1 to %d", maxWindow)
		}
		switch {
		case named[i] < 0 || named[i] > tensor.MaxElements:
			return size, fmt.Errorf("an output size of %d is out of range", named[i])
		case named[i] != 0 && more[i] != 0:
			return size, fmt.Errorf("it has both an output size and an output padding; name one of them")
		case named[i] != 0:
			size[i] = named[i]
		case more[i] < 0 || more[i] >= g.stride[i]:
			return size, fmt.Errorf("output padding %d must be 0 to stride-1", more[i])
		case g.pad.Mode == PadSame && more[i] != 0:
			return size, fmt.Errorf("same padding has no output padding; name the output's height and width instead")
		case g.pad.Mode == PadSame:
			size[i] = in * g.stride[i]
		default:
			size[i] = (in-1)*g.stride[i] + g.span(i) + more[i] - removed[i]
		}
		if size[i] < 1 {
			return size, fmt.Errorf("its output would be %d places long; pad less", size[i])
		}
	}
	return size, nil
}
