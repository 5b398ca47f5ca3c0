package lab

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hourglass/data"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/arch"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/represent/neighbors"
	"hourglass/tensor"
	"hourglass/train"
	"hourglass/train/model"
)

// bottleneck trains autoencoders with waists of several widths, and one
// without any, and asks what their codes are good for.
func bottleneck() Experiment {
	return Experiment{
		Name:  "bottleneck",
		Title: "The bottleneck",
		Claim: "A wider waist lowers the error of an autoencoder, but a better copy is not a better code: a network without a waist copies best, and what is in its middle is worth less to a vote of neighbours than the code of a narrow one.",
		Recipe: func(b *Bench) []Fact {
			s := b.bottleneckSize()
			return append(b.imageFacts(len(b.Parts.Train), len(b.Parts.HeldOut)),
				Fact{"networks", fmt.Sprintf("convolutional autoencoders with %d channels at half the size, batch normalisation, and codes of %s numbers; one whose middle has more numbers than the image", s.width, listed(s.latents))},
				Fact{"training", fmt.Sprintf("without labels: AdamW with one-cycle up to %g, %d steps on batches of %d, binary cross-entropy", s.rate, s.steps, s.batch)},
				Fact{"neighbours", fmt.Sprintf("vote of the %d nearest of %d codes learnt from", votes, len(s.base))},
				Fact{"choice of a narrow one", "the code whose neighbours are right on most validation images"},
				Fact{"linear probe", fmt.Sprintf("one dense layer on codes of mean 0 and deviation 1, Adam, %d steps on batches of %d", s.probeSteps, s.probeBatch)})
		},
		Run:     runBottleneck,
		Verdict: verdictBottleneck,
		Minutes: 1.2,
	}
}

// votes is the number of neighbours that vote.
const votes = 5

type bottleneckSize struct {
	width, batch, steps    int
	rate                   float64
	latents                []int
	base                   []int // images whose codes vote and teach the probe
	probeSteps, probeBatch int
}

func (b *Bench) bottleneckSize() bottleneckSize {
	s := pick(b.Scale,
		bottleneckSize{width: 16, batch: 64, steps: 400, latents: []int{2, 4, 8, 16, 32, 64}, probeSteps: 600, probeBatch: 128},
		bottleneckSize{width: 32, batch: 64, steps: 6000, latents: []int{2, 4, 8, 16, 32, 64, 128, 256}, probeSteps: 4000, probeBatch: 128},
		bottleneckSize{width: 4, batch: 8, steps: 4, latents: []int{2, 4}, probeSteps: 4, probeBatch: 8})
	s.rate = 0.01
	pixels := b.Set.ImageBytes()
	s.latents = slices.DeleteFunc(s.latents, func(k int) bool { return k >= pixels })
	s.base = some(b.Parts.Train, pick(b.Scale, 4000, 20000, 30))
	s.batch = min(s.batch, len(b.Parts.Train))
	s.probeBatch = min(s.probeBatch, len(s.base))
	return s
}

// waist is one autoencoder and what came of it.
type waist struct {
	name       string
	latent     int
	mse        float64 // held out, on pixels in 0–1
	neighbours float64 // accuracy of the vote
	chosenBy   float64 // the same on validation images
	probe      float64 // accuracy
}

func runBottleneck(b *Bench, r *Result) error {
	s := b.bottleneckSize()
	training := float64(s.steps * s.batch)
	const wideCost = 4 // of a step of the wide network, by that of a narrow one
	probing := float64(s.probeSteps) * float64(s.probeBatch) / 8
	b.Expect(float64(len(s.latents))*training + wideCost*training + float64(len(s.latents)+2)*probing)
	var all []*waist
	for _, k := range s.latents {
		a, err := arch.New("conv", b.Set.Height, b.Set.Width, b.Set.Channels, k, s.options())
		if err != nil {
			return err
		}
		w, err := s.try(b, a, fmt.Sprintf("waist of %d", k), training, probing)
		if err != nil {
			return err
		}
		all = append(all, w)
	}
	a, err := arch.New("wide", b.Set.Height, b.Set.Width, b.Set.Channels, 0, s.options())
	if err != nil {
		return err
	}
	wide, err := s.try(b, a, "no bottleneck", wideCost*training, probing)
	if err != nil {
		return err
	}
	pixels, err := s.pixels(b, probing)
	if err != nil {
		return err
	}
	reportBottleneck(r, all, wide, pixels)
	return nil
}

