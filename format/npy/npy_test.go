package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// file builds a .npy file by hand.
func file(version byte, dict string, data ...byte) []byte {
	b := append([]byte(magic), version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(dict)))
	}
	return append(append(b, dict...), data...)
}

func TestReadTypes(t *testing.T) {
	f64 := func(order binary.AppendByteOrder, vs ...float64) (b []byte) {
		for _, v := range vs {
			b = order.AppendUint64(b, math.Float64bits(v))
		}
		return b
	}
	tests := []struct {
		descr string
		data  []byte
		want  []float32
	}{
		{"<f4", []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}, []float32{1, -2}},
		{">f4", []byte{0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0}, []float32{1, -2}},
		{"<f8", f64(binary.LittleEndian, 0.5, 1e300), []float32{0.5, float32(math.Inf(1))}},
		{">f8", f64(binary.BigEndian, 0.5, -3), []float32{0.5, -3}},
		{"|u1", []byte{0, 255}, []float32{0, 255}},
		{"|i1", []byte{1, 255}, []float32{1, -1}},
		{"|b1", []byte{0, 1}, []float32{0, 1}},
		{"<i2", []byte{1, 0, 0xff, 0xff}, []float32{1, -1}},
		{"<u2", []byte{1, 0, 0xff, 0xff}, []float32{1, 65535}},
		{"<i4", []byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, []float32{1, -1}},
		{">i4", []byte{0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff}, []float32{256, -1}},
		{"<i8", []byte{1, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, []float32{1, -2}},
		{">i8", []byte{0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 0}, []float32{7, 256}},
	}
	for version := byte(1); version <= 3; version++ {
		for _, tt := range tests {
			in := file(version, fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (2,), }     \n", tt.descr), tt.data...)
			for _, size := range []int64{0, int64(len(in))} {
				a, err := Read(bytes.NewReader(in), Limits{Size: size})
				if err != nil {
					t.Fatalf("%s: %v", tt.descr, err)
				}
				if got := a.Float32(); !slices.Equal(got, tt.want) || a.Len() != 2 || !slices.Equal(a.Shape, []int{2}) {
					t.Errorf("%s: got %v of shape %v, want %v", tt.descr, got, a.Shape, tt.want)
				}
			}
		}
	}
}

func TestReadFortranOrder(t *testing.T) {
	// The array [[[0 1 2] [3 4 5]] [[6 7 8] [9 10 11]]], first index fastest.
	in := file(1, `{"shape": (2, 2, 3), "fortran_order": True, "descr": "|u1"}`, 0, 6, 3, 9, 1, 7, 4, 10, 2, 8, 5, 11)
	a, err := Read(bytes.NewReader(in), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.Uint8(); err != nil || !slices.Equal(got, []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestReadMalformed(t *testing.T) {
	const good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"
	tests := []struct {
		name   string
		in     []byte
		limits Limits
		kind   error
		offset int64
		want   string
	}{
		{"empty", nil, Limits{}, ErrCorrupt, 0, "the magic string is cut short"},
		{"magic", []byte("PK\x03\x04 and more"), Limits{}, ErrCorrupt, 0, "is not the magic string"},
		{"version", file(4, good, 1, 2), Limits{}, ErrUnsupported, 6, "version 4.0"},
		{"length", file(1, good)[:9], Limits{}, ErrCorrupt, 9, "the length of the header is cut short"},
		{"long header", append([]byte(magic), 2, 0, 0xff, 0xff, 0xff, 0x7f), Limits{}, ErrTooLarge, 8, "the header has 2147483647 bytes"},
		{"header", file(1, good)[:20], Limits{}, ErrCorrupt, 20, "the header is cut short"},
		{"no dictionary", file(1, "[1]"), Limits{}, ErrCorrupt, 10, `"[1]" stands where "{" is wanted`},
		{"object", file(1, "{'descr': '|O', 'fortran_order': False, 'shape': (2,)}"), Limits{}, ErrUnsupported, 20, `elements of type "|O"`},
		{"record", file(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}"), Limits{}, ErrUnsupported, 20, "records"},
		{"order", file(1, "{'descr': '|u1', 'fortran_order': 0, 'shape': (2,)}"), Limits{}, ErrCorrupt, 44, `where "False" is wanted`},
		{"dimension", file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (-2,)}"), Limits{}, ErrCorrupt, 61, "is not a dimension"},
		{"dimension", file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}"), Limits{}, ErrCorrupt, 61, "is not a dimension"},
		{"dimensions", file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}"), Limits{}, ErrUnsupported, 77, "more than 8 dimensions"},
		{"unknown key", file(1, "{'colour': '|u1'}"), Limits{}, ErrCorrupt, 20, `unknown key "colour"`},
		{"twice", file(1, "{'descr': '|u1', 'descr': '|u1'}"), Limits{}, ErrCorrupt, 34, `the key "descr" comes twice`},
		{"missing", file(1, "{'descr': '|u1', 'shape': (2,)}"), Limits{}, ErrCorrupt, 41, `the key "fortran_order" is missing`},
		{"trailing text", file(1, good+"x"), Limits{}, ErrCorrupt, 67, `"x" follows the header`},
		{"open string", file(1, "{'descr"), Limits{}, ErrCorrupt, 11, "where a string is wanted"},
		{"product", file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 8)}"), Limits{}, ErrTooLarge, 10, "above the limit"},
		{"limit", file(1, good, 1, 2), Limits{MaxBytes: 1}, ErrTooLarge, 10, "above the limit of 1 bytes"},
		{"cut", file(1, good, 1), Limits{}, ErrCorrupt, 68, "the array of shape [2] is cut short"},
		{"cut, known", file(1, good, 1), Limits{Size: 68}, ErrCorrupt, 68, "the file ends before the array of shape [2] does, at 69"},
		{"longer", file(1, good, 1, 2, 3), Limits{}, ErrCorrupt, 69, "data follows the array"},
		{"promises 1 GiB", file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1073741824,)}", 1, 2), Limits{}, ErrCorrupt, 76, "cut short"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(tt.in), tt.limits)
			var e *Error
			if !errors.As(err, &e) || !errors.Is(err, tt.kind) {
				t.Fatalf("got error %v, want %v", err, tt.kind)
			}
			if e.Offset != tt.offset || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q at %d, want %q at %d", err, e.Offset, tt.want, tt.offset)
			}
		})
	}
}

