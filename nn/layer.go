// Package nn describes networks as data and traces them into graphs.
//
// A layer is a plain struct whose zero value is its documented default; a
// network is a layer made of layers ([Sequential], [Residual], [Concat]).
// [Marshal] and [Unmarshal] turn a network into JSON and back, which is how a
// model file stores its architecture. Applying a layer to a node of a graph
// under a [Context] adds the layer's operations, declares its parameters as
// variables and infers their sizes from the input, so that a layer names only
// what it produces.
//
// Images are [N,H,W,C] and float32. Names and layouts of parameters: dense
// weights are [In,Out], convolution weights [KH,KW,C/Groups,Out]; the names
// ("weight", "bias", "running_mean", "running_var") are PyTorch's.
package nn

import (
	"hourglass/engine/graph"
)

// Layer is one step of a network, or a whole network.
type Layer interface {
	// Kind returns the name that stands for the layer's type in JSON.
	Kind() string
	// Apply adds the layer to the context's graph and returns its result. A
	// layer that does not fit x records an error with the graph's builder and
	// returns any node of it.
	Apply(c *Context, x *graph.Node) *graph.Node
}

// composite marks the layers that only arrange others. They have no row of
// their own in a table of layers, since the rows of their parts add up to it.
type composite interface {
	Layer
	parts() []Layer
}

// images reports whether x is [N,H,W,C], as the layers for images need, and
// records an error where it is not.
func images(c *Context, l Layer, x *graph.Node) bool {
	if x.Shape().Rank() != 4 {
		c.Fail(l, x, "it needs images [N,H,W,C]")
		return false
	}
	return true
}
