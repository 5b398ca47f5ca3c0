package classify_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/task/classify"
	"hourglass/train/run"
)

// bars returns grey images of 16×16: noise with a bar that lies in those of class 0
// and stands in those of class 1.
func bars(n int) (*data.Set, error) {
	const side = 16
	r := rand.New(rand.NewPCG(1, 2))
	pixels, labels := make([]uint8, n*side*side), make([]int32, n)
	for i := range n {
		labels[i] = int32(i % 2)
		at := r.IntN(side)
		for k := range side * side {
			pixels[i*side*side+k] = uint8(r.IntN(128))
			if place := [2]int{k / side, k % side}; place[labels[i]] == at {
				pixels[i*side*side+k] += 100
			}
		}
	}
	return data.NewSet(pixels, side, side, 1, labels, []string{"lies", "stands"})
}

// A task learns from images that the program has in memory: Open hands them over.
func Example_memory() {
	dir, err := os.MkdirTemp("", "classify")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	own := run.Options{
		Dir:  filepath.Join(dir, "run"),
		Open: func(context.Context, string, data.Options) (*data.Set, error) { return bars(1000) },
	}
	o := classify.Options{Source: "bars", Widths: []int{8, 8, 8}, Course: run.Course{Epochs: 8, Batch: 16, Augment: "none", Seed: 1}}
	out, err := classify.Learn(context.Background(), e, o, own, run.Hooks{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("four in five are told apart:", out.Summary.HeldOut.Accuracy > 0.8)
	// Output: four in five are told apart: true
}
