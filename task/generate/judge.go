package generate

import (
	"context"
	"slices"
	"time"

	"hourglass/internal/peakmem"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/quality"
	"hourglass/quality/distribution"
	"hourglass/represent/neighbors"
	"hourglass/train/latent"
	"hourglass/train/model"
	"hourglass/train/run"
)

const (
	maxJudged   = 5_000     // images on either side
	leastJudged = 8         // fewer are no distribution
	maxBase     = 20_000    // images learnt from that samples are compared with
	maxMatrix   = 256 << 20 // bytes of their pixels, as numbers
	shownEach   = 16        // images of each kind
	shownNear   = 6         // samples with their nearest
	nearest     = 5
	shownPaths  = 4
	pathSteps   = 7
)

// judge measures what the model is worth beside images that it has not seen.
func (r *learner) judge(ctx context.Context) (*Outcome, error) {
	r.Phase(run.PhaseJudge)
	begun := time.Now()
	s := r.summarize()
	ev := &Evidence{}
	j := &judgement{learner: r, s: s, ev: ev}
	for _, part := range []func() error{j.bound, j.compare, j.copying, j.paths} {
		if err := r.Halt(ctx); err != nil {
			return nil, err
		}
		if err := part(); err != nil {
			return nil, err
		}
	}
	s.Warnings = r.Warnings
	s.Seconds = run.Times{Read: r.ReadSeconds(), Judge: time.Since(begun).Seconds(),
		Train: s.Stages.First + s.Stages.Second + s.Stages.Autoencoder + s.Stages.Features}
	s.PeakBytes = peakmem.Bytes()
	r.Phase(run.PhaseReport)
	return &Outcome{r.Judged(s, &s.Seconds), s, ev}, nil
}

// summarize fills in what is known without measuring.
func (r *learner) summarize() *Summary {
	c := r.config
	s := &Summary{
		Config: c, Command: r.Command, Found: r.Set.Found, Skipped: r.Skipped(), Classes: r.Set.Classes, Dimensions: c.size().Elements(),
		Parameters: r.model.Parameters(), Sigma: r.model.sigma, Training: r.model.record, Second: r.second,
		Space: *r.space, Codes: run.CountsOf(c.size().Elements(), c.Latent), Stages: r.stages, Passes: r.model.prior.Passes(),
	}
	encoder, decoder, prior := r.model.Rows()
	for _, rows := range [][]nn.Row{encoder, decoder} {
		for _, row := range rows {
			s.MACs += row.MACs
		}
	}
	for _, row := range prior {
		s.PriorMACs += row.MACs
	}
	return s
}

// judgement is a run that is being judged.
type judgement struct {
	*learner
	s  *Summary
	ev *Evidence

	real    []float32 // vectors of held-out images [N,dim]
	moments *distribution.Moments
	samples []float32 // vectors of samples
}

// bound measures the evidence lower bound on the held-out images.
func (j *judgement) bound() error {
	c, d := j.config, j.config.size().Elements()
	h := &j.s.HeldOut
	n := float64(len(j.parts.HeldOut))
	active := make([]float64, c.Latent)
	block := model.Block(d)
	for at := 0; at < len(j.parts.HeldOut); at += block {
		images := j.Set.Gather(j.parts.HeldOut[at:min(at+block, len(j.parts.HeldOut))])
		p, err := j.coder.Posterior(images)
		if err != nil {
			return err
		}
		noise := make([]float32, len(p.Mean))
		random.Normal(noise, c.Seed, judgeStream, uint64(at))
		drawn, err := j.coder.Decode(p.Sample(noise))
		if err != nil {
			return err
		}
		for i := 0; i*d < len(images); i++ {
			h.BitsPerDimension += latent.Bits(latent.NegativeLogLikelihood(images[i*d:(i+1)*d], drawn[i*d:(i+1)*d], j.model.sigma), d) / n
		}
		each, numbers := p.Divergence()
		for _, v := range each {
			h.Divergence += v / n
		}
		for i, v := range numbers {
			active[i] += v * float64(len(each)) / n
		}
		mse, err := j.coder.SquaredError(images, p.Mean)
		if err != nil {
			return err
		}
		h.MSE += mse * float64(len(each)) / n
	}
	h.BitsPerDimension += latent.Bits(h.Divergence, d)
	h.PSNR = min(100, quality.Decibels(h.MSE, 1))
	const little = 0.01 // nats: a number with less says nothing
	for _, v := range active {
		if v > little {
			j.s.Active++
		}
	}
	return nil
}

