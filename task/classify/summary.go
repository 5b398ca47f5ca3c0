package classify

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
	MACs       int64         `json:"macs"` // multiply-adds of one image, passed through once
	Views      int           `json:"views"`

	Training   train.Record `json:"training"`
	HeldOut    Evaluation   `json:"heldout"`
	Seconds    run.Times    `json:"seconds"`
	ImagesPerS float64      `json:"images_per_second"`
	PeakBytes  int64        `json:"peak_bytes"` // of memory, by the operating system's count
}

// Result is what `hourglass train classify --json` prints.
type Result struct {
	Source     string    `json:"source"`
	Classes    int       `json:"classes"`
	Images     int       `json:"images"`
	Skipped    int       `json:"skipped"`
	HeldOut    Scores    `json:"heldout"`
	Epochs     int       `json:"epochs"`
	Parameters int       `json:"parameters"`
	Seconds    run.Times `json:"seconds"`
	Run        string    `json:"run"`
	Model      string    `json:"model"`
	Report     string    `json:"report"` // where a report is meant to be written; Learn writes none
}

// Evidence is what a report shows besides the figures: pictures, all uint8
// [H,W,C] of the run's size.
type Evidence struct {
	Mistakes []Picture // those of the evaluation, in its order
	Samples  []Picture // held-out images, evenly spaced
	Filters  *Filters  // of the first convolution; nil if it does not look at pixels
}

// Picture is an image with what it shows and what it was taken for.
type Picture struct {
	Name          string
	Label, Answer int
	Confidence    float64 // of the answer, 0–1
	Image         []uint8
}

// Filters are the weights [KH,KW,C,Out] of a convolution of pixels.
type Filters struct {
	Height, Width, Channels, Count int
	Weights                        []float32
}
