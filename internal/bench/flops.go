package bench

import "hourglass/engine/graph"

// Flops returns the multiplications and additions that the plain algorithm
// takes for the products of matrices and the convolutions of a graph; what is
// done to each element beside them does not count. Padding counts like pixels.
func Flops(g *graph.Graph) int64 {
	var total int64
	for _, n := range g.Nodes {
		total += nodeFlops(n)
	}
	return total
}

// LeastBytes returns the least that a program of the graph must read and write:
// each input and variable once, each output and updated variable once, and the
// result of each product and convolution once in and once out. What an
// intermediate costs beside these, fusion can save.
func LeastBytes(g *graph.Graph) int64 {
	const word = 4
	var total int64
	for _, n := range g.Nodes {
		switch n.Op() {
		case graph.OpInput, graph.OpVariable:
			total += word * elements(n)
		case graph.OpMatMul, graph.OpConv2D, graph.OpConv2DGradInput:
			total += 2 * word * elements(n)
		}
	}
	for _, o := range g.Outputs {
		total += word * elements(o.Node)
	}
	for _, u := range g.Updates {
		total += word * elements(u.Variable)
	}
	return total
}

// nodeFlops is 0 for operations that are neither product nor convolution.
func nodeFlops(n *graph.Node) int64 {
	const perMAC = 2
	switch n.Op() {
	case graph.OpMatMul:
		inner := n.Input(0).Shape()[1]
		if n.Attrs().(graph.MatMulAttrs).TransA {
			inner = n.Input(0).Shape()[0]
		}
		return perMAC * elements(n) * int64(inner)
	case graph.OpConv2D:
		return perMAC * elements(n) * taps(n.Input(1))
	case graph.OpConv2DGradInput: // of the gradient [N,OH,OW,K] and the weights
		return perMAC * elements(n.Input(0)) * taps(n.Input(1))
	case graph.OpConv2DGradWeight: // of the images and the gradient [N,OH,OW,K]
		return perMAC * elements(n.Input(1)) * taps(n)
	}
	return 0
}

func elements(n *graph.Node) int64 { return int64(n.Shape().Elements()) }

// taps returns how many multiply-adds one output of a convolution takes whose
// weights are [KH,KW,C/groups,K].
func taps(weights *graph.Node) int64 {
	s := weights.Shape()
	return int64(s[0]) * int64(s[1]) * int64(s[2])
}