// listed writes numbers with commas.
func listed(n []int) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(n), "[]"), " ", ", ")
}

// options of the networks: their outputs are logits.
func (s bottleneckSize) options() arch.Options {
	return arch.Options{Width: s.width, Activation: "silu", Output: "linear"}
}

// try trains an autoencoder and judges it and its codes.
func (s bottleneckSize) try(b *Bench, a arch.Autoencoder, name string, training, probing float64) (*waist, error) {
	store := backend.NewStore()
	loader := data.NewLoader(b.Set, b.Parts.Train, s.batch, b.Seed)
	h, w, c := b.Set.Height, b.Set.Width, b.Set.Channels
	problem := train.Problem{
		Name: "autoencoder",
		Trace: func(ctx *nn.Context) *graph.Node {
			g := ctx.Builder()
			x := model.Pixels(g, g.Input("images", tensor.Uint8, s.batch, h, w, c))
			return loss.BinaryCrossEntropy(ctx.Layer("decoder", a.Decoder, ctx.Layer("encoder", a.Encoder, x)), x, loss.MeanAll)
		},
		Batch: func(_, step int, in []*tensor.Tensor) {
			loader.Fill(step/loader.Batches(), step%loader.Batches(), in[0].Uint8(), nil, nil)
		},
		Steps: s.steps,
	}
	rule := optim.Options{Rule: optim.Adam{}, WeightDecay: 0.01, Decoupled: true}
	if err := b.train(store, problem, train.Options{Optimizer: rule, LR: s.rate, Schedule: optim.OneCycle{}}, name, training); err != nil {
		return nil, err
	}
	encode := b.Engine.NewFunction("encode", store, func(g *graph.Builder, batch int) {
		g.Output("codes", nn.NewContext(g, nn.Options{}).Layer("encoder", a.Encoder, model.Pixels(g, g.Input("images", tensor.Uint8, batch, h, w, c))))
	})
	reconstruct := b.Engine.NewFunction("reconstruct", store, func(g *graph.Builder, batch int) {
		x := model.Pixels(g, g.Input("images", tensor.Uint8, batch, h, w, c))
		ctx := nn.NewContext(g, nn.Options{})
		y := g.Sigmoid(ctx.Layer("decoder", a.Decoder, ctx.Layer("encoder", a.Encoder, x)))
		// The mean over an image of the squared error.
		g.Output("errors", g.Mean(g.Square(g.Sub(x, y)), 1, 2, 3))
	})
	n := &network{bench: b, store: store}
	errors, err := n.run(reconstruct, b.pool(b.Parts.HeldOut))
	if err != nil {
		return nil, err
	}
	out := &waist{name: name, latent: a.Latent}
	for _, e := range errors {
		out.mse += float64(e) / float64(len(errors))
	}
	return out, s.features(b, out, func(images pool) ([]float32, error) { return n.run(encode, images) }, probing)
}

// pixels judges the pixels themselves as a code.
func (s bottleneckSize) pixels(b *Bench, probing float64) (*waist, error) {
	out := &waist{name: "pixels", latent: b.Set.ImageBytes()}
	return out, s.features(b, out, func(images pool) ([]float32, error) {
		values := make([]float32, len(images.pixels))
		for i, v := range images.pixels {
			values[i] = float32(v) / 255
		}
		return values, nil
	}, probing)
}

// coded are images as codes of dim numbers.
type coded struct {
	values []float32 // [N,dim]
	dim    int
	labels []int32
}

// features judges a code: by the votes of the base for validation and held-out
// images, and by a probe that learns from the base.
func (s bottleneckSize) features(b *Bench, out *waist, encode func(pool) ([]float32, error), probing float64) error {
	var sides [3]coded
	for i, indices := range [][]int{s.base, b.Parts.Validation, b.Parts.HeldOut} {
		images := b.pool(indices)
		values, err := encode(images)
		if err != nil {
			return err
		}
		sides[i] = coded{values, len(values) / images.len(), images.labels}
	}
	base, validation, heldOut := sides[0], sides[1], sides[2]
	var err error
	if out.chosenBy, err = b.voted(base, validation); err != nil {
		return err
	}
	if out.neighbours, err = b.voted(base, heldOut); err != nil {
		return err
	}
	standardise(base, heldOut)
	out.probe, err = s.probed(b, out.name, base, heldOut, probing)
	return err
}

