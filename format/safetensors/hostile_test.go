package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file puts the header's length before it and n bytes of data after it.
func file(header string, n int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, n)...)
}

func open(b []byte) (*File, error) { return NewFile(bytes.NewReader(b), int64(len(b))) }

func TestFaults(t *testing.T) {
	const x = `"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	entry := func(dtype, shape, offsets string) string {
		return fmt.Sprintf(`{"x":{"dtype":%s,"shape":%s,"data_offsets":%s}}`, dtype, shape, offsets)
	}
	for _, c := range []struct {
		name  string
		input []byte
		kind  error
		at    int64 // -1: anywhere
		want  string
	}{
		{"empty file", nil, ErrCorrupt, 0, "cut short"},
		{"half a length", []byte{1, 2, 3}, ErrCorrupt, 3, "cut short"},
		{"header above the limit", binary.LittleEndian.AppendUint64(nil, MaxHeader+1), ErrTooLarge, 0, "header of 100000001 bytes"},
		{"header length all ones", bytes.Repeat([]byte{0xff}, 100), ErrTooLarge, 0, "header"},
		{"header beyond the file", binary.LittleEndian.AppendUint64(nil, 1000), ErrCorrupt, 8, "header takes 1000 bytes"},
		{"no header", file("", 0), ErrCorrupt, 8, "{"},
		{"array", file("[]", 0), ErrCorrupt, 8, "{"},
		{"leading space", file(" {}", 0), ErrCorrupt, 8, "{"},
		{"bad JSON", file(`{"x":}`, 0), ErrCorrupt, -1, "JSON"},
		{"unfinished JSON", file(`{"x":{"dtype":"F32"`, 0), ErrCorrupt, -1, "JSON"},
		{"second object", file(`{}{}`, 0), ErrCorrupt, -1, "goes on"},
		{"NUL padding", file("{}\x00\x00", 0), ErrCorrupt, -1, "goes on"},
		{"not UTF-8", file("{\"\xff\":1}", 0), ErrCorrupt, 10, "UTF-8"},
		{"same name twice", file("{"+x+","+x+"}", 8), ErrCorrupt, -1, `"x" occurs twice`},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), ErrCorrupt, -1, "twice"},
		{"metadata key twice", file(`{"__metadata__":{"a":"1","a":"2"}}`, 0), ErrCorrupt, -1, "twice"},
		{"metadata number", file(`{"__metadata__":{"a":1}}`, 0), ErrCorrupt, -1, "string"},
		{"metadata null", file(`{"__metadata__":null}`, 0), ErrCorrupt, -1, "belongs"},
		{"member twice", file(`{"x":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8), ErrCorrupt, -1, "twice"},
		{"no dtype", file(`{"x":{"shape":[2],"data_offsets":[0,8]}}`, 8), ErrCorrupt, -1, "no dtype"},
		{"no shape", file(`{"x":{"dtype":"F32","data_offsets":[0,8]}}`, 8), ErrCorrupt, -1, "no shape"},
		{"no offsets", file(`{"x":{"dtype":"F32","shape":[2]}}`, 8), ErrCorrupt, -1, "no data_offsets"},
		{"unknown dtype", file(entry(`"F8_E4M3"`, "[2]", "[0,2]"), 2), ErrUnsupported, -1, "F8_E4M3"},
		{"dtype number", file(entry("32", "[2]", "[0,8]"), 8), ErrCorrupt, -1, "string"},
		{"negative dimension", file(entry(`"F32"`, "[-2]", "[0,8]"), 8), ErrCorrupt, -1, "-2"},
		{"fractional dimension", file(entry(`"F32"`, "[2.0]", "[0,8]"), 8), ErrCorrupt, -1, "2.0"},
		{"string dimension", file(entry(`"F32"`, `["2"]`, "[0,8]"), 8), ErrCorrupt, -1, "size or offset"},
		{"huge dimension", file(entry(`"F32"`, "[99999999999999999999]", "[0,8]"), 8), ErrCorrupt, -1, "size or offset"},
		{"product overflows", file(entry(`"F32"`, "[4294967296,4294967296,4]", "[0,0]"), 0), ErrCorrupt, -1, "too large"},
		{"too many dimensions", file(entry(`"F32"`, "["+strings.Repeat("1,", MaxDims)+"1]", "[0,4]"), 4), ErrTooLarge, -1, "more than 64"},
		{"nested shape", file(entry(`"F32"`, "[[2]]", "[0,8]"), 8), ErrCorrupt, -1, "size or offset"},
		{"one offset", file(entry(`"F32"`, "[2]", "[8]"), 8), ErrCorrupt, -1, "beginning and end"},
		{"three offsets", file(entry(`"F32"`, "[2]", "[0,8,8]"), 8), ErrTooLarge, -1, "more than 2"},
		{"offsets backwards", file(entry(`"F32"`, "[2]", "[8,0]"), 8), ErrCorrupt, -1, "beginning and end"},
		{"size of another shape", file(entry(`"F32"`, "[3]", "[0,8]"), 8), ErrCorrupt, -1, "take 12 bytes"},
		{"gap at the beginning", file(entry(`"U8"`, "[2]", "[1,3]"), 3), ErrCorrupt, -1, "gap"},
		{"overlap", file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3), ErrCorrupt, -1, "overlaps"},
		{"data cut short", file("{"+x+"}", 7), ErrCorrupt, 8 + 2 + int64(len(x)) + 7, "cut short"},
		{"data too long", file("{"+x+"}", 9), ErrCorrupt, 8 + 2 + int64(len(x)) + 8, "follow the last"},
		{"data without tensors", file("{}", 1), ErrCorrupt, 10, "follow the last"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := open(c.input)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error is %v, want an *Error", err)
			}
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %q, want a kind of %q that says %q", err, c.kind, c.want)
			}
			if c.at >= 0 && e.Offset != c.at {
				t.Errorf("offset is %d, want %d: %v", e.Offset, c.at, err)
			}
			if e.Offset < 0 || e.Offset > int64(len(c.input)) {
				t.Errorf("offset %d lies outside the %d bytes", e.Offset, len(c.input))
			}
		})
	}
}

