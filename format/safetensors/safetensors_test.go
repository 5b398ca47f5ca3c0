package safetensors

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// genTensors draws tensors of all types with unique names.
func genTensors(t *rapid.T) []Tensor {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z<>&"\\ü\x{2028}.\n]{0,8}`), 0, 8, rapid.ID[string]).Draw(t, "names")
	tensors := make([]Tensor, len(names))
	for i, name := range names {
		shape := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 4).Draw(t, "shape")
		n := 1
		for _, d := range shape {
			n *= d
		}
		d := DType(rapid.IntRange(int(Bool), int(F64)).Draw(t, "dtype"))
		data := rapid.SliceOfN(rapid.Byte(), n*d.Size(), n*d.Size()).Draw(t, "data")
		if d == Bool {
			for j := range data {
				data[j] &= 1
			}
		}
		tensors[i] = Tensor{Name: name, DType: d, Shape: shape, Data: data}
	}
	return tensors
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tensors := genTensors(t)
		metadata := rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, "metadata")
		var b bytes.Buffer
		if err := Write(&b, tensors, metadata); err != nil {
			t.Fatal(err)
		}
		f, err := NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Tensors) != len(tensors) {
			t.Fatalf("%d tensors came back of %d", len(f.Tensors), len(tensors))
		}
		if len(metadata) > 0 && !cmp.Equal(f.Metadata, metadata) || len(metadata) == 0 && f.Metadata != nil {
			t.Fatalf("metadata %q came back as %q", metadata, f.Metadata)
		}
		for _, want := range tensors {
			info, ok := f.Lookup(want.Name)
			if !ok || info.Offset%int64(want.DType.Size()) != 0 {
				t.Fatalf("%q: found %v at offset %d, not a multiple of its element size", want.Name, ok, info.Offset)
			}
			got, err := f.Read(want.Name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		}

		// The order in which tensors are given does not matter.
		var again bytes.Buffer
		if err := Write(&again, rapid.Permutation(tensors).Draw(t, "order"), metadata); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), again.Bytes()) {
			t.Fatal("another order of tensors gave another file")
		}
	})
}

