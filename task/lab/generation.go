package lab

import (
	"fmt"
	"math"

	"hourglass/nn"
	"hourglass/optim"
	"hourglass/quality/distribution"
	"hourglass/train"
	"hourglass/train/latent"
	"hourglass/train/model"
	"hourglass/train/run"
)

// generation sets four ways to make images out of nothing side by side: random
// pixels, a plain autoencoder's decoder on random codes, a variational one's,
// and that on codes from a second stage that learnt how they are distributed
// (Dai & Wipf 2019, section 4, say why it takes two).
func generation() Experiment {
	return Experiment{
		Name:  "generation",
		Title: "Images out of nothing",
		Claim: "Random pixels are nothing like images, and neither is much of what a plain autoencoder makes of random codes; a variational one comes nearer, and a second stage that learns how its codes are distributed leaves at most half of the distance to real images that is then left.",
		Recipe: func(b *Bench) []Fact {
			s := b.generationSize()
			return append(b.imageFacts(len(b.Parts.Train), len(s.judged)),
				Fact{"networks", fmt.Sprintf("convolutional autoencoders with %d channels at half the size and codes of %d numbers, one plain and one variational with a learnt variance of its images", s.width, s.latent)},
				Fact{"training", fmt.Sprintf("AdamW with one-cycle up to %g, batches of %d: %d steps, the plain one half as many", s.rate, s.batch, s.steps)},
				Fact{"second stage", fmt.Sprintf("flow matching on the codes, Adam, %d steps on batches of %d", s.priorSteps, s.priorBatch)},
				Fact{"random codes", "of the plain one: numbers with the mean and deviation that those of images have; of the variational one: from N(0, 1)"},
				Fact{"distance", fmt.Sprintf("Fréchet’s, in the space of %d features of a small classifier trained on the labels for %d steps; precision and recall by third nearest neighbours", s.features(), s.judgeSteps)})
		},
		Run:     runGeneration,
		Verdict: verdictGeneration,
		Minutes: 1,
	}
}

type generationSize struct {
	width, latent, batch, steps int
	rate                        float64
	priorBatch, priorSteps      int
	judgeWidth, judgeSteps      int
	judged                      []int
}

func (b *Bench) generationSize() generationSize {
	s := pick(b.Scale,
		generationSize{width: 16, latent: 24, batch: 64, steps: 2400, priorBatch: 256, priorSteps: 2000, judgeWidth: 16, judgeSteps: 500},
		generationSize{width: 32, latent: 32, batch: 64, steps: 12000, priorBatch: 256, priorSteps: 10000, judgeWidth: 32, judgeSteps: 3000},
		generationSize{width: 4, latent: 3, batch: 8, steps: 4, priorBatch: 8, priorSteps: 4, judgeWidth: 2, judgeSteps: 2})
	s.rate = 0.005
	s.judged = some(b.Parts.HeldOut, 2000)
	s.batch, s.priorBatch = min(s.batch, len(b.Parts.Train)), min(s.priorBatch, len(b.Parts.Train))
	s.latent = min(s.latent, b.Set.ImageBytes()-1)
	return s
}

// features is how many numbers the classifier has before its last layer.
func (s generationSize) features() int { return 4 * s.judgeWidth }

// body returns the layers of the classifier before its last.
func (s generationSize) body() nn.Sequential {
	var net nn.Sequential
	for _, w := range []int{s.judgeWidth, 2 * s.judgeWidth, 4 * s.judgeWidth} {
		net = append(net, nn.Conv{Out: w, Stride: 2, NoBias: true}, nn.BatchNorm{}, nn.ReLU{}, nn.Conv{Out: w, NoBias: true}, nn.BatchNorm{}, nn.ReLU{})
	}
	return append(net, nn.GlobalAvgPool{})
}

// way is one of the ways to make images.
type way struct {
	key, name                  string
	produce                    func(n int) ([]uint8, error)
	frechet, precision, recall float64
	images                     [][]byte // the first ones
}

