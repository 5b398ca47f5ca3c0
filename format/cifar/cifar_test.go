package cifar

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// record returns one record: the labels, and planes in which the value at a
// place tells the plane and the place.
func record(labels ...byte) []byte {
	b := append([]byte(nil), labels...)
	for c := range Channels {
		for k := range Side * Side {
			b = append(b, byte(c*80+k%80))
		}
	}
	return b
}

func TestRead(t *testing.T) {
	tests := []struct {
		in      []byte
		classes int
		labels  []byte
		coarse  []byte
	}{
		{append(record(3), record(9)...), 10, []byte{3, 9}, nil},
		{append(record(19, 99), record(0, 42)...), 100, []byte{99, 42}, []byte{19, 0}},
	}
	for _, tt := range tests {
		for _, size := range []int64{0, int64(len(tt.in))} {
			m, err := Read(bytes.NewReader(tt.in), Limits{Size: size})
			if err != nil {
				t.Fatal(err)
			}
			if m.Classes != tt.classes || !bytes.Equal(m.Labels, tt.labels) || !bytes.Equal(m.Coarse, tt.coarse) {
				t.Errorf("classes %d, labels %v, coarse %v", m.Classes, m.Labels, m.Coarse)
			}
			if len(m.Pixels) != 2*Pixels {
				t.Fatalf("%d values", len(m.Pixels))
			}
			for i, v := range m.Pixels {
				k, c := i%Pixels/Channels, i%Channels
				if want := byte(c*80 + k%80); v != want {
					t.Fatalf("value %d is %d, want %d", i, v, want)
				}
			}
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
		{"empty", nil, Limits{}, ErrCorrupt, 0, "the file is empty"},
		{"cut", record(1)[:3000], Limits{}, ErrCorrupt, 3000, "3000 bytes are no whole number of records"},
		{"label", append(record(1), record(10)...), Limits{}, ErrCorrupt, 3073, "label 10 is not below 10"},
		{"coarse label", record(20, 0), Limits{}, ErrCorrupt, 0, "label 20 is not below 20"},
		{"fine label", record(1, 100), Limits{}, ErrCorrupt, 1, "label 100 is not below 100"},
		{"limit", record(1), Limits{MaxBytes: 3000}, ErrTooLarge, 3000, "above the limit of 3000 bytes"},
		{"limit, known", record(1), Limits{MaxBytes: 3000, Size: 3073}, ErrTooLarge, 3000, "above the limit"},
		{"shorter than known", record(1), Limits{Size: 6146}, ErrCorrupt, 3073, "cannot be read: unexpected EOF"},
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

func TestIsSize(t *testing.T) {
	for size, want := range map[int64]bool{0: false, 3073: true, 3074: true, 6146: true, 6147: false, 30730000: true} {
		if IsSize(size) != want {
			t.Errorf("IsSize(%d) = %t", size, !want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(record(3))
	f.Add(record(3, 4))
	f.Add(record(200))
	f.Add([]byte("no record"))
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := Read(bytes.NewReader(bytes.Clone(in)), Limits{MaxBytes: 1 << 16})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Offset < 0 || e.Offset > int64(len(in)) {
				t.Fatalf("error %v for %d bytes", err, len(in))
			}
			return
		}
		if len(m.Pixels) != len(m.Labels)*Pixels {
			t.Fatalf("%d values for %d labels", len(m.Pixels), len(m.Labels))
		}
		for _, l := range m.Labels {
			if int(l) >= m.Classes {
				t.Fatalf("label %d of %d classes", l, m.Classes)
			}
		}
	})
}
