package reduce

import (
	"fmt"
	"testing"

	"hourglass/internal/isa"
	"hourglass/internal/par"
)

// BenchmarkSum folds views of 4 million elements on two threads.
func BenchmarkSum(b *testing.B) {
	pool := par.New(2)
	defer pool.Close()
	levels := isa.Available()
	level := levels[len(levels)-1]
	for _, shape := range [][3]int{{1, 1 << 22, 1}, {1 << 16, 64, 1}, {1, 1 << 16, 64}, {1, 1 << 20, 3}, {64, 1024, 64}, {1, 64, 1 << 16}} {
		plan := NewSum(shape[0], shape[1], shape[2], level)
		src := make([]float32, shape[0]*shape[1]*shape[2])
		dst := make([]float32, shape[0]*shape[2])
		scratch := make([]float32, plan.Scratch(2))
		b.Run(fmt.Sprintf("%dx%dx%d", shape[0], shape[1], shape[2]), func(b *testing.B) {
			b.SetBytes(4 * int64(len(src)))
			for b.Loop() {
				plan.Run(pool, dst, src, scratch)
			}
		})
	}
}

func BenchmarkRows(b *testing.B) {
	pool := par.New(2)
	defer pool.Close()
	levels := isa.Available()
	level := levels[len(levels)-1]
	for _, n := range []int{10, 1000} {
		rows := 1 << 18 / n
		src, dst := make([]float32, rows*n), make([]float32, rows*n)
		index := make([]int32, rows)
		soft, log, arg := NewSoftmax(rows, n, level), NewLogSoftmax(rows, n, level), NewArgMax(rows, n, 1)
		scratch := make([]float32, log.Scratch(2))
		for name, f := range map[string]func(){
			"Softmax":    func() { soft.Run(pool, dst, src, scratch) },
			"LogSoftmax": func() { log.Run(pool, dst, src, scratch) },
			"ArgMax":     func() { arg.Run(pool, index, src) },
		} {
			b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) {
				b.SetBytes(4 * int64(len(src)))
				for b.Loop() {
					f()
				}
			})
		}
	}
}
