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

// gemm has squares and the thinnest products of a training step of dense-ae:
// forward, towards the input, and towards the weights.
func gemm() ([]program, error) {
	var list []program
	for _, p := range []product{
		{m: 256, k: 256, n: 256},
		{m: 512, k: 512, n: 512},
		{m: 1024, k: 1024, n: 1024},
		{m: 2048, k: 2048, n: 2048},
		{m: 128, k: 784, n: 512},
		{m: 128, k: 512, n: 256},
		{m: 128, k: 256, n: 16},
		{m: 128, k: 16, n: 256},
		{m: 128, k: 512, n: 784, transB: true},
		{m: 784, k: 128, n: 512, transA: true},
	} {
		list = append(list, p.program())
	}
	return list, nil
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
	return program{name: name, build: func(b *graph.Builder) ([]nn.Param, error) {
		x := b.Input("x", tensor.Float32, left...)
		y := b.Input("y", tensor.Float32, right...)
		b.Output("product", b.MatMul(x, y, p.transA, p.transB))
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
				list = append(list, forward(name, conv, batch, size.side, size.side, size.channels))
			}
		}
	}
	return list, nil
}

// forward is a layer in use, on a batch of images.
func forward(name string, l nn.Layer, batch int, image ...int) program {
	return program{name: name, images: batch, build: func(b *graph.Builder) ([]nn.Param, error) {
		x := b.Input("images", tensor.Float32, append([]int{batch}, image...)...)
		c := nn.NewContext(b, nn.Options{})
		b.Output("result", c.Layer("layer", l, x))
		return c.Params(), b.Err()
	}}
}
