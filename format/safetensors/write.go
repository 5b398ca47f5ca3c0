package safetensors

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"hourglass/format/internal/bounded"
	"hourglass/internal/atomicfile"
)

// Write writes tensors and metadata to w. The bytes depend on what is written
// alone, not on the order of tensors: types of larger elements come first,
// names in byte order within a type, which aligns every tensor to its
// elements. Names must be unique and valid UTF-8, and every tensor's data must
// be as long as its shape says; otherwise nothing is written.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	sorted := slices.Clone(tensors)
	for i := range sorted {
		if err := sorted[i].check(); err != nil {
			return err
		}
	}
	slices.SortFunc(sorted, func(a, b Tensor) int {
		return cmp.Or(
			cmp.Compare(b.DType.Size(), a.DType.Size()),
			cmp.Compare(b.DType, a.DType),
			strings.Compare(a.Name, b.Name))
	})
	header, err := buildHeader(sorted, metadata)
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(w, 1<<16)
	if _, err := b.Write(header); err != nil {
		return err
	}
	for _, t := range sorted {
		if _, err := b.Write(t.Data); err != nil {
			return err
		}
	}
	return b.Flush()
}

// WriteFile writes tensors and metadata to the file at path, as [Write] does,
// by way of a temporary file in the same folder that is synced and renamed:
// after a failure or a crash path holds what it held before, or all of the new
// file.
func WriteFile(path string, tensors []Tensor, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, tensors, metadata) })
}

// check returns an error if t cannot be written.
func (t *Tensor) check() error {
	switch {
	case t.Name == metadataKey:
		return fmt.Errorf("safetensors: no tensor may be called %s", metadataKey)
	case !utf8.ValidString(t.Name):
		return fmt.Errorf("safetensors: tensor name %q is not valid UTF-8", t.Name)
	case !t.DType.valid():
		return fmt.Errorf("safetensors: tensor %q has no valid element type: %v", t.Name, t.DType)
	case len(t.Shape) > MaxDims:
		return fmt.Errorf("safetensors: tensor %q has %d dimensions, and %d are the most", t.Name, len(t.Shape), MaxDims)
	}
	want, ok := bounded.Product(t.Shape, t.DType.Size(), math.MaxInt)
	if !ok || want != int64(len(t.Data)) {
		return fmt.Errorf("safetensors: tensor %q: %d bytes do not fill shape %v of %v", t.Name, len(t.Data), t.Shape, t.DType)
	}
	return nil
}

// buildHeader returns the header of sorted tensors with its length before it.
func buildHeader(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	h := bytes.NewBuffer(make([]byte, prefix, 1<<12))
	text := json.NewEncoder(h)
	text.SetEscapeHTML(false)
	str := func(s string) error {
		if !utf8.ValidString(s) {
			return fmt.Errorf("safetensors: %s: %q is not valid UTF-8", metadataKey, s)
		}
		if err := text.Encode(s); err != nil {
			return err
		}
		h.Truncate(h.Len() - 1) // the encoder ends with a newline
		return nil
	}
	comma := func(first bool) {
		if !first {
			h.WriteByte(',')
		}
	}

	h.WriteByte('{')
	if len(metadata) > 0 {
		h.WriteString(`"` + metadataKey + `":{`)
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			comma(i == 0)
			if err := str(key); err != nil {
				return nil, err
			}
			h.WriteByte(':')
			if err := str(metadata[key]); err != nil {
				return nil, err
			}
		}
		h.WriteByte('}')
	}
	offset := 0
	names := make(map[string]bool, len(tensors))
	for i, t := range tensors {
		if names[t.Name] {
			return nil, fmt.Errorf("safetensors: two tensors are called %q", t.Name)
		}
		names[t.Name] = true
		comma(i == 0 && len(metadata) == 0)
		if err := str(t.Name); err != nil {
			return nil, err
		}
		fmt.Fprintf(h, `:{"dtype":"%v","shape":[`, t.DType)
		for j, d := range t.Shape {
			comma(j == 0)
			fmt.Fprint(h, d)
		}
		fmt.Fprintf(h, `],"data_offsets":[%d,%d]}`, offset, offset+len(t.Data))
		offset += len(t.Data)
	}
	h.WriteByte('}')
	for h.Len()%alignment != 0 {
		h.WriteByte(' ')
	}
	if n := h.Len() - prefix; n > MaxHeader {
		return nil, fmt.Errorf("safetensors: a header of %d bytes for %d tensors and %d metadata keys; the format allows %d", n, len(tensors), len(metadata), MaxHeader)
	}
	binary.LittleEndian.PutUint64(h.Bytes(), uint64(h.Len()-prefix))
	return h.Bytes(), nil
}
