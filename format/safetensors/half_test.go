package safetensors

import (
	"bytes"
	"math"
	"testing"
)

// Every number of an F16 comes back from the float32 that it is, and what lies
// between two of them goes to the nearer one, or to the even one.
func TestHalves(t *testing.T) {
	for h := range uint32(1 << 16) {
		v := halfToFloat32(uint16(h))
		got := float32ToHalf(v)
		if math.IsNaN(float64(v)) {
			if !math.IsNaN(float64(halfToFloat32(got))) {
				t.Fatalf("%#x is NaN and becomes %#x", h, got)
			}
			continue
		}
		if got != uint16(h) {
			t.Fatalf("%#x is %v and becomes %#x", h, v, got)
		}
		if h&0x7fff >= 0x7bff {
			continue
		}
		next := halfToFloat32(uint16(h + 1))
		middle := float32((float64(v) + float64(next)) / 2) // exact
		even := uint16(h + h&1)
		up, down := math.Nextafter32(middle, next), math.Nextafter32(middle, v)
		for _, c := range []struct {
			v    float32
			want uint16
		}{{middle, even}, {up, uint16(h + 1)}, {down, uint16(h)}} {
			if got := float32ToHalf(c.v); got != c.want {
				t.Fatalf("%v becomes %#x, want %#x", c.v, got, c.want)
			}
		}
	}
	for v, want := range map[float32]uint16{65519: 0x7bff, 65520: 0x7c00, -1e30: 0xfc00, 1e-30: 0} {
		if got := float32ToHalf(v); got != want {
			t.Errorf("%v becomes %#x, want %#x", v, got, want)
		}
	}
}

func TestHalfTensors(t *testing.T) {
	values := []float32{0.1, -3, 1e-7, 70000}
	var b bytes.Buffer
	if err := Write(&b, []Tensor{NewHalf("w", []int{2, 2}, values)}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var got [4]float32
	if err := f.Float32s("w", got[:]); err != nil {
		t.Fatal(err)
	}
	RoundToHalf(values)
	if got != [4]float32(values) || got[0] == 0.1 {
		t.Errorf("read %v, want %v", got, values)
	}
}