func TestConversionsRefuse(t *testing.T) {
	floats, err := Read(bytes.NewReader(file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 0, 0, 0, 0)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if floats.Len() != 1 {
		t.Errorf("a single number has %d elements", floats.Len())
	}
	if _, err := floats.Int32(); err == nil || err.Error() != "npy: elements are float32, not integers" {
		t.Errorf("Int32 of floats: %v", err)
	}
	if _, err := floats.Uint8(); err == nil || err.Error() != "npy: elements are float32, not uint8" {
		t.Errorf("Uint8 of floats: %v", err)
	}
	wide, err := Read(bytes.NewReader(file(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (1,)}", 0, 0, 0, 0, 1, 0, 0, 0)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wide.Int32(); err == nil || err.Error() != "npy: element 0 is 4294967296, which int32 does not hold" {
		t.Errorf("Int32 of 2^32: %v", err)
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, shape := range [][]int{{2}, {-3}, {1 << 62, 8}, {3, 1, 1, 1, 1, 1, 1, 1, 1}, {}} {
		if err := Write(&bytes.Buffer{}, shape, []float32{1, 2, 3}); err == nil {
			t.Errorf("3 elements were written with shape %v", shape)
		}
	}
}

// TestHeaderLayout holds the header to the bytes that NumPy writes.
func TestHeaderLayout(t *testing.T) {
	for _, tt := range []struct {
		shape []int
		want  string
	}{
		{[]int{}, "()"}, {[]int{5}, "(5,)"}, {[]int{5, 6}, "(5, 6)"}, {[]int{1, 2, 3}, "(1, 2, 3)"},
	} {
		head := encodeHeader("<f4", tt.shape)
		want := "{'descr': '<f4', 'fortran_order': False, 'shape': " + tt.want + ", }"
		if got := string(head[10:]); !strings.HasPrefix(got, want) || strings.Trim(got[len(want):], " ") != "\n" {
			t.Errorf("header %q, want %q", got, want)
		}
		if len(head)%align != 0 {
			t.Errorf("header of %v has %d bytes", tt.shape, len(head))
		}
	}
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "shape")
		n := 1
		for _, d := range shape {
			n *= d
		}
		floats := rapid.SliceOfN(rapid.Float32(), n, n).Draw(t, "floats")
		ints := rapid.SliceOfN(rapid.Int32(), n, n).Draw(t, "ints")
		bytes8 := rapid.SliceOfN(rapid.Uint8(), n, n).Draw(t, "bytes")
		if got := again(t, shape, floats).Float32(); !slices.EqualFunc(got, floats, func(a, b float32) bool {
			return math.Float32bits(a) == math.Float32bits(b)
		}) {
			t.Fatalf("floats %v came back as %v", floats, got)
		}
		if got, err := again(t, shape, ints).Int32(); err != nil || !slices.Equal(got, ints) {
			t.Fatalf("integers %v came back as %v, %v", ints, got, err)
		}
		if got, err := again(t, shape, bytes8).Uint8(); err != nil || !slices.Equal(got, bytes8) {
			t.Fatalf("bytes %v came back as %v, %v", bytes8, got, err)
		}
	})
}

func again[T float32 | int32 | uint8](t *rapid.T, shape []int, data []T) *Array {
	var b bytes.Buffer
	if err := Write(&b, shape, data); err != nil {
		t.Fatal(err)
	}
	a, err := Read(&b, Limits{Size: int64(b.Len())})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Shape, shape) {
		t.Fatalf("shape %v came back as %v", shape, a.Shape)
	}
	return a
}

// TestWriteLong crosses the boundary between the pieces that are converted.
func TestWriteLong(t *testing.T) {
	data := make([]float32, writePiece/4+3)
	for i := range data {
		data[i] = float32(i)
	}
	var b bytes.Buffer
	if err := Write(&b, []int{len(data)}, data); err != nil {
		t.Fatal(err)
	}
	if a, err := Read(&b, Limits{}); err != nil || !slices.Equal(a.Float32(), data) {
		t.Errorf("a long array did not come back: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n", 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add(file(2, "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2)}", 1, 2, 3, 4, 5, 6, 7, 8))
	f.Add(file(3, "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 9999999999)}"))
	f.Add(file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (65536, 65536)}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := Read(bytes.NewReader(in), Limits{MaxBytes: 1 << 20})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > int64(len(in)) {
				t.Fatalf("error %v for %d bytes", err, len(in))
			}
			return
		}
		values := a.Float32()
		var b bytes.Buffer
		if err := Write(&b, a.Shape, values); err != nil {
			t.Fatalf("shape %v with %d elements: %v", a.Shape, len(values), err)
		}
		if a.Len() > 1<<18 {
			return // above the limit as float32
		}
		back, err := Read(&b, Limits{MaxBytes: 1 << 20})
		if err != nil || len(back.Float32()) != len(values) {
			t.Fatalf("what was written is not read: %v", err)
		}
	})
}
