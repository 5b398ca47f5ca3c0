package autoencode

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"hourglass/data"
	"hourglass/internal/peakmem"
	"hourglass/nn"
	"hourglass/quality"
	"hourglass/represent/embedding"
	"hourglass/represent/neighbors"
	"hourglass/train/model"
	"hourglass/train/run"
)

// Limits of what a judgement looks at, so that it takes seconds for any
// collection.
const (
	maxBase     = 20_000    // images that vote
	maxQueries  = 2_000     // held-out images that are voted on, and mapped
	maxMatrix   = 256 << 20 // bytes of the pixels of either, as numbers
	maxPCA      = 1 << 30   // bytes of the components of PCA
	votes       = 5
	sampleCount = 16
	queryCount  = 6
	nearest     = 8
)

// toFloats writes bytes as numbers in 0–1.
func toFloats(dst []float32, src []uint8) {
	for i, v := range src {
		dst[i] = float32(v) / 255
	}
}

// pixelRows reads images as vectors.
type pixelRows struct {
	set     *data.Set
	indices []int
}

func (r pixelRows) Len() int { return len(r.indices) }
func (r pixelRows) Dim() int { return r.set.ImageBytes() }
func (r pixelRows) Read(start int, dst []float32) {
	d := r.Dim()
	for i := 0; i*d < len(dst); i++ {
		toFloats(dst[i*d:(i+1)*d], r.set.Image(r.indices[start+i]))
	}
}

// reconstruct encodes images and decodes them again. It returns their codes,
// the mean squared error of each, and that of all.
func (r *learner) reconstruct(indices []int) (codes []float32, each []float64, mean float64, err error) {
	d := r.Set.ImageBytes()
	each = make([]float64, 0, len(indices))
	for indices := range slices.Chunk(indices, model.Block(d)) {
		block := r.Set.Gather(indices)
		z, err := r.model.Encode(block)
		if err != nil {
			return nil, nil, 0, err
		}
		codes = append(codes, z...)
		images, err := r.model.Decode(z)
		if err != nil {
			return nil, nil, 0, err
		}
		for i := 0; i*d < len(block); i++ {
			each = append(each, MSE(block[i*d:(i+1)*d], images[i*d:(i+1)*d]))
		}
	}
	for _, e := range each {
		mean += e / float64(len(each))
	}
	return codes, each, mean, nil
}

// MSE returns the mean squared difference of an image in 0–255 and its
// reconstruction in 0–1, in units of the latter. It panics if they are not of one
// length.
func MSE(original []uint8, reconstruction []float32) float64 {
	if len(original) != len(reconstruction) {
		panic(fmt.Sprintf("autoencode: an image of %d values and a reconstruction of %d", len(original), len(reconstruction)))
	}
	sum := 0.0
	for i, v := range original {
		e := float64(v)/255 - float64(reconstruction[i])
		sum += e * e
	}
	return sum / float64(len(original))
}

// PSNR returns the peak signal-to-noise ratio, in dB, of a mean squared error
// on pixels in 0–1, at most 100: JSON has no infinity.
func PSNR(mse float64) float64 {
	return min(100, quality.Decibels(mse, 1))
}

// judge measures what the model is worth on images that it has not seen.
func (r *learner) judge(ctx context.Context) (*Outcome, error) {
	r.Phase(run.PhaseJudge)
	begun := time.Now()
	s := r.summarize()
	ev := &Evidence{}
	p := &pools{learner: r}
	var mse float64
	var err error
	if p.heldOutCodes, p.heldOutErrors, mse, err = r.reconstruct(r.parts.HeldOut); err != nil {
		return nil, err
	}
	s.HeldOut.Autoencoder = score(mse)
	if err := p.fill(); err != nil {
		return nil, err
	}
	if err := r.Halt(ctx); err != nil {
		return nil, err
	}
	if err := p.vote(s); err != nil {
		return nil, err
	}
	if err := p.neighbourhoods(ev); err != nil {
		return nil, err
	}
	if err := p.drawMap(ev); err != nil {
		return nil, err
	}
	r.times.Judge = since(begun)
	if r.Set.Labels == nil {
		p.basePixels, p.queryPixels = nil, nil // only votes need them below
	}
	runtime.GC()

	if err := r.Halt(ctx); err != nil {
		return nil, err
	}
	r.Phase(run.PhasePCA)
	begun = time.Now()
	if err := p.judgePCA(ctx, s, ev); err != nil {
		return nil, err
	}
	r.times.PCA = since(begun)
	s.Seconds = r.times
	s.PeakBytes = peakmem.Bytes()
	r.Phase(run.PhaseReport)
	return &Outcome{r.Judged(s, &s.Seconds), s, ev}, nil
}

