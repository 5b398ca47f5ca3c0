package bench

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"time"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/optim"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/run"
)

const (
	// feedAugment is what a recipe for small photographs does to them.
	feedAugment = "shift=4,flip,rotate=15,colour=0.2"
	feedSteps   = 8 // of an epoch
)

// feed measures epochs of cifar's training whose images come from a cached
// source and are augmented, in turn with epochs whose images are always there,
// and the making of the batches alone.
func feed(ctx context.Context, e *engine.Engine, o Options) ([]Result, error) {
	list, err := cifar()
	if err != nil {
		return nil, err
	}
	n := *list[0].network
	set, err := cachedSet(ctx, n.batch*feedSteps, n.image[0], n.image[1])
	if err != nil {
		return nil, err
	}
	augmented, err := newFeeder(set, n.batch)
	if err != nil {
		return nil, err
	}
	names := []string{"feed/synthetic", "feed/augmented"}
	batches := []func(epoch, step int, in []*tensor.Tensor){func(int, int, []*tensor.Tensor) {}, augmented}
	seconds := make([][]float64, len(names))
	begun := time.Now()
	for round := 0; round < leastRounds || (time.Since(begun) < 2*o.Duration && round < mostRounds); round++ {
		for i, batch := range batches {
			s, err := n.epoch(ctx, e, batch)
			if err != nil {
				return nil, err
			}
			seconds[i] = append(seconds[i], s/feedSteps)
		}
	}
	results := make([]Result, len(names))
	ratios := make([]float64, len(seconds[0]))
	for round := range ratios {
		ratios[round] = seconds[1][round] / seconds[0][round]
	}
	for i, name := range names {
		s := median(seconds[i])
		rate := float64(n.batch) / s
		results[i] = Result{Workload: name, MS: s * 1e3, ImagesPerSecond: &rate}
	}
	results[1].Beside, results[1].Relative = names[0], median(ratios)

	in := []*tensor.Tensor{tensor.New(tensor.Float32, append([]int{n.batch}, n.image...)...), tensor.New(tensor.Int32, n.batch)}
	t := timed(ctx, o.Duration, func() { augmented(0, 0, in) })
	alone := median(t.rounds)
	return append(results, Result{
		Workload: "feed/batches", MS: alone * 1e3, AllocsPerStep: t.allocs,
		Beside: names[0], Relative: alone * 1e3 / results[0].MS,
	}), nil
}

// epoch trains for two epochs and returns the seconds of the second.
func (n network) epoch(ctx context.Context, e *engine.Engine, batch func(epoch, step int, in []*tensor.Tensor)) (float64, error) {
	t, err := train.New(e, backend.NewStore(), train.Problem{
		Name: n.name,
		Trace: func(c *nn.Context) *graph.Node {
			_, l := n.loss(c)
			return l
		},
		Batch: batch,
		Steps: feedSteps,
	}, train.Options{Epochs: 2, Seed: seed, LR: 1e-3, Schedule: optim.Constant{}})
	if err != nil {
		return 0, err
	}
	r, err := t.Run(ctx)
	if errors.Is(err, train.ErrInterrupted) {
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, err
	}
	return r.Epochs[1].Seconds - r.Epochs[0].Seconds, nil
}

// cachedSet writes n images of noise, reads them, and returns what a second
// reading finds in the cache.
func cachedSet(ctx context.Context, n, height, width int) (*data.Set, error) {
	dir, err := os.MkdirTemp("", "hourglass-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	noise := make([]float32, 3*height*width)
	for i := range n {
		random.Uniform(noise, seed, uint64(i), 0)
		img := image.NewNRGBA(image.Rect(0, 0, width, height))
		for j := range height * width {
			c := noise[3*j:]
			img.SetNRGBA(j%width, j/width, color.NRGBA{uint8(255 * c[0]), uint8(255 * c[1]), uint8(255 * c[2]), 255})
		}
		if err := writePNG(filepath.Join(dir, "images", fmt.Sprintf("class%d", i%classes), fmt.Sprintf("%d.png", i)), img); err != nil {
			return nil, err
		}
	}
	o := data.Options{CacheDir: filepath.Join(dir, "cache")}
	for range 2 {
		set, err := data.Open(ctx, filepath.Join(dir, "images"), o)
		if err != nil {
			return nil, err
		}
		if set.FromCache {
			return set, nil
		}
	}
	return nil, fmt.Errorf("the images in %s were not cached", dir)
}

func writePNG(path string, img image.Image) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}

// newFeeder returns what writes the augmented images [N,H,W,C] in 0–1 and the
// labels [N] of a step.
func newFeeder(set *data.Set, batch int) (func(epoch, step int, in []*tensor.Tensor), error) {
	all := make([]int, set.Len())
	for i := range all {
		all[i] = i
	}
	batches, err := run.NewBatches(set, all, run.Course{Batch: batch, Seed: seed, Augment: feedAugment})
	if err != nil {
		return nil, err
	}
	pixels := make([]uint8, batch*set.ImageBytes())
	return func(epoch, step int, in []*tensor.Tensor) {
		batches.Fill(epoch, step, pixels, in[1].Int32())
		for i, v := range pixels {
			in[0].Float32()[i] = float32(v) / 255
		}
	}, nil
}
