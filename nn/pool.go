package nn

import (
	"hourglass/engine/graph"
)

// MaxPool takes the maximum of each window of images [N,H,W,C]; padding never
// wins.
type MaxPool struct {
	// Kernel is the window's height, 0 means 2; KernelWidth its width where it
	// differs. The same holds for Stride, where 0 means the kernel's size.
	Kernel      int     `json:"kernel,omitempty"`
	KernelWidth int     `json:"kernel_width,omitempty"`
	Stride      int     `json:"stride,omitempty"`
	StrideWidth int     `json:"stride_width,omitempty"`
	Padding     Padding `json:"padding,omitzero"` // defaults to [Valid]; less than the kernel on each side
}

// Kind returns "max_pool".
func (MaxPool) Kind() string { return "max_pool" }

// Apply implements [Layer].
func (l MaxPool) Apply(c *Context, x *graph.Node) *graph.Node {
	win, ok := poolWindow(c, l, x, pair(l.Kernel, l.KernelWidth, 2), l.Stride, l.StrideWidth, l.Padding)
	if !ok {
		return x
	}
	return c.b.MaxPool(x, win)
}

// AvgPool averages each window of images [N,H,W,C].
type AvgPool struct {
	Kernel      int     `json:"kernel,omitempty"` // as in MaxPool
	KernelWidth int     `json:"kernel_width,omitempty"`
	Stride      int     `json:"stride,omitempty"`
	StrideWidth int     `json:"stride_width,omitempty"`
	Padding     Padding `json:"padding,omitzero"`
	// IncludePad divides by the window's area at the borders too, PyTorch's
	// default; otherwise by the number of elements that lie in the image.
	IncludePad bool `json:"include_pad,omitempty"`
}

// Kind returns "avg_pool".
func (AvgPool) Kind() string { return "avg_pool" }

// Apply implements [Layer].
func (l AvgPool) Apply(c *Context, x *graph.Node) *graph.Node {
	win, ok := poolWindow(c, l, x, pair(l.Kernel, l.KernelWidth, 2), l.Stride, l.StrideWidth, l.Padding)
	if !ok {
		return x
	}
	return c.b.AvgPool(x, win, l.IncludePad)
}

func poolWindow(c *Context, l Layer, x *graph.Node, kernel [2]int, stride, strideWidth int, pad Padding) (graph.Window, bool) {
	if !images(c, l, x) {
		return graph.Window{}, false
	}
	g := geometry{kernel: kernel, stride: kernel, dilation: [2]int{1, 1}, pad: pad.or(PadValid)}
	if stride != 0 || strideWidth != 0 {
		g.stride = pair(stride, strideWidth, kernel[0])
	}
	win, err := g.window(x.Shape()[1], x.Shape()[2])
	if err != nil {
		c.Fail(l, x, "%v", err)
		return win, false
	}
	for i := range kernel {
		if win.PadBefore[i] >= kernel[i] || win.PadAfter[i] >= kernel[i] {
			c.Fail(l, x, "padding must be less than the kernel, or a window holds nothing")
			return win, false
		}
	}
	return win, true
}

// GlobalAvgPool averages all positions of images [N,H,W,C] and gives [N,C].
type GlobalAvgPool struct{}

// Kind returns "global_avg_pool".
func (GlobalAvgPool) Kind() string { return "global_avg_pool" }

// Apply implements [Layer].
func (l GlobalAvgPool) Apply(c *Context, x *graph.Node) *graph.Node {
	if !images(c, l, x) {
		return x
	}
	return c.b.Reshape(c.b.Mean(x, 1, 2), x.Shape()[0], x.Shape()[3])
}
