package bench

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// product is op(A)·op(B) of an m×k and a k×n matrix.
type product struct {
	m, k, n        int
	transA, transB bool
}

// gemm has squares and every other product of matrices that the networks
// below take.
func gemm() ([]program, error) {
	var list []program
	known := make(map[product]bool)
	add := func(p product) {
		if !known[p] {
			known[p] = true
			list = append(list, p.program())
		}
	}
	for _, side := range []int{256, 512, 1024, 2048} {
		add(product{m: side, k: side, n: side})
	}
	for _, w := range networks() {
		programs, err := w.cases()
		if err != nil {
			return nil, err
		}
		for _, p := range programs {
			g, _, err := p.trace()
			if err != nil {
				return nil, err
			}
			for _, n := range g.Nodes {
				if n.Op() == graph.OpMatMul {
					add(productOf(n))
				}
			}
		}
	}
	return list, nil
}

func productOf(n *graph.Node) product {
	a := n.Attrs().(graph.MatMulAttrs)
	p := product{m: n.Shape()[0], n: n.Shape()[1], k: n.Input(0).Shape()[1], transA: a.TransA, transB: a.TransB}
	if a.TransA {
		p.k = n.Input(0).Shape()[0]
	}
	return p
}

func (p product) program() program {
	left, right := []int{p.m, p.k}, []int{p.k, p.n}
	letters := ""
	if p.transA {
		left[0], left[1] = left[1], left[0]
		letters += "t"
	} else {
		letters += "n"
	}
	if p.transB {
		right[0], right[1] = right[1], right[0]
		letters += "t"
	} else {
		letters += "n"
	}
	name := fmt.Sprintf("gemm/%s-%dx%dx%d", letters, p.m, p.k, p.n)
	return program{name: name, product: &p, build: func(b *graph.Builder) ([]nn.Param, error) {
		x := b.Input("x", tensor.Float32, left...)
		y := b.Input("y", tensor.Float32, right...)
		b.Output("output", b.MatMul(x, y, p.transA, p.transB))
		return nil, b.Err()
	}}
}

// mobile has the depthwise convolutions of networks for small devices, on the
// sizes at which those spend their time.
func mobile() ([]program, error) {
	const batch = 16
	var list []program
	for _, kernel := range []int{3, 5} {
		for _, stride := range []int{1, 2} {
			for _, size := range []struct{ side, channels int }{{112, 32}, {56, 144}, {14, 480}} {
				conv := nn.Conv{Kernel: kernel, Stride: stride, Groups: nn.Depthwise, NoBias: true}
				name := fmt.Sprintf("mobile/%dx%d-stride%d-%dx%dx%d", kernel, kernel, stride, size.side, size.side, size.channels)
				list = append(list, network{name, conv, forward, batch, []int{size.side, size.side, size.channels}}.program())
			}
		}
	}
	return list, nil
}
