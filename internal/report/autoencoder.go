package report

import (
	"fmt"
	"math"
	"path"
	"strings"

	"hourglass/task/autoencode"
)

// Autoencoder lays out the page of a run of `hourglass learn`: what the
// autoencoder keeps of images that it has not seen, beside PCA with as many
// numbers, and how it came to be. Scores that were not measured are left out,
// as is what needs labels where there are none; e may be nil. Neither s nor e
// is changed.
func Autoencoder(s *autoencode.Summary, e *autoencode.Evidence) *Page {
	if e == nil {
		e = &autoencode.Evidence{}
	}
	a := &autoencoderPage{s: s, e: e}
	p := &Page{
		Title: fmt.Sprintf("%s: %s for each image of %s", sourceName(s.Config.Source),
			counted(s.Config.Latent, "number"), whole(s.Dimensions)),
		Subtitle: a.subtitle(),
		Lead:     a.lead(),
		Footer:   runFooter,
	}
	p.Sections = append(p.Sections, a.samples(), a.scores(), a.training())
	if len(e.Map) > 0 {
		p.Sections = append(p.Sections, a.codes())
	}
	if len(e.Neighbours) > 0 {
		p.Sections = append(p.Sections, a.neighbours())
	}
	if a.labelled() {
		p.Sections = append(p.Sections, a.votes())
	}
	p.Sections = append(p.Sections, a.sizes(), a.remarks(), a.again())
	return p
}

// autoencoderPage is a page in the making.
type autoencoderPage struct {
	s *autoencode.Summary
	e *autoencode.Evidence
}

// labelled reports whether a vote of neighbours was counted.
func (a *autoencoderPage) labelled() bool {
	h := a.s.HeldOut
	return h.Autoencoder.KNNAccuracy != nil || h.PCA.KNNAccuracy != nil || h.Pixels.KNNAccuracy != nil
}

func (a *autoencoderPage) subtitle() string {
	c := a.s.Config
	return fmt.Sprintf("A network learnt from %s, without labels, to pass each through %s and to get it back. It is judged on %s that it never saw.",
		counted(c.Train, "image"), counted(c.Latent, "number"), counted(c.HeldOut, "other"))
}

// lead returns the headline numbers, each with what to compare it with.
func (a *autoencoderPage) lead() []Figure {
	s, c := a.s, a.s.Config
	h := s.HeldOut
	var lead []Figure
	if psnr := number(h.Autoencoder.PSNR); finite(psnr) {
		f := Figure{Label: "Held-out PSNR", Value: fixed(psnr, 1), Unit: "dB"}
		if than := number(h.PCA.PSNR); finite(than) {
			f.Note, f.Tone = "PCA "+fixed(than, 1)+" dB", toneOf(psnr, than)
		}
		lead = append(lead, f)
	}
	if ratio := a.ratio(); finite(ratio) {
		lead = append(lead, Figure{Label: "Squared error", Value: significant(rounded(ratio, 2)), Unit: "× PCA’s",
			Note: a.need(), Tone: toneOf(1, ratio)})
	}
	if a.labelled() {
		lead = append(lead, a.leadVote())
	}
	compression := Figure{Label: "Numbers an image", Value: significant(rounded(ratioOf(s.Dimensions, c.Latent), 2)), Unit: "× fewer",
		Note: whole(s.Dimensions) + " → " + whole(c.Latent)}
	if s.Copyable || c.Latent >= s.Dimensions {
		compression.Value, compression.Unit = whole(c.Latent), ""
		compression.Note, compression.Tone = "for "+whole(s.Dimensions)+": no bottleneck", Warn
	}
	learnt := Figure{Label: "Images learnt from", Value: whole(c.Train), Note: whole(c.HeldOut) + " held out to judge"}
	value, unit := duration(s.Seconds.Train)
	time := Figure{Label: "Training time", Value: value, Unit: unit}
	if finite(s.ImagesPerS) && s.ImagesPerS > 0 {
		time.Note = significant(rounded(s.ImagesPerS, 3)) + " images/s"
	}
	return append(lead, compression, learnt, time)
}

func (a *autoencoderPage) leadVote() Figure {
	h := a.s.HeldOut
	f := Figure{Label: "5-NN accuracy", Value: dash}
	own := number(h.Autoencoder.KNNAccuracy)
	if finite(own) {
		f.Value, f.Unit = percent(own), "%"
	}
	var than []string
	if v := number(h.Pixels.KNNAccuracy); finite(v) {
		than = append(than, "pixels"+nbsp+percent(v)+nbsp+"%")
		f.Tone = toneOf(own, v)
	}
	if v := number(h.PCA.KNNAccuracy); finite(v) {
		than = append(than, "PCA"+nbsp+percent(v)+nbsp+"%")
	}
	f.Note = strings.Join(than, ", ")
	return f
}

