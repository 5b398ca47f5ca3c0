package ref

import "hourglass/engine/graph"

func matMul(n *graph.Node, in []array) []float64 {
	a := n.Attrs().(graph.MatMulAttrs)
	x, y := in[0], in[1]
	m, cols := n.Shape()[0], n.Shape()[1]
	inner := len(x.data) / m
	out := make([]float64, m*cols)
	// Distances between neighbours along the outer and the inner axis.
	xOuter, xInner := inner, 1
	if a.TransA {
		xOuter, xInner = 1, m
	}
	yOuter, yInner := 1, cols
	if a.TransB {
		yOuter, yInner = inner, 1
	}
	for i := range m {
		for j := range cols {
			sum := 0.0
			for k := range inner {
				sum += x.data[i*xOuter+k*xInner] * y.data[j*yOuter+k*yInner]
			}
			out[i*cols+j] = sum
		}
	}
	return finish(out, in, a.Act)
}

// finish adds what follows the factors, a bias over the last axis or an addend
// of the result's shape, and applies the activation.
func finish(out []float64, in []array, act graph.Activation) []float64 {
	for i := range out {
		for _, more := range in[2:] {
			out[i] += more.data[i%len(more.data)]
		}
		out[i] = activate(act, out[i])
	}
	return out
}

// product is one multiplication of a convolution: element image of the image
// side [N,H,W,C] times element weight of [KH,KW,C/groups,K] belongs to element
// result of the output side [N,OH,OW,K].
type product struct{ image, weight, result int }

// products calls f with each multiplication that the convolution of an image
// with weights consists of. All three operations add up the same products,
// each over other places.
func products(a graph.ConvAttrs, image, weight, result [4]int, f func(p product)) {
	perGroup, outPerGroup := weight[2], weight[3]/a.Groups
	for b := range result[0] {
		for oy := range result[1] {
			for ox := range result[2] {
				for k := range result[3] {
					group := k / outPerGroup
					for ky := range weight[0] {
						for kx := range weight[1] {
							y := oy*a.Stride[0] + ky*a.Dilation[0] - a.PadBefore[0]
							x := ox*a.Stride[1] + kx*a.Dilation[1] - a.PadBefore[1]
							if y < 0 || y >= image[1] || x < 0 || x >= image[2] {
								continue
							}
							p := product{
								image:  offset(image[:], b, y, x, group*perGroup),
								weight: offset(weight[:], ky, kx, 0, k),
								result: offset(result[:], b, oy, ox, k),
							}
							for range perGroup {
								f(p)
								p.image++
								p.weight += weight[3]
							}
						}
					}
				}
			}
		}
	}
}

func conv2D(n *graph.Node, in []array) []float64 {
	a := n.Attrs().(graph.ConvAttrs)
	x, w := in[0], in[1]
	out := make([]float64, n.Shape().Elements())
	products(a, [4]int(x.shape), [4]int(w.shape), [4]int(n.Shape()), func(p product) {
		out[p.result] += x.data[p.image] * w.data[p.weight]
	})
	return finish(out, in, a.Act)
}

func conv2DGradInput(n *graph.Node, in []array) []float64 {
	a := n.Attrs().(graph.ConvAttrs)
	dy, w := in[0], in[1]
	out := make([]float64, n.Shape().Elements())
	products(a, [4]int(n.Shape()), [4]int(w.shape), [4]int(dy.shape), func(p product) {
		out[p.image] += dy.data[p.result] * w.data[p.weight]
	})
	return finish(out, in, a.Act)
}

func conv2DGradWeight(n *graph.Node, in []array) []float64 {
	a := n.Attrs().(graph.ConvAttrs)
	x, dy := in[0], in[1]
	out := make([]float64, n.Shape().Elements())
	products(a, [4]int(x.shape), [4]int(n.Shape()), [4]int(dy.shape), func(p product) {
		out[p.weight] += x.data[p.image] * dy.data[p.result]
	})
	return out
}
