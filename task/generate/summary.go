package generate

import (
	"hourglass/train"
	"hourglass/train/features"
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
	Classes    []string      `json:"classes,omitempty"`
	Dimensions int           `json:"dimensions"` // d
	Parameters int           `json:"parameters"` // of both stages
	MACs       int64         `json:"macs"`       // multiply-adds of an image, encoder and decoder
	PriorMACs  int64         `json:"prior_macs"` // of one pass of the second stage
	Passes     int           `json:"passes"`     // of the second stage for an image
	Sigma      float64       `json:"sigma"`      // deviation of images around what is decoded, 0–1
	Active     int           `json:"active"`     // numbers of the code that say something

	Training train.Record `json:"training"` // of the first stage
	Second   train.Record `json:"second"`   // of the second
	HeldOut  HeldOut      `json:"heldout"`
	Copying  *Copying     `json:"copying,omitempty"`
	// Space is what images are judged in; Judged is the number of images on
	// either side.
	Space     features.Space `json:"space"`
	Judged    int            `json:"judged"`
	Codes     run.Counts     `json:"codes"`
	Seconds   run.Times      `json:"seconds"`
	Stages    Stages         `json:"stages"`
	SamplesS  float64        `json:"samples_per_second"`
	PeakBytes int64          `json:"peak_bytes"` // of memory, by the operating system's count
}

// HeldOut holds the scores beside images that were not learnt from. Those of
// the two-stage model stand first.
type HeldOut struct {
	Score
	// BitsPerDimension is an upper bound on the negative logarithm of the
	// probability that the first stage gives to a held-out image of 8 bits,
	// over its dimensions: the negative evidence lower bound, with one code
	// drawn for each image.
	BitsPerDimension float64 `json:"bits_per_dimension"`
	Divergence       float64 `json:"divergence"` // of the codes from N(0, 1), nats an image
	MSE              float64 `json:"mse"`        // of images from what their mean codes are decoded to, on 0–1
	PSNR             float64 `json:"psnr"`       // of that, dB

	VAE         Score `json:"vae"`         // the first stage alone: codes from N(0, 1)
	Autoencoder Score `json:"autoencoder"` // a plain autoencoder's decoder on random codes
	Pixels      Score `json:"pixels"`      // random pixels
	// Reconstructed are held-out images after the waist, what no distribution of
	// codes can do better than; Learnt are images learnt from, what no model can.
	Reconstructed Score `json:"reconstructed"`
	Learnt        Score `json:"learnt"`
}

// Score is how near a set of images is to the held-out ones, in the space of
// features. Where these are too few there is none.
type Score struct {
	Frechet   *float64 `json:"frechet,omitempty"`   // squared distance of the normal distributions
	Precision *float64 `json:"precision,omitempty"` // share of the images that lie among the held-out ones
	Recall    *float64 `json:"recall,omitempty"`    // share of these that lie among the images
}

// Copying compares how near samples and held-out images are to the nearest of
// the images learnt from, in the space of features: a model that copies is
// much nearer.
type Copying struct {
	Base    int     `json:"base"` // images learnt from
	Samples float64 `json:"samples"`
	HeldOut float64 `json:"heldout"` // medians of the distances
}

// Stages are the seconds of training of each network.
type Stages struct {
	First       float64 `json:"first"`
	Second      float64 `json:"second"`
	Autoencoder float64 `json:"autoencoder"` // to compare with
	Features    float64 `json:"features"`    // the small classifier, if there is one
}

// Result is what `hourglass train generate --json` prints.
type Result struct {
	Source     string         `json:"source"`
	Images     int            `json:"images"`
	Skipped    int            `json:"skipped"`
	Height     int            `json:"height"`
	Width      int            `json:"width"`
	Channels   int            `json:"channels"`
	Latent     int            `json:"latent"`
	Prior      string         `json:"prior"`
	Parameters int            `json:"parameters"`
	HeldOut    HeldOut        `json:"heldout"`
	Space      features.Space `json:"space"`
	Judged     int            `json:"judged"`
	Seconds    run.Times      `json:"seconds"`
	PeakBytes  int64          `json:"peak_bytes"`
	Run        string         `json:"run"`
	Model      string         `json:"model"`
	Report     string         `json:"report"` // where a report is meant to be written; Learn writes none
}

// Evidence is what a report shows besides the figures: pictures, all uint8
// [H,W,C] of the run's size.
type Evidence struct {
	Real    [][]uint8 // held-out images
	Kinds   []Kind
	Nearest []Nearest
	Paths   []Path
}

// Kind is a way to make images, and some that it made.
type Kind struct {
	Name   string
	Images [][]uint8
}

// Nearest is a sample and the images learnt from that are nearest to it,
// nearest first, in each of two spaces.
type Nearest struct {
	Sample           []uint8
	Features, Pixels []Neighbour
}

// Neighbour is an image learnt from.
type Neighbour struct {
	Name  string
	Label int // -1 without labels
	Image []uint8
}

// Path leads from one held-out image to another.
type Path struct {
	From, To []uint8
	Steps    [][]uint8
}