func testValues[T Element](t *testing.T, want DType, values ...T) {
	t.Helper()
	tensor := New("x", []int{len(values)}, values)
	if tensor.DType != want {
		t.Fatalf("%T became %v, want %v", values, tensor.DType, want)
	}
	if !bytes.Equal(tensor.Data, encode(values)) {
		t.Fatalf("%v: memory is % x and encoding % x", want, tensor.Data, encode(values))
	}
	got, err := Values[T](tensor)
	if err != nil || !cmp.Equal(got, values) {
		t.Fatalf("%v: Values gives %v, %v; want %v", want, got, err, values)
	}
	var b bytes.Buffer
	if err := Write(&b, []Tensor{tensor}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := NewFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	into := make([]T, len(values))
	if err := ReadInto(f, "x", into); err != nil || !cmp.Equal(into, values) {
		t.Fatalf("%v: ReadInto gives %v, %v; want %v", want, into, err, values)
	}
	if err := ReadInto(f, "x", make([]T, len(values)+1)); err == nil {
		t.Fatalf("%v: ReadInto took a slice that is too long", want)
	}
	if err := ReadInto(f, "y", into); err == nil {
		t.Fatalf("%v: ReadInto found a tensor that is not there", want)
	}
}

func TestValues(t *testing.T) {
	testValues(t, Bool, true, false)
	testValues[uint8](t, U8, 0, 255)
	testValues[int8](t, I8, -128, 127)
	testValues[uint16](t, U16, 1, 0xfffe)
	testValues[int16](t, I16, -2, 0x7ffe)
	testValues[uint32](t, U32, 1, 0xfffffffe)
	testValues[int32](t, I32, -2, 0x7ffffffe)
	testValues[float32](t, F32, 1.5, float32(math.Inf(-1)))
	testValues[uint64](t, U64, 1, 1<<63)
	testValues[int64](t, I64, -1, math.MaxInt64)
	testValues[float64](t, F64, 0.1, math.MaxFloat64)
	testValues(t, F32, []float32{}...)
}

func TestValuesRefuses(t *testing.T) {
	if _, err := Values[int32](New("x", []int{1}, []float32{1})); err == nil {
		t.Error("F32 was read as int32")
	}
	if _, err := Values[bool](Tensor{Name: "x", DType: Bool, Shape: []int{1}, Data: []byte{2}}); err == nil {
		t.Error("a BOOL of 2 was read")
	}
	if _, err := Values[int32](Tensor{Name: "x", DType: I32, Shape: []int{1}, Data: []byte{2}}); err == nil {
		t.Error("a quarter of an I32 was read")
	}
	if got, err := Values[uint16](Tensor{Name: "x", DType: BF16, Shape: []int{1}, Data: []byte{0x80, 0x3f}}); err != nil || got[0] != 0x3f80 {
		t.Errorf("the bits of a BF16 are %x, %v", got, err)
	}
}

// TestPythonFile reads a file that Python's safetensors wrote (testdata/make.py).
func TestPythonFile(t *testing.T) {
	f, err := Open(filepath.Join("testdata", "python.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if diff := cmp.Diff(map[string]string{"format": "np", "name": `a "quoted" <name>, ü`}, f.Metadata); diff != "" {
		t.Error(diff)
	}
	floats := func(name string, want ...float32) {
		t.Helper()
		got := make([]float32, len(want))
		if err := f.Float32s(name, got); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s is %v, %v; want %v", name, got, err, want)
		}
	}
	floats("weights", 0, 0.25, 0.5, 0.75, 1, 1.25)
	floats("half", 0, float32(math.Copysign(0, -1)), 1, -2, 65504, 0x1p-24, float32(math.Inf(1)))
	floats("double", 0.1)
	floats("empty", []float32{}...)
	if err := f.Float32s("labels", make([]float32, 2)); err == nil {
		t.Error("integers were read as floating-point numbers")
	}
	if err := f.Float32s("half", make([]float32, 2)); err == nil {
		t.Error("7 numbers were read into 2")
	}
	labels := make([]int32, 2)
	if err := ReadInto(f, "labels", labels); err != nil || labels[0] != -1 || labels[1] != math.MaxInt32 {
		t.Errorf("labels are %v, %v", labels, err)
	}
	mask := make([]bool, 3)
	if err := ReadInto(f, "mask", mask); err != nil || !cmp.Equal(mask, []bool{true, false, true}) {
		t.Errorf("mask is %v, %v", mask, err)
	}
	count, err := f.Read("count")
	if err != nil || len(count.Shape) != 0 || count.DType != I64 || count.Data[0] != 7 {
		t.Errorf("count is %+v, %v", count, err)
	}
}

func TestHalf(t *testing.T) {
	for h, want := range map[uint16]float64{
		0x0000: 0, 0x0001: 0x1p-24, 0x03ff: 0x3ffp-24, 0x0400: 0x1p-14, 0x3555: 0x555p-12,
		0x3c00: 1, 0x7bff: 65504, 0x7c00: math.Inf(1), 0xfc00: math.Inf(-1), 0xc000: -2,
	} {
		if got := halfToFloat32(h); float64(got) != want {
			t.Errorf("half %#04x is %v, want %v", h, got, want)
		}
	}
	if got := halfToFloat32(0x7e00); got == got {
		t.Errorf("half 0x7e00 is %v, want NaN", got)
	}
	if got := halfToFloat32(0x8000); math.Float32bits(got) != 1<<31 {
		t.Errorf("half 0x8000 is %v, want -0", got)
	}
}

func TestBFloat16(t *testing.T) {
	var got [2]float32
	toFloat32(got[:], []byte{0x80, 0x3f, 0x49, 0xc0}, BF16)
	if got != [2]float32{1, -3.140625} {
		t.Errorf("got %v", got)
	}
}

func TestWriteFileAndReadFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	want := []Tensor{
		New("b", []int{2}, []float32{1, 2}),
		New("a", []int{1, 1}, []int32{-5}),
		New("c", []int{3}, []uint8{1, 2, 3}),
	}
	meta := map[string]string{"k": "v"}
	if err := WriteFile(path, want, meta); err != nil {
		t.Fatal(err)
	}
	got, gotMeta, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(meta, gotMeta); diff != "" {
		t.Error(diff)
	}

	// A write that fails leaves the file as it was, and nothing beside it.
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(path, []Tensor{New("a", []int{3}, []float32{1})}, nil); err == nil {
		t.Fatal("a tensor of the wrong length was written")
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the failed write changed the file (%v)", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("the failed write left %v, %v", entries, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir); err == nil {
		t.Error("a folder was opened")
	}
	if _, err := Open(filepath.Join(dir, "none")); !os.IsNotExist(err) {
		t.Errorf("a missing file gives %v", err)
	}
}
