package segment

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
	MACs       int64         `json:"macs"`              // multiply-adds of one image of the size learnt from
	Weights    []float64     `json:"weights,omitempty"` // of the classes in cross-entropy; none if all are alike

	Training train.Record `json:"training"`
	HeldOut  Scores       `json:"heldout"`
	// Confusion counts the held-out pixels of each class by the class that
	// they were given.
	Confusion     [][]int64 `json:"confusion"`
	Seconds       run.Times `json:"seconds"`
	ImagesPerS    float64   `json:"images_per_second"`     // in training
	UseImagesPerS float64   `json:"use_images_per_second"` // in use, at the size learnt from, many at a time
	PeakBytes     int64     `json:"peak_bytes"`            // of memory, by the operating system's count
}

// Scores are measured on images that were neither learnt from nor used to
// choose anything.
type Scores struct {
	MIoU          float64 `json:"miou"`           // mean intersection over union, see [Confusion.MIoU]
	PixelAccuracy float64 `json:"pixel_accuracy"` // share of the judged pixels that are right
	// BoundaryF is the mean over the images of the mean over the classes of the
	// F1 of their outlines, with a tolerance in pixels (Csurka et al. 2013).
	BoundaryF float64      `json:"boundary_f"`
	Tolerance float64      `json:"boundary_tolerance"`
	Classes   []ClassScore `json:"classes"`
}

// Evidence is what a report shows besides the figures.
type Evidence struct {
	Samples []Sample // held-out images, evenly spaced
	Worst   []Sample // those of the least mean IoU, worst first
}

// Sample is a held-out image of the run's size with its mask and what the model
// answers.
type Sample struct {
	Name          string
	MIoU          float64 // of the classes that occur or are answered in it
	Image         []uint8 // [H,W,C]
	Truth, Answer []uint8 // [H,W]
}

// Result is what `hourglass train segment --json` prints.
type Result struct {
	Source        string    `json:"source"`
	Images        int       `json:"images"`
	Skipped       int       `json:"skipped"`
	Height        int       `json:"height"`
	Width         int       `json:"width"`
	Channels      int       `json:"channels"`
	Classes       int       `json:"classes"`
	Parameters    int       `json:"parameters"`
	HeldOut       Scores    `json:"heldout"`
	Seconds       run.Times `json:"seconds"`
	ImagesPerS    float64   `json:"images_per_second"`
	UseImagesPerS float64   `json:"use_images_per_second"`
	PeakBytes     int64     `json:"peak_bytes"`
	Run           string    `json:"run"`
	Model         string    `json:"model"`
	Report        string    `json:"report"` // where a report is meant to be written; Learn writes none
}
