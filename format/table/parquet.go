package table

import (
	"io"

	"github.com/parquet-go/parquet-go"
)

const (
	// rowGroupValues is how many values a row group holds at most, and so
	// what a writer keeps in memory: 16 MB.
	rowGroupValues = 4 << 20
	// batchValues is how many are handed over at once.
	batchValues = 1 << 14
)

func writeParquet(w io.Writer, t *Table) error {
	columns := parquet.Group{valueColumn: parquet.List(parquet.Leaf(parquet.FloatType))}
	if t.Names != nil {
		columns[nameColumn] = parquet.String()
	}
	if t.Labels != nil {
		columns[labelColumn] = parquet.String()
	}
	schema := parquet.NewSchema("vectors", columns)
	column := func(path ...string) int {
		leaf, _ := schema.Lookup(path...)
		return leaf.ColumnIndex
	}
	nameAt, labelAt, valueAt := column(nameColumn), column(labelColumn), column(valueColumn, "list", "element")

	p := parquet.NewWriter(w, schema,
		parquet.Compression(&parquet.Snappy),
		parquet.CreatedBy("hourglass", "1", ""),
		parquet.MaxRowsPerRowGroup(int64(max(1, rowGroupValues/t.Dim))))
	rows := make([]parquet.Row, max(1, batchValues/t.Dim)) // used again and again
	filled := 0
	for i := range t.Len() {
		row := rows[filled][:0]
		// Columns are in the order of their names: label, name, z.
		if t.Labels != nil {
			row = append(row, parquet.ByteArrayValue([]byte(valid(t.Labels[i]))).Level(0, 0, labelAt))
		}
		if t.Names != nil {
			row = append(row, parquet.ByteArrayValue([]byte(valid(t.Names[i]))).Level(0, 0, nameAt))
		}
		for j, v := range t.Values[i*t.Dim : (i+1)*t.Dim] {
			repeated := 1 // of the list that the element before belongs to
			if j == 0 {
				repeated = 0
			}
			row = append(row, parquet.FloatValue(v).Level(repeated, 1, valueAt))
		}
		rows[filled] = row
		if filled++; filled == len(rows) || i == t.Len()-1 {
			if _, err := p.WriteRows(rows[:filled]); err != nil {
				return err
			}
			filled = 0
		}
	}
	return p.Close()
}