func TestTolerated(t *testing.T) {
	for name, input := range map[string][]byte{
		"no tensors":      file("{}", 0),
		"padding":         file("{}   \n", 0),
		"unknown member":  file(`{"x":{"dtype":"U8","extra":{"deep":[1,null]},"shape":[2],"data_offsets":[0,2]}}`, 2),
		"scalar":          file(`{"x":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}`, 8),
		"empty between":   file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[0],"data_offsets":[2,2]},"c":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3),
		"unsorted":        file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 3),
		"empty name":      file(`{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1),
		"whitespace":      file("{ \"x\" : {\"dtype\": \"U8\", \"shape\": [ 1 ], \"data_offsets\": [0, 1]}}", 1),
		"metadata at end": file(`{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"a":"b"}}`, 1),
	} {
		if _, err := open(input); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEveryTruncation cuts a good file at each of its bytes.
func TestEveryTruncation(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join("testdata", "python.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := open(whole[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut to %d of %d bytes: error is %v, want corrupt", n, len(whole), err)
		}
	}
}

// TestShrunkWhileOpen reads from a file that has become shorter than its size
// was.
func TestShrunkWhileOpen(t *testing.T) {
	b := file(`{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8)
	f, err := NewFile(bytes.NewReader(b[:len(b)-4]), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if _, err := f.Read("x"); !errors.As(err, &e) || !errors.Is(err, io.ErrUnexpectedEOF) || e.Offset != int64(len(b)-4) {
		t.Errorf("error is %v, want an unexpected end at offset %d", err, len(b)-4)
	}
}

func TestWriteRefuses(t *testing.T) {
	one := func(name string) Tensor { return New(name, []int{1}, []uint8{1}) }
	for name, c := range map[string]struct {
		tensors []Tensor
		meta    map[string]string
	}{
		"same name twice":     {tensors: []Tensor{one("x"), New("x", []int{1}, []float32{1})}},
		"reserved name":       {tensors: []Tensor{one("__metadata__")}},
		"name not UTF-8":      {tensors: []Tensor{one("\xff")}},
		"data too short":      {tensors: []Tensor{New("x", []int{2}, []uint8{1})}},
		"negative shape":      {tensors: []Tensor{New("x", []int{-1, -1}, []uint8{1})}},
		"no type":             {tensors: []Tensor{{Name: "x", Shape: []int{0}}}},
		"too many dimensions": {tensors: []Tensor{New("x", make([]int, MaxDims+1), []uint8{})}},
		"metadata not UTF-8":  {meta: map[string]string{"a": "\xff"}},
	} {
		var b bytes.Buffer
		if err := Write(&b, c.tensors, c.meta); err == nil || b.Len() != 0 {
			t.Errorf("%s: error %v after %d bytes, want an error before the first", name, err, b.Len())
		}
	}
}

// FuzzOpen checks that no input panics, and that what is accepted survives
// being written and read again.
func FuzzOpen(f *testing.F) {
	if golden, err := os.ReadFile(filepath.Join("testdata", "python.safetensors")); err != nil {
		f.Fatal(err)
	} else {
		f.Add(golden)
	}
	f.Add(file(`{"__metadata__":{"a":"b"},"x":{"dtype":"BOOL","shape":[2,1],"data_offsets":[0,2]}}`, 2))
	f.Add(file(`{"x":{"dtype":"F32","shape":[0,9],"data_offsets":[0,0],"more":[{}]}}  `, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := open(b)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error is %T, want *Error: %v", err, err)
			}
			return
		}
		tensors := make([]Tensor, len(file.Tensors))
		for i, info := range file.Tensors {
			if tensors[i], err = file.Read(info.Name); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if err := Write(&out, tensors, file.Metadata); err != nil {
			t.Fatal(err)
		}
		again, err := open(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range tensors {
			got, err := again.Read(want.Name)
			if err != nil || !bytes.Equal(got.Data, want.Data) {
				t.Fatalf("%q came back as % x, %v; want % x", want.Name, got.Data, err, want.Data)
			}
		}
	})
}
