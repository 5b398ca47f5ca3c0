package nn

import (
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Reshape gives each image of a batch another shape: [N,…] becomes
// [N,Shape…].
type Reshape struct {
	Shape []int `json:"shape,omitempty"` // without the batch axis
}

// Kind returns "reshape".
func (Reshape) Kind() string { return "reshape" }

// Apply implements [Layer].
func (l Reshape) Apply(c *Context, x *graph.Node) *graph.Node {
	if x.Shape().Rank() < 1 {
		return c.Fail(l, x, "it needs a batch axis")
	}
	shape := append(tensor.Shape{x.Shape()[0]}, l.Shape...)
	if err := shape.Validate(); err != nil {
		return c.Fail(l, x, "%v", err)
	}
	if shape.Elements() != x.Shape().Elements() {
		return c.Fail(l, x, "its elements do not fill %v", shape)
	}
	return c.b.Reshape(x, shape...)
}

// Flatten makes each image of a batch a vector: [N,…] becomes [N,K].
type Flatten struct{}

// Kind returns "flatten".
func (Flatten) Kind() string { return "flatten" }

// Apply implements [Layer].
func (l Flatten) Apply(c *Context, x *graph.Node) *graph.Node {
	if x.Shape().Rank() < 2 {
		return c.Fail(l, x, "it needs [N,…]")
	}
	n := x.Shape()[0]
	return c.b.Reshape(x, n, x.Shape().Elements()/n)
}

// Crop cuts Height×Width pixels out of images [N,H,W,C], from row Top and
// column Left on. A Height or Width of 0 reaches to the end.
type Crop struct {
	Top    int `json:"top,omitempty"`
	Left   int `json:"left,omitempty"`
	Height int `json:"height,omitempty"`
	Width  int `json:"width,omitempty"`
}

// Kind returns "crop".
func (Crop) Kind() string { return "crop" }

// Apply implements [Layer].
func (l Crop) Apply(c *Context, x *graph.Node) *graph.Node {
	if !images(c, l, x) {
		return x
	}
	begin, size := [2]int{l.Top, l.Left}, [2]int{l.Height, l.Width}
	for i := range begin {
		length := x.Shape()[1+i]
		// Written without sums of what the user gave, which could overflow.
		if begin[i] < 0 || begin[i] >= length || size[i] < 0 || size[i] > length-begin[i] {
			return c.Fail(l, x, "%dx%d pixels from row %d and column %d on do not lie in it", l.Height, l.Width, l.Top, l.Left)
		}
		if size[i] == 0 {
			size[i] = length - begin[i]
		}
	}
	s := x.Shape()
	if size[0] == s[1] && size[1] == s[2] {
		return x
	}
	return c.b.Slice(x, []int{0, begin[0], begin[1], 0}, []int{s[0], begin[0] + size[0], begin[1] + size[1], s[3]})
}

// Pad puts zeros around images [N,H,W,C].
type Pad struct {
	Top    int `json:"top,omitempty"`
	Bottom int `json:"bottom,omitempty"`
	Left   int `json:"left,omitempty"`
	Right  int `json:"right,omitempty"`
}

// Kind returns "pad".
func (Pad) Kind() string { return "pad" }

// Apply implements [Layer].
func (l Pad) Apply(c *Context, x *graph.Node) *graph.Node {
	if !images(c, l, x) {
		return x
	}
	for _, n := range [4]int{l.Top, l.Bottom, l.Left, l.Right} {
		if n < 0 || n > maxWindow {
			return c.Fail(l, x, "padding is %d; it must be 0 to %d", n, maxWindow)
		}
	}
	return c.b.Pad(x, []int{0, l.Top, l.Left, 0}, []int{0, l.Bottom, l.Right, 0})
}
