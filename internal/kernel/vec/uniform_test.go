package vec

import (
	"math"
	"slices"
	"testing"

	"hourglass/internal/random"
)

// TestUniform compares bit for bit with package random: at every alignment to
// blocks, over lengths around the vectors', and across the carry of a block's
// number.
func TestUniform(t *testing.T) {
	forLevels(t, func(t *testing.T, s *Set) {
		key := random.Key(1<<40|5, 7)
		for _, offset := range []uint64{0, 1, 2, 3, 4, 64, 1<<34 - 256, 1<<34 - 260, 1<<34 - 3, 1 << 34, 1<<40 + 5, math.MaxUint64 - 500} {
			for _, n := range []int{0, 1, 3, 4, 63, 64, 65, 128, 131, 200, 259} {
				dst, check := guarded(make([]float32, n), int(offset%5))
				want := make([]float32, n)
				counter := uint64(3) + offset<<7
				s.Uniform(dst, key, counter, offset)
				random.UniformOf(want, key, counter, offset)
				if !slices.Equal(dst, want) {
					t.Fatalf("%d numbers from %d on differ: %v, want %v", n, offset, dst, want)
				}
				if err := check(); err != nil {
					t.Fatalf("%d numbers from %d on: %v", n, offset, err)
				}
			}
		}
	})
}
