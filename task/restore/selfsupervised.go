package restore

import (
	"hourglass/data"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/tensor"
)

// neighbours trains from noisy images alone, by Neighbor2Neighbor (Huang et al.
// 2021, "Neighbor2Neighbor: self-supervised denoising from single noisy
// images"). Of every 2×2 pixels of a noisy crop two neighbours are drawn; one
// goes to an image g₁ of half the size, the other to g₂. Both show nearly the
// same scene with noise that is independent, so that a network which is to
// make g₂ of g₁ can do no better than to remove the noise (section 3.2). That
// they do not show quite the same is what the second term of the loss makes up
// for (equation 6): the network's own result f(y) for the whole crop is drawn
// from in the same way, and the difference of its two neighbours is what
// should be left between f(g₁) and g₂.
//
// It holds for noise that is independent from pixel to pixel with a mean of
// zero: that of sensors, not that of JPEG.
type neighbours struct {
	config Config
	model  *Model
	crops  *data.Crops
	steps  int // of the whole run
	perRun int // of an epoch

	noisy  []uint8
	image  []float32 // one crop
	counts []float32
}

// gamma is the weight of the second term at the end of a run; it grows from 0,
// as f(y) becomes worth something (section 3.3 and appendix; 2 is the paper's
// choice for synthetic noise).
const gamma = 2

// pairStream keeps the draws of the neighbours apart from others of the same
// seed.
const pairStream = 0x50414952 << 32

func newNeighbours(c Config, m *Model, crops *data.Crops) *neighbours {
	n := 3 * c.Height * c.Height
	return &neighbours{config: c, model: m, crops: crops, perRun: crops.Steps(), steps: c.Epochs * crops.Steps(),
		noisy: make([]uint8, c.Batch*n), image: make([]float32, n), counts: make([]float32, c.Height*c.Height/4)}
}

// trace declares the inputs and returns the loss.
func (s *neighbours) trace(c *nn.Context) *graph.Node {
	b := c.Builder()
	half := s.config.Height / 2
	first := b.Input("given", tensor.Float32, s.config.Batch, half, half, 3)
	second := b.Input("target", tensor.Float32, s.config.Batch, half, half, 3)
	apart := b.Input("apart", tensor.Float32, s.config.Batch, half, half, 3) // of f(y)
	weight := b.Input("weight", tensor.Float32)
	d := b.Sub(b.Add(first, c.Layer("net", s.model.net, first)), second)
	return b.Add(b.ToScalar(b.Mean(b.Square(d))), b.Mul(weight, loss.SquaredError(d, apart, loss.MeanAll)))
}

// fill writes a batch. It depends on the variables of the model too, which are
// those of the step.
func (s *neighbours) fill(epoch, step int, inputs []*tensor.Tensor) error {
	side := s.config.Height
	n := 3 * side * side
	s.crops.Fill(epoch, step, s.noisy)
	at := uint64(epoch)<<32 | uint64(step)
	inputs[3].Float32()[0] = gamma * float32(epoch*s.perRun+step) / float32(s.steps)
	if err := s.model.compile(side, side); err != nil {
		return err
	}
	whole := []*tensor.Tensor{tensor.Of(s.image, 1, side, side, 3)}
	for i := range s.config.Batch {
		for j, v := range s.noisy[i*n : (i+1)*n] {
			s.image[j] = float32(v) / 255
		}
		if err := s.model.program.Run(whole); err != nil {
			return err
		}
		random.Uniform(s.counts, s.config.Seed+uint64(i)<<40, pairStream, at)
		part := func(k int) []float32 { return inputs[k].Float32()[i*n/4 : (i+1)*n/4] }
		pairs(part(0), part(1), s.image, side, s.counts)
		// Of f(y) the two are drawn into the place of their difference.
		restored := s.model.program.Output(0).Float32()
		apart := part(2)
		eachPair(side, s.counts, func(to, a, b int) {
			for k := range 3 {
				apart[to+k] = restored[a+k] - restored[b+k]
			}
		})
	}
	return nil
}

// pairs draws two neighbours of every 2×2 pixels of an image [side,side,3].
func pairs(first, second, image []float32, side int, draws []float32) {
	eachPair(side, draws, func(to, a, b int) {
		copy(first[to:to+3], image[a:a+3])
		copy(second[to:to+3], image[b:b+3])
	})
}

// eachPair calls f with the places of pixels [side,side,3], one of the two
// images of half the size and two of the whole one. There are eight ways: four
// sides of the square, each in two directions.
func eachPair(side int, draws []float32, f func(to, a, b int)) {
	corners := [4][2]int{{0, 0}, {0, 1}, {1, 1}, {1, 0}} // around the square
	half := side / 2
	for y := range half {
		for x := range half {
			way := int(8 * draws[y*half+x])
			a, b := corners[way/2], corners[(way/2+1)%4]
			if way%2 == 1 {
				a, b = b, a
			}
			place := func(c [2]int) int { return 3 * ((2*y+c[0])*side + 2*x + c[1]) }
			f(3*(y*half+x), place(a), place(b))
		}
	}
}
