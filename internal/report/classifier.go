package report

import (
	"cmp"
	"fmt"
	"strconv"

	"hourglass/task/classify"
	"hourglass/train"
)

// Classifier lays out the page of a run of `hourglass train classify`: how
// well it tells classes apart on images that it has not seen, what it takes
// for what, and how it came to be. e may be nil. Neither s nor e is changed.
func Classifier(s *classify.Summary, e *classify.Evidence) *Page {
	p := newClassifierPage(s.Config, &s.HeldOut, e)
	c := s.Config
	value, unit := duration(s.Seconds.Train)
	time := Figure{Label: "Training time", Value: value, Unit: unit}
	if finite(s.ImagesPerS) && s.ImagesPerS > 0 {
		time.Note = significant(rounded(s.ImagesPerS, 3)) + " images/s"
	}
	page := &Page{
		Title: fmt.Sprintf("%s: %s told apart", sourceName(c.Source), counted(len(c.Classes), "class")),
		Subtitle: fmt.Sprintf("A network of %s learnt from %s with labels. It is judged on %s that it never saw.",
			counted(s.Parameters, "parameter"), counted(c.Train, "image"), counted(c.HeldOut, "other")),
		Lead:   append(p.lead(heldOutAccuracy), Figure{Label: "Images learnt from", Value: whole(c.Train), Note: whole(c.HeldOut) + " held out to judge"}, time),
		Footer: runFooter,
	}
	page.Sections = append(page.Sections, p.samples("held-out images", s.Warnings), classifierTraining(s))
	page.Sections = append(page.Sections, p.sections()...)
	if e != nil && e.Filters != nil {
		page.Sections = append(page.Sections, filterSection(e.Filters))
	}
	page.Sections = append(page.Sections, classifierRemarks(s), classifierAgain(s))
	return page
}

// Evaluation lays out the page of `hourglass evaluate`: a model judged on the
// images of a source, or on a part of it.
func Evaluation(model, source, part string, c classify.Config, v *classify.Evaluation, e *classify.Evidence) *Page {
	p := newClassifierPage(c, v, e)
	of := map[string]string{"all": "all of it", "test": "its test part", "val": "its val part", "held out": "the part held out when the model was trained"}[part]
	label, judged := "Accuracy", "images judged"
	if part == "held out" {
		label, judged = heldOutAccuracy, "held-out images"
	}
	return &Page{
		Title:    fmt.Sprintf("%s judged on %s", sourceName(model), sourceName(source)),
		Subtitle: fmt.Sprintf("%s of %s, %s.", counted(v.Images, "image"), sourceName(source), cmp.Or(of, part)),
		Lead:     p.lead(label),
		Sections: append([]Section{p.samples(judged, nil)}, p.sections()...),
		Footer:   "Made by `hourglass evaluate`. The page asks the network for nothing.",
	}
}

// classifierPage is a page in the making.
type classifierPage struct {
	c classify.Config
	v *classify.Evaluation
	e *classify.Evidence
}

func newClassifierPage(c classify.Config, v *classify.Evaluation, e *classify.Evidence) *classifierPage {
	if e == nil {
		e = &classify.Evidence{}
	}
	return &classifierPage{c, v, e}
}

const heldOutAccuracy = "Held-out accuracy"

// lead returns the headline numbers, the accuracy under a label.
func (p *classifierPage) lead(label string) []Figure {
	guess := 0
	for _, c := range p.v.Classes {
		guess = max(guess, c.Images)
	}
	accuracy := Figure{Label: label, Value: percent(p.v.Accuracy), Unit: "%"}
	if p.v.Images > 0 {
		share := float64(guess) / float64(p.v.Images)
		accuracy.Note, accuracy.Tone = "always the commonest "+percent(share)+" %", toneOf(p.v.Accuracy, share)
	}
	lead := []Figure{accuracy}
	if len(p.c.Classes) > 5 {
		lead = append(lead, Figure{Label: "Top-5 accuracy", Value: percent(p.v.Top5), Unit: "%"})
	}
	k := p.v.Calibration
	return append(lead,
		Figure{Label: "Cross-entropy", Value: fixed(p.v.Loss, 3), Note: "nats an image"},
		Figure{Label: "Calibration error", Value: percent(k.ECE), Unit: "%", Note: percent(k.Uncalibrated) + " % before calibration",
			Tone: toneOf(k.Uncalibrated, k.ECE)})
}

