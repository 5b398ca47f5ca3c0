// Command distance compares images with the held-out part of a set in the space
// of a classifier's features, as hourglass train generate does, and prints the
// result as JSON: Fréchet distance, precision and recall.
//
//	go run ./bench/peers/distance -features MODEL [-source fashion] IMAGES
//
// IMAGES is what hourglass reads as a source, such as a file in IDX format.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/quality/distribution"
	"hourglass/train/features"
	"hourglass/train/run"
)

func main() {
	classifier := flag.String("features", "", "classifier, a model of hourglass train classify")
	source := flag.String("source", "fashion", "set whose held-out part is compared with")
	flag.Parse()
	if *classifier == "" || flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := compare(*classifier, *source, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "distance:", err)
		os.Exit(1)
	}
}

func compare(classifier, source, made string) error {
	e, err := engine.New(engine.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	real, err := data.Open(context.Background(), source, data.Options{})
	if err != nil {
		return err
	}
	images, err := data.Open(context.Background(), made, data.Options{})
	if err != nil {
		return err
	}
	space, err := features.Open(e, classifier, run.ImagesOf(source, real, 0, false))
	if err != nil {
		return err
	}
	heldOut := run.Divide(real).HeldOut
	a, err := space.Vectors(real.Gather(heldOut))
	if err != nil {
		return err
	}
	b, err := space.Vectors(images.Pixels)
	if err != nil {
		return err
	}
	var result struct {
		Frechet   float64 `json:"frechet"`
		Precision float64 `json:"precision"`
		Recall    float64 `json:"recall"`
	}
	if result.Frechet, err = frechet(a, b, space.Dim); err != nil {
		return err
	}
	result.Precision, result.Recall, err = distribution.PrecisionRecall(a, b, space.Dim, distribution.Options{Pool: e.Pool()})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// frechet returns the Fréchet distance of two sets of vectors.
func frechet(a, b []float32, dim int) (float64, error) {
	ma, err := distribution.Measure(a, dim)
	if err != nil {
		return 0, err
	}
	mb, err := distribution.Measure(b, dim)
	if err != nil {
		return 0, err
	}
	return distribution.Frechet(ma, mb)
}
