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
		{"nothing", 0, nil, maxBatch},
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

// Whoever asks for 1 to 64 images in turn needs seven programs, and large images come
// in small blocks.
func TestInBatches(t *testing.T) {
	sizes := make(map[int]bool)
	for n := range 200 {
		seen := 0
		err := InBatches(n, 64, func(at, count, batch int) error {
			if at != seen || count < 1 || count > batch || batch > 64 {
				t.Errorf("%d images: %d from %d on in a batch of %d", n, count, at, batch)
			}
			seen += count
			sizes[batch] = true
			return nil
		})
		if err != nil || seen != n {
			t.Errorf("%d of %d images, %v", seen, n, err)
		}
	}
	if len(sizes) != 7 {
		t.Errorf("the batches are %v", sizes)
	}
	if err := InBatches(3, 0, func(int, int, int) error { return nil }); err == nil {
		t.Error("batches that hold nothing are taken")
	}
	for d, want := range map[int]int{0: 256, 784: 256, 1 << 16: 256, 1 << 17: 128, 200_000: 64, 1 << 20: 16, 1 << 30: 1} {
		if got := Block(d); got != want {
			t.Errorf("%d images of %d numbers make a block, want %d", got, d, want)
		}
	}
}
