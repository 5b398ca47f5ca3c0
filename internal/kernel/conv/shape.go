// Package conv computes two-dimensional convolutions of float32 images and
// their gradients.
//
// Images are [N,H,W,C], filters [KH,KW,C/Groups,K] and outputs [N,OH,OW,K],
// all dense. As usual in this field a convolution is a correlation:
//
//	y[n,oh,ow,k] = Σ x[n, oh·StrideH+kh·DilationH-PadTop, ow·StrideW+kw·DilationW-PadLeft, c] · w[kh,kw,c,k]
//
// where x counts as zero outside its borders. With groups, output channels are
// cut into Groups equal runs, each of which sees the run of input channels of
// the same index.
//
// No matrix of patches is formed: blocks of the image are copied with their
// padding into memory that stays in cache, and the kernels of package tile
// walk them in place. Filters of 3×3 with stride 1 go by package winograd where a
// model of the costs finds that cheaper. On request operands are rounded to
// bfloat16 and multiplied by package amx.
package conv

import "fmt"

// Shape is the shape of a convolution. Strides, dilations and groups of 0 mean
// 1.
type Shape struct {
	N, H, W, C, K, KH, KW                int
	StrideH, StrideW                     int
	PadTop, PadBottom, PadLeft, PadRight int
	DilationH, DilationW                 int
	Groups                               int
}

// Out returns the height and width of the output.
func (s Shape) Out() (oh, ow int) {
	s = s.withDefaults()
	return outSize(s.H, s.KH, s.StrideH, s.PadTop, s.PadBottom, s.DilationH),
		outSize(s.W, s.KW, s.StrideW, s.PadLeft, s.PadRight, s.DilationW)
}

func outSize(size, kernel, stride, before, after, dilation int) int {
	room := before + size + after - (dilation*(kernel-1) + 1)
	if room < 0 {
		return 0
	}
	return room/stride + 1
}

func (s Shape) withDefaults() Shape {
	for _, v := range []*int{&s.StrideH, &s.StrideW, &s.DilationH, &s.DilationW, &s.Groups} {
		if *v == 0 {
			*v = 1
		}
	}
	return s
}

// MaxExtent is the greatest of any one size, so that sums of products stay within an
// int.
const MaxExtent = 1 << 24

const maxElements = 1 << 40 // of any one tensor

// Validate reports why a shape is not one of a convolution: a size below 1, a
// negative padding, channels that groups do not divide, a filter larger than
// the padded image, or a size beyond reason.
func (s Shape) Validate() error {
	s = s.withDefaults()
	for _, v := range []struct {
		name  string
		value int
		least int
	}{
		{"N", s.N, 1}, {"H", s.H, 1}, {"W", s.W, 1}, {"C", s.C, 1}, {"K", s.K, 1},
		{"KH", s.KH, 1}, {"KW", s.KW, 1},
		{"StrideH", s.StrideH, 1}, {"StrideW", s.StrideW, 1},
		{"DilationH", s.DilationH, 1}, {"DilationW", s.DilationW, 1},
		{"Groups", s.Groups, 1},
		{"PadTop", s.PadTop, 0}, {"PadBottom", s.PadBottom, 0},
		{"PadLeft", s.PadLeft, 0}, {"PadRight", s.PadRight, 0},
	} {
		if v.value < v.least || v.value > MaxExtent {
			return fmt.Errorf("conv: %s is %d, want %d to %d", v.name, v.value, v.least, MaxExtent)
		}
	}
	if s.C%s.Groups != 0 || s.K%s.Groups != 0 {
		return fmt.Errorf("conv: %d groups do not divide %d input and %d output channels", s.Groups, s.C, s.K)
	}
	oh, ow := s.Out()
	if oh == 0 || ow == 0 {
		return fmt.Errorf("conv: a %d×%d filter with dilation %d×%d is larger than the padded %d×%d image",
			s.KH, s.KW, s.DilationH, s.DilationW, s.PadTop+s.H+s.PadBottom, s.PadLeft+s.W+s.PadRight)
	}
	for _, t := range []struct {
		name string
		dims [4]int
	}{
		{"input", [4]int{s.N, s.PadTop + s.H + s.PadBottom, s.PadLeft + s.W + s.PadRight, s.C}},
		{"filter", [4]int{s.KH, s.KW, s.C / s.Groups, s.K}},
		{"output", [4]int{s.N, oh, ow, s.K}},
	} {
		room := maxElements
		for _, d := range t.dims {
			room /= d
		}
		if room == 0 {
			return fmt.Errorf("conv: the %s %v has more than %d elements", t.name, t.dims, maxElements)
		}
	}
	return nil
}

// depthwise reports whether each channel is convolved with filters of its own
// and gives one output channel.
func (s Shape) depthwise() bool {
	return s.Groups > 1 && s.Groups == s.C && s.K == s.C
}

// flat returns the shape with all pixels in one column where a convolution looks
// at each alone, so that blocks need not end with rows or images; other shapes
// stay as they are.
func (s Shape) flat() Shape {
	if s.KH == 1 && s.KW == 1 && s.StrideH == 1 && s.StrideW == 1 && s.Groups == 1 &&
		s.PadTop == 0 && s.PadBottom == 0 && s.PadLeft == 0 && s.PadRight == 0 {
		s.N, s.H, s.W = 1, s.N*s.H*s.W, 1
	}
	return s
}

func (s Shape) inputLen() int  { return s.N * s.H * s.W * s.C }
func (s Shape) filterLen() int { return s.KH * s.KW * (s.C / s.Groups) * s.K }
func (s Shape) outputLen() int {
	oh, ow := s.Out()
	return s.N * oh * ow * s.K
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// perTask returns how many of n things a task does so that there are at least so
// many tasks, if n allows it, when all are done a number of times.
func perTask(n, times, least int) int {
	per := n
	for times*ceilDiv(n, per) < least && per > 1 {
		per = (per + 1) / 2
	}
	return per
}
