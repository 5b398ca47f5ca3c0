package autoencode

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
	Classes    []string      `json:"classes,omitempty"`
	Dimensions int           `json:"dimensions"` // d
	Parameters int           `json:"parameters"`
	MACs       int64         `json:"macs"` // multiply-adds of one image, encoder and decoder

	Training train.Record `json:"training"`
	HeldOut  HeldOut      `json:"heldout"`
	Curve    []CurvePoint `json:"curve"` // PCA's held-out error against k
	// PCANeeds is the smallest k at which PCA's error is at most the
	// autoencoder's, 0 if it is not among those computed, or if the mean image
	// alone does as well.
	PCANeeds int `json:"pca_needs,omitempty"`
	// PCAClippedMSE is PCA's held-out error with k components when what it
	// gives is clipped to the range of pixels, as the autoencoder's is.
	PCAClippedMSE float64    `json:"pca_clipped_mse"`
	PCAMethod     string     `json:"pca_method"`
	KNNBase       int        `json:"knn_base,omitempty"` // images that vote
	KNNQueries    int        `json:"knn_queries,omitempty"`
	Codes         run.Counts `json:"codes"`
	Seconds       run.Times  `json:"seconds"`
	ImagesPerS    float64    `json:"images_per_second"`
	PeakBytes     int64      `json:"peak_bytes"`         // of memory, by the operating system's count
	Copyable      bool       `json:"copyable,omitempty"` // no bottleneck: it can copy its input
}

// HeldOut holds the scores on images that were not learnt from.
type HeldOut struct {
	Autoencoder Score `json:"autoencoder"`
	PCA         Score `json:"pca"`
	Pixels      Score `json:"pixels"`
}

// Score is how well a representation reconstructs and how well its
// neighbourhoods agree with labels.
type Score struct {
	MSE         *float64 `json:"mse,omitempty"`          // on pixels in 0–1
	PSNR        *float64 `json:"psnr,omitempty"`         // dB, of the mean error
	KNNAccuracy *float64 `json:"knn_accuracy,omitempty"` // of the vote of 5 neighbours, 0–1; only with labels
}

// CurvePoint is PCA's held-out error with K components.
type CurvePoint struct {
	K   int     `json:"k"`
	MSE float64 `json:"mse"`
}

// Result is what `hourglass learn --json` prints.
type Result struct {
	Source     string    `json:"source"`
	Images     int       `json:"images"`
	Skipped    int       `json:"skipped"`
	Height     int       `json:"height"`
	Width      int       `json:"width"`
	Channels   int       `json:"channels"`
	Latent     int       `json:"latent"`
	Parameters int       `json:"parameters"`
	HeldOut    HeldOut   `json:"heldout"`
	Seconds    run.Times `json:"seconds"`
	ImagesPerS float64   `json:"images_per_second"`
	PeakBytes  int64     `json:"peak_bytes"`
	Run        string    `json:"run"`
	Model      string    `json:"model"`
	Report     string    `json:"report"` // where a report is meant to be written; Learn writes none
}
