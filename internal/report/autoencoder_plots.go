package report

import (
	"fmt"
	"math"

	"hourglass/train"
)

// Colours that ways to keep an image have on all plots of the page.
const (
	autoencoderColor = 1
	pcaColor         = 2
)

// errorPlot draws PCA's held-out error over k and the autoencoder's at its k.
func (a *autoencoderPage) errorPlot() *LinePlot {
	s := a.s
	p := &LinePlot{
		Title: "Held-out squared error against the size of the code",
		X:     Axis{Label: "k, numbers in the code", Log: true},
		Y:     Axis{Label: "squared error, pixels from 0 to 1", Log: true},
	}
	var k, mse []float64
	for _, pt := range s.Curve {
		if pt.K == 0 {
			p.Lines = append(p.Lines, RefLine{pt.MSE, "the mean image for all, k = 0"})
			continue
		}
		k, mse = append(k, float64(pt.K)), append(mse, pt.MSE)
	}
	own := number(s.HeldOut.Autoencoder.MSE)
	if finite(own) {
		name := "the autoencoder’s error"
		if s.PCANeeds > 0 {
			name = "PCA gets here with k = " + whole(s.PCANeeds)
		}
		p.Lines = append(p.Lines, RefLine{own, name})
	}
	p.Series = []Series{
		{Name: "autoencoder, k = " + whole(s.Config.Latent), X: []float64{float64(s.Config.Latent)}, Y: []float64{own}, Style: Points, Color: autoencoderColor},
		{Name: "PCA", X: k, Y: mse, Color: pcaColor},
	}
	largest := s.Config.Latent
	if len(s.Curve) > 0 {
		largest = max(largest, s.Curve[len(s.Curve)-1].K)
	}
	p.X.Ticks = doublings(largest)
	p.Note = "Both axes are logarithmic. The line is PCA with 1, 2, 3, … components, fitted to the same images; the point is the one autoencoder that was trained."
	return p
}

// doublings returns the powers of two up to largest, or of four, eight, …
// where those would be more than eleven.
func doublings(largest int) []float64 {
	const most = 11
	for factor := 2; ; factor *= 2 {
		ticks := []float64{}
		for k := 1; k <= max(largest, 1); k *= factor {
			ticks = append(ticks, float64(k))
		}
		if len(ticks) <= most {
			return ticks
		}
	}
}

// training shows how the error fell, and says why it ended.
func (a *autoencoderPage) training() Section {
	r := a.s.Training
	sec := Section{Title: "How it learnt", Text: a.course()}
	if len(r.Epochs) == 0 {
		return sec
	}
	x := epochAxis(r.Epochs)
	squared := a.s.Config.Loss == "mse" || a.s.Config.Loss == ""
	judged := a.s.Config.Validation > 0
	best := bestOf(r)

	training := overEpochs("training", r.Epochs, Solid, pcaColor, func(e train.Epoch) float64 { return e.Loss })
	lossPlot := &LinePlot{Title: "Squared error by epoch", X: x, Y: Axis{Label: "squared error", Log: true}, Series: []Series{training},
		Note: "Training: the mean over an epoch, while the network changes."}
	if !squared {
		lossPlot.Title, lossPlot.Y.Label = "Training loss by epoch: "+lossName(a.s.Config.Loss), "loss"
	}
	validated := lossPlot
	if judged {
		if !squared { // another measure than the loss
			validated = &LinePlot{Title: "Squared error by epoch", X: x, Y: Axis{Label: "squared error", Log: true}}
		}
		validated.Series = append(validated.Series, overEpochs("validation", r.Epochs, Dashed, autoencoderColor, func(e train.Epoch) float64 { return e.Validation }))
		validated.Note += fmt.Sprintf(" Validation: at the epoch’s end, on %s set aside from those learnt from.", counted(a.s.Config.Validation, "image"))
	}
	if best != nil {
		validated.Series = append(validated.Series, Series{Name: "best, epoch " + whole(best.Epoch),
			X: []float64{float64(best.Epoch)}, Y: []float64{best.Validation}, Style: Points, Color: bestColor})
	}
	columns := &Columns{Blocks: []Block{lossPlot}}
	if validated != lossPlot {
		columns.Blocks = append(columns.Blocks, validated)
	}
	columns.Blocks = append(columns.Blocks, ratePlot(r.Epochs, a.s.Config.Course))
	sec.Blocks = append(sec.Blocks, columns)
	return sec
}

const (
	bestColor = 3
	rateColor = 4
)

// course tells in words how training went.
func (a *autoencoderPage) course() string {
	of := "training loss"
	if a.s.Config.Validation > 0 {
		of = "validation error"
	}
	return courseText(a.s.Config.Course, a.s.Config.Division, a.s.Training, of)
}

func lossName(loss string) string {
	switch loss {
	case "mse":
		return "squared error"
	case "l1":
		return "absolute error"
	case "huber":
		return "Huber’s error"
	case "bce":
		return "binary cross-entropy"
	}
	return loss
}

// votes shows how well neighbourhoods agree with labels.
func (a *autoencoderPage) votes() Section {
	s, h := a.s, a.s.HeldOut
	percentOf := func(p *float64) []float64 { return []float64{100 * number(p)} }
	bars := &BarPlot{Label: "accuracy of the vote of 5 nearest neighbours, %", Unit: " %", Decimals: 1, Best: Highest,
		Rows: []BarRow{
			{"codes, " + counted(s.Config.Latent, "number"), percentOf(h.Autoencoder.KNNAccuracy)},
			{"PCA, " + counted(a.pcaNumbers(), "number"), percentOf(h.PCA.KNNAccuracy)},
			{"pixels, " + counted(s.Dimensions, "number"), percentOf(h.Pixels.KNNAccuracy)},
		}}
	if s.KNNBase > 0 && s.KNNQueries > 0 {
		bars.Note = fmt.Sprintf("%s voted on by %s learnt from.", counted(s.KNNQueries, "held-out image"), counted(s.KNNBase, "image"))
		if n := len(s.Classes); n > 0 {
			bars.Note += fmt.Sprintf(" Among %s a guess would be right in about %s %% of cases if they are equally frequent.",
				counted(n, "class"), significant(rounded(100/float64(n), 2)))
		}
	}
	text := "Labels have no part in training; here they judge it. Each held-out image takes the label that most of its 5 nearest neighbours bear."
	own, than := number(h.Autoencoder.KNNAccuracy), number(h.Pixels.KNNAccuracy)
	if finite(own) && finite(than) {
		text += " Found by codes, the neighbours are right " + compared(own, than) + " often than if found by pixels."
	}
	return Section{Title: "Vote", Text: text, Blocks: []Block{bars}}
}

// compared says by how many percentage points one accuracy exceeds another.
func compared(own, than float64) string {
	points := fixed(math.Abs(100*(own-than)), 1)
	switch {
	case points == "0.0":
		return "neither more nor less"
	case own < than:
		return "**" + points + " percentage points** less"
	}
	return "**" + points + " percentage points** more"
}
