package idx

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func file(kind byte, dims []uint32, data ...byte) []byte {
	b := []byte{0, 0, kind, byte(len(dims))}
	for _, d := range dims {
		b = append(b, byte(d>>24), byte(d>>16), byte(d>>8), byte(d))
	}
	return append(b, data...)
}

func TestRead(t *testing.T) {
	in := file(8, []uint32{2, 1, 3}, 1, 2, 3, 4, 5, 6)
	for _, size := range []int64{0, int64(len(in))} {
		a, err := Read(bytes.NewReader(in), Limits{Size: size})
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(a.Shape) != "[2 1 3]" || !bytes.Equal(a.Data, []byte{1, 2, 3, 4, 5, 6}) {
			t.Errorf("got %v %v", a.Shape, a.Data)
		}
	}
}

func TestReadMalformed(t *testing.T) {
	tests := []struct {
		name   string
		in     []byte
		limits Limits
		kind   error
		offset int64
		want   string
	}{
		{"empty", nil, Limits{}, ErrCorrupt, 0, "the magic number is cut short"},
		{"magic", []byte("\x89PNG"), Limits{}, ErrCorrupt, 0, "begins with 0x89 0x50"},
		{"type", file(7, []uint32{1}, 1), Limits{}, ErrCorrupt, 2, "0x07 is not an element type"},
		{"float", file(0x0d, []uint32{1}, 1, 2, 3, 4), Limits{}, ErrUnsupported, 2, "elements of type 32-bit float"},
		{"no dimensions", file(8, nil), Limits{}, ErrCorrupt, 3, "0 dimensions"},
		{"dimensions", file(8, []uint32{1, 1, 1, 1, 1}), Limits{}, ErrCorrupt, 3, "5 dimensions"},
		{"half a dimension", file(8, []uint32{1, 1})[:9], Limits{}, ErrCorrupt, 9, "the dimensions are cut short"},
		{"dimension", file(8, []uint32{1, 1 << 31}), Limits{}, ErrTooLarge, 8, "dimension 1 is 2147483648"},
		{"product", file(8, []uint32{1 << 30, 1 << 30, 1 << 30}), Limits{}, ErrTooLarge, 4, "above the limit of 17179869184 bytes"},
		{"limit", file(8, []uint32{11}), Limits{MaxBytes: 10}, ErrTooLarge, 4, "above the limit of 10 bytes"},
		{"cut", file(8, []uint32{4}, 1, 2), Limits{}, ErrCorrupt, 10, "cut short: unexpected EOF"},
		{"cut, known", file(8, []uint32{4}, 1, 2), Limits{Size: 10}, ErrCorrupt, 10, "ends before the array of shape [4] does, at 12"},
		{"longer", file(8, []uint32{1}, 1, 2), Limits{}, ErrCorrupt, 9, "data follows the array of shape [1]"},
		{"promises 8 GiB", file(8, []uint32{1 << 17, 1 << 16}, 1), Limits{}, ErrCorrupt, 13, "cut short"},
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

func FuzzRead(f *testing.F) {
	f.Add(file(8, []uint32{2, 1, 3}, 1, 2, 3, 4, 5, 6))
	f.Add(file(8, []uint32{0}))
	f.Add(file(8, []uint32{1 << 20, 1 << 20}, 1))
	f.Add(file(0x0e, []uint32{1}, 0, 0, 0, 0, 0, 0, 0, 0))
	f.Fuzz(func(t *testing.T, in []byte) {
		a, err := Read(bytes.NewReader(in), Limits{MaxBytes: 1 << 20})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > int64(len(in)) {
				t.Fatalf("error %v for %d bytes", err, len(in))
			}
			return
		}
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		if n != len(a.Data) {
			t.Fatalf("shape %v with %d elements", a.Shape, len(a.Data))
		}
		if known, err := Read(bytes.NewReader(in), Limits{MaxBytes: 1 << 20, Size: int64(len(in))}); err != nil || !bytes.Equal(known.Data, a.Data) {
			t.Fatalf("with the size known: %v", err)
		}
	})
}
