package classify

import (
	"fmt"
	"math"
	"slices"

	"hourglass/nn/arch"
	"hourglass/optim"
	"hourglass/train/run"
)

const (
	recipeLecture = "lecture"
	recipeFast    = "fast"
)

// Recipes lists the recipes:
//
//   - lecture: six convolutions of 3×3, each with batch normalisation and a
//     rectifier, pooling after each pair, dropout before the dense layer; Adam
//     with one cycle of the learning rate, on large collections with decoupled
//     weight decay;
//   - fast: the family of speed runs on CIFAR-10 (Jordan 2024, "94% on
//     CIFAR-10 in 3.29 seconds on a single GPU"): whitening, partial identities,
//     much momentum, label smoothing, alternating mirror images; on large
//     collections of small images wider, by Muon, and on smaller ones first;
//   - and the networks of [arch.Classifiers], with Nesterov's momentum.
func Recipes() []string { return append([]string{recipeLecture, recipeFast}, arch.Classifiers()...) }

// recipe holds the choices of a recipe that options may replace.
type recipe struct {
	run.Course
	Widths                       []int
	Dropout, LabelSmoothing, EMA float64
	Progressive                  float64
	TTA                          string
	rate                         func(c Config) float64
}

// manyImages are enough to learn a wider network from in fewer epochs: measured
// on CIFAR-10, which has 50,000.
const manyImages = 20_000

// smallSide is the longest side of an image that is learnt in larger batches.
const smallSide = 64

// defaults returns a recipe's choices for the images of c, with some of the
// course given already.
func defaults(c Config, given run.Course) recipe {
	side := max(c.Height, c.Width)
	move := max(1, side/16)
	changes := fmt.Sprintf("flip,shift=%d", move)
	r := recipe{Course: run.Course{Patience: 10, Augment: changes}, TTA: TTAs()[0]}
	switch c.Recipe {
	case recipeLecture:
		r.Widths = []int{32, 64, 128}
		r.Dropout = 0.5
		r.Optimizer, r.Schedule, r.Batch = "adam", "onecycle", 64
		r.TTA = TTAs()[1]
		r.Epochs = showings(c, 137_000, 16, 60)
		r.rate = defaultRate
		if c.Train >= manyImages {
			r.Widths = []int{32, 96, 256}
			r.Optimizer, r.Batch = "adamw:decay=0.05", 128
			r.LabelSmoothing = 0.1
			r.TTA = TTAs()[2]
			r.Epochs = 17
		}
	case recipeFast:
		r.Widths = []int{64, 128, 128}
		r.LabelSmoothing = 0.2
		r.TTA = TTAs()[2]
		r.Augment = fmt.Sprintf("alternate,shift=%d", move)
		r.Batch, r.Schedule = 512, "triangle:rise=0.23,start=0.2,final=0.07"
		r.Epochs = showings(c, 200_000, 12, 60)
		r.rate = fastRate
		optimizer := fastOptimizer
		if c.Train >= manyImages && side <= smallSide && !c.NoBatchNorm {
			r.Widths = []int{128, 384, 384}
			r.Batch, r.Schedule = 1024, "triangle:rise=0.1,start=0.2,final=0.005"
			r.Epochs = 21
			r.Progressive = 0.5
			r.Augment += ",erase=0.3"
			optimizer = fastMuon
		}
		if given.Batch > 0 {
			r.Batch = given.Batch
		}
		r.Optimizer = optimizer(min(r.Batch, c.Train))
	default:
		r.Optimizer, r.Schedule, r.Batch = "nesterov:decay=0.0005", "onecycle", 64
		if side > smallSide {
			r.Batch = 32
		}
		r.Dropout = arch.Dropout(c.Recipe)
		r.Epochs = showings(c, 100_000, 15, 90)
		r.rate = defaultRate
	}
	return r
}

// showings returns the number of epochs in which a small collection is shown
// about so many times in all, within bounds.
func showings(c Config, images, least, most int) int {
	return min(max(least, images/max(1, c.Train)), most)
}

