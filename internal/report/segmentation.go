package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"hourglass/task/segment"
	"hourglass/train"
)

// Segmentation lays out the page of a run of `hourglass train segment`: how well
// the model cuts images that it has not seen into their parts, class by class,
// with the worst of them, and how it came to be. e may be nil. Neither s nor e
// is changed.
func Segmentation(s *segment.Summary, e *segment.Evidence) *Page {
	if e == nil {
		e = &segment.Evidence{}
	}
	p := &segmentationPage{s: s, e: e, colors: segment.Colors(s.Config.Labels)}
	c := s.Config
	page := &Page{
		Title: fmt.Sprintf("%s: a class for every pixel, of %d", sourceName(c.Source), len(c.Labels.Classes)),
		Subtitle: fmt.Sprintf("A network of %s learnt from %s with labels. It is judged on %s that it never saw.",
			counted(s.Parameters, "parameter"), counted(c.Train, "image"), counted(c.HeldOut, "other")),
		Lead:   p.lead(),
		Footer: runFooter,
	}
	page.Sections = append(page.Sections, p.samples(), p.classes(), p.worst(), p.mistakes(), p.training(), p.remarks(), p.again())
	return page
}

// segmentationPage is a page in the making.
type segmentationPage struct {
	s      *segment.Summary
	e      *segment.Evidence
	colors [][3]uint8
}

// lead returns the headline numbers.
func (p *segmentationPage) lead() []Figure {
	s := p.s
	h := s.HeldOut
	value, unit := duration(s.Seconds.Train)
	training := Figure{Label: "Training time", Value: value, Unit: unit}
	if finite(s.ImagesPerS) && s.ImagesPerS > 0 {
		training.Note = significant(rounded(s.ImagesPerS, 3)) + " images/s"
	}
	common := 0.0
	for _, c := range h.Classes {
		common = max(common, c.Share)
	}
	lead := []Figure{
		{Label: "Held-out mIoU", Value: percent(h.MIoU), Unit: "%", Note: "mean over the classes"},
		{Label: "Pixels right", Value: percent(h.PixelAccuracy), Unit: "%", Note: "always the commonest class " + percent(common) + " %", Tone: toneOf(h.PixelAccuracy, common)},
		{Label: "Boundary F", Value: percent(h.BoundaryF), Unit: "%", Note: "within " + significant(rounded(h.Tolerance, 2)) + " pixels"},
		{Label: "Images learnt from", Value: whole(s.Config.Train), Note: whole(s.Config.HeldOut) + " held out to judge"},
		training,
	}
	if finite(s.UseImagesPerS) && s.UseImagesPerS > 0 {
		lead = append(lead, Figure{Label: "In use", Value: significant(rounded(s.UseImagesPerS, 2)), Unit: "images/s",
			Note: fmt.Sprintf("of %d × %d pixels", s.Config.Width, s.Config.Height)})
	}
	return lead
}

// picture is an image of the run's size with classes laid over it; nil shows
// the image alone.
func (p *segmentationPage) picture(pixels, classes []uint8) Image {
	c := p.s.Config
	if classes == nil {
		return Image{H: c.Height, W: c.Width, C: c.Channels, Pix: pixels}
	}
	return Image{H: c.Height, W: c.Width, C: 3, Pix: segment.Overlay(pixels, classes, p.colors)}
}

// overlaySide is the size in CSS pixels at which overlays are shown.
const overlaySide = 240

// rows shows samples: image, label, answer.
func (p *segmentationPage) rows(samples []segment.Sample) *Grid {
	g := &Grid{Columns: []string{"image", "label", "answer"}, Side: overlaySide}
	for _, s := range samples {
		g.Rows = append(g.Rows, GridRow{Label: sourceName(s.Name), Tiles: []Tile{
			{Image: p.picture(s.Image, nil)},
			{Image: p.picture(s.Image, s.Truth)},
			{Image: p.picture(s.Image, s.Answer), Caption: percent(s.MIoU) + " %"},
		}})
	}
	return g
}

