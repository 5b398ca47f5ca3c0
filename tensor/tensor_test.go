package tensor

import (
	"strings"
	"testing"
)

func TestBroadcast(t *testing.T) {
	for _, c := range []struct{ a, b, want Shape }{
		{Shape{2, 3}, Shape{3}, Shape{2, 3}},
		{Shape{2, 1}, Shape{1, 3}, Shape{2, 3}},
		{Shape{}, Shape{4, 5}, Shape{4, 5}},
		{Shape{7}, Shape{}, Shape{7}},
		{Shape{2, 3}, Shape{4}, nil},
	} {
		got, err := Broadcast(c.a, c.b)
		if c.want == nil {
			if err == nil {
				t.Errorf("%v and %v broadcast to %v, want an error", c.a, c.b, got)
			}
			continue
		}
		if err != nil || !got.Equal(c.want) {
			t.Errorf("Broadcast(%v, %v) = %v, %v, want %v", c.a, c.b, got, err, c.want)
		}
	}
}

func TestValidateBoundsElements(t *testing.T) {
	if err := (Shape{1 << 20, 1 << 20}).Validate(); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("2^40 elements: %v", err)
	}
	if err := (Shape{3, 0}).Validate(); err == nil || !strings.Contains(err.Error(), "axis 1") {
		t.Errorf("an empty axis: %v", err)
	}
}

func TestCopyFromChecksShape(t *testing.T) {
	a, b := New(Float32, 2, 3), New(Float32, 3, 2)
	if err := a.CopyFrom(b); err == nil {
		t.Error("a [3 2] tensor was copied into a [2 3] one")
	}
	if err := a.CopyFrom(New(Int32, 2, 3)); err == nil {
		t.Error("an i32 tensor was copied into an f32 one")
	}
	c := Of([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	if err := a.CopyFrom(c); err != nil || a.Float32()[5] != 6 {
		t.Errorf("copy failed: %v, %v", err, a.Float32())
	}
	c.Clone().Float32()[0] = 9
	if c.Float32()[0] != 1 {
		t.Error("a clone shares its buffer")
	}
}
