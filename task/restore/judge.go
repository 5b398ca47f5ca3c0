package restore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"hourglass/data"
	"hourglass/internal/peakmem"
	"hourglass/quality"
	"hourglass/train/model"
	"hourglass/train/run"
)

const (
	judgedSide    = 512 // of what is judged of a photograph, at most
	validatedSide = 128 // of what is looked at after every epoch
	shownSide     = 192 // of what is shown
	shownPhotos   = 3   // at each level
	judgeSeed     = 0x6a75646765
)

// level is something that a network is judged at.
type level struct {
	name     string
	strength float64
	noise    Noise // of denoising
	hole     Hole  // of inpainting
}

// levels returns what a run is judged at.
func (c Config) levels() []level {
	var all []level
	switch {
	case c.SelfSupervised:
		return []level{{name: "as it is"}}
	case c.Task == Inpaint:
		for _, k := range Holes() {
			all = append(all, level{name: k.Describe(), strength: k.Judged(), hole: k})
		}
	default:
		for _, s := range c.Noise.Strengths() {
			all = append(all, level{name: c.Noise.Describe(s), strength: s, noise: c.Noise})
		}
	}
	return all
}

// trial is an image on which a model is tried.
type trial struct {
	height, width    int
	clean            []uint8
	harmed, restored []float32
	missing          []float32 // nil but for holes
	seconds          float64   // that restoring took
}

// try harms the middle of photo i, at most side pixels a side, and restores it.
func (m *Model) try(ctx context.Context, p *data.Photo, i int, l level, side int) (*trial, error) {
	t := &trial{height: min(side, p.Height), width: min(side, p.Width)}
	t.clean = p.Part((p.Height-t.height)/2, (p.Width-t.width)/2, t.height, t.width)
	t.harmed = make([]float32, len(t.clean))
	for j, v := range t.clean {
		t.harmed[j] = float32(v) / 255
	}
	switch {
	case l.hole != "":
		t.missing = make([]float32, t.height*t.width)
		new(Cutter).Cut(t.missing, t.height, t.width, l.hole, l.strength, true, judgeSeed, uint64(i))
		new(filler).fill(t.harmed, t.missing, t.height, t.width)
	case l.noise != "":
		if err := l.noise.Add(t.harmed, t.clean, t.height, t.width, l.strength, false, judgeSeed, uint64(i)); err != nil {
			return nil, err
		}
	}
	begun := time.Now()
	var err error
	if t.missing != nil {
		t.restored, err = m.Inpaint(ctx, t.harmed, t.missing, t.height, t.width)
	} else {
		t.restored, err = m.Denoise(ctx, t.harmed, t.height, t.width)
	}
	t.seconds = since(begun)
	return t, err
}

// mse returns the mean squared error of an image clipped to 0–1.
func (t *trial) mse(image []float32) float64 {
	sum := 0.0
	for i, v := range image {
		d := float64(max(0, min(1, v))) - float64(t.clean[i])/255
		sum += d * d
	}
	return sum / float64(len(image))
}

// score compares an image with the clean one.
func (t *trial) score(image []float32, o quality.Options) (Score, error) {
	s := Score{PSNR: decibels(t.mse(image))}
	if min(t.height, t.width) < quality.MinMSSSIM {
		return s, nil
	}
	v, err := quality.MSSSIM(model.Bytes(image), t.clean, t.height, t.width, 3, o)
	s.MSSSIM = &v
	return s, err
}

// decibels is the PSNR of a mean squared error on 0–1, at most 100 so that
// means exist.
func decibels(mse float64) float64 { return min(100, quality.Decibels(mse, 1)) }

// validate returns the root of the mean squared error on the photographs that
// choose the epoch, averaged over them and the levels.
func (r *learner) validate() (float64, error) {
	sum, n := 0.0, 0
	for _, l := range r.config.levels() {
		for i, photo := range r.parts.Validation {
			t, err := r.model.try(context.Background(), &r.Photos.Photos[photo], i, l, validatedSide)
			if err != nil {
				return 0, err
			}
			sum += math.Sqrt(t.mse(t.restored))
			n++
		}
	}
	return sum / float64(n), nil
}

// sound reports a model that training has ruined. The loss does not tell if
// that came with the last steps.
func (r *learner) sound() error {
	l := r.config.levels()[0]
	t, err := r.model.try(context.Background(), &r.Photos.Photos[r.parts.HeldOut[0]], 0, l, validatedSide)
	if err != nil {
		return err
	}
	for _, v := range t.restored {
		if math.IsNaN(float64(v)) {
			return fmt.Errorf("training diverged: the model makes no numbers of a held-out photograph; begin a new run with a lower --lr than %v", r.config.LR)
		}
	}
	return nil
}

