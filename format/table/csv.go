package table

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	nameColumn  = "name"
	labelColumn = "label"
	valueColumn = "z" // followed by the index in .csv

	byteOrderMark = "\uFEFF"
)

func writeCSV(w io.Writer, t *Table) error {
	b := bufio.NewWriterSize(w, 1<<16)
	c := csv.NewWriter(b)
	var record []string
	if t.Names != nil {
		record = append(record, nameColumn)
	}
	if t.Labels != nil {
		record = append(record, labelColumn)
	}
	for j := range t.Dim {
		record = append(record, valueColumn+strconv.Itoa(j))
	}
	if err := c.Write(record); err != nil {
		return err
	}
	for i := range t.Len() {
		record = record[:0]
		if t.Names != nil {
			record = append(record, valid(t.Names[i]))
		}
		if t.Labels != nil {
			record = append(record, valid(t.Labels[i]))
		}
		for _, v := range t.Values[i*t.Dim : (i+1)*t.Dim] {
			// The shortest decimal that is read as the same number.
			record = append(record, strconv.FormatFloat(float64(v), 'g', -1, 32))
		}
		if err := c.Write(record); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return b.Flush()
}

// csvColumns says where the columns stand in a record; -1 means nowhere.
type csvColumns struct {
	name, label int
	values      []int
}

func findColumns(header []string) (csvColumns, error) {
	c := csvColumns{name: -1, label: -1}
	at := make(map[string]int, len(header))
	for i, h := range header {
		if _, twice := at[h]; twice && h != "" {
			return c, fmt.Errorf("column %q occurs twice", h)
		}
		at[h] = i
	}
	if i, ok := at[nameColumn]; ok {
		c.name = i
	}
	if i, ok := at[labelColumn]; ok {
		c.label = i
	}
	for j := 0; ; j++ {
		i, ok := at[valueColumn+strconv.Itoa(j)]
		if !ok {
			break
		}
		c.values = append(c.values, i)
	}
	if len(c.values) == 0 {
		return c, fmt.Errorf("no columns %s0, %s1, … in the header", valueColumn, valueColumn)
	}
	return c, nil
}

func readCSV(r io.Reader, limits Limits) (*Table, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	// Spreadsheets begin UTF-8 with a byte order mark, which would make the
	// first column another one.
	start := 0
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		start, _ = in.Discard(len(byteOrderMark)) // they are in the buffer
	}
	c := csv.NewReader(in)
	c.ReuseRecord = true
	line := int64(0) // offset of the record being read
	fail := func(kind error, format string, args ...any) (*Table, error) {
		return nil, &Error{Format: "csv", Offset: line, Kind: kind, Reason: fmt.Sprintf(format, args...)}
	}
	broken := func(err error) (*Table, error) {
		var parse *csv.ParseError
		switch {
		case err == io.EOF:
			return fail(ErrCorrupt, "no header")
		case errors.As(err, &parse):
			return nil, &Error{Format: "csv", Offset: line, Kind: ErrCorrupt, Reason: "malformed", Err: err}
		}
		return nil, err
	}
	header, err := c.Read()
	if err != nil {
		return broken(err)
	}
	columns, err := findColumns(header)
	if err != nil {
		return fail(ErrCorrupt, "%v", err)
	}
	if len(columns.values) > MaxDim {
		return fail(ErrTooLarge, "vectors of %d elements; the most is %d", len(columns.values), MaxDim)
	}
	t := &Table{Dim: len(columns.values)}
	if columns.name >= 0 {
		t.Names = []string{}
	}
	if columns.label >= 0 {
		t.Labels = []string{}
	}
	for {
		line = int64(start) + c.InputOffset()
		record, err := c.Read()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return broken(err)
		}
		if !roomFor(int64(len(t.Values)+t.Dim), limits) {
			return fail(ErrTooLarge, "more than %d bytes of values", limits.Max())
		}
		if columns.name >= 0 {
			t.Names = append(t.Names, strings.Clone(record[columns.name]))
		}
		if columns.label >= 0 {
			t.Labels = append(t.Labels, strings.Clone(record[columns.label]))
		}
		for j, at := range columns.values {
			v, err := strconv.ParseFloat(record[at], 32)
			if err != nil {
				row, _ := c.FieldPos(at)
				return fail(ErrCorrupt, "line %d: %q in column %s%d is not a number of float32", row, record[at], valueColumn, j)
			}
			t.Values = append(t.Values, float32(v))
		}
	}
}
