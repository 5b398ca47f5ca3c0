package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"hourglass/task/generate"
	"hourglass/train"
	"hourglass/train/features"
	"hourglass/train/latent"
)

// Generation lays out the page of a run of `hourglass train generate`: images
// that the model makes beside those that simpler ways make, scores against
// held-out images, the nearest images learnt from, and how it came to be. e may
// be nil; neither is changed.
func Generation(s *generate.Summary, e *generate.Evidence) *Page {
	if e == nil {
		e = &generate.Evidence{}
	}
	g := &generationPage{s, e}
	p := &Page{
		Title:    fmt.Sprintf("%s: new images from %s", sourceName(s.Config.Source), counted(s.Config.Latent, "random number")),
		Subtitle: g.subtitle(),
		Lead:     g.lead(),
		Footer:   runFooter,
	}
	p.Sections = append(p.Sections, g.ways(), g.scores())
	if len(e.Nearest) > 0 {
		p.Sections = append(p.Sections, g.nearest())
	}
	if len(e.Paths) > 0 {
		p.Sections = append(p.Sections, g.paths())
	}
	p.Sections = append(p.Sections, g.sizes(), g.training(), g.remarks(), g.again())
	return p
}

// generationPage is a page in the making.
type generationPage struct {
	s *generate.Summary
	e *generate.Evidence
}

func (g *generationPage) subtitle() string {
	c := g.s.Config
	return fmt.Sprintf("Two networks learnt from %s what such images are like. What they make is judged beside %s that they never saw.",
		counted(c.Train, "image"), counted(c.HeldOut, "other"))
}

// kinds names the ways to make images, and says what each is.
var kinds = []struct{ key, name, about string }{
	{"random pixels", "random pixels", "every value as likely as any other"},
	{"autoencoder", "autoencoder", "a plain autoencoder’s decoder on random codes: numbers with the mean and deviation that those of images have"},
	{"VAE", "VAE", "the first stage alone: the decoder on codes from N(0, 1)"},
	{"two stages", "two stages", "the decoder on codes from the distribution that the second stage learnt"},
	{"reconstructed", "after the waist", "held-out images, encoded and decoded: no distribution of codes does better than these"},
	{"learnt from", "learnt from", "real images, and so what no model can better"},
}

// kind returns the pictures of a way to make images.
func (g *generationPage) kind(key string) generate.Kind {
	for _, k := range g.e.Kinds {
		if k.Name == key {
			return k
		}
	}
	return generate.Kind{Name: key}
}

// score returns the figures of a way to make images.
func (g *generationPage) score(key string) generate.Score {
	h := g.s.HeldOut
	switch key {
	case "random pixels":
		return h.Pixels
	case "autoencoder":
		return h.Autoencoder
	case "VAE":
		return h.VAE
	case "two stages":
		return h.Score
	case "reconstructed":
		return h.Reconstructed
	}
	return h.Learnt
}

func (g *generationPage) lead() []Figure {
	s := g.s
	h := s.HeldOut
	var lead []Figure
	own, plain := number(h.Frechet), number(h.VAE.Frechet)
	if finite(own) {
		f := Figure{Label: "Fréchet distance", Value: significant(rounded(own, 3))}
		if finite(plain) {
			f.Note, f.Tone = "the VAE alone "+significant(rounded(plain, 3)), toneOf(plain, own)
		}
		lead = append(lead, f)
	}
	if finite(own) && plain > 0 {
		lead = append(lead, Figure{Label: "Distance left", Value: significant(rounded(own/plain, 2)), Unit: "× the VAE’s", Tone: toneOf(1, own/plain)})
	}
	for _, share := range []struct {
		label     string
		own, than *float64
	}{{"Precision", h.Precision, h.VAE.Precision}, {"Recall", h.Recall, h.VAE.Recall}} {
		if v := number(share.own); finite(v) {
			lead = append(lead, Figure{Label: share.label, Value: percent(v), Unit: "%",
				Note: "the VAE alone " + percent(number(share.than)) + nbsp + "%", Tone: toneOf(v, number(share.than))})
		}
	}
	lead = append(lead, Figure{Label: "Bits a dimension", Value: fixed(h.BitsPerDimension, 3), Note: "at most; 8 without a model"})
	value, unit := duration(s.Seconds.Train)
	time := Figure{Label: "Training time", Value: value, Unit: unit}
	if finite(s.SamplesS) && s.SamplesS > 0 {
		time.Note = significant(rounded(s.SamplesS, 3)) + " images/s made and judged"
	}
	return append(lead, time)
}