// ratio is the autoencoder's held-out squared error as a multiple of PCA's.
func (a *autoencoderPage) ratio() float64 {
	own, than := number(a.s.HeldOut.Autoencoder.MSE), number(a.s.HeldOut.PCA.MSE)
	if !finite(own) || !(than > 0) {
		return math.NaN()
	}
	return own / than
}

// need says how many numbers PCA takes for the autoencoder's error.
func (a *autoencoderPage) need() string {
	s := a.s
	switch {
	case s.PCANeeds > 0:
		return "PCA needs " + counted(s.PCANeeds, "number") + " for that"
	case len(s.Curve) > 0 && number(s.HeldOut.Autoencoder.MSE) < s.Curve[len(s.Curve)-1].MSE:
		return fmt.Sprintf("PCA needs more than %s for that", counted(s.Curve[len(s.Curve)-1].K, "number"))
	}
	return ""
}

// toneOf is good news where own is greater than the other, and something to
// look at where it is less.
func toneOf(own, than float64) Tone {
	switch {
	case own > than:
		return Good
	case own < than:
		return Warn
	}
	return Plain
}

// scores sets the three ways to keep an image side by side, and PCA's error
// with every number of components beside the autoencoder's.
func (a *autoencoderPage) scores() Section {
	s, c := a.s, a.s.Config
	text := "Principal component analysis (PCA) is the yardstick: of all linear ways to squeeze an image into k numbers and back it has the least squared error on the images that it is fitted to."
	if ratio := a.ratio(); finite(ratio) {
		text += fmt.Sprintf(" On images that neither has seen, the autoencoder’s squared error is **%s times PCA’s** at k = %s",
			significant(rounded(ratio, 2)), whole(c.Latent))
		if s.PCANeeds > 0 {
			text += fmt.Sprintf(", and PCA reaches it with k = %s", whole(s.PCANeeds))
		}
		text += "."
	}
	if k := a.pcaNumbers(); k < c.Latent {
		why := "so few images, or so small ones, have no more directions to differ in"
		if k < min(c.Train+c.Validation-1, c.Height*c.Width*c.Channels) {
			why = "more components of such images do not fit into the memory that it is given"
		}
		text += fmt.Sprintf(" PCA has only %s here: %s.", counted(k, "number"), why)
	}
	return Section{Title: "Error", Text: text, Blocks: []Block{a.scoreTable(), a.errorPlot()}}
}

// pcaNumbers is how many numbers PCA had for an image: k, unless there were no
// more components.
func (a *autoencoderPage) pcaNumbers() int {
	k := a.s.Config.Latent
	if n := len(a.s.Curve); n > 0 {
		k = min(k, a.s.Curve[n-1].K)
	}
	return k
}

func (a *autoencoderPage) scoreTable() *Table {
	h := a.s.HeldOut
	t := &Table{Columns: []Column{{Head: "way"}, {Head: "numbers"}, {Head: "squared error", Best: Lowest}, {Head: "PSNR, dB", Best: Highest}},
		Note: "Mean over the held-out images. The squared error is the mean over all pixels, on pixels from 0 to 1; PSNR is −10 log₁₀ of it."}
	rows := []struct {
		name string
		k    int
		autoencode.Score
	}{
		{"autoencoder", a.s.Config.Latent, h.Autoencoder},
		{"PCA", a.pcaNumbers(), h.PCA},
	}
	for _, r := range rows {
		t.Rows = append(t.Rows, []Cell{Text(r.name), Int(int64(r.k)), errorCell(number(r.MSE)), Num(number(r.PSNR), 1)})
	}
	if len(a.s.Curve) > 0 && a.s.Curve[0].K == 0 {
		mse := a.s.Curve[0].MSE
		t.Rows = append(t.Rows, []Cell{Text("the mean image"), Int(0), errorCell(mse), Num(autoencode.PSNR(mse), 1)})
	}
	return t
}

// errorCell shows a squared error with three digits, however small it is.
func errorCell(mse float64) Cell {
	decimals := 4
	if finite(mse) && mse > 0 {
		decimals = max(2-int(math.Floor(math.Log10(mse))), 2)
	}
	return Num(mse, decimals)
}

// sourceName is the last part of a source's path, on whatever system; what is
// too long for a heading is cut.
func sourceName(source string) string {
	const most = 60
	name := path.Base(strings.TrimRight(strings.ReplaceAll(source, "\\", "/"), "/"))
	if name == "." || name == "/" {
		return "images"
	}
	if runes := []rune(name); len(runes) > most {
		name = string(runes[:most-1]) + "…"
	}
	return name
}
