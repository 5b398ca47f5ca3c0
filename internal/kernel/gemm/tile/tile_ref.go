package tile

// The portable loops: what the assembly kernels are tested against, and what
// runs where there is no assembly.

const (
	refRows    = 8
	refColumns = 16
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
			refOne(t, r, n, 0)
			refOne(t, r+1, n, 0)
		}
	}
	if r < m {
		for n := range t.N {
			refOne(t, r, n, 0)
		}
	}
}

// refElementwise is the contract of Kernels.Elementwise.
func refElementwise(t *Args, m int) {
	for r := range m {
		n := 0
		for ; n+4 <= t.N; n += 4 {
			refVector4(t, r, n)
		}
		for ; n < t.N; n++ {
			refOne(t, r, n, n)
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
	if t.ReLU && x < 0 {
		x = 0
	}
	t.C[t.CRows[r]+n] = x
}

// refOne computes one element; column is what the elementwise kernel adds to
// an offset in A.
func refOne(t *Args, r, n, column int) {
	acc := refInit(t, r, n)
	a, b := t.Rows[r]+column, n
	for _, tap := range t.Taps {
		a += tap.Delta
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

func refVector4(t *Args, r, n int) {
	c0, c1, c2, c3 := refInit(t, r, n), refInit(t, r, n+1), refInit(t, r, n+2), refInit(t, r, n+3)
	a, b := t.Rows[r]+n, n
	for _, tap := range t.Taps {
		a += tap.Delta
		i := a
		for range tap.Len {
			x, y := t.A[i:i+4:i+4], t.B[b:b+4:b+4]
			c0 += x[0] * y[0]
			c1 += x[1] * y[1]
			c2 += x[2] * y[2]
			c3 += x[3] * y[3]
			i += t.KStride
			b += t.LDB
		}
	}
	refStore(t, r, n, c0)
	refStore(t, r, n+1, c1)
	refStore(t, r, n+2, c2)
	refStore(t, r, n+3, c3)
}
