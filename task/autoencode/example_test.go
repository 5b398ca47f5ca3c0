package autoencode_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"hourglass/engine"
	"hourglass/task/autoencode"
	"hourglass/train/run"
)

// Learn from the built-in set, then load the model and encode an image.
func Example() {
	dir, err := os.MkdirTemp("", "autoencode")
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
	folder := filepath.Join(dir, "run")
	o := autoencode.Options{Source: "fashion", Arch: "dense", Latent: 8, Course: run.Course{Epochs: 1, Seed: 1}}
	out, err := autoencode.Learn(context.Background(), e, o, run.Options{Dir: folder}, run.Hooks{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("nearer to the original than PCA:", *out.Summary.HeldOut.Autoencoder.MSE < *out.Summary.HeldOut.PCA.MSE)
	m, err := autoencode.Load(e, filepath.Join(folder, run.ModelFile))
	if err != nil {
		fmt.Println(err)
		return
	}
	code, err := m.Encode(out.Evidence.Samples[0].Original)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("numbers in a code:", len(code))
	// Output:
	// nearer to the original than PCA: true
	// numbers in a code: 8
}
