// Package pool holds maximum and average pooling of images [N, H, W, C],
// forward and backward. Work is cut into blocks of rows by the shape alone and
// every sum has a fixed order, so results have the same bits for any number of
// threads.
package pool

import "fmt"

// Shape describes a pooling: the images and the windows laid over them. The
// output has (H+PadTop+PadBottom-KernelH)/StrideH+1 rows, rounded down, and
// columns likewise.
type Shape struct {
	N, H, W, C        int
	KernelH, KernelW  int
	StrideH, StrideW  int
	PadTop, PadBottom int
	PadLeft, PadRight int
	IncludePad        bool // averages divide by the whole window, its padding included
}

// Check returns an error if the windows do not fit: a size is not positive, a
// padding is as wide as the window (which would leave windows without a cell)
// or a window is larger than the padded image.
func (s Shape) Check() error {
	for _, v := range []struct {
		name string
		n    int
	}{
		{"batch size", s.N}, {"height", s.H}, {"width", s.W}, {"channels", s.C}, {"kernel height", s.KernelH},
		{"kernel width", s.KernelW}, {"vertical stride", s.StrideH}, {"horizontal stride", s.StrideW},
	} {
		if v.n < 1 {
			return fmt.Errorf("pool: %s is %d: it must be at least 1", v.name, v.n)
		}
	}
	for _, v := range []struct {
		name        string
		pad, kernel int
	}{
		{"top", s.PadTop, s.KernelH}, {"bottom", s.PadBottom, s.KernelH}, {"left", s.PadLeft, s.KernelW}, {"right", s.PadRight, s.KernelW},
	} {
		if v.pad < 0 || v.pad >= v.kernel {
			return fmt.Errorf("pool: %s padding is %d with a kernel of %d: it must be at least 0 and below the kernel", v.name, v.pad, v.kernel)
		}
	}
	if s.H+s.PadTop+s.PadBottom < s.KernelH || s.W+s.PadLeft+s.PadRight < s.KernelW {
		return fmt.Errorf("pool: a %d×%d window does not fit an image of %d×%d with its padding: use a smaller kernel or more padding",
			s.KernelH, s.KernelW, s.H, s.W)
	}
	return nil
}

// OutH returns the height of the output.
func (s Shape) OutH() int { return (s.H+s.PadTop+s.PadBottom-s.KernelH)/s.StrideH + 1 }

// OutW returns the width of the output.
func (s Shape) OutW() int { return (s.W+s.PadLeft+s.PadRight-s.KernelW)/s.StrideW + 1 }

// side is one direction of a pooling.
type side struct{ size, out, kernel, stride, pad int }

func (s Shape) vertical() side   { return side{s.H, s.OutH(), s.KernelH, s.StrideH, s.PadTop} }
func (s Shape) horizontal() side { return side{s.W, s.OutW(), s.KernelW, s.StrideW, s.PadLeft} }

// window returns the cells [lo, hi) of the input that window o covers.
func (d side) window(o int) (lo, hi int) {
	lo = o*d.stride - d.pad
	return max(lo, 0), min(lo+d.kernel, d.size)
}

// covering returns the windows [lo, hi) that cover a cell in [first, last].
func (d side) covering(first, last int) (lo, hi int) {
	// Window o covers cells o*stride-pad to o*stride-pad+kernel-1.
	lo = (first + d.pad - d.kernel + d.stride) / d.stride
	if first+d.pad < d.kernel {
		lo = 0
	}
	return lo, min((last+d.pad)/d.stride+1, d.out)
}

// grain is about the number of elements worth a part of its own.
const grain = 16 << 10

// split cuts rows of images into parts: whole images, several to a part, or
// blocks of rows of one image.
type split struct {
	images, height int
	group          int // images a part
	rows           int // rows a part
	perImage       int // parts an image
	parts          int
}

// newSplit cuts images of height rows, weight elements each. Blocks begin at
// multiples of align.
func newSplit(images, height, weight, align int) split {
	s := split{images: images, height: height, group: 1, rows: height, perImage: 1}
	if all := height * weight; all <= grain {
		s.group = max(1, grain/max(all, 1))
	} else {
		rows := max(1, grain/weight)
		s.rows = min(height, (rows+align-1)/align*align)
		s.perImage = (height + s.rows - 1) / s.rows
	}
	s.parts = (images + s.group - 1) / s.group * s.perImage
	return s
}

// bounds returns the images [n0, n1) and, of each, the rows [r0, r1) of a part.
func (s *split) bounds(part int) (n0, n1, r0, r1 int) {
	n0 = part / s.perImage * s.group
	n1 = min(n0+s.group, s.images)
	r0 = part % s.perImage * s.rows
	return n0, n1, r0, min(r0+s.rows, s.height)
}