// legend shows the colours of the classes.
func (p *segmentationPage) legend() *Grid {
	const side = 28
	g := &Grid{Side: side}
	var row GridRow
	for i, c := range p.s.Config.Labels.Classes {
		pix := slices.Repeat(p.colors[i][:], side*side)
		row.Tiles = append(row.Tiles, Tile{Image: Image{H: side, W: side, C: 3, Pix: pix}, Caption: c.Name, Alt: "colour of " + c.Name})
		if len(row.Tiles) == 12 {
			g.Rows, row = append(g.Rows, row), GridRow{}
		}
	}
	if len(row.Tiles) > 0 {
		g.Rows = append(g.Rows, row)
	}
	return g
}

// samples shows held-out images with their labels and the answers.
func (p *segmentationPage) samples() Section {
	sec := Section{Title: "What it sees"}
	for _, w := range p.s.Warnings[:min(len(p.s.Warnings), warningsShown)] {
		sec.Blocks = append(sec.Blocks, &Note{Tone: Warn, Text: sentence(w)})
	}
	if len(p.e.Samples) == 0 {
		sec.Text = "No image was held out to be shown."
		return sec
	}
	sec.Text = "Images that were held out, beside their labels and what the network answers, laid over them in the colours of the classes. The figure is the image’s own mean IoU: for each class, the pixels that label and answer share, over those that either has."
	if len(p.s.Config.Labels.Ignored) > 0 {
		sec.Text += " Where the label has no colour, pixels are not judged."
	}
	g := p.rows(p.e.Samples)
	g.Note = "Taken at even steps through the held-out images, not chosen by result."
	if len(p.s.Config.Labels.Classes) > 2 {
		sec.Blocks = append(sec.Blocks, p.legend())
	}
	sec.Blocks = append(sec.Blocks, g)
	return sec
}

// classes compares the classes.
func (p *segmentationPage) classes() Section {
	sec := Section{Title: "Class by class", Text: fmt.Sprintf(
		"IoU is counted over all held-out images at once: the pixels that are of the class and found to be, over those that are of it or taken for it. The mean over the classes, **%s %%**, weighs a class of few pixels as much as one of many.", percent(p.s.HeldOut.MIoU))}
	scores := slices.Clone(p.s.HeldOut.Classes)
	slices.SortStableFunc(scores, func(a, b segment.ClassScore) int {
		x, y := number(a.IoU), number(b.IoU)
		if math.IsNaN(x) || math.IsNaN(y) {
			return 0
		}
		return cmp.Compare(y, x)
	})
	bars := &BarPlot{Title: "Intersection over union", Label: "IoU, %", Decimals: 1, Unit: " %"}
	table := &Table{Columns: []Column{{Head: "class"}, {Head: "IoU, %"}, {Head: "found, %"}, {Head: "right, %"}, {Head: "of the pixels, %"}},
		Note: "Found: the share of the class’s pixels that are taken for it. Right: the share of those taken for it that are."}
	for _, c := range scores {
		bars.Rows = append(bars.Rows, BarRow{c.Class, []float64{100 * number(c.IoU)}})
		table.Rows = append(table.Rows, []Cell{Text(c.Class), Num(100*number(c.IoU), 1), Num(100*number(c.Recall), 1), Num(100*number(c.Precision), 1), Num(100*c.Share, 2)})
	}
	sec.Blocks = append(sec.Blocks, &Columns{Blocks: []Block{bars, table}})
	return sec
}

// worst shows the held-out images of the least mean IoU.
func (p *segmentationPage) worst() Section {
	sec := Section{Title: "The worst cases", Text: "The held-out images whose own mean IoU is the least, worst first."}
	if len(p.e.Worst) > 0 {
		sec.Blocks = append(sec.Blocks, p.rows(p.e.Worst))
	}
	return sec
}

// mistakesShown caps the table of mistakes.
const mistakesShown = 12