// ways shows what each way makes, one below the other.
func (g *generationPage) ways() Section {
	sec := Section{Title: "From noise to images"}
	for _, w := range g.s.Warnings[:min(len(g.s.Warnings), warningsShown)] {
		sec.Blocks = append(sec.Blocks, &Note{Tone: Warn, Text: sentence(w)})
	}
	if len(g.e.Kinds) == 0 {
		sec.Text = "No image was made."
		return sec
	}
	sec.Text = "The same random numbers, turned into images in four ways, below each other; none was chosen by its looks."
	var text strings.Builder
	for _, k := range kinds[:4] {
		fmt.Fprintf(&text, "\n\n**%s**: %s.", k.name, k.about)
	}
	sec.Text += text.String()
	grid := &Grid{Note: "Fréchet distance from held-out images below each name: less is nearer."}
	most := 0
	for _, k := range kinds[:4] {
		images := g.kind(k.key).Images
		images = images[:min(len(images), waysShown)]
		most = max(most, len(images))
		label := k.name
		if v := number(g.score(k.key).Frechet); finite(v) {
			label += ", " + significant(rounded(v, 3))
		}
		grid.Rows = append(grid.Rows, GridRow{Label: label, Tiles: g.tiles(images)})
	}
	grid.Rows = append(grid.Rows, GridRow{Label: "held out", Tiles: g.tiles(g.e.Real[:min(len(g.e.Real), most)])})
	sec.Blocks = append(sec.Blocks, grid)
	return sec
}

// waysShown is how many images of each way are shown.
const waysShown = 10

func (g *generationPage) tiles(images [][]uint8) []Tile {
	tiles := make([]Tile, len(images))
	for i, pix := range images {
		tiles[i].Image = g.image(pix)
	}
	return tiles
}

// image gives pixels the run's shape.
func (g *generationPage) image(pix []uint8) Image {
	c := g.s.Config
	return Image{H: c.Height, W: c.Width, C: c.Channels, Pix: slices.Clip(pix)}
}

// space says what images were judged in.
func (g *generationPage) space() string {
	s := g.s.Space
	switch s.Kind {
	case features.KindComponents:
		return fmt.Sprintf("There were no labels to learn features from, so that images are compared by their first %s of PCA: such figures see pixels, and little of what people see.", counted(s.Dim, "component"))
	case features.KindGiven:
		text := fmt.Sprintf("Images are compared by the %s that the classifier `%s` has before its last layer", counted(s.Dim, "number"), strings.ReplaceAll(s.Model, "`", "'"))
		return text + g.accuracy()
	}
	return fmt.Sprintf("Images are compared by the %s that a small classifier, trained in this run on the labels, has before its last layer", counted(s.Dim, "number")) + g.accuracy()
}

func (g *generationPage) accuracy() string {
	if v := number(g.s.Space.Accuracy); finite(v) {
		return fmt.Sprintf("; it is right on %s%s%% of the validation images.", percent(v), nbsp)
	}
	return "."
}

