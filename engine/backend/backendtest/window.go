package backendtest

import (
	"fmt"
	"math"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

func windowCases(op graph.Op) []testCase {
	switch op {
	case graph.OpMaxPool, graph.OpMaxPoolGrad, graph.OpAvgPool, graph.OpAvgPoolGrad:
		return poolCases(op)
	case graph.OpUpsampleNearest, graph.OpUpsampleNearestGrad:
		return upsampleCases(op)
	}
	return bilinearCases(op)
}

func poolCases(op graph.Op) []testCase {
	var cases []testCase
	for _, p := range []struct {
		window        graph.Window
		height, width int
		channels      int
	}{
		{square(2, 2, 0, 0, 1), 32, 30, 17},
		{square(2, 2, 0, 0, 1), 7, 9, 16},
		{square(2, 2, 0, 0, 1), 2, 2, 1},
		{square(3, 2, 1, 1, 1), 31, 33, 5},
		{square(3, 1, 1, 1, 1), 6, 5, 33},
		{square(3, 3, 0, 0, 1), 8, 10, 3},
		{square(3, 1, 2, 2, 1), 2, 3, 4},
		{square(1, 1, 0, 0, 1), 5, 4, 17},
		{square(1, 2, 0, 0, 1), 5, 4, 3},
		{square(7, 7, 0, 0, 1), 7, 7, 129}, // global
		{square(5, 2, 2, 1, 1), 9, 8, 2},
		{graph.Window{Kernel: [2]int{3, 2}, Stride: [2]int{1, 3}, PadBefore: [2]int{2, 0}, PadAfter: [2]int{0, 1}, Dilation: [2]int{1, 1}}, 4, 11, 7},
		{graph.Window{Kernel: [2]int{1, 4}, Stride: [2]int{2, 1}, PadBefore: [2]int{0, 3}, PadAfter: [2]int{0, 0}, Dilation: [2]int{1, 1}}, 5, 6, 1},
	} {
		for _, includePad := range []bool{false, true} {
			a := graph.PoolAttrs{Window: p.window, Height: p.height, Width: p.width, IncludePad: includePad}
			image := tensor.Shape{2, p.height, p.width, p.channels}
			pooled := tensor.Shape{2, a.Out(0, p.height), a.Out(1, p.width), p.channels}
			build := func(b *graph.Builder, x []*graph.Node) *graph.Node { return b.Node(op, a, x...) }
			name := fmt.Sprintf("%v of %v %+v", op, image, a)
			// An element of the image lies in at most area windows.
			area := a.Kernel[0] * a.Kernel[1]
			switch op {
			case graph.OpMaxPool:
				cases = append(cases, testCase{name, []operand{wholes(-9, 9, image...)}, build, nil})
			case graph.OpMaxPoolGrad:
				cases = append(cases, testCase{name, []operand{wholes(-2, 2, image...), wholes(-9, 9, pooled...)}, build, nil})
			case graph.OpAvgPool:
				cases = append(cases, testCase{name, []operand{reals(-1, 2, image...)}, build, sumOf(area+1, build)})
			case graph.OpAvgPoolGrad:
				cases = append(cases, testCase{name, []operand{reals(-1, 2, pooled...)}, build, sumOf(area+1, build)})
			}
		}
	}
	if op == graph.OpMaxPool {
		cases = append(cases, specialPools()...)
	}
	return cases
}

// specialPools have a window for each of NaN, Inf, -Inf and -Inf alone.
func specialPools() []testCase {
	win := graph.Window{Kernel: [2]int{1, 3}, Stride: [2]int{1, 3}}
	low := math.Inf(-1)
	x := list([]float64{1, math.NaN(), 2, math.NaN(), 5, math.Inf(1), math.Inf(1), 3, 4, low, 7, 6, low, low, low, 0, -1, math.NaN()}, 1)
	var cases []testCase
	for _, channels := range []int{1, 17} {
		image := x
		image.shape = tensor.Shape{1, 1, 18, 1}
		cases = append(cases, testCase{"max_pool of special values", []operand{image},
			func(b *graph.Builder, x []*graph.Node) *graph.Node {
				return b.MaxPool(b.BroadcastTo(x[0], 1, 1, 18, channels), win)
			}, nil})
	}
	return cases
}

func upsampleCases(op graph.Op) []testCase {
	var cases []testCase
	for _, factor := range []int{1, 2, 3, 5} {
		for _, small := range []tensor.Shape{{2, 7, 5, 17}, {1, 1, 1, 1}, {2, 3, 1, 16}, {1, 13, 15, 3}, {3, 16, 16, 33}} {
			shape := small
			if op == graph.OpUpsampleNearestGrad {
				shape = tensor.Shape{small[0], small[1] * factor, small[2] * factor, small[3]}
			}
			cases = append(cases, testCase{fmt.Sprintf("%v of %v by %d", op, shape, factor), []operand{wholes(-99, 99, shape...)},
				func(b *graph.Builder, x []*graph.Node) *graph.Node {
					return b.Node(op, graph.ResizeAttrs{Factor: factor}, x[0])
				}, nil})
		}
	}
	return cases
}

func bilinearCases(op graph.Op) []testCase {
	var cases []testCase
	for _, s := range [][4]int{ // height and width from and to
		{7, 5, 14, 10}, {14, 10, 7, 5}, {1, 1, 3, 5}, {3, 5, 1, 1}, {31, 33, 31, 33}, {5, 7, 13, 4}, {16, 16, 33, 31}, {2, 9, 3, 2}, {1, 17, 1, 40}, {40, 3, 11, 3},
	} {
		for _, channels := range []int{1, 3, 17} {
			from, to := tensor.Shape{2, s[0], s[1], channels}, tensor.Shape{2, s[2], s[3], channels}
			build := func(b *graph.Builder, x []*graph.Node) *graph.Node {
				return b.Node(op, graph.ResizeAttrs{Height: to[1], Width: to[2]}, x[0])
			}
			// A centre, computed in float32, is off by a few units of its size,
			// and the shares with it; the gradient adds up as many of them as
			// results lie near one element.
			image, terms := from, 4
			if op == graph.OpResizeBilinearGrad {
				image, terms = to, 4*(from[1]/to[1]+2)*(from[2]/to[2]+2)
			}
			factor := float64(8*(image[1]+image[2])*terms) * unit
			cases = append(cases, testCase{fmt.Sprintf("%v of %v to %v", op, from, to), []operand{reals(-1, 2, from...)}, build,
				func(b *graph.Builder, x []*graph.Node, y *graph.Node) *graph.Node {
					return b.Scale(b.ReduceMax(b.Abs(x[0])), factor)
				}})
		}
	}
	return cases
}