func runGeneration(b *Bench, r *Result) error {
	s := b.generationSize()
	first, plain := float64(s.steps*s.batch), float64(s.steps/2*s.batch)
	second, judging := float64(s.priorSteps*s.priorBatch)/8, float64(s.judgeSteps*s.batch)
	b.Expect(first + plain + second + 2*judging)
	body := s.body()
	judge := b.newNetwork(append(body[:len(body):len(body)], nn.Dense{Out: b.Classes()}))
	_, err := judge.teach(lesson{name: "classifier to judge by", train: b.Parts.Train, batch: s.batch, steps: s.judgeSteps, every: s.judgeSteps,
		rule: optim.Options{Rule: optim.Adam{}}, rate: 0.003, schedule: optim.OneCycle{}})
	if err != nil {
		return err
	}
	variational, err := b.coder(s.latent, true, s.width, s.steps, s.batch, s.rate, "variational autoencoder", first)
	if err != nil {
		return err
	}
	ordinary, err := b.coder(s.latent, false, s.width, s.steps/2, s.batch, s.rate, "plain autoencoder", plain)
	if err != nil {
		return err
	}
	learnt := b.pool(b.Parts.Train).pixels
	prior, err := s.prior(b, variational, learnt, second)
	if err != nil {
		return err
	}
	codes, err := ordinary.Encode(learnt)
	if err != nil {
		return err
	}
	scatter := latent.ScatterOf(codes, s.latent)
	n := len(s.judged)
	ways := []*way{
		{key: "pixels", name: "random pixels", produce: func(n int) ([]uint8, error) {
			return latent.RandomPixels(n, b.Set.ImageBytes(), b.Seed, 0), nil
		}},
		{key: "plain", name: "plain autoencoder", produce: func(n int) ([]uint8, error) { return decoded(ordinary, scatter.Draw(n, b.Seed, 0)) }},
		{key: "variational", name: "variational", produce: func(n int) ([]uint8, error) {
			return decoded(variational, latent.Draw(n, s.latent, b.Seed, 0))
		}},
		{key: "second", name: "two stages", produce: func(n int) ([]uint8, error) {
			z, err := prior.Codes(latent.Draw(n, prior.Noise(), b.Seed, 0))
			if err != nil {
				return nil, err
			}
			return decoded(variational, z)
		}},
		{key: "learnt", name: "images learnt from", produce: func(n int) ([]uint8, error) {
			return b.pool(some(b.Parts.Train, len(s.judged))).pixels, nil
		}},
	}
	infer := judge.function("features", body)
	vectors := func(images []uint8) ([]float32, error) {
		return judge.run(infer, pool{images, make([]int32, len(images)/b.Set.ImageBytes()), b.Set.ImageBytes()})
	}
	real, err := vectors(b.pool(s.judged).pixels)
	if err != nil {
		return err
	}
	moments, err := distribution.Measure(real, s.features())
	if err != nil {
		return err
	}
	for _, w := range ways {
		images, err := w.produce(n)
		if err != nil {
			return err
		}
		for i := range min(len(images)/b.Set.ImageBytes(), shownMade) {
			w.images = append(w.images, images[i*b.Set.ImageBytes():(i+1)*b.Set.ImageBytes()])
		}
		v, err := vectors(images)
		if err != nil {
			return err
		}
		m, err := distribution.Measure(v, s.features())
		if err != nil {
			return err
		}
		if w.frechet, err = distribution.Frechet(moments, m); err != nil {
			return err
		}
		if w.precision, w.recall, err = distribution.PrecisionRecall(real, v, s.features(), distribution.Options{Pool: b.Engine.Pool()}); err != nil {
			return err
		}
		if err := b.Advance(judging/float64(len(ways)), "judging "+w.name); err != nil {
			return err
		}
	}
	reportGeneration(b, r, ways)
	reportCounts(b, r, s.latent)
	return nil
}

// shownMade is how many images of each way are shown.
const shownMade = 10

// prior learns how the codes of images are distributed.
func (s generationSize) prior(b *Bench, m *latent.Coder, images []uint8, work float64) (*latent.Prior, error) {
	codes, err := m.Posterior(images)
	if err != nil {
		return nil, err
	}
	p, err := latent.NewPrior(b.Engine, latent.PriorFlow, s.latent)
	if err != nil {
		return nil, err
	}
	p.Measure(codes)
	problem, _, err := p.Problem(codes, nil, s.priorBatch, s.priorSteps, b.Seed)
	if err != nil {
		return nil, err
	}
	return p, b.train(p.Store(), problem, train.Options{
		Optimizer: optim.Options{Rule: optim.Adam{}, ClipNorm: 1}, LR: 0.002, Schedule: optim.OneCycle{}, EMA: 0.998,
	}, "second stage", work)
}