func (g *generationPage) scores() Section {
	s, h := g.s, g.s.HeldOut
	t := &Table{Columns: []Column{{Head: "images"}, {Head: "Fréchet distance"}, {Head: "precision, %"}, {Head: "recall, %"}, {Head: "what they are", Align: Left}},
		Note: fmt.Sprintf("%s on either side. Figures in another space, of other images or of another number of them cannot be compared with these, least of all published FID.", counted(s.Judged, "image"))}
	for _, k := range kinds {
		score := g.score(k.key)
		t.Rows = append(t.Rows, []Cell{Text(k.name), Num(number(score.Frechet), 2), Num(100*number(score.Precision), 1), Num(100*number(score.Recall), 1), Text(k.about)})
	}
	text := g.space() + "\n\n**Fréchet distance**: how far the mean and covariance of the images made are from those of held-out ones; 0 is the same. " +
		"**Precision**: the share of the images made that lie among the held-out ones, within the distance of the third nearest neighbour of one of these. **Recall**: the share of the held-out ones that lie among the images made in the same way."
	text += fmt.Sprintf("\n\nThe first stage gives a held-out image a probability of at least **2 to the power of −%s times %s**: %s bits for each of its numbers, of which the code’s divergence from N(0, 1) is %s nats an image. %s of the %s of the code say something; the decoder’s deviation is %s on 0–1. The means of the codes decode to a squared error of %s (%s dB).",
		fixed(h.BitsPerDimension, 3), whole(s.Dimensions), fixed(h.BitsPerDimension, 3), significant(rounded(h.Divergence, 3)),
		whole(s.Active), counted(s.Config.Latent, "number"), significant(rounded(s.Sigma, 3)), significant(rounded(h.MSE, 3)), fixed(h.PSNR, 1))
	return Section{Title: "Scores", Text: text, Blocks: []Block{t}}
}

// nearest shows samples with the images learnt from that are nearest.
func (g *generationPage) nearest() Section {
	n := &Neighbours{Spaces: []string{"nearest in the space of features", "nearest pixels"}}
	if max(g.s.Config.Height, g.s.Config.Width) > tinySide {
		n.Encoding.Quality = neighbourQuality
	}
	tiles := func(near []generate.Neighbour) []Tile {
		var all []Tile
		for _, one := range near {
			t := Tile{Image: g.image(one.Image), Alt: one.Name}
			if one.Label >= 0 && one.Label < len(g.s.Classes) {
				t.Alt = g.s.Classes[one.Label]
			}
			all = append(all, t)
		}
		return all
	}
	for _, one := range g.e.Nearest {
		n.Rows = append(n.Rows, NeighbourRow{Query: Tile{Image: g.image(one.Sample), Alt: "made by the model"}, Near: [][]Tile{tiles(one.Features), tiles(one.Pixels)}})
	}
	text := "Images that the model made on the left, and beside each the images learnt from that are nearest to it, nearest first. A model that copied would show the same image twice."
	if c := g.s.Copying; c != nil && c.HeldOut > 0 {
		text += fmt.Sprintf(" In the space of features half of the samples are within **%s** of one of %s learnt from, and half of the held-out images within %s.",
			significant(rounded(c.Samples, 3)), counted(c.Base, "image"), significant(rounded(c.HeldOut, 3)))
	}
	return Section{Title: "Does it copy?", Text: text, Blocks: []Block{n}}
}

// paths shows the way from one image to another.
func (g *generationPage) paths() Section {
	grid := &Grid{}
	for _, p := range g.e.Paths {
		tiles := append([]Tile{{Image: g.image(p.From), Alt: "from"}}, g.tiles(p.Steps)...)
		grid.Rows = append(grid.Rows, GridRow{Tiles: append(tiles, Tile{Image: g.image(p.To), Alt: "to"})})
	}
	grid.Columns = make([]string, len(grid.Rows[0].Tiles))
	grid.Columns[0], grid.Columns[len(grid.Columns)-1] = "from", "to"
	return Section{Title: "From one image to another", Blocks: []Block{grid},
		Text: "Two held-out images at the ends, and between them what lies on the way from the random numbers that the one’s code is made of to those of the other’s, along a great circle: each step is as likely an image as any."}
}

// sizes compares how many images there can be with how many a code can name.
func (g *generationPage) sizes() Section {
	s, c := g.s, g.s.Config
	passes := "for one code"
	if s.Passes > 1 {
		passes = "for one pass; a code takes " + whole(s.Passes)
	}
	return Section{Title: "How small is small?", Text: countsText(s.Dimensions, c.Latent, c.Train, s.Codes, c.Latent >= s.Dimensions), Blocks: []Block{&Columns{Blocks: []Block{
		countsFacts(c.Images, c.Latent, s.Codes),
		&Facts{Title: "The networks", Items: []Fact{
			{"architecture", cmp.Or(c.Arch, dash), "second stage: " + cmp.Or(c.Prior, dash)},
			{"parameters", whole(s.Parameters), "numbers that were learnt, " + byteSize(4*int64(s.Parameters))},
			{"multiply-adds", wholeLong(s.MACs), "for one image, there and back"},
			{"of the second stage", wholeLong(s.PriorMACs), passes},
		}},
	}}}}
}

