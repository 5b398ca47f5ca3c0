package table

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// parquetReader reads column by column, so that memory follows the values that
// come and not what a row claims to hold.
type parquetReader struct {
	f    *parquet.File
	r    io.ReaderAt
	size int64
	room int64 // bytes that pages may still unfold to
}

// readParquet reads the size bytes of r. A panic of the library at a file that
// it did not foresee is a fault of the file.
func readParquet(r io.ReaderAt, size int64, limits Limits) (t *Table, err error) {
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, parquetFault(ErrCorrupt, "it cannot be decoded: %v", p)
		}
	}()
	if err := scanFooter(r, size); err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, wrapParquet(err)
	}
	p := &parquetReader{f: f, r: r, size: size}
	p.room = max(smallExpansion, size*maxExpansion)
	if limits.MaxBytes > 0 {
		p.room = min(p.room, limits.MaxBytes)
	}
	if t, err = p.readVectors(); err != nil {
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
		if *c.dst, err = p.readStrings(column); err != nil {
			return nil, err
		}
		if len(*c.dst) != t.Len() {
			return nil, parquetFault(ErrCorrupt, "column %q has %d rows, and %s has %d", c.name, len(*c.dst), valueColumn, t.Len())
		}
	}
	return t, nil
}

// readVectors reads the column z, or z0, z1, …
func (p *parquetReader) readVectors() (*Table, error) {
	root := p.f.Root()
	if column := root.Column(valueColumn); column != nil {
		return p.readList(column)
	}
	var columns [][]float32
	for j := 0; ; j++ {
		name := valueColumn + strconv.Itoa(j)
		column := root.Column(name)
		if column == nil {
			break
		}
		if j == MaxDim {
			return nil, parquetFault(ErrTooLarge, "vectors of more than %d elements", MaxDim)
		}
		var values []float32
		err := p.eachNumber(column, func(v float32, first bool) error {
			if !first {
				return parquetFault(ErrUnsupported, "column %s holds lists", name)
			}
			values = append(values, v)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if j > 0 && len(values) != len(columns[0]) {
			return nil, parquetFault(ErrCorrupt, "column %s has %d rows, and %s0 has %d", name, len(values), valueColumn, len(columns[0]))
		}
		columns = append(columns, values)
	}
	if len(columns) == 0 {
		return nil, parquetFault(ErrUnsupported, "neither a column %s nor columns %s0, %s1, …", valueColumn, valueColumn, valueColumn)
	}
	t := &Table{Dim: len(columns), Values: make([]float32, len(columns)*len(columns[0]))}
	for j, values := range columns {
		for i, v := range values {
			t.Values[i*t.Dim+j] = v
		}
	}
	return t, nil
}

// readList reads a column of lists, which must be of equal length.
func (p *parquetReader) readList(column *parquet.Column) (*Table, error) {
	t := &Table{}
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
	err := p.eachNumber(column, func(v float32, first bool) error {
		if first {
			if err := endOfRow(); err != nil {
				return err
			}
			rows, length = rows+1, 0
		}
		if rows == 0 {
			return parquetFault(ErrCorrupt, "column %s begins within a list", valueColumn)
		}
		if length++; length > MaxDim {
			return parquetFault(ErrTooLarge, "vectors of more than %d elements", MaxDim)
		}
		t.Values = append(t.Values, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if rows == 0 {
		// Without a row nothing tells the length.
		return &Table{Dim: 1}, nil
	}
	return t, endOfRow()
}

// eachNumber calls use with every number of a column, and whether it begins a
// row.
func (p *parquetReader) eachNumber(column *parquet.Column, use func(v float32, first bool) error) error {
	leaf, err := leafOf(column)
	if err != nil {
		return err
	}
	kind := leaf.Type().Kind()
	if kind != parquet.Float && kind != parquet.Double {
		return parquetFault(ErrUnsupported, "column %s holds %v, not numbers of float or double", column.Name(), leaf.Type())
	}
	return p.eachValue(leaf, func(v parquet.Value) error {
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
func (p *parquetReader) readStrings(column *parquet.Column) ([]string, error) {
	leaf, err := leafOf(column)
	if err != nil {
		return nil, err
	}
	if leaf.Type().Kind() != parquet.ByteArray || leaf.MaxRepetitionLevel() != 0 {
		return nil, parquetFault(ErrUnsupported, "column %s holds %v, not strings", column.Name(), leaf.Type())
	}
	list := []string{}
	err = p.eachValue(leaf, func(v parquet.Value) error {
		s := ""
		if !v.IsNull() {
			s = string(v.ByteArray())
		}
		const overhead = 16 // bytes of a string's header
		if p.room -= int64(len(s)) + overhead; p.room < 0 {
			return parquetFault(ErrTooLarge, "the strings of column %s take more than the limit", column.Name())
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

// eachValue checks the pages of a leaf and calls use with every value.
func (p *parquetReader) eachValue(leaf *parquet.Column, use func(parquet.Value) error) error {
	for _, group := range p.f.Metadata().RowGroups {
		if leaf.Index() >= len(group.Columns) {
			return parquetFault(ErrCorrupt, "a row group without column %s", leaf.Name())
		}
		if err := scanChunk(p.r, p.size, &group.Columns[leaf.Index()].MetaData, &p.room); err != nil {
			return err
		}
	}
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
