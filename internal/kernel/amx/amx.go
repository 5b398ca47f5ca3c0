// Package amx multiplies matrices of bfloat16 numbers by the tile instructions of
// Intel's Advanced Matrix Extensions, and lays out what they read. Sums are
// float32.
//
// A tile is 16 rows of 64 bytes: 32 bfloat16 numbers, or 16 float32 ones. A step
// of a product takes 32 columns of A, as they lie in rows, and 32 rows of B, two
// by two: a row of a tile of B holds the numbers of two rows of B, side by side
// for each column. Numbers too small for a normal bfloat16 count as zero.
//
// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1,
// chapter 18, and volume 2, TDPBF16PS.
package amx

import (
	"unsafe"

	"hourglass/internal/isa"
)

const (
	Rows    = 32 // of A and C in a block
	Columns = 32 // of B and C in a panel, or half of it
	Depth   = 32 // columns of A and rows of B in a step
	TileLen = 16 * Depth
)

// Kernels are the functions for one machine.
type Kernels struct{ native *functions }

// functions are those of the assembly. Strides are in bytes.
type functions struct {
	multiply  [2]func(a, b *uint16, c *float32, blocks *int, count int, taps *int, tapCount, steps, lda, ldc int, next *float32, nextStride, nextRows, left int)
	correlate func(a, b *uint16, c *float32, taps *int, count, steps, lda, half int, fromC bool, next *uint16)
	round     func(dst *uint16, src *float32, whole, rows, dstStride, srcStride int, low, high uint16)
	pair      func(dst, src *uint16, steps, dstStride, srcStride int)
	// turn and columns transpose blocks of pairs.
	turn, columns func(dst, src *uint16, steps, dstStep, dstStride, srcStep, srcStride int)
	store         func(dst, src, bias *float32, rows, dstStride int, low, high uint16, add, rectify bool, most float32)
}

var portable, native = Kernels{}, Kernels{assembly}

// For returns the kernels of a level: those of the processor, or slow ones where
// Native does not hold.
func For(level isa.Level) *Kernels {
	if Native(level) {
		return &native
	}
	return &portable
}

// Native reports whether the processor multiplies tiles, the system allows it, and
// the level does not forbid it.
func Native(level isa.Level) bool { return level == isa.AVX512 && available() }

// Args are the arguments of Multiply. Offsets and strides count elements.
type Args struct {
	A, B   []uint16
	C      []float32
	Blocks []Block
	Taps   []int // where the steps begin in a block's rows of A
	Steps  int   // of each tap, side by side in A
	LDA    int   // from row to row of A
	LDC    int   // from row to row of C
	Half   bool
	// Next is where the results will be stored, if not nil, in rows so far apart.
	// It is fetched into the cache while the product is computed.
	Next       []float32
	NextStride int
}

// Block says where Rows rows of A begin, and those of C.
type Block struct{ A, C int }

// Multiply computes C = A·B: some blocks of rows, each with the same panel of
// Columns columns or, with Half, of half as many. B holds for each step of each
// tap the panel's tiles, one behind the other. There must be a block and a tap;
// where the others lie than the last ones is not checked.
func (k *Kernels) Multiply(t *Args) {
	tiles := 2
	if t.Half {
		tiles = 1
	}
	last := t.Blocks[len(t.Blocks)-1]
	_ = t.B[len(t.Taps)*t.Steps*tiles*TileLen-1]
	_ = t.C[last.C+(Rows-1)*t.LDC+tiles*16-1]
	_ = t.A[last.A+(Rows-1)*t.LDA+t.Taps[len(t.Taps)-1]+t.Steps*Depth-1]
	if k.native == nil {
		multiplyPortable(t, tiles)
		return
	}
	var next *float32
	rows := 0
	if len(t.Next) > 0 {
		next, rows = &t.Next[0], Rows/2
	}
	k.native.multiply[tiles-1](&t.A[0], &t.B[0], &t.C[0], (*int)(unsafe.Pointer(&t.Blocks[0])), len(t.Blocks),
		&t.Taps[0], len(t.Taps), t.Steps, 2*t.LDA, 4*t.LDC, next, 4*t.NextStride, rows, 0)
}

// Shifted are the arguments of Correlate. Offsets and strides count elements.
type Shifted struct {
	A []uint16
	// B are pairs of rows of the first 16 columns, one behind the other, and Half
	// elements on those of the other 16.
	B     []uint16
	Half  int
	C     []float32 // blocks of Rows×Columns, one behind the other
	Taps  []int     // where in B the steps of each block begin
	Steps int
	LDA   int      // from row to row of A
	FromC bool     // add to C
	Next  []uint16 // what B will be next: it is fetched meanwhile
}

// Correlate computes a block of C for each tap: the rows of A times as many rows
// of B as A has columns, from the tap's on. There must be a tap; where the others
// lie than the last one is not checked.
func (k *Kernels) Correlate(t *Shifted) {
	n := len(t.Taps)
	_ = t.A[(Rows-1)*t.LDA+t.Steps*Depth-1]
	_ = t.B[t.Taps[n-1]+t.Half+t.Steps*TileLen-1]
	_ = t.C[n*Rows*Columns-1]
	if k.native == nil {
		correlatePortable(t)
		return
	}
	k.native.correlate(&t.A[0], &t.B[0], &t.C[0], &t.Taps[0], n, t.Steps, 2*t.LDA, 2*t.Half, t.FromC, &t.Next[0])
}

