// Package table reads and writes vectors with their names, such as the latent
// codes of images, in the formats that other tools take:
//
//   - .csv: a header name,label,z0,z1,…; one line a vector.
//   - .parquet: columns name and label of strings and z, a list of floats.
//     pandas reads z as an array in each cell, DuckDB as FLOAT[].
//   - .npy: the matrix [n,dim] alone, without names and labels.
//
// The columns name and label are left out where there are none. Reading takes
// what is written, and also .parquet files with columns z0, z1, … and numbers
// of double precision, which pandas writes; columns of other names are passed
// over.
package table

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"hourglass/format"
	"hourglass/format/npy"
	"hourglass/internal/atomicfile"
)

// Table is vectors with their names and labels.
type Table struct {
	Names  []string  // [n], or nil
	Labels []string  // [n], or nil
	Dim    int       // elements of a vector, at least 1
	Values []float32 // [n,Dim]
}

// Len returns the number of vectors.
func (t *Table) Len() int {
	if t.Dim < 1 {
		return 0
	}
	return len(t.Values) / t.Dim
}

// check returns an error if the parts of t do not fit together.
func (t *Table) check() error {
	if t.Dim < 1 || t.Dim > MaxDim || len(t.Values)%t.Dim != 0 {
		return fmt.Errorf("table: %d values are no whole number of vectors of %d", len(t.Values), t.Dim)
	}
	n := t.Len()
	if t.Names != nil && len(t.Names) != n {
		return fmt.Errorf("table: %d names for %d vectors", len(t.Names), n)
	}
	if t.Labels != nil && len(t.Labels) != n {
		return fmt.Errorf("table: %d labels for %d vectors", len(t.Labels), n)
	}
	return nil
}

// MaxDim is the largest number of elements of a vector.
const MaxDim = 1 << 20

// Error is a fault in a file. Its chain holds [ErrCorrupt],
// [ErrUnsupported] or [ErrTooLarge]. Its offset is that of the line in a .csv
// file, and 0 where the library that reads .parquet tells none.
type Error = format.Error

// Kinds of faults.
var (
	ErrCorrupt     = format.ErrCorrupt     // not what the format says
	ErrUnsupported = format.ErrUnsupported // a type or form that is not read
	ErrTooLarge    = format.ErrTooLarge    // above a limit
)

// Limits bounds what is accepted; the zero value allows 16 GiB of values, and
// of a .parquet file 256 times its size or 64 MB.
type Limits = format.Limits

// Format is a file format.
type Format uint8

const (
	CSV     Format = iota + 1 // comma-separated values
	Parquet                   // Apache Parquet
	NPY                       // NumPy's format of one array
)

// extensions holds the ending of each format's file names.
var extensions = [...]string{CSV: ".csv", Parquet: ".parquet", NPY: ".npy"}

// String returns the ending of the format's file names, with the dot.
func (f Format) String() string {
	if f < CSV || int(f) >= len(extensions) {
		return fmt.Sprintf("table.Format(%d)", uint8(f))
	}
	return extensions[f]
}

// FormatOf returns the format that the ending of a file name stands for, in
// upper or lower case.
func FormatOf(path string) (Format, error) {
	extension := strings.ToLower(filepath.Ext(path))
	for f := CSV; int(f) < len(extensions); f++ {
		if extension == extensions[f] {
			return f, nil
		}
	}
	return 0, fmt.Errorf("table: %s: no format is known by the ending %q; choose %s", path, extension, strings.Join(extensions[CSV:], ", "))
}

// WriteFile writes t to the file at path, in the format of its ending, by way
// of a temporary file that is synced and renamed.
func WriteFile(path string, t *Table) error {
	f, err := FormatOf(path)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error { return Write(w, f, t) })
}

// Write writes t to w. Bytes of names and labels that are not UTF-8 become
// U+FFFD.
func Write(w io.Writer, f Format, t *Table) error {
	if err := t.check(); err != nil {
		return err
	}
	switch f {
	case CSV:
		return writeCSV(w, t)
	case Parquet:
		return writeParquet(w, t)
	case NPY:
		return npy.Write(w, []int{t.Len(), t.Dim}, t.Values)
	}
	return fmt.Errorf("table: no format %v", f)
}

// ReadFile reads the file at path, in the format of its ending.
func ReadFile(path string, limits Limits) (*Table, error) {
	format, err := FormatOf(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	t, err := Read(f, st.Size(), format, limits)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Read reads the size bytes of r.
func Read(r io.ReaderAt, size int64, f Format, limits Limits) (*Table, error) {
	switch f {
	case CSV:
		return readCSV(io.NewSectionReader(r, 0, size), limits)
	case Parquet:
		return readParquet(r, size, limits)
	case NPY:
		limits.Size = size
		return readNPY(io.NewSectionReader(r, 0, size), limits)
	}
	return nil, fmt.Errorf("table: no format %v", f)
}

func readNPY(r io.Reader, limits Limits) (*Table, error) {
	a, err := npy.Read(r, limits)
	if err != nil {
		return nil, err
	}
	if len(a.Shape) != 2 || a.Shape[1] < 1 || a.Shape[1] > MaxDim {
		return nil, &Error{Format: "npy", Kind: ErrUnsupported, Reason: fmt.Sprintf("an array of shape %v; vectors need one of [n, dim], dim from 1 to %d", a.Shape, MaxDim)}
	}
	return &Table{Dim: a.Shape[1], Values: a.Float32()}, nil
}

// valid returns s with what is not UTF-8 replaced.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// roomFor says whether n values of float32 are within limits.
func roomFor(n int64, limits Limits) bool { return n <= limits.Max()/4 && n <= math.MaxInt/4 }
