package resize

// nearestRef is the definition of Nearest and, by transposition, of its
// gradient: it calls f for every pair of an output and its input element.
func nearestRef(n, h, w, c, fh, fw int, f func(out, in int, weight float64)) {
	out := 0
	for b := range n {
		for i := range h * fh {
			for j := range w * fw {
				for k := range c {
					f(out, ((b*h+i/fh)*w+j/fw)*c+k, 1)
					out++
				}
			}
		}
	}
}

// bilinearRef is the definition of Bilinear in the same form, each output
// having four inputs.
func bilinearRef(n, h, w, c, oh, ow int, f func(out, in int, weight float64)) {
	place := func(o, size, n int) (lo, hi int, weight float64) {
		at := max((float64(o)+0.5)*float64(size)/float64(n)-0.5, 0)
		lo = min(int(at), size-1)
		return lo, min(lo+1, size-1), at - float64(lo)
	}
	out := 0
	for b := range n {
		for i := range oh {
			top, bottom, v := place(i, h, oh)
			for j := range ow {
				left, right, u := place(j, w, ow)
				for k := range c {
					at := func(y, x int) int { return ((b*h+y)*w+x)*c + k }
					f(out, at(top, left), (1-v)*(1-u))
					f(out, at(top, right), (1-v)*u)
					f(out, at(bottom, left), v*(1-u))
					f(out, at(bottom, right), v*u)
					out++
				}
			}
		}
	}
}
