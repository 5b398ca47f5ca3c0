package table

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// readParquet reads column by column, so that memory follows the values that
// come and not what a row claims to hold. A panic of the library at a file
// that it did not foresee is a fault of the file.
func readParquet(r io.ReaderAt, size int64, limits Limits) (t *Table, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, parquetFault(ErrCorrupt, "it cannot be decoded: %v", p)
		}
	}()
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, wrapParquet(err)
	}
	if err := checkMetadata(f, limits); err != nil {
		return nil, err
	}
	t = &Table{}
	if err := t.readVectors(f.Root(), limits); err != nil {
		return nil, err
	}
	for _, c := range []struct {
		name string
		dst  *[]string
	}{{nameColumn, &t.Names}, {labelColumn, &t.Labels}} {
		column := f.Root().Column(c.name)
		if column == nil {
			continue
		}
		if *c.dst, err = readStrings(column, limits); err != nil {
			return nil, err
		}
		if len(*c.dst) != t.Len() {
			return nil, parquetFault(ErrCorrupt, "column %q has %d rows, and %s has %d", c.name, len(*c.dst), valueColumn, t.Len())
		}
	}
	return t, nil
}

// checkMetadata refuses files whose footer announces more than the limits.
func checkMetadata(f *parquet.File, limits Limits) error {
	total, values := int64(0), int64(0)
	for _, group := range f.Metadata().RowGroups {
		for _, chunk := range group.Columns {
			m := chunk.MetaData
			if m.TotalUncompressedSize < 0 || m.NumValues < 0 {
				return parquetFault(ErrCorrupt, "a column of negative size")
			}
			total, values = total+m.TotalUncompressedSize, values+m.NumValues
			if total < 0 || total > limits.Max() || values < 0 || !roomFor(values, limits) {
				return parquetFault(ErrTooLarge, "more than %d bytes of values", limits.Max())
			}
		}
	}
	return nil
}

// readVectors sets Dim and Values from the column z, or from z0, z1, …
func (t *Table) readVectors(root *parquet.Column, limits Limits) error {
	if column := root.Column(valueColumn); column != nil {
		return t.readList(column, limits)
	}
	var columns [][]float32
	total := int64(0)
	for j := 0; ; j++ {
		name := valueColumn + strconv.Itoa(j)
		column := root.Column(name)
		if column == nil {
			break
		}
		if j == MaxDim {
			return parquetFault(ErrTooLarge, "vectors of more than %d elements", MaxDim)
		}
		var values []float32
		err := eachNumber(column, func(v float32, first bool) error {
			if !first {
				return parquetFault(ErrUnsupported, "column %s holds lists", name)
			}
			if total++; !roomFor(total, limits) {
				return parquetFault(ErrTooLarge, "more than %d bytes of values", limits.Max())
			}
			values = append(values, v)
			return nil
		})
		if err != nil {
			return err
		}
		if j > 0 && len(values) != len(columns[0]) {
			return parquetFault(ErrCorrupt, "column %s has %d rows, and %s0 has %d", name, len(values), valueColumn, len(columns[0]))
		}
		columns = append(columns, values)
	}
	if len(columns) == 0 {
		return parquetFault(ErrUnsupported, "neither a column %s nor columns %s0, %s1, …", valueColumn, valueColumn, valueColumn)
	}
	t.Dim = len(columns)
	t.Values = make([]float32, len(columns)*len(columns[0]))
	for j, values := range columns {
		for i, v := range values {
			t.Values[i*t.Dim+j] = v
		}
	}
	return nil
}

