package lab

import (
	"fmt"
	"math"

	"hourglass/data"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/nn/arch"
	"hourglass/optim"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/latent"
	"hourglass/train/model"
)

// projection asks how far an autoencoder that has seen clean images only moves
// a noisy one toward the clean one: what it gives lies on the set of images
// that it learnt, to which noise does not belong (Alain & Bengio 2014, section
// 3, show that of one that learns from noisy images).
func projection() Experiment {
	return Experiment{
		Name:  "projection",
		Title: "Projection onto the learnt set",
		Claim: "An autoencoder that has never seen noise moves noisy images toward the clean ones: it takes more than half of the distance that noise of 50 of 255 puts between them, and makes up for its own error as soon as noise is stronger than that; weaker noise it makes worse.",
		Recipe: func(b *Bench) []Fact {
			s := b.projectionSize()
			return append(b.imageFacts(len(b.Parts.Train), len(s.judged)),
				Fact{"network", fmt.Sprintf("convolutional autoencoder with %d channels at half the size and a code of %d numbers", s.width, s.latent)},
				Fact{"training", fmt.Sprintf("on clean images: AdamW with one-cycle up to %g, %d steps on batches of %d, squared error", s.rate, s.steps, s.batch)},
				Fact{"noise", "normal, added to held-out images and clipped to 0–255"},
				Fact{"distance", "root of the mean squared difference from the clean image, over all pixels of all images, of 255"})
		},
		Run:     runProjection,
		Verdict: verdictProjection,
		Minutes: 0.5,
	}
}

type projectionSize struct {
	width, latent, batch, steps int
	rate                        float64
	judged                      []int
	levels                      []float64 // deviations of the noise, of 255
}

func (b *Bench) projectionSize() projectionSize {
	s := pick(b.Scale,
		projectionSize{width: 24, latent: 32, batch: 64, steps: 1500},
		projectionSize{width: 32, latent: 32, batch: 64, steps: 10000},
		projectionSize{width: 4, latent: 4, batch: 8, steps: 4})
	s.rate = 0.01
	s.levels = []float64{5, 10, 15, 25, 35, 50, 75, 100, 150}
	s.judged = some(b.Parts.HeldOut, 1000)
	s.batch = min(s.batch, len(b.Parts.Train))
	s.latent = min(s.latent, b.Set.ImageBytes()-1)
	return s
}

func runProjection(b *Bench, r *Result) error {
	s := b.projectionSize()
	training, judging := float64(s.steps*s.batch), float64(len(s.judged)*len(s.levels))/3
	b.Expect(training + judging)
	m, err := b.coder(s.latent, false, s.width, s.steps, s.batch, s.rate, "autoencoder of clean images", training)
	if err != nil {
		return err
	}
	clean := b.pool(s.judged).pixels
	reconstruct := func(images []uint8) ([]uint8, error) {
		codes, err := m.Encode(images)
		if err != nil {
			return nil, err
		}
		back, err := m.Decode(codes)
		return model.Bytes(back), err
	}
	back, err := reconstruct(clean)
	if err != nil {
		return err
	}
	p := &projected{own: apart(clean, back), levels: s.levels}
	size := b.Set.ImageBytes()
	const shown = 4 // images
	var rows [2 * shown][][]byte
	for k, sigma := range s.levels {
		noisy := noised(clean, sigma, b.Seed, uint64(k))
		if back, err = reconstruct(noisy); err != nil {
			return err
		}
		p.before, p.after = append(p.before, apart(clean, noisy)), append(p.after, apart(clean, back))
		p.moved = append(p.moved, apart(noisy, back))
		for i := range min(shown, len(s.judged)) {
			at := i * len(s.judged) / min(shown, len(s.judged)) * size
			rows[2*i], rows[2*i+1] = append(rows[2*i], noisy[at:at+size]), append(rows[2*i+1], back[at:at+size])
		}
		if err := b.Advance(judging/float64(len(s.levels)), fmt.Sprintf("noise of %g", sigma)); err != nil {
			return err
		}
	}
	pictures := Pictures{Title: "Noisy, and after one pass", Note: "Held-out images in pairs of rows: what went in, and what came out."}
	for _, sigma := range s.levels {
		pictures.Columns = append(pictures.Columns, fmt.Sprintf("σ = %g", sigma))
	}
	for i, row := range rows {
		if row != nil {
			name := []string{"in", "out"}[i%2]
			pictures.Rows = append(pictures.Rows, PictureRow{Name: name, Height: b.Set.Height, Width: b.Set.Width, Channels: b.Set.Channels, Images: row})
		}
	}
	r.Pictures = append(r.Pictures, pictures)
	p.report(r)
	return nil
}

