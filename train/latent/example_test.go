package latent_test

import (
	"fmt"

	"hourglass/engine"
	"hourglass/train/latent"
)

// Learn how codes are distributed whose two numbers are nearly the same, and
// draw others like them.
func ExamplePrior() {
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	codes := &latent.Posterior{K: 2}
	for i := range 100 {
		v := float32(i%10) - 4.5
		codes.Mean = append(codes.Mean, v, v)
		codes.LogVariance = append(codes.LogVariance, -6, -6)
	}
	p, err := latent.NewPrior(e, latent.PriorNormal, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Measure(codes)
	if _, trained, err := p.Problem(codes, nil, 10, 1, 1); trained || err != nil {
		fmt.Println(trained, err)
		return
	}
	z, err := p.Codes(latent.Draw(1000, p.Noise(), 1, 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	near := 0
	for i := 0; i < len(z); i += 2 {
		if d := z[i] - z[i+1]; d > -0.3 && d < 0.3 {
			near++
		}
	}
	fmt.Println("nearly the same:", near > 950)
	// Output: nearly the same: true
}
