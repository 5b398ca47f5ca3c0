package depthwise

import "hourglass/internal/isa"

// strip is one call of a kernel: some neighbouring pixels of an output row, in
// vectors of channels. For each pixel p and channel c
//
//	y[p·yPixel+c] = act(bias[c] + Σ x[r·xRow+(p·stride+t−before)·xPixel+c] · w[r·wRow+t·wTap+c])
//
// over rows r and those taps t that see none of the inputs outside the image:
// the first before and the last after of them, each fewer than there are taps.
// Strides count float32 elements. The generator of the assembly knows the
// layout of this struct.
type strip struct {
	x, w, y, bias []float32 // no bias if nil
	blocks        int       // vectors of channels; the kernels count it down
	rows          int       // of the filter
	before, after int       // inputs outside the image
	xRow, xPixel  int
	wRow, wTap    int
	yPixel        int
	relu          int     // 1 to store min(max(y, 0), most), in which a NaN stays one
	xAhead        int     // from x to what is prefetched; 0 for nothing
	yAhead        int     // from y to what is prefetched
	most          float32 // for relu
}

// filterRow is what a kernel is made for.
type filterRow struct{ taps, stride int }

// stripPixels are the pixels of the kernels of a filter row, in their order.
// Seven are there for the networks on images of 224×224, which halve them to 7.
var stripPixels = [5]int{8, 7, 4, 2, 1}

// kernels are the kernels of one instruction-set level.
type kernels struct {
	lanes  int
	strips map[filterRow][len(stripPixels)]func(*strip)
}

// forLevel returns the kernels of a level for a number of channels, which a
// vector must not exceed: nil if there are none.
func forLevel(level isa.Level, channels int) *kernels {
	for _, k := range kernelsUpTo(level) {
		if channels >= k.lanes {
			return k
		}
	}
	return nil
}

// portable are the kernels as plain loops, against which the others are tested.
var portable = portableKernels()

func portableKernels() kernels {
	k := kernels{lanes: 1, strips: make(map[filterRow][len(stripPixels)]func(*strip))}
	for _, f := range []filterRow{{1, 1}, {2, 1}, {3, 1}, {5, 1}, {3, 2}, {5, 2}} {
		var list [len(stripPixels)]func(*strip)
		for i, pixels := range stripPixels {
			list[i] = func(s *strip) { plainStrip(s, pixels, f.taps, f.stride) }
		}
		k.strips[f] = list
	}
	return k
}

// plainStrip is the contract of the kernels.
func plainStrip(s *strip, pixels, taps, stride int) {
	inputs := (pixels-1)*stride + taps - s.before - s.after // in the image
	for p := range pixels {
		y := s.y[p*s.yPixel:][:s.blocks]
		clear(y)
		if s.bias != nil {
			copy(y, s.bias)
		}
		for r := range s.rows {
			for t := range taps {
				j := p*stride + t - s.before
				if j < 0 || j >= inputs {
					continue
				}
				x := s.x[r*s.xRow+j*s.xPixel:][:len(y)]
				w := s.w[r*s.wRow+t*s.wTap:][:len(y)]
				for c := range y {
					y[c] += x[c] * w[c]
				}
			}
		}
		if s.relu != 0 {
			for c, v := range y {
				if v < 0 {
					y[c] = 0
				} else if v > s.most {
					y[c] = s.most
				}
			}
		}
	}
}
