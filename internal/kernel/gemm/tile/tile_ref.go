package tile

// The portable loops: what the assembly kernels are tested against, and what
// runs where there is no assembly.

const (
	refRows    = 8
	refColumns = 16
	refLanes   = 8
)

// refBroadcast is the contract of Kernels.Broadcast. Two rows by four columns
// are as many accumulators as sixteen scalar registers allow.
func refBroadcast(t *Args, m int) {
	r := 0
	for ; r+2 <= m; r += 2 {
		n := 0
		for ; n+4 <= t.N; n += 4 {
			refTile2x4(t, r, n)
		}
		for ; n < t.N; n++ {
			refOne(t, r, n, 0, 1)
			refOne(t, r+1, n, 0, 1)
		}
	}
	if r < m {
		for n := range t.N {
			refOne(t, r, n, 0, 1)
		}
	}
}

// refVectors is the contract of Kernels.Elementwise if bColumn is 1 and of
// Kernels.Scaled if it is 0.
func refVectors(t *Args, m, bColumn int) {
	for r := range m {
		n := 0
		for ; n+4 <= t.N; n += 4 {
			refVector4(t, r, n, bColumn)
		}
		for ; n < t.N; n++ {
			refOne(t, r, n, 1, bColumn)
		}
	}
}

// refDot is the contract of Kernels.Dot.
func refDot(t *Args, m int) {
	for r := range m {
		for n := range t.N {
			var sums [refLanes]float32
			a, b := t.Rows[r], n*refLanes
			for _, tap := range t.Taps {
				a += tap.Delta
				b += tap.Skip * t.N
				for i := 0; i < tap.Len; i += refLanes {
					x, y := t.A[a+i:a+i+refLanes], t.B[b:b+refLanes]
					for lane := range sums {
						sums[lane] += x[lane] * y[lane]
					}
					b += t.N * refLanes
				}
			}
			var sum float32
			for _, v := range sums {
				sum += v
			}
			c := t.CRows[r] + n*t.CStride
			if t.FromC {
				sum += t.C[c]
			}
			if t.Bias != nil {
				sum += t.Bias[n]
			}
			t.C[c] = refActivate(t, sum)
		}
	}
}

func refInit(t *Args, r, n int) float32 {
	var x float32
	if t.FromC {
		x = t.C[t.CRows[r]+n]
	}
	if t.Bias != nil {
		x += t.Bias[n]
	}
	return x
}

func refStore(t *Args, r, n int, x float32) {
	t.C[t.CRows[r]+n] = refActivate(t, x)
}

func refActivate(t *Args, x float32) float32 {
	switch {
	case !t.ReLU:
	case x < 0:
		return 0
	case x > t.Most:
		return t.Most
	}
	return x
}

// refOne computes one element. aColumn and bColumn are 1 where the column
// counts in A and in B, and otherwise 0.
func refOne(t *Args, r, n, aColumn, bColumn int) {
	acc := refInit(t, r, n)
	a, b := t.Rows[r]+n*aColumn, n*bColumn
	for _, tap := range t.Taps {
		a += tap.Delta
		b += tap.Skip * t.LDB
		i := a
		for range tap.Len {
			acc += t.A[i] * t.B[b]
			i += t.KStride
			b += t.LDB
		}
	}
	refStore(t, r, n, acc)
}

func refTile2x4(t *Args, r, n int) {
	c00, c01, c02, c03 := refInit(t, r, n), refInit(t, r, n+1), refInit(t, r, n+2), refInit(t, r, n+3)
	c10, c11, c12, c13 := refInit(t, r+1, n), refInit(t, r+1, n+1), refInit(t, r+1, n+2), refInit(t, r+1, n+3)
	a0, a1 := t.Rows[r], t.Rows[r+1]
	b := n
	for _, tap := range t.Taps {
		a0 += tap.Delta
		a1 += tap.Delta
		b += tap.Skip * t.LDB
		i0, i1 := a0, a1
		for range tap.Len {
			x, y := t.A[i0], t.A[i1]
			row := t.B[b : b+4 : b+4]
			c00 += x * row[0]
			c01 += x * row[1]
			c02 += x * row[2]
			c03 += x * row[3]
			c10 += y * row[0]
			c11 += y * row[1]
			c12 += y * row[2]
			c13 += y * row[3]
			i0 += t.KStride
			i1 += t.KStride
			b += t.LDB
		}
	}
	refStore(t, r, n, c00)
	refStore(t, r, n+1, c01)
	refStore(t, r, n+2, c02)
	refStore(t, r, n+3, c03)
	refStore(t, r+1, n, c10)
	refStore(t, r+1, n+1, c11)
	refStore(t, r+1, n+2, c12)
	refStore(t, r+1, n+3, c13)
}

func refVector4(t *Args, r, n, bColumn int) {
	c0, c1, c2, c3 := refInit(t, r, n), refInit(t, r, n+1), refInit(t, r, n+2), refInit(t, r, n+3)
	a, b := t.Rows[r]+n, n*bColumn
	b1, b2, b3 := bColumn, 2*bColumn, 3*bColumn
	for _, tap := range t.Taps {
		a += tap.Delta
		b += tap.Skip * t.LDB
		i := a
		for range tap.Len {
			x := t.A[i : i+4 : i+4]
			c0 += x[0] * t.B[b]
			c1 += x[1] * t.B[b+b1]
			c2 += x[2] * t.B[b+b2]
			c3 += x[3] * t.B[b+b3]
			i += t.KStride
			b += t.LDB
		}
	}
	refStore(t, r, n, c0)
	refStore(t, r, n+1, c1)
	refStore(t, r, n+2, c2)
	refStore(t, r, n+3, c3)
}