// Round rounds rows of n numbers to bfloat16, filled up with zeros to multiples
// of Depth.
func (k *Kernels) Round(dst []uint16, src []float32, n, rows, dstStride, srcStride int) {
	if rows == 0 {
		return
	}
	_ = src[(rows-1)*srcStride+n-1]
	_ = dst[(rows-1)*dstStride+Width(n)-1]
	if k.native != nil {
		low, high := columnMasks(n % Depth)
		k.native.round(&dst[0], &src[0], n/Depth, rows, 2*dstStride, 4*srcStride, low, high)
		return
	}
	for r := range rows {
		d := dst[r*dstStride:][:Width(n)]
		for i, v := range src[r*srcStride:][:n] {
			d[i] = round(v)
		}
		clear(d[n:])
	}
}

// Width returns n rounded up to whole steps.
func Width(n int) int { return (n + Depth - 1) / Depth * Depth }

// columnMasks returns the masks of the first n of 32 columns.
func columnMasks(n int) (low, high uint16) {
	mask := uint32(1)<<n - 1
	if n >= 32 {
		mask = 1<<32 - 1
	}
	return uint16(mask), uint16(mask >> 16)
}

// Pair makes tiles of B, dstStep apart, of its rows: each of 32 rows of 16
// numbers, one below the other.
func (k *Kernels) Pair(dst, src []uint16, steps, dstStep, srcStride int) {
	_ = src[(steps*Depth-1)*srcStride+15]
	_ = dst[(steps-1)*dstStep+TileLen-1]
	if k.native != nil {
		k.native.pair(&dst[0], &src[0], steps, 2*dstStep, 2*srcStride)
		return
	}
	for s := range steps {
		for r := range Depth {
			for c := range 16 {
				dst[s*dstStep+r/2*Depth+2*c+r%2] = src[(s*Depth+r)*srcStride+c]
			}
		}
	}
}

// Turn makes tiles of B, dstStep apart, of the rows of its transpose: each of 16
// rows of 32 numbers, one beside the other.
func (k *Kernels) Turn(dst, src []uint16, steps, dstStep, srcStride int) {
	_ = src[15*srcStride+steps*Depth-1]
	_ = dst[(steps-1)*dstStep+TileLen-1]
	if k.native != nil {
		k.native.turn(&dst[0], &src[0], steps, 2*dstStep, 2*Depth, 2*Depth, 2*srcStride)
		return
	}
	for s := range steps {
		for c := range 16 {
			for r := range Depth {
				dst[s*dstStep+r/2*Depth+2*c+r%2] = src[c*srcStride+s*Depth+r]
			}
		}
	}
}

// Transpose writes 16 columns of 32·steps rows as rows, dstStride apart.
func (k *Kernels) Transpose(dst, src []uint16, steps, dstStride, srcStride int) {
	_ = src[(steps*Depth-1)*srcStride+15]
	_ = dst[15*dstStride+steps*Depth-1]
	if k.native != nil {
		k.native.columns(&dst[0], &src[0], steps, 2*Depth, 2*dstStride, 2*Depth*srcStride, 2*srcStride)
		return
	}
	for r := range steps * Depth {
		for c := range 16 {
			dst[c*dstStride+r] = src[r*srcStride+c]
		}
	}
}

// Flip writes the transpose of a block of Rows×Columns numbers.
func (k *Kernels) Flip(dst, src []float32) {
	_, _ = dst[Rows*Columns-1], src[Rows*Columns-1]
	if k.native != nil {
		for i := range 2 {
			for j := range 2 {
				from, to := &src[16*i*Columns+16*j], &dst[16*j*Rows+16*i]
				k.native.turn((*uint16)(unsafe.Pointer(to)), (*uint16)(unsafe.Pointer(from)), 1, 0, 4*Rows, 0, 4*Columns)
			}
		}
		return
	}
	for r := range Rows {
		for c := range Columns {
			dst[c*Rows+r] = src[r*Columns+c]
		}
	}
}

// Epilogue is what happens to a product as it is stored.
type Epilogue struct {
	Bias       []float32 // for each column, or nil
	Accumulate bool
	Rectify    bool // to 0 at least and Most at most
	Most       float32
}

// Store writes n columns of rows of C, which lie Columns apart.
func (k *Kernels) Store(dst, c []float32, rows, n, dstStride int, ep *Epilogue) {
	_ = dst[(rows-1)*dstStride+n-1]
	_ = c[rows*Columns-1]
	if k.native != nil {
		low, high := columnMasks(n)
		var bias *float32
		if ep.Bias != nil {
			_ = ep.Bias[n-1]
			bias = &ep.Bias[0]
		}
		k.native.store(&dst[0], &c[0], bias, rows, 4*dstStride, low, high, ep.Accumulate, ep.Rectify, ep.Most)
		return
	}
	for r := range rows {
		d := dst[r*dstStride:][:n]
		for i, v := range c[r*Columns:][:n] {
			if ep.Bias != nil {
				v += ep.Bias[i]
			}
			if ep.Accumulate {
				v += d[i]
			}
			if ep.Rectify {
				v = min(max(v, 0), ep.Most)
			}
			d[i] = v
		}
	}
}