// compare makes images in every way, and compares them with held-out ones.
func (j *judgement) compare() error {
	n := min(maxJudged, len(j.parts.HeldOut))
	heldOut := run.Spread(j.parts.HeldOut, n)
	j.s.Judged = n
	var err error
	if j.real, err = j.vectors(j.Set.Gather(heldOut)); err != nil {
		return err
	}
	for _, i := range run.Spread(heldOut, shownEach) {
		j.ev.Real = append(j.ev.Real, j.Set.Image(i))
	}
	if n < leastJudged {
		j.Warnings = append(j.Warnings, "too few images were held out to compare distributions: 8 are the least")
	} else if j.moments, err = distribution.Measure(j.real, j.space.Dim); err != nil {
		return err
	}
	plain, err := j.plain.Encode(j.Set.Gather(run.Spread(j.parts.Train, sigmaImages)))
	if err != nil {
		return err
	}
	scatter := latent.ScatterOf(plain, j.config.Latent)
	seed, learnt := j.config.Seed, run.Spread(j.parts.Train, n)
	h := &j.s.HeldOut
	begun := time.Now()
	for _, k := range []struct {
		name    string
		into    *Score
		produce func(n, at int) ([]uint8, error)
	}{
		{"two stages", &h.Score, func(n, at int) ([]uint8, error) { return bytesOf(j.model.Sample(n, seed, at)) }},
		{"VAE", &h.VAE, func(n, at int) ([]uint8, error) { return bytesOf(j.model.SamplePlain(n, seed, at)) }},
		{"autoencoder", &h.Autoencoder, func(n, at int) ([]uint8, error) { return bytesOf(j.plain.Decode(scatter.Draw(n, seed, at))) }},
		{"random pixels", &h.Pixels, func(n, at int) ([]uint8, error) {
			return latent.RandomPixels(n, j.config.size().Elements(), seed, at), nil
		}},
		{"reconstructed", &h.Reconstructed, func(n, at int) ([]uint8, error) {
			p, err := j.coder.Posterior(j.Set.Gather(heldOut[at : at+n]))
			if err != nil {
				return nil, err
			}
			return bytesOf(j.model.Decode(p.Mean))
		}},
		{"learnt from", &h.Learnt, func(n, at int) ([]uint8, error) {
			return j.Set.Gather(learnt[min(at, len(learnt)):min(at+n, len(learnt))]), nil
		}},
	} {
		vectors, shown, err := j.made(n, k.produce)
		if err != nil {
			return err
		}
		if k.into == &h.Score {
			j.samples, j.s.SamplesS = vectors, float64(n)/time.Since(begun).Seconds()
		}
		if *k.into, err = j.score(vectors); err != nil {
			return err
		}
		j.ev.Kinds = append(j.ev.Kinds, Kind{k.name, shown})
	}
	return nil
}

// vectors returns what images are in the space of features.
func (j *judgement) vectors(images []uint8) ([]float32, error) {
	v, err := j.space.Vectors(images)
	if err != nil {
		return nil, err
	}
	return v, run.Sound(v, "the network that judges answers", j.config.LR)
}

// made makes n images and returns their vectors, and the first of them.
func (j *judgement) made(n int, produce func(n, at int) ([]uint8, error)) (vectors []float32, shown [][]uint8, err error) {
	d := j.config.size().Elements()
	block := model.Block(d)
	for at := 0; at < n; at += block {
		images, err := produce(min(block, n-at), at)
		if err != nil {
			return nil, nil, err
		}
		for i := 0; i*d < len(images) && len(shown) < shownEach; i++ {
			shown = append(shown, slices.Clone(images[i*d:(i+1)*d]))
		}
		v, err := j.vectors(images)
		if err != nil {
			return nil, nil, err
		}
		vectors = append(vectors, v...)
	}
	return vectors, shown, nil
}