// sections are those that a run and an evaluation have in common.
func (p *classifierPage) sections() []Section {
	s := []Section{p.classes(), p.confusion(), p.calibration()}
	if len(p.e.Mistakes) > 0 {
		s = append(s, p.mistakes())
	}
	return s
}

// pictureColumns is the number of pictures side by side.
const pictureColumns = 8

// grid sets pictures in rows.
func (p *classifierPage) grid(pictures []classify.Picture, caption func(classify.Picture) Tile) *Grid {
	g := &Grid{Side: tileSide(max(p.c.Height, p.c.Width))}
	for at := 0; at < len(pictures); at += pictureColumns {
		var row GridRow
		for _, one := range pictures[at:min(at+pictureColumns, len(pictures))] {
			t := caption(one)
			t.Image = Image{H: p.c.Height, W: p.c.Width, C: p.c.Channels, Pix: one.Image}
			row.Tiles = append(row.Tiles, t)
		}
		g.Rows = append(g.Rows, row)
	}
	return g
}

func (p *classifierPage) class(i int) string {
	if i < 0 || i >= len(p.c.Classes) {
		return fmt.Sprintf("class %d", i)
	}
	return p.c.Classes[i]
}

// samples shows some of the images that were judged, with the answers.
func (p *classifierPage) samples(judged string, warnings []string) Section {
	sec := Section{Title: "Answers"}
	for _, w := range warnings[:min(len(warnings), warningsShown)] {
		sec.Blocks = append(sec.Blocks, &Note{Tone: Warn, Text: sentence(w)})
	}
	if len(p.e.Samples) == 0 {
		sec.Text = "No image was held out to be shown."
		return sec
	}
	right := 0
	g := p.grid(p.e.Samples, func(one classify.Picture) Tile {
		t := Tile{Caption: p.class(one.Answer) + " ✓", Alt: p.class(one.Label) + ", taken for " + p.class(one.Answer)}
		if one.Answer != one.Label {
			t.Caption = p.class(one.Answer) + ", not " + p.class(one.Label)
		} else {
			right++
			t.Best = true
		}
		return t
	})
	g.Note = fmt.Sprintf("Taken at even steps through the %s, not chosen by result: %d of these %d are right.", judged, right, len(p.e.Samples))
	sec.Text = "Some of the " + judged + ", each with what the network takes it for."
	sec.Blocks = append(sec.Blocks, g)
	return sec
}

// classesShown bounds the rows and columns of tables.
const (
	classesShown   = 100
	confusionShown = 20
)

// classes sets the scores of each class in a table.
func (p *classifierPage) classes() Section {
	t := &Table{Columns: []Column{{Head: "class"}, {Head: "images"}, {Head: "recall, %"}, {Head: "precision, %"}},
		Note: "Recall: of the images of the class, the share that is recognised. Precision: of the answers with the class, the share that is right."}
	for _, c := range p.v.Classes[:min(len(p.v.Classes), classesShown)] {
		t.Rows = append(t.Rows, []Cell{Text(c.Class), Int(int64(c.Images)), Num(100*c.Recall, 1), Num(100*c.Precision, 1)})
	}
	if n := len(p.v.Classes) - len(t.Rows); n > 0 {
		t.Note += fmt.Sprintf(" %s more are not listed.", whole(n))
	}
	return Section{Title: "Each class", Text: fmt.Sprintf("**%s %%** of %s are recognised.", percent(p.v.Accuracy), counted(p.v.Images, "image")), Blocks: []Block{t}}
}