// mistakes lists what is taken for what.
func (p *segmentationPage) mistakes() Section {
	type mistake struct {
		truth, answer int
		pixels        int64
		share         float64 // of the class's pixels
	}
	var all []mistake
	total := int64(0)
	for truth, row := range p.s.Confusion {
		sum := int64(0)
		for _, n := range row {
			sum += n
		}
		total += sum
		for answer, n := range row {
			if answer != truth && n > 0 {
				all = append(all, mistake{truth, answer, n, float64(n) / float64(sum)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b mistake) int { return cmp.Compare(b.pixels, a.pixels) })
	sec := Section{Title: "What is taken for what"}
	if len(all) == 0 {
		sec.Text = "No pixel was taken for another class."
		return sec
	}
	sec.Text = "The mistakes that cost the most pixels."
	t := &Table{Columns: []Column{{Head: "is"}, {Head: "taken for", Align: Left}, {Head: "of all pixels, %"}, {Head: "of the class’s, %"}}}
	classes := p.s.Config.Labels.Classes
	for _, m := range all[:min(len(all), mistakesShown)] {
		t.Rows = append(t.Rows, []Cell{Text(classes[m.truth].Name), Text(classes[m.answer].Name),
			Num(100*float64(m.pixels)/float64(total), 2), Num(100*m.share, 1)})
	}
	sec.Blocks = append(sec.Blocks, t)
	return sec
}

// training shows how the loss fell, and the mean IoU that chose the epoch.
func (p *segmentationPage) training() Section {
	c, r := p.s.Config, p.s.Training
	of := "training loss"
	if c.Validation > 0 {
		of = "1 − mIoU on the validation images"
	}
	sec := Section{Title: "How it learnt", Text: courseText(c.Course, c.Division, r, of)}
	if len(r.Epochs) == 0 {
		return sec
	}
	loss := &LinePlot{Title: "Training loss by epoch", X: epochAxis(r.Epochs), Y: Axis{Label: "loss", Log: true},
		Series: []Series{overEpochs("", r.Epochs, Solid, pcaColor, func(e train.Epoch) float64 { return e.Loss })},
		Note:   "The mean over an epoch, while the network changes: " + segmentLoss(c) + "."}
	columns := &Columns{Blocks: []Block{loss}}
	if c.Validation > 0 {
		miou := func(e train.Epoch) float64 { return 100 * (1 - e.Validation) }
		plot := &LinePlot{Title: "Mean IoU by epoch", X: epochAxis(r.Epochs), Y: Axis{Label: "mIoU, %"},
			Series: []Series{overEpochs("validation", r.Epochs, Solid, autoencoderColor, miou)},
			Note:   fmt.Sprintf("On %s set aside to choose the epoch by.", counted(c.Validation, "image"))}
		if best := bestOf(r); best != nil {
			plot.Series = append(plot.Series, overEpochs("best, epoch "+whole(best.Epoch), []train.Epoch{*best}, Points, bestColor, miou))
		}
		columns.Blocks = append(columns.Blocks, plot)
	}
	columns.Blocks = append(columns.Blocks, ratePlot(r.Epochs, c.Course))
	sec.Blocks = append(sec.Blocks, columns)
	return sec
}

func segmentLoss(c segment.Config) string {
	ce := "cross-entropy, all pixels alike"
	switch c.Balance {
	case "median":
		ce = "cross-entropy, classes weighed by the median frequency over theirs"
	case "root":
		ce = "cross-entropy, classes weighed by the root of the median frequency over theirs"
	case "log":
		ce = "cross-entropy, classes weighed by the inverse logarithm of their share"
	}
	switch c.Loss {
	case "ce":
		return ce
	case "dice":
		return "soft Dice"
	}
	return ce + ", and soft Dice"
}

// remarks says what became of the images that were found.
func (p *segmentationPage) remarks() Section {
	s, c := p.s, p.s.Config
	return Section{Title: "Fine print",
		Text: usedText(s.Found, s.Skipped) + fmt.Sprintf("%s to learn from, %s to choose the epoch, %s to judge. They are %s of the source’s size.",
			whole(c.Train), whole(c.Validation), whole(c.HeldOut), significant(rounded(c.Scale, 3))),
		Blocks: remarkLists(s.Skipped, s.Warnings)}
}

// again holds all that it takes to make the run again.
func (p *segmentationPage) again() Section {
	s, c := p.s, p.s.Config
	return againSection(c.Common, s.Command, []Fact{
		{"network", c.Net, ""},
		{"parameters", whole(s.Parameters), byteSize(4 * int64(s.Parameters))},
		{"multiply-adds", wholeLong(s.MACs), "for one look at an image"},
		{"loss", segmentLoss(c), ""},
		{"average of the weights", strconv.FormatFloat(c.EMA, 'g', -1, 64), "share of the past"},
		{"views in use", c.TTA, ""},
		{"began with", cmp.Or(c.From, "random weights"), ""},
	}, costFacts(s.Seconds, len(s.Training.Epochs), "", s.PeakBytes))
}