// training shows how both stages learnt.
func (g *generationPage) training() Section {
	s, c := g.s, g.s.Config
	of := "training loss"
	if c.Validation > 0 {
		of = "validation loss"
	}
	sec := Section{Title: "How it learnt", Text: courseText(c.Course, c.Division, s.Training, of)}
	if len(s.Training.Epochs) == 0 {
		return sec
	}
	columns := &Columns{Blocks: []Block{
		g.lossPlot("First stage: loss by epoch", "bits a dimension", s.Training, epochAxis(s.Training.Epochs)),
		ratePlot(s.Training.Epochs, c.Course),
	}}
	if len(s.Second.Epochs) > 0 {
		x := epochAxis(s.Second.Epochs)
		x.Label = fmt.Sprintf("hundreds of steps, of %s", whole(c.PriorSteps))
		second := g.lossPlot("Second stage: loss", secondLoss(c.Prior), s.Second, x)
		for i := range second.Series {
			for j := range second.Series[i].X {
				second.Series[i].X[j] *= float64(s.Second.Epochs[0].Step) / 100
			}
		}
		second.X.Ticks = nil
		columns.Blocks = append(columns.Blocks, second)
	}
	sec.Blocks = append(sec.Blocks, columns)
	return sec
}

func secondLoss(prior string) string {
	if prior == latent.PriorFlow {
		return "squared error of the velocity"
	}
	return "nats for each number of a code"
}

func (g *generationPage) lossPlot(title, label string, r train.Record, x Axis) *LinePlot {
	p := &LinePlot{Title: title, X: x, Y: Axis{Label: label},
		Series: []Series{overEpochs("training", r.Epochs, Solid, pcaColor, func(e train.Epoch) float64 { return e.Loss })}}
	if g.s.Config.Validation > 0 {
		p.Series = append(p.Series, overEpochs("validation", r.Epochs, Dashed, autoencoderColor, func(e train.Epoch) float64 { return e.Validation }))
	}
	return p
}

// remarks holds what was left out and what went wrong without harm.
func (g *generationPage) remarks() Section {
	s, c := g.s, g.s.Config
	sec := Section{Title: "Fine print", Text: usedText(s.Found, s.Skipped) + fmt.Sprintf("%s to learn from, %s to choose the best epoch, %s to judge.",
		whole(c.Train), whole(c.Validation), whole(c.HeldOut))}
	sec.Text += "\n\nThe plain autoencoder is the same network without noise, with a number for each of the code, trained for half as many epochs on the squared error."
	sec.Blocks = append(sec.Blocks, remarkLists(s.Skipped, s.Warnings)...)
	return sec
}

// again holds all that it takes to make the run again.
func (g *generationPage) again() Section {
	s, c := g.s, g.s.Config
	costs := costFacts(s.Seconds, len(s.Training.Epochs), "scores, neighbours, ways", s.PeakBytes)
	for _, t := range []struct {
		name    string
		seconds float64
	}{
		{"of it the first stage", s.Stages.First}, {"the second stage", s.Stages.Second},
		{"the autoencoder to compare with", s.Stages.Autoencoder}, {"the classifier to judge by", s.Stages.Features},
	} {
		value, unit := duration(t.seconds)
		costs = append(costs, Fact{t.name, value + " " + unit, ""})
	}
	steps := counted(c.PriorSteps, "step")
	if !c.LearnsPrior() {
		steps = "computed from the codes"
	}
	return againSection(c.Common, s.Command, []Fact{
		{"architecture", cmp.Or(c.Arch, dash), ""},
		{"latent, k", counted(c.Latent, "number"), ""},
		{"weight of the divergence, β", significant(c.Beta), ""},
		{"second stage", cmp.Or(c.Prior, dash), steps},
	}, costs)
}
