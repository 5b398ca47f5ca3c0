package model

import (
	"strings"
	"testing"

	"hourglass/nn"
	"hourglass/tensor"
)

func rowsOf(n, elements int) []nn.Row {
	rows := make([]nn.Row, n)
	for i := range rows {
		rows[i].Output = tensor.Shape{1, elements}
	}
	return rows
}

func TestBatch(t *testing.T) {
	for _, c := range []struct {
		name  string
		image int
		rows  []nn.Row
		want  int
	}{
		{"small", 784, rowsOf(10, 10_000), maxBatch},
		{"large layers", 784, rowsOf(10, batchElements/4), 4},
		{"one that is larger", 784, rowsOf(1, 2*batchElements), 1},
		{"many layers", 784, rowsOf(maxTotal/1024/8, 1024), 7},
	} {
		if got, err := Batch(c.image, c.rows); err != nil || got != c.want {
			t.Errorf("%s: %d images pass together (%v), want %d", c.name, got, err, c.want)
		}
	}
	for _, c := range []struct {
		rows []nn.Row
		want string
	}{
		{rowsOf(1, maxLayer+1), "a layer gives 268435457 numbers"},
		{rowsOf(3, maxLayer-1), "its layers give"},
		{rowsOf(20_000, maxTotal/1000), "its layers give"},
	} {
		if _, err := Batch(784, c.rows); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d layers: %v, want an error that says %q", len(c.rows), err, c.want)
		}
	}
}