// readList reads a column of lists, which must be of equal length.
func (t *Table) readList(column *parquet.Column, limits Limits) error {
	rows, length := 0, 0
	endOfRow := func() error {
		switch {
		case rows == 1:
			t.Dim = length
		case rows > 1 && length != t.Dim:
			return parquetFault(ErrCorrupt, "row %d has %d elements, and those before it %d", rows-1, length, t.Dim)
		}
		return nil
	}
	err := eachNumber(column, func(v float32, first bool) error {
		if first {
			if err := endOfRow(); err != nil {
				return err
			}
			rows, length = rows+1, 0
		}
		if rows == 0 {
			return parquetFault(ErrCorrupt, "column %s begins within a list", valueColumn)
		}
		if length++; length > MaxDim || !roomFor(int64(len(t.Values))+1, limits) {
			return parquetFault(ErrTooLarge, "more than %d elements in a vector or %d bytes in all", MaxDim, limits.Max())
		}
		t.Values = append(t.Values, v)
		return nil
	})
	if err != nil {
		return err
	}
	if rows == 0 {
		// Without a row nothing tells the length.
		t.Dim = 1
		return nil
	}
	return endOfRow()
}

// eachNumber calls use with every number of a column, and whether it begins a
// row.
func eachNumber(column *parquet.Column, use func(v float32, first bool) error) error {
	leaf, err := leafOf(column)
	if err != nil {
		return err
	}
	kind := leaf.Type().Kind()
	if kind != parquet.Float && kind != parquet.Double {
		return parquetFault(ErrUnsupported, "column %s holds %v, not numbers of float or double", column.Name(), leaf.Type())
	}
	return eachValue(leaf, func(v parquet.Value) error {
		if v.IsNull() {
			return parquetFault(ErrUnsupported, "column %s has an empty cell", column.Name())
		}
		x := v.Float()
		if kind == parquet.Double {
			x = float32(v.Double())
		}
		return use(x, v.RepetitionLevel() == 0)
	})
}

// readStrings reads a column of strings. An empty cell is an empty string.
func readStrings(column *parquet.Column, limits Limits) ([]string, error) {
	leaf, err := leafOf(column)
	if err != nil {
		return nil, err
	}
	if leaf.Type().Kind() != parquet.ByteArray || leaf.MaxRepetitionLevel() != 0 {
		return nil, parquetFault(ErrUnsupported, "column %s holds %v, not strings", column.Name(), leaf.Type())
	}
	list := []string{}
	total := int64(0)
	err = eachValue(leaf, func(v parquet.Value) error {
		s := ""
		if !v.IsNull() {
			s = string(v.ByteArray())
		}
		const overhead = 16 // bytes of a string's header
		if total += int64(len(s)) + overhead; total > limits.Max() {
			return parquetFault(ErrTooLarge, "more than %d bytes in column %s", limits.Max(), column.Name())
		}
		list = append(list, s)
		return nil
	})
	return list, err
}

// leafOf returns the only leaf below column, which may be a list or a value.
func leafOf(column *parquet.Column) (*parquet.Column, error) {
	name := column.Name()
	for !column.Leaf() {
		below := column.Columns()
		if len(below) != 1 {
			return nil, parquetFault(ErrUnsupported, "column %s is a record", name)
		}
		column = below[0]
	}
	if column.MaxRepetitionLevel() > 1 {
		return nil, parquetFault(ErrUnsupported, "column %s holds lists of lists", name)
	}
	return column, nil
}

// eachValue calls use with every value of a leaf.
func eachValue(leaf *parquet.Column, use func(parquet.Value) error) error {
	pages := leaf.Pages()
	defer pages.Close()
	buf := make([]parquet.Value, 1024)
	for {
		page, err := pages.ReadPage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return wrapParquet(err)
		}
		values := page.Values()
		for {
			n, err := values.ReadValues(buf)
			for _, v := range buf[:n] {
				if err := use(v); err != nil {
					return err
				}
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				return wrapParquet(err)
			}
			if n == 0 {
				return wrapParquet(io.ErrNoProgress)
			}
		}
		parquet.Release(page)
	}
}

func parquetFault(kind error, format string, args ...any) error {
	return &Error{Format: "parquet", Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

func wrapParquet(err error) error {
	var ours *Error
	if errors.As(err, &ours) {
		return err
	}
	return &Error{Format: "parquet", Kind: ErrCorrupt, Reason: "it cannot be read", Err: err}
}