// confusion shows what is taken for what.
func (p *classifierPage) confusion() Section {
	sec := Section{Title: "What is taken for what"}
	if len(p.v.Confused) == 0 {
		sec.Text = "Nothing: every image was recognised."
		return sec
	}
	first := p.v.Confused[0]
	sec.Text = fmt.Sprintf("Most often, %s is taken for %s: %s.", first.Class, first.Answer, times(first.Images))
	if n := len(p.v.Confusion); n > 0 && n <= confusionShown {
		t := &Table{Columns: []Column{{Head: "is ↓, taken for →"}}, Note: "Numbers of images. The diagonal holds what was recognised."}
		for i, row := range p.v.Confusion {
			t.Columns = append(t.Columns, Column{Head: p.class(i)})
			cells := []Cell{Text(p.class(i))}
			for _, v := range row {
				if v == 0 {
					cells = append(cells, Text("·"))
					continue
				}
				cells = append(cells, Int(int64(v)))
			}
			t.Rows = append(t.Rows, cells)
		}
		for i := 1; i < len(t.Columns); i++ {
			t.Columns[i].Align = Right
		}
		sec.Blocks = append(sec.Blocks, t)
	}
	l := &List{Title: "Most often confused"}
	for _, c := range p.v.Confused {
		l.Items = append(l.Items, ListItem{c.Class + " taken for " + c.Answer, counted(c.Images, "image")})
	}
	sec.Blocks = append(sec.Blocks, l)
	return sec
}

// calibration draws how often answers are right against how sure they are.
func (p *classifierPage) calibration() Section {
	k := p.v.Calibration
	curve := Series{Name: "this network", Color: autoencoderColor}
	for _, b := range k.Bins {
		curve.X, curve.Y = append(curve.X, 100*b.Confidence), append(curve.Y, 100*b.Accuracy)
	}
	plot := &LinePlot{Title: "Right answers against confidence", X: Axis{Label: "confidence, %"}, Y: Axis{Label: "right, %"},
		Series: []Series{curve, {Name: "perfectly calibrated", X: []float64{0, 100}, Y: []float64{0, 100}, Style: Dashed, Color: pcaColor}},
		Note:   "Answers in bins of equal width by the confidence of the most probable class."}
	text := fmt.Sprintf("An answer given with a confidence of 80 %% should be right in 80 %% of cases. Over all images, confidence and accuracy differ by **%s %%** on average (the expected calibration error).", percent(k.ECE))
	if k.Temperature != 1 {
		text += fmt.Sprintf(" For that the scores are divided by a temperature of %s, which was fitted on images set aside from those learnt from; without it they would differ by %s %%.",
			significant(rounded(k.Temperature, 3)), percent(k.Uncalibrated))
	}
	return Section{Title: "How sure, how right", Text: text, Blocks: []Block{plot}}
}

// mistakes shows the most confident wrong answers.
func (p *classifierPage) mistakes() Section {
	g := p.grid(p.e.Mistakes, func(one classify.Picture) Tile {
		return Tile{Caption: fmt.Sprintf("%s? %s %% (%s)", p.class(one.Answer), fixed(100*one.Confidence, 0), p.class(one.Label)),
			Alt: p.class(one.Label) + ", taken for " + p.class(one.Answer)}
	})
	g.Note = "The answer, how sure it was, and in brackets the label."
	return Section{Title: "Worst mistakes", Text: "The wrong answers that the network was most sure of. Look here first for labels that are wrong.", Blocks: []Block{g}}
}

// classifierTraining shows how loss and accuracy went.
func classifierTraining(s *classify.Summary) Section {
	r, c := s.Training, s.Config
	of := "training loss"
	if c.Validation > 0 {
		of = "validation loss"
	}
	sec := Section{Title: "How it learnt", Text: courseText(c.Course, c.Division, r, of)}
	if len(r.Epochs) == 0 {
		return sec
	}
	loss := &LinePlot{Title: "Loss by epoch", X: epochAxis(r.Epochs), Y: Axis{Label: "cross-entropy, nats"},
		Series: []Series{overEpochs("training", r.Epochs, Solid, pcaColor, func(e train.Epoch) float64 { return e.Loss })},
		Note:   "Training: the mean over an epoch, with augmentation, dropout and whatever else makes it harder, while the network changes."}
	columns := &Columns{Blocks: []Block{loss}}
	if c.Validation > 0 {
		loss.Series = append(loss.Series, overEpochs("validation", r.Epochs, Dashed, autoencoderColor, func(e train.Epoch) float64 { return e.Validation }))
		loss.Note += fmt.Sprintf(" Validation: at the epoch’s end, on %s set aside from those learnt from.", counted(c.Validation, "image"))
		accuracy := overEpochs("validation", r.Epochs, Solid, autoencoderColor, func(e train.Epoch) float64 { return 100 * number(e.Score) })
		columns.Blocks = append(columns.Blocks, &LinePlot{Title: "Accuracy by epoch", X: epochAxis(r.Epochs), Y: Axis{Label: "right, %"},
			Series: []Series{accuracy}, Lines: []RefLine{{100 * s.HeldOut.Accuracy, "held out, at the end"}}})
	}
	columns.Blocks = append(columns.Blocks, ratePlot(r.Epochs, c.Course))
	sec.Blocks = append(sec.Blocks, columns)
	return sec
}