// coder trains a plain or a variational autoencoder with codes of k numbers.
func (b *Bench) coder(k int, variational bool, width, steps, batch int, rate float64, name string, work float64) (*latent.Coder, error) {
	size := latent.Size{Height: b.Set.Height, Width: b.Set.Width, Channels: b.Set.Channels}
	net, err := latent.Network("conv", size, k, variational, arch.Options{Width: width, Activation: "silu"})
	if err != nil {
		return nil, err
	}
	store := backend.NewStore()
	m, err := latent.NewCoder(b.Engine, size, k, variational, net.Encoder, net.Decoder, store)
	if err != nil {
		return nil, err
	}
	loader := data.NewLoader(b.Set, b.Parts.Train, batch, b.Seed)
	problem := train.Problem{
		Name: "coder",
		Trace: func(ctx *nn.Context) *graph.Node {
			g := ctx.Builder()
			return m.Loss(ctx, model.Pixels(g, g.Input("images", tensor.Uint8, batch, size.Height, size.Width, size.Channels)), 1)
		},
		Batch: func(_, step int, in []*tensor.Tensor) {
			loader.Fill(step/loader.Batches(), step%loader.Batches(), in[0].Uint8(), nil, nil)
		},
		Steps: steps,
	}
	rule := optim.Options{Rule: optim.Adam{}, WeightDecay: 0.01, Decoupled: true, ClipNorm: 1}
	return m, b.train(store, problem, train.Options{Optimizer: rule, LR: rate, Schedule: optim.OneCycle{}}, name, work)
}

// noiseStream keeps these draws apart from others of the same seed.
const noiseStream = 0x4e4f49 << 32

// noised adds normal noise of a deviation to images of bytes.
func noised(images []uint8, sigma float64, seed, level uint64) []uint8 {
	noise, out := make([]float32, len(images)), make([]uint8, len(images))
	random.Normal(noise, seed, noiseStream, level)
	for i, v := range images {
		out[i] = uint8(math.Round(max(0, min(255, float64(v)+sigma*float64(noise[i])))))
	}
	return out
}

// apart returns the root of the mean squared difference of images, of 255.
func apart(x, y []uint8) float64 {
	sum := 0.0
	for i, v := range x {
		d := float64(v) - float64(y[i])
		sum += d * d
	}
	return math.Sqrt(sum / float64(len(x)))
}

// projected are distances from the clean images.
type projected struct {
	own                  float64   // of these after a pass
	levels               []float64 // of noise
	before, after, moved []float64 // of the noisy ones; moved is what a pass moved them by
}

func (p *projected) report(r *Result) {
	table := Table{Title: "Distances from the clean images", Head: "noise", Columns: []Column{
		{Head: "before", Decimals: 1}, {Head: "after", Decimals: 1}, {Head: "taken off, %", Decimals: 1, Best: "highest"}, {Head: "moved by", Decimals: 1}},
		Note: fmt.Sprintf("Roots of mean squared differences, of 255. After a pass clean images are %.1f from themselves. Clipping to 0–255 makes noise a little less than its σ.", p.own)}
	r.Set("own", p.own, "of 255", "distance of clean images from themselves after a pass")
	crossed := math.NaN()
	for i, sigma := range p.levels {
		taken := 1 - p.after[i]/p.before[i]
		table.Rows = append(table.Rows, Row{fmt.Sprintf("σ = %g", sigma), numbers([]float64{p.before[i], p.after[i], 100 * taken, p.moved[i]})})
		r.Set(fmt.Sprintf("before_%g", sigma), p.before[i], "of 255", fmt.Sprintf("distance from the clean images with noise of %g", sigma))
		r.Set(fmt.Sprintf("after_%g", sigma), p.after[i], "of 255", "the same after a pass")
		r.Set(fmt.Sprintf("taken_%g", sigma), taken, "", "share of the distance that it took off")
		if math.IsNaN(crossed) && taken > 0 {
			crossed = p.before[i]
		}
	}
	r.Set("crossed", crossed, "of 255", "the least distance of those above that a pass made less")
	i := len(p.levels) / 2
	r.Headline = Headline{fmt.Sprintf("Distance at σ = %g", p.levels[i]), fmt.Sprintf("%.1f", p.after[i]), "of 255", fmt.Sprintf("%.1f before the pass", p.before[i])}
	r.Tables = append(r.Tables, table)
	r.Plots = append(r.Plots, Plot{Title: "Before and after", Note: "Below the line of equal distances a pass brings images nearer to the clean ones.",
		X: Axis{Label: "distance before, of 255", Log: true}, Y: Axis{Label: "distance after, of 255", Log: true},
		Series: []Series{{Name: "after a pass", X: numbers(p.before), Y: numbers(p.after), Color: 1}, {Name: "as before", X: numbers(p.before), Y: numbers(p.before), Dashed: true, Color: 2}},
		Lines:  []RefLine{{"clean images after a pass", Number(p.own)}}})
}

func verdictProjection(r *Result) (string, bool) {
	v := r.Value
	text := fmt.Sprintf("noise of 50 puts images %.1f from the clean ones and a pass leaves %.1f, which takes off %s; noise of 5 puts them %.1f away, and a pass %.1f. Clean images are moved by %.1f, and the least noise that a pass makes less puts images %.1f away.",
		v("before_50"), v("after_50"), percent(v("taken_50")), v("before_5"), v("after_5"), v("own"), v("crossed"))
	return text, v("taken_50") > 0.5 && v("taken_5") < 0 && v("crossed") <= 1.5*v("own")
}
