package restore_test

import (
	"context"
	"fmt"

	"hourglass/engine"
	"hourglass/quality"
	"hourglass/task/restore"
)

// Take the noise off an image with the model that is built in.
func Example() {
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	m, err := restore.Shipped(e, restore.Denoise)
	if err != nil {
		fmt.Println(err)
		return
	}
	const side = 48
	clean, noisy := make([]float32, side*side*3), make([]float32, side*side*3)
	for i := range clean {
		x, y := i/3%side, i/3/side
		clean[i] = 0.2 + float32(x+y)/(4*side)
		if x > side/2 {
			clean[i] = 0.8
		}
		noisy[i] = clean[i] + float32((i*i*7919%101)-50)/400
	}
	back, err := m.Denoise(context.Background(), noisy, side, side)
	if err != nil {
		fmt.Println(err)
		return
	}
	psnr := func(image []float32) float64 {
		total := 0.0
		for i, v := range image {
			d := float64(v - clean[i])
			total += d * d
		}
		return quality.Decibels(total/float64(len(image)), 1)
	}
	fmt.Println("more than 8 dB better:", psnr(back) > psnr(noisy)+8)
	// Output: more than 8 dB better: true
}