// filterSection shows the weights of the first convolution.
func filterSection(f *classify.Filters) Section {
	const most = 96
	g := &Grid{Side: 4 * tinyFilter, Note: "Each filter is stretched to the whole range of grey, or of each colour, on its own."}
	for i := range min(f.Count, most) {
		if i%pictureColumns == 0 {
			g.Rows = append(g.Rows, GridRow{})
		}
		row := &g.Rows[len(g.Rows)-1]
		row.Tiles = append(row.Tiles, Tile{Image: filterImage(f, i), Alt: fmt.Sprintf("filter %d", i+1)})
	}
	return Section{Title: "First filters", Text: fmt.Sprintf("The %s of the first convolution, %d × %d pixels each: what the network looks for before anything else.",
		counted(f.Count, "filter"), f.Height, f.Width), Blocks: []Block{g}}
}

// tinyFilter is the side, in CSS pixels, of a quarter of a filter's picture.
const tinyFilter = 12

func filterImage(f *classify.Filters, i int) Image {
	m := Image{H: f.Height, W: f.Width, C: f.Channels}
	at := func(k int) float64 { return float64(f.Weights[k*f.Count+i]) }
	n := f.Height * f.Width * f.Channels
	low, high := at(0), at(0)
	for k := range n {
		low, high = min(low, at(k)), max(high, at(k))
	}
	for k := range n {
		v := 0.5
		if high > low {
			v = (at(k) - low) / (high - low)
		}
		m.Pix = append(m.Pix, uint8(255*v+0.5))
	}
	return m
}

func classifierRemarks(s *classify.Summary) Section {
	c := s.Config
	sec := Section{Title: "Fine print"}
	sec.Text = usedText(s.Found, s.Skipped) + fmt.Sprintf("%s to learn from, %s to choose the best epoch and to calibrate, %s to judge, once, at the end.",
		whole(c.Train), whole(c.Validation), whole(c.HeldOut))
	if s.Views > 1 {
		sec.Text += fmt.Sprintf(" An answer is the mean over %s of the image (`--tta %s`).", counted(s.Views, "view"), c.TTA)
	}
	sec.Blocks = remarkLists(s.Skipped, s.Warnings)
	return sec
}

// classifierAgain holds all that it takes to make the run again.
func classifierAgain(s *classify.Summary) Section {
	c := s.Config
	plain := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	norm := "as in the recipe"
	if c.NoBatchNorm {
		norm = "taken out"
	}
	return againSection(c.Common, s.Command, []Fact{
		{"recipe", c.Recipe, ""},
		{"parameters", whole(s.Parameters), byteSize(4 * int64(s.Parameters))},
		{"multiply-adds", wholeLong(s.MACs), "for one look at an image"},
		{"batch normalisation", norm, ""},
		{"dropout", plain(c.Dropout), "before the last dense layer"},
		{"label smoothing", plain(c.LabelSmoothing), ""},
		{"mixup, cutmix", plain(c.Mixup) + ", " + plain(c.Cutmix), "α"},
		{"average of weights", plain(c.EMA), "share of the past"},
		{"smaller images first", plain(c.Progressive), "share of the epochs"},
		{"views in use", c.TTA, ""},
		{"class weights", c.ClassWeights, ""},
	}, costFacts(s.Seconds, len(s.Training.Epochs), "", s.PeakBytes))
}