// judge measures what the model is worth on photographs that it has not seen.
func (r *learner) judge(ctx context.Context) (*Outcome, error) {
	r.Phase(run.PhaseJudge)
	begun := time.Now()
	c := r.config
	s := &Summary{Config: c, Command: r.Command, Found: r.Photos.Found, Skipped: r.Skipped(), Warnings: r.Warnings,
		Parameters: r.model.record.Parameters, Training: r.model.record}
	for _, row := range r.model.rows {
		s.MACs += row.MACs
	}
	s.MACs /= int64(c.Height * c.Width)
	s.CropsPerS = r.model.record.PerSecond(c.Batch)
	ev := &Evidence{}
	o := quality.Options{Pool: r.Engine.Pool()}
	pixels, seconds := 0, 0.0
	for _, l := range c.levels() {
		total := Level{Name: l.name, Strength: l.strength}
		for i, photo := range r.parts.HeldOut {
			p := &r.Photos.Photos[photo]
			t, err := r.model.try(ctx, p, i, l, judgedSide)
			if errors.Is(err, context.Canceled) {
				return nil, r.Halt(ctx)
			}
			if err != nil {
				return nil, err
			}
			pixels, seconds = pixels+t.height*t.width, seconds+t.seconds
			if i < shownPhotos {
				ev.Samples = append(ev.Samples, t.sample(p.Name, l, c.SelfSupervised))
			}
			if c.SelfSupervised {
				continue
			}
			for _, one := range []struct {
				image []float32
				into  *Score
			}{{t.harmed, &total.Harmed}, {t.restored, &total.Restored}} {
				score, err := t.score(one.image, o)
				if err != nil {
					return nil, err
				}
				one.into.add(score, i)
			}
		}
		if !c.SelfSupervised {
			total.Harmed.divide(len(r.parts.HeldOut))
			total.Restored.divide(len(r.parts.HeldOut))
			s.HeldOut.Levels = append(s.HeldOut.Levels, total)
		}
	}
	s.HeldOut.average()
	s.PixelsPerS = float64(pixels) / seconds
	r.times.Judge = since(begun)
	s.Seconds, s.PeakBytes = r.times, peakmem.Bytes()
	r.Phase(run.PhaseReport)
	return &Outcome{r.Judged(s, &s.Seconds), s, ev}, nil
}

// add adds the scores of image i; MS-SSIM is kept only as long as every image
// has one.
func (s *Score) add(one Score, i int) {
	s.PSNR += one.PSNR
	switch {
	case i == 0:
		s.MSSSIM = one.MSSSIM
	case s.MSSSIM != nil && one.MSSSIM != nil:
		*s.MSSSIM += *one.MSSSIM
	default:
		s.MSSSIM = nil
	}
}

// divide makes a mean of a sum over n images.
func (s *Score) divide(n int) {
	s.PSNR /= float64(n)
	if s.MSSSIM != nil {
		*s.MSSSIM /= float64(n)
	}
}

// average sets the means over the levels.
func (h *HeldOut) average() {
	if len(h.Levels) == 0 {
		return
	}
	var mean Score
	for i, l := range h.Levels {
		one := l.Restored
		if one.MSSSIM != nil {
			v := *one.MSSSIM
			one.MSSSIM = &v
		}
		mean.add(one, i)
	}
	mean.divide(len(h.Levels))
	h.PSNR, h.MSSSIM = &mean.PSNR, mean.MSSSIM
}

// sample cuts the middle out of a trial.
func (t *trial) sample(name string, l level, blind bool) Sample {
	side := min(shownSide, t.height, t.width)
	y, x := (t.height-side)/2, (t.width-side)/2
	part := func(pixels []uint8) []uint8 {
		p := data.Photo{Height: t.height, Width: t.width, Pixels: pixels}
		return p.Part(y, x, side, side)
	}
	s := Sample{Photo: name, Level: l.name, Side: side, Harmed: part(model.Bytes(t.harmed)), Restored: part(model.Bytes(t.restored))}
	if !blind {
		s.Clean = part(t.clean)
		s.HarmedPSNR, s.PSNR = decibels(t.mse(t.harmed)), decibels(t.mse(t.restored))
	}
	if t.missing != nil {
		for i := range side {
			s.Missing = append(s.Missing, t.missing[(y+i)*t.width+x:][:side]...)
		}
	}
	return s
}