// voted returns the accuracy of the vote of the nearest in base.
func (b *Bench) voted(base, queries coded) (float64, error) {
	k := min(votes, len(base.labels))
	found, _, err := neighbors.Search(queries.values, base.values, base.dim, k, neighbors.Options{Pool: b.Engine.Pool(), ISA: b.Engine.Level().String()})
	if err != nil {
		return 0, err
	}
	winners, err := neighbors.Vote(found, base.labels, k, b.Classes())
	if err != nil {
		return 0, err
	}
	return neighbors.Accuracy(winners, queries.labels)
}

// standardise gives each number of the codes the mean 0 and the deviation 1
// over the base.
func standardise(base, queries coded) {
	for k := range base.dim {
		mean, variance := moments(base.values, k, base.dim)
		scale := 1 / math.Sqrt(max(variance, 1e-12))
		for _, codes := range [][]float32{base.values, queries.values} {
			for i := k; i < len(codes); i += base.dim {
				codes[i] = float32((float64(codes[i]) - mean) * scale)
			}
		}
	}
}

// probed trains a dense layer on the base and returns its accuracy on the
// queries.
func (s bottleneckSize) probed(b *Bench, name string, base, queries coded, work float64) (float64, error) {
	dim, known := base.dim, base.labels
	store, layer := backend.NewStore(), nn.Dense{Out: b.Classes(), Init: nn.InitZeros}
	order := newOrder(len(known), b.Seed)
	problem := train.Problem{
		Name: "probe",
		Trace: func(c *nn.Context) *graph.Node {
			x := c.Builder().Input("codes", tensor.Float32, s.probeBatch, dim)
			return loss.SoftmaxCrossEntropy(c.Layer("probe", layer, x), c.Builder().Input("labels", tensor.Int32, s.probeBatch), 0, loss.MeanAll)
		},
		Batch: func(_, step int, in []*tensor.Tensor) {
			for row := range s.probeBatch {
				at := order.at(step*s.probeBatch + row)
				copy(in[0].Float32()[row*dim:(row+1)*dim], base.values[at*dim:])
				in[1].Int32()[row] = known[at]
			}
		},
		Steps: s.probeSteps,
	}
	err := b.train(store, problem, train.Options{LR: 0.01, Schedule: optim.OneCycle{}}, "linear probe of "+name, work)
	if err != nil {
		return 0, err
	}
	weight, bias := store.Get("probe.weight").Float32(), store.Get("probe.bias").Float32()
	classes := b.Classes()
	logits := make([]float32, len(queries.labels)*classes)
	for i := range queries.labels {
		for c := range classes {
			sum := float64(bias[c])
			for k, v := range queries.values[i*dim : (i+1)*dim] {
				sum += float64(v) * float64(weight[k*classes+c])
			}
			logits[i*classes+c] = float32(sum)
		}
	}
	return scoreOf(logits, queries.labels).accuracy, nil
}