// bytesOf turns images in 0–1 into images of bytes.
func bytesOf(images []float32, err error) ([]uint8, error) { return model.Bytes(images), err }

// score compares vectors with those of the held-out images.
func (j *judgement) score(vectors []float32) (s Score, err error) {
	if j.moments == nil || len(vectors) < leastJudged*j.space.Dim {
		return s, nil
	}
	m, err := distribution.Measure(vectors, j.space.Dim)
	if err != nil {
		return s, err
	}
	frechet, err := distribution.Frechet(j.moments, m)
	if err != nil {
		return s, err
	}
	precision, recall, err := distribution.PrecisionRecall(j.real, vectors, j.space.Dim, distribution.Options{Pool: j.Engine.Pool()})
	return Score{&frechet, &precision, &recall}, err
}

// copying asks whether samples are nearer to images learnt from than other
// images are.
func (j *judgement) copying() error {
	d := j.config.size().Elements()
	base := run.Spread(j.parts.Train, min(maxBase, max(1, maxMatrix/(4*d))))
	var vectors []float32
	for images := range slices.Chunk(base, model.Block(d)) {
		v, err := j.vectors(j.Set.Gather(images))
		if err != nil {
			return err
		}
		vectors = append(vectors, v...)
	}
	o := neighbors.Options{Pool: j.Engine.Pool(), ISA: j.Engine.Level().String()}
	median := func(queries []float32) (float64, error) {
		_, distances, err := neighbors.Search(queries, vectors, j.space.Dim, 1, o)
		if err != nil {
			return 0, err
		}
		slices.Sort(distances)
		return float64(distances[len(distances)/2]), nil
	}
	copying := &Copying{Base: len(base)}
	var err error
	if copying.Samples, err = median(j.samples); err != nil {
		return err
	}
	if copying.HeldOut, err = median(j.real); err != nil {
		return err
	}
	j.s.Copying = copying

	samples := j.ev.Kinds[0].Images
	samples = samples[:min(len(samples), shownNear)]
	k := min(nearest, len(base))
	byFeatures, _, err := neighbors.Search(j.samples[:len(samples)*j.space.Dim], vectors, j.space.Dim, k, o)
	if err != nil {
		return err
	}
	pixels := make([]float32, 0, len(base)*d)
	for _, i := range base {
		pixels = append(pixels, model.Floats(j.Set.Image(i))...)
	}
	var queries []float32
	for _, image := range samples {
		queries = append(queries, model.Floats(image)...)
	}
	byPixels, _, err := neighbors.Search(queries, pixels, d, k, o)
	if err != nil {
		return err
	}
	describe := func(places []int32) (near []Neighbour) {
		for _, at := range places {
			n := Neighbour{Name: j.Set.Names[base[at]], Label: -1, Image: j.Set.Image(base[at])}
			if j.Set.Labels != nil {
				n.Label = int(j.Set.Labels[base[at]])
			}
			near = append(near, n)
		}
		return near
	}
	for i, image := range samples {
		j.ev.Nearest = append(j.ev.Nearest, Nearest{image, describe(byFeatures[i*k : (i+1)*k]), describe(byPixels[i*k : (i+1)*k])})
	}
	return nil
}

// paths leads from one held-out image to another.
func (j *judgement) paths() error {
	d := j.config.size().Elements()
	ends := run.Spread(j.parts.HeldOut, 2*shownPaths)
	for i := 0; i+1 < len(ends); i += 2 {
		p := Path{From: j.Set.Image(ends[i]), To: j.Set.Image(ends[i+1])}
		steps, err := bytesOf(j.model.Interpolate(p.From, p.To, pathSteps))
		if err != nil {
			return err
		}
		for s := range pathSteps {
			p.Steps = append(p.Steps, steps[s*d:(s+1)*d])
		}
		j.ev.Paths = append(j.ev.Paths, p)
	}
	return nil
}