// decoded returns the images of codes as bytes.
func decoded(m *latent.Coder, codes []float32) ([]uint8, error) {
	images, err := m.Decode(codes)
	return model.Bytes(images), err
}

func reportGeneration(b *Bench, r *Result, ways []*way) {
	table := Table{Title: "Images made in each way, beside held-out ones", Head: "images", Columns: []Column{
		{Head: "Fréchet distance", Decimals: 3}, {Head: "precision, %", Decimals: 1}, {Head: "recall, %", Decimals: 1}},
		Note: "Images learnt from are real ones, and show what distance the number of images alone makes. Precision is the share of images that lie among the held-out ones, recall the share of these that lie among the images. None of it can be compared with figures in another space."}
	pictures := Pictures{Title: "Out of the same random numbers", Note: "The first images of each way, none chosen by its looks."}
	for _, w := range ways {
		r.Set(w.key+"_frechet", w.frechet, "", "squared Fréchet distance of "+w.name+" from held-out images")
		r.Set(w.key+"_precision", w.precision, "", "precision of "+w.name)
		r.Set(w.key+"_recall", w.recall, "", "recall of "+w.name)
		table.Rows = append(table.Rows, Row{w.name, numbers([]float64{w.frechet, 100 * w.precision, 100 * w.recall})})
		pictures.Rows = append(pictures.Rows, PictureRow{Name: w.name, Height: b.Set.Height, Width: b.Set.Width, Channels: b.Set.Channels, Images: w.images})
	}
	for i := range ways[0].images {
		pictures.Columns = append(pictures.Columns, fmt.Sprint(i+1))
	}
	ratio := r.Value("second_frechet") / r.Value("variational_frechet")
	r.Set("ratio", ratio, "", "distance of two stages by that of the variational one alone")
	r.Headline = Headline{"Distance left by the second stage", fmt.Sprintf("%.2f", ratio), "×", fmt.Sprintf("%.3f of %.3f", r.Value("second_frechet"), r.Value("variational_frechet"))}
	r.Tables, r.Pictures = append(r.Tables, table), append(r.Pictures, pictures)
}

// reportCounts sets how many images there can be beside how many a code can name.
func reportCounts(b *Bench, r *Result, k int) {
	d := b.Set.ImageBytes()
	c, learnt := run.CountsOf(d, k), math.Log10(float64(len(b.Parts.Train)))
	r.Set("images_log10", c.Images, "", "decimal logarithm of the number of images that can be written down")
	r.Set("names_log10", c.Names, "", "decimal logarithm of the number of codes, if 11 levels of each of their numbers are told apart")
	r.Tables = append(r.Tables, Table{Title: "Images that there can be, and names for some", Head: "how many", Columns: []Column{{Head: "power of ten", Decimals: 1}},
		Rows: []Row{
			{fmt.Sprintf("images of %d numbers, 256 levels each", d), numbers([]float64{c.Images})},
			{fmt.Sprintf("codes of %d numbers, 11 levels each", k), numbers([]float64{c.Names})},
			{"images learnt from", numbers([]float64{learnt})},
		},
		Note: "Nearly all of what could be written down is noise, as the first row of pictures is."})
}

func verdictGeneration(r *Result) (string, bool) {
	v := r.Value
	text := fmt.Sprintf("the Fréchet distance from held-out images is %.1f for random pixels, %.3f for a plain autoencoder’s, %.3f for a variational one’s and %.3f with a second stage, which leaves %.2f of it; real images, as many, are %.3f away.",
		v("pixels_frechet"), v("plain_frechet"), v("variational_frechet"), v("second_frechet"), v("ratio"), v("learnt_frechet"))
	return text, v("pixels_frechet") > v("plain_frechet") && v("plain_frechet") > v("variational_frechet") && v("ratio") <= 0.5
}