func score(mse float64) Score {
	psnr := PSNR(mse)
	return Score{MSE: &mse, PSNR: &psnr}
}

// release lets go of the training program before others are made: its arena
// is the largest block of memory that a run has, and what follows needs some.
func (r *learner) release() {
	r.trainer = nil
	runtime.GC()
}

// summarize fills in what is known without measuring.
func (r *learner) summarize() *Summary {
	c := r.config
	d := r.Set.ImageBytes()
	s := &Summary{
		Config: c, Command: r.Command, Found: r.Set.Found, Skipped: r.Skipped(), Classes: r.Set.Classes,
		Dimensions: d, Parameters: r.model.record.Parameters, Training: r.model.record,
		Codes: run.CountsOf(d, r.model.CodeLength()),
	}
	encoder, decoder := r.model.Rows()
	for _, rows := range [][]nn.Row{encoder, decoder} {
		for _, row := range rows {
			s.MACs += row.MACs
		}
	}
	s.ImagesPerS = r.model.record.PerSecond(c.Batch)
	return s
}

// learnt returns the images that the autoencoder had to learn from, those that
// chose the epoch included.
func (r *learner) learnt() []int { return slices.Concat(r.parts.Train, r.parts.Validation) }

// pools holds the images that vote and those that are voted on, as pixels and
// as codes, and what the model makes of all held-out ones.
type pools struct {
	*learner
	heldOutCodes            []float32
	heldOutErrors           []float64 // mean squared, of each image
	base, queries           []int
	baseCodes, queryCodes   []float32
	basePixels, queryPixels []float32
}

// heldOutCode returns the code of held-out image i.
func (p *pools) heldOutCode(i int) []float32 {
	k := p.model.CodeLength()
	return p.heldOutCodes[i*k : (i+1)*k]
}

// fill chooses both sides.
func (p *pools) fill() (err error) {
	d := p.Set.ImageBytes()
	fit := max(1, maxMatrix/(4*d))
	p.base = run.Spread(p.learnt(), min(maxBase, fit))
	if p.baseCodes, err = p.codes(p.base); err != nil {
		return err
	}
	for _, i := range run.Evenly(len(p.parts.HeldOut), min(maxQueries, fit)) {
		p.queries = append(p.queries, p.parts.HeldOut[i])
		p.queryCodes = append(p.queryCodes, p.heldOutCode(i)...)
	}
	p.basePixels = make([]float32, len(p.base)*d)
	pixelRows{p.Set, p.base}.Read(0, p.basePixels)
	p.queryPixels = make([]float32, len(p.queries)*d)
	pixelRows{p.Set, p.queries}.Read(0, p.queryPixels)
	return nil
}

func (r *learner) codes(indices []int) ([]float32, error) {
	var all []float32
	for indices := range slices.Chunk(indices, model.Block(r.Set.ImageBytes())) {
		codes, err := r.model.Encode(r.Set.Gather(indices))
		if err != nil {
			return nil, err
		}
		all = append(all, codes...)
	}
	return all, nil
}

// labelOf returns an image's label, -1 without.
func (r *learner) labelOf(image int) int {
	if r.Set.Labels == nil {
		return -1
	}
	return int(r.Set.Labels[image])
}

