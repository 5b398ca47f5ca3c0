package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

// File is an open file whose header has been read and checked. Its methods may
// be called by several goroutines at once if its reader's ReadAt may.
type File struct {
	// Tensors lists the tensors in the order of their data.
	Tensors []Info
	// Metadata is the file's map of strings; nil if it has none.
	Metadata map[string]string

	r      io.ReaderAt
	closer io.Closer
	byName map[string]int
}

// Open opens the file at path. A fault in its contents is an *Error.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if !st.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	file, err := NewFile(f, st.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file.closer = f
	return file, nil
}

// NewFile reads the header of the file whose size bytes r holds. A fault in
// the contents is an *Error.
func NewFile(r io.ReaderAt, size int64) (*File, error) {
	var length [prefix]byte
	if size < prefix {
		return nil, fault(max(size, 0), ErrCorrupt, "the file is cut short: it holds %d bytes, and the header's length takes %d", size, prefix)
	}
	if err := readAt(r, length[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > MaxHeader {
		return nil, fault(0, ErrTooLarge, "a header of %d bytes; the format allows %d. Is this a safetensors file?", n, MaxHeader)
	}
	if int64(n) > size-prefix {
		return nil, fault(size, ErrCorrupt, "the file is cut short: its header takes %d bytes, and %d follow", n, size-prefix)
	}
	header := make([]byte, n)
	if err := readAt(r, header, prefix); err != nil {
		return nil, err
	}
	f := &File{r: r, byName: map[string]int{}}
	var err error
	if f.Tensors, f.Metadata, err = parseHeader(header, size-prefix-int64(n)); err != nil {
		return nil, err
	}
	for i, t := range f.Tensors {
		f.byName[t.Name] = i
	}
	return f, nil
}

// Close closes what Open opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Lookup returns the description of the tensor called name, and whether there
// is one.
func (f *File) Lookup(name string) (Info, bool) {
	i, ok := f.byName[name]
	if !ok {
		return Info{}, false
	}
	return f.Tensors[i], true
}

// Read reads the tensor called name.
func (f *File) Read(name string) (Tensor, error) {
	info, err := f.lookup(name)
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Name: info.Name, DType: info.DType, Shape: info.Shape, Data: make([]byte, info.Bytes)}
	return t, readAt(f.r, t.Data, info.Offset)
}

// ReadInto reads the tensor called name into dst, whose length must be its
// number of elements and whose type the one that stores them; F16 and BF16 are
// read as the uint16 of their bits. On little-endian machines no memory is
// taken but dst.
func ReadInto[T Element](f *File, name string, dst []T) error {
	info, err := f.lookup(name)
	if err != nil {
		return err
	}
	if err := matches[T](name, info.DType); err != nil {
		return err
	}
	if err := info.fits(len(dst)); err != nil {
		return err
	}
	if littleEndian && info.DType != Bool {
		return readAt(f.r, bytesOf(dst), info.Offset)
	}
	return f.chunks(info, func(first, n int, raw []byte) error {
		return decode(name, dst[first:first+n], raw)
	})
}

// Float32s reads the tensor called name into dst, whose length must be its
// number of elements. F16, BF16 and F64 are converted; other types than these
// and F32 are an error.
func (f *File) Float32s(name string, dst []float32) error {
	info, err := f.lookup(name)
	if err != nil {
		return err
	}
	switch info.DType {
	case F32:
		return ReadInto(f, name, dst)
	case F16, BF16, F64:
	default:
		return fmt.Errorf("safetensors: tensor %q holds %v, not floating-point numbers", name, info.DType)
	}
	if err := info.fits(len(dst)); err != nil {
		return err
	}
	return f.chunks(info, func(first, n int, raw []byte) error {
		toFloat32(dst[first:first+n], raw, info.DType)
		return nil
	})
}

// ReadFile reads all tensors of the file at path, in the order of their data,
// and its map of strings.
func ReadFile(path string) ([]Tensor, map[string]string, error) {
	f, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	tensors := make([]Tensor, len(f.Tensors))
	for i, info := range f.Tensors {
		if tensors[i], err = f.Read(info.Name); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return tensors, f.Metadata, nil
}

func (f *File) lookup(name string) (Info, error) {
	info, ok := f.Lookup(name)
	if !ok {
		return Info{}, fmt.Errorf("safetensors: no tensor %q among the %d of the file", name, len(f.Tensors))
	}
	return info, nil
}

func (i Info) fits(elements int) error {
	if elements == i.Elements() {
		return nil
	}
	return fmt.Errorf("safetensors: tensor %q of shape %v has %d elements, and there is room for %d", i.Name, i.Shape, i.Elements(), elements)
}

// chunks reads a tensor in pieces and calls use with each, the index of its
// first element and their number.
func (f *File) chunks(info Info, use func(first, n int, raw []byte) error) error {
	const chunk = 1 << 16
	buf := make([]byte, min(chunk, info.Bytes))
	size := info.DType.Size()
	for at := int64(0); at < info.Bytes; at += chunk {
		b := buf[:min(chunk, info.Bytes-at)]
		if err := readAt(f.r, b, info.Offset+at); err != nil {
			return err
		}
		if err := use(int(at)/size, len(b)/size, b); err != nil {
			return err
		}
	}
	return nil
}

// readAt fills b from offset. That a reader ends early is a fault of the
// file: its size was promised, or has been seen.
func readAt(r io.ReaderAt, b []byte, offset int64) error {
	n, err := r.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return &Error{Format: "safetensors", Offset: offset + int64(n), Kind: ErrCorrupt, Reason: "the file is cut short", Err: io.ErrUnexpectedEOF}
	}
	return fmt.Errorf("safetensors: read %d bytes at offset %d: %w", len(b), offset, err)
}