// defaultRate is the rate at batches of 64 that suits the kind of optimiser; it
// falls with the batch (Goyal et al. 2017, section 2.1).
func defaultRate(c Config) float64 {
	rate := 0.003
	if o, err := optim.Parse(c.Optimizer); err == nil {
		switch o.Rule.(type) {
		case optim.SGD:
			rate = 0.05
		case optim.Adam:
		default:
			rate = o.DefaultRate()
		}
	}
	return rate * float64(c.Batch) / 64
}

// The speed runs state their settings for 1,024 images: what momentum is left,
// and a rate for the sum over images that is divided by what the momentum
// multiplies it by (Jordan 2024, listing 4), so that they go for any batch.
const (
	fastImages   = 1024
	fastMomentum = 0.85
	fastLR       = 11.5
	fastDecay    = 0.0153
	fastBias     = 64
)

// Muon's momentum is for 2,000 images (Jordan's speed run of 2024 with it). Its rate
// for 1,024 was the best of three on 5,000 images of CIFAR-10's train part set aside,
// after 12 epochs of 64, 192 and 192 channels: 89.3 % with 0.05, 90.5 % with this,
// 89.7 % with 0.24, that of his 8 epochs.
const (
	muonImages   = 2000
	muonMomentum = 0.6
	muonRate     = 0.1
)

// fastOptimizer returns the optimiser of the recipe fast for a batch.
func fastOptimizer(batch int) string {
	momentum := math.Pow(fastMomentum, float64(batch)/fastImages)
	return fmt.Sprintf("nesterov:momentum=%.4g,decay=%.4g,bias=%d", momentum, fastDecay/fastLR, fastBias)
}

// fastMuon returns the optimiser of the recipe on large collections: what is no
// kernel learns as it does with fastOptimizer.
func fastMuon(batch int) string {
	momentum := math.Pow(muonMomentum, float64(batch)/muonImages)
	rest := math.Pow(fastMomentum, float64(batch)/fastImages)
	return fmt.Sprintf("muon:momentum=%.4g,rest=%.4g,rest_momentum=%.4g,length=1,decay=%.4g,bias=%d",
		momentum, nesterovRate(batch, rest)/kernelRate(batch), rest, fastDecay/fastLR, fastBias)
}

// nesterovRate returns the learning rate of Nesterov's momentum for the mean over
// a batch.
func nesterovRate(batch int, momentum float64) float64 {
	return fastLR * float64(batch) / fastImages / (1 + 1/(1-momentum))
}

// kernelRate returns the learning rate of kernels by Muon. Its steps are of one
// length whatever the gradient's is: noise, which a batch averages out, decides it.
func kernelRate(batch int) float64 { return muonRate * math.Sqrt(float64(batch)/fastImages) }

// fastRate returns the learning rate of the recipe fast.
func fastRate(c Config) float64 {
	rate := nesterovRate(c.Batch, fastMomentum)
	if o, err := optim.Parse(c.Optimizer); err == nil {
		rate = 0.002 * float64(c.Batch) / 512
		switch rule := o.Rule.(type) {
		case optim.SGD:
			if rule.Momentum > 0 {
				rate = nesterovRate(c.Batch, rule.Momentum)
			}
		case optim.Muon:
			rate = kernelRate(c.Batch)
		}
	}
	// Small batches have small rates, of which three digits stay.
	digits := max(1e4, math.Pow(10, 2-math.Floor(math.Log10(rate))))
	return math.Round(rate*digits) / digits
}

// groups returns the parameters that a recipe treats differently.
func (c Config) groups() []optim.Group {
	if c.Recipe != recipeFast {
		return nil
	}
	return []optim.Group{{Suffix: whiteningWeight, Frozen: true}, {Suffix: whiteningBias, Rate: 1}}
}

// describe names the network in a few words.
func (c Config) describe() string {
	if slices.Contains(arch.Classifiers(), c.Recipe) {
		return c.Recipe
	}
	return fmt.Sprintf("%s of %d, %d, %d channels", c.Recipe, c.Widths[0], c.Widths[1], c.Widths[2])
}