// search returns the indices in base of the k nearest vectors of each query.
func (p *pools) search(queries, base []float32, dim, k int) ([]int32, error) {
	indices, _, err := neighbors.Search(queries, base, dim, k, neighbors.Options{Pool: p.Engine.Pool(), ISA: p.Engine.Level().String()})
	return indices, err
}

// accuracy is the share of queries whose label wins the vote of their
// neighbours.
func (p *pools) accuracy(queries, base []float32, dim int) (*float64, error) {
	if p.Set.Labels == nil {
		return nil, nil
	}
	k := min(votes, len(p.base))
	found, err := p.search(queries, base, dim, k)
	if err != nil {
		return nil, err
	}
	truth := make([]int32, len(p.queries))
	for i, image := range p.queries {
		truth[i] = p.Set.Labels[image]
	}
	labels := make([]int32, len(p.base))
	for i, image := range p.base {
		labels[i] = p.Set.Labels[image]
	}
	winners, err := neighbors.Vote(found, labels, k, len(p.Set.Classes))
	if err != nil {
		return nil, err
	}
	a, err := neighbors.Accuracy(winners, truth)
	return &a, err
}

func (p *pools) vote(s *Summary) (err error) {
	if p.Set.Labels == nil {
		return nil
	}
	s.KNNBase, s.KNNQueries = len(p.base), len(p.queries)
	if s.HeldOut.Autoencoder.KNNAccuracy, err = p.accuracy(p.queryCodes, p.baseCodes, p.model.CodeLength()); err != nil {
		return err
	}
	s.HeldOut.Pixels.KNNAccuracy, err = p.accuracy(p.queryPixels, p.basePixels, p.Set.ImageBytes())
	return err
}

func (p *pools) neighbourhoods(ev *Evidence) error {
	d, k := p.Set.ImageBytes(), p.model.CodeLength()
	describe := func(image int) Neighbour {
		return Neighbour{Name: p.Set.Names[image], Label: p.labelOf(image), Image: p.Set.Image(image)}
	}
	for _, q := range run.Evenly(len(p.queries), queryCount) {
		hood := Neighbourhood{Query: describe(p.queries[q])}
		for _, space := range []struct {
			queries, base []float32
			dim           int
			into          *[]Neighbour
		}{
			{p.queryCodes, p.baseCodes, k, &hood.Latent},
			{p.queryPixels, p.basePixels, d, &hood.Pixels},
		} {
			found, err := p.search(space.queries[q*space.dim:(q+1)*space.dim], space.base, space.dim, min(nearest, len(p.base)))
			if err != nil {
				return err
			}
			for _, i := range found {
				*space.into = append(*space.into, describe(p.base[i]))
			}
		}
		ev.Neighbours = append(ev.Neighbours, hood)
	}
	return nil
}

// drawMap places the held-out codes on a plane.
func (p *pools) drawMap(ev *Evidence) error {
	places, err := embedding.TSNE(p.queryCodes, p.model.CodeLength(), embedding.Options{
		Seed: p.config.Seed, Pool: p.Engine.Pool(), ISA: p.Engine.Level().String(),
	})
	if err != nil {
		return err
	}
	for i, image := range p.queries {
		ev.Map = append(ev.Map, MapPoint{
			X: float64(places[2*i]), Y: float64(places[2*i+1]),
			Label: p.labelOf(image), Name: p.Set.Names[image], Image: p.Set.Image(image),
		})
	}
	return nil
}

// Result returns what `hourglass learn --json` prints.
func (o *Outcome) Result() Result {
	s := o.Summary
	return Result{
		Source: s.Config.Source, Images: s.Found - len(s.Skipped), Skipped: len(s.Skipped),
		Height: s.Config.Height, Width: s.Config.Width, Channels: s.Config.Channels,
		Latent: s.Config.Latent, Parameters: s.Parameters, HeldOut: s.HeldOut,
		Seconds: s.Seconds, ImagesPerS: s.ImagesPerS, PeakBytes: s.PeakBytes,
		Run: o.Dir, Model: o.Path(run.ModelFile), Report: o.Path(run.ReportFile),
	}
}
