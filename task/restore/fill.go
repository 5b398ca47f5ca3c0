package restore

// filler closes holes smoothly from what is around them, whatever their size:
// known pixels are averaged over 2×2, 4×4, … until nothing is missing, and on
// the way back each missing pixel is interpolated in the next coarser image
// (the pull–push algorithm of Gortler et al. 1996, "The Lumigraph", section
// 3.4). The networks begin where it ends. It keeps its buffers; it must not be
// used by two goroutines at once.
type filler struct {
	levels []fillLevel
}

// fillLevel is an image and how much of each of its pixels is known, 0–1.
type fillLevel struct {
	height, width int
	pixels        []float32 // [height,width,3]
	known         []float32 // [height,width]
}

// fill closes the holes of pixels [height,width,3]: where mask [height,width]
// is 1. It does not read what lies in them.
func (f *filler) fill(pixels, mask []float32, height, width int) {
	f.prepare(height, width)
	bottom := &f.levels[0]
	for i, m := range mask {
		bottom.known[i] = 1 - m
		for k := range 3 {
			bottom.pixels[3*i+k] = (1 - m) * pixels[3*i+k]
			if m == 1 {
				bottom.pixels[3*i+k] = 0
			}
		}
	}
	for i := 1; i < len(f.levels); i++ {
		f.levels[i].pull(&f.levels[i-1])
	}
	for i := len(f.levels) - 1; i > 0; i-- {
		f.levels[i-1].push(&f.levels[i])
	}
	for i, m := range mask {
		if m == 1 {
			copy(pixels[3*i:3*i+3], bottom.pixels[3*i:3*i+3])
		}
	}
}

// prepare makes the levels down to one pixel.
func (f *filler) prepare(height, width int) {
	if len(f.levels) > 0 && f.levels[0].height == height && f.levels[0].width == width {
		return
	}
	f.levels = nil
	for {
		f.levels = append(f.levels, fillLevel{height, width, make([]float32, 3*height*width), make([]float32, height*width)})
		if height == 1 && width == 1 {
			return
		}
		height, width = (height+1)/2, (width+1)/2
	}
}

// pull averages what is known of a finer level.
func (l *fillLevel) pull(fine *fillLevel) {
	for y := range l.height {
		for x := range l.width {
			var sum [3]float32
			var weight float32
			for dy := range min(2, fine.height-2*y) {
				for dx := range min(2, fine.width-2*x) {
					i := (2*y+dy)*fine.width + 2*x + dx
					w := fine.known[i]
					weight += w
					for k := range 3 {
						sum[k] += w * fine.pixels[3*i+k]
					}
				}
			}
			i := y*l.width + x
			l.known[i] = min(1, weight)
			for k := range 3 {
				l.pixels[3*i+k] = 0
				if weight > 0 {
					l.pixels[3*i+k] = sum[k] / weight
				}
			}
		}
	}
}

// push completes pixels that are not wholly known from a coarser level, all of
// which is known, by bilinear interpolation.
func (l *fillLevel) push(coarse *fillLevel) {
	for y := range l.height {
		ya, yb := y/2, max(0, y/2-1)
		if y%2 == 1 {
			yb = min(coarse.height-1, y/2+1)
		}
		for x := range l.width {
			i := y*l.width + x
			known := l.known[i]
			if known == 1 {
				continue
			}
			xa, xb := x/2, max(0, x/2-1)
			if x%2 == 1 {
				xb = min(coarse.width-1, x/2+1)
			}
			for k := range 3 {
				at := func(y, x int) float32 { return coarse.pixels[3*(y*coarse.width+x)+k] }
				v := 0.5625*at(ya, xa) + 0.1875*(at(ya, xb)+at(yb, xa)) + 0.0625*at(yb, xb)
				l.pixels[3*i+k] = known*l.pixels[3*i+k] + (1-known)*v
			}
		}
	}
}