func reportBottleneck(r *Result, all []*waist, wide, pixels *waist) {
	table := Table{Title: "What the codes are good for", Head: "network", Columns: []Column{
		{Head: "numbers", Decimals: 0}, {Head: "squared error", Decimals: 5, Best: "lowest"}, {Head: "PSNR, dB", Decimals: 1, Best: "highest"},
		{Head: "5-NN accuracy, %", Decimals: 1, Best: "highest"}, {Head: "linear probe, %", Decimals: 1, Best: "highest"}},
		Note: "On held-out images. The squared error is the mean over pixels from 0 to 1."}
	var latent, mse, neighbours, probe []float64
	for _, w := range all {
		latent, mse = append(latent, float64(w.latent)), append(mse, w.mse)
		neighbours, probe = append(neighbours, w.neighbours), append(probe, w.probe)
		r.Set(fmt.Sprintf("mse_%d", w.latent), w.mse, "", fmt.Sprintf("held-out squared error with %d numbers", w.latent))
		r.Set(fmt.Sprintf("neighbours_%d", w.latent), w.neighbours, "", fmt.Sprintf("accuracy of neighbours with %d numbers", w.latent))
		r.Set(fmt.Sprintf("probe_%d", w.latent), w.probe, "", fmt.Sprintf("accuracy of a linear probe with %d numbers", w.latent))
	}
	for _, w := range slices.Concat(all, []*waist{wide, pixels}) {
		psnr, error := -10*math.Log10(w.mse), w.mse
		if w == pixels {
			psnr, error = math.NaN(), math.NaN()
		}
		table.Rows = append(table.Rows, Row{w.name, numbers([]float64{float64(w.latent), error, psnr, 100 * w.neighbours, 100 * w.probe})})
	}
	best := 0
	for i, w := range all {
		if w.chosenBy > all[best].chosenBy {
			best = i
		}
	}
	falls := true
	for i := range mse[1:] {
		falls = falls && mse[i+1] < mse[i]
	}
	r.Set("best_latent", latent[best], "numbers", "the code whose neighbours did best on validation images")
	r.Set("best_neighbours", neighbours[best], "", "their accuracy on held-out images")
	r.Set("best_mse", mse[best], "", "its squared error")
	r.Set("wide_latent", float64(wide.latent), "numbers", "in the middle of the network without a bottleneck")
	r.Set("wide_mse", wide.mse, "", "its squared error")
	r.Set("wide_neighbours", wide.neighbours, "", "accuracy of its neighbours")
	r.Set("wide_probe", wide.probe, "", "accuracy of a linear probe of it")
	r.Set("pixels_neighbours", pixels.neighbours, "", "accuracy of neighbours by pixels")
	r.Set("pixels_probe", pixels.probe, "", "accuracy of a linear probe of pixels")
	r.Set("error_falls", map[bool]float64{true: 1, false: 0}[falls], "", "1 if each wider code has a lower error than the one before")
	r.Headline = Headline{fmt.Sprintf("5-NN on %.0f numbers", latent[best]), fmt.Sprintf("%.1f", 100*neighbours[best]), "%", fmt.Sprintf("%.1f %% on %d, without a bottleneck", 100*wide.neighbours, wide.latent)}
	r.Tables = append(r.Tables, table)
	one := func(w *waist, name string, y float64) Series {
		return Series{Name: name, X: numbers([]float64{w.mse}), Y: numbers([]float64{y}), Points: true, Color: 3}
	}
	r.Plots = append(r.Plots,
		Plot{Title: "Error against the width of the waist", X: Axis{Label: "numbers in the code", Log: true}, Y: Axis{Label: "held-out squared error", Log: true},
			Series: []Series{{Name: "narrow", X: numbers(latent), Y: numbers(mse), Color: 1}, {Name: "no bottleneck", X: numbers([]float64{float64(wide.latent)}), Y: numbers([]float64{wide.mse}), Points: true, Color: 3}}},
		Plot{Title: "Features against error", Note: "Each point an autoencoder, the narrowest on the right. A lower error is to the left; better features are higher up.",
			X: Axis{Label: "held-out squared error", Log: true}, Y: Axis{Label: "held-out accuracy"},
			Series: []Series{{Name: "5-NN", X: numbers(mse), Y: numbers(neighbours), Color: 1}, {Name: "linear probe", X: numbers(mse), Y: numbers(probe), Color: 2},
				one(wide, "no bottleneck, 5-NN", wide.neighbours), one(wide, "no bottleneck, probe", wide.probe)},
			Lines: []RefLine{{"5-NN of pixels", Number(pixels.neighbours)}}})
}

func verdictBottleneck(r *Result) (string, bool) {
	v := r.Value
	text := fmt.Sprintf("the network without a bottleneck has a squared error of %.5f and neighbours of %s; the code of %.0f numbers has %.5f and %s. Pixels have neighbours of %s. A linear probe, which can choose its directions, reads %s from the wide one and %s from that of %.0f.",
		v("wide_mse"), percent(v("wide_neighbours")), v("best_latent"), v("best_mse"), percent(v("best_neighbours")), percent(v("pixels_neighbours")),
		percent(v("wide_probe")), percent(v(fmt.Sprintf("probe_%.0f", v("best_latent")))), v("best_latent"))
	if v("error_falls") != 1 {
		text += " The error does not fall with every wider code."
	}
	return text, v("error_falls") == 1 && v("wide_mse") < v("best_mse") && v("wide_neighbours") < v("best_neighbours")
}
