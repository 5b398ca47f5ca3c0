package restore

import (
	"hourglass/train"
	"hourglass/train/run"
)

// Summary holds every figure of a run; it is summary.json, and the report
// shows nothing else but pictures.
type Summary struct {
	Config     Config        `json:"config"`
	Command    string        `json:"command"` // makes the run again
	Found      int           `json:"found"`
	Skipped    []run.Skipped `json:"skipped"`
	Warnings   []string      `json:"warnings,omitempty"`
	Parameters int           `json:"parameters"`
	MACs       int64         `json:"macs"` // multiply-adds of one pixel

	Training   train.Record `json:"training"`
	HeldOut    HeldOut      `json:"heldout"`
	Seconds    run.Times    `json:"seconds"`
	CropsPerS  float64      `json:"crops_per_second"`
	PixelsPerS float64      `json:"pixels_per_second"` // in use
	PeakBytes  int64        `json:"peak_bytes"`        // of memory, by the operating system's count
}

// HeldOut holds the scores on photographs that were not learnt from. Without
// clean ones there are none.
type HeldOut struct {
	PSNR   *float64 `json:"psnr,omitempty"`    // dB, mean over the levels
	MSSSIM *float64 `json:"ms_ssim,omitempty"` // likewise; only where images are large enough
	Levels []Level  `json:"levels"`
}

// Level is one strength of noise or one kind of hole, and the mean scores over
// the held-out photographs.
type Level struct {
	Name     string  `json:"name"`
	Strength float64 `json:"strength"` // of noise, in its unit; of holes the percentage missing
	Harmed   Score   `json:"harmed"`   // before: noisy, or closed smoothly from the holes' edges
	Restored Score   `json:"restored"`
}

// Score is how near images are to the clean ones.
type Score struct {
	PSNR   float64  `json:"psnr"` // dB, mean over the images
	MSSSIM *float64 `json:"ms_ssim,omitempty"`
}

// Result is what `hourglass train denoise --json` and `train inpaint --json`
// print.
type Result struct {
	Task       string    `json:"task"`
	Source     string    `json:"source"`
	Images     int       `json:"images"`
	Skipped    int       `json:"skipped"`
	Parameters int       `json:"parameters"`
	HeldOut    HeldOut   `json:"heldout"`
	Seconds    run.Times `json:"seconds"`
	PeakBytes  int64     `json:"peak_bytes"`
	Run        string    `json:"run"`
	Model      string    `json:"model"`
	Report     string    `json:"report"` // where a report is meant to be written; Learn writes none
}

// Outcome is a run that has been trained and judged.
type Outcome struct {
	run.Judged
	Summary  *Summary
	Evidence *Evidence
}

// Result returns what the commands print as JSON.
func (o *Outcome) Result() Result {
	s := o.Summary
	return Result{
		Task: s.Config.Task, Source: s.Config.Source, Images: s.Found - len(s.Skipped), Skipped: len(s.Skipped),
		Parameters: s.Parameters, HeldOut: s.HeldOut, Seconds: s.Seconds, PeakBytes: s.PeakBytes,
		Run: o.Dir, Model: o.Path(run.ModelFile), Report: o.Path(run.ReportFile),
	}
}

// Evidence is what a report shows besides the figures.
type Evidence struct {
	Samples   []Sample
	Projected []Projected // beside an autoencoder, if one was given
}

// Sample is a part of a held-out photograph at one level: pictures
// [Side,Side,3]. Where there are no clean images Clean is nil, and HarmedPSNR and
// PSNR are 0; Missing is nil but for holes, and 1 in them.
type Sample struct {
	Photo, Level            string
	Side                    int
	Clean, Harmed, Restored []uint8
	Missing                 []float32
	HarmedPSNR, PSNR        float64 // dB
}
