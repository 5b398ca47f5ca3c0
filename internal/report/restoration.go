package report

import (
	"fmt"

	"hourglass/task/restore"
	"hourglass/train"
)

// Restoration lays out the page of a run of `hourglass train denoise` or
// `hourglass train inpaint`: held-out photographs before and after, the scores
// at every level, and how it came to be. e may be nil; neither is changed.
func Restoration(s *restore.Summary, e *restore.Evidence) *Page {
	if e == nil {
		e = &restore.Evidence{}
	}
	r := &restorationPage{s, e}
	what := "taking off noise"
	if s.Config.Task == restore.Inpaint {
		what = "filling in what is missing"
	}
	p := &Page{
		Title:    sourceName(s.Config.Source) + ": " + what,
		Subtitle: r.subtitle(),
		Lead:     r.lead(),
		Footer:   runFooter,
	}
	p.Sections = append(p.Sections, r.samples())
	if len(s.HeldOut.Levels) > 0 {
		p.Sections = append(p.Sections, r.scores())
	}
	if len(e.Projected) > 0 {
		p.Sections = append(p.Sections, r.projections())
	}
	p.Sections = append(p.Sections, r.training(), r.remarks(), r.again())
	return p
}

// restorationPage is a page in the making.
type restorationPage struct {
	s *restore.Summary
	e *restore.Evidence
}

// before names the image that the network was given.
func (r *restorationPage) before() string {
	if r.s.Config.Task == restore.Inpaint {
		return "smooth filling"
	}
	return "noisy"
}

func (r *restorationPage) subtitle() string {
	c := r.s.Config
	switch {
	case c.SelfSupervised:
		return fmt.Sprintf("A network learnt to take the noise off from %s that are noisy themselves, without a clean one (Neighbor2Neighbor).", counted(c.Train, "image"))
	case c.Task == restore.Inpaint:
		return fmt.Sprintf("A network learnt from %s to fill in pixels, blocks, strokes and letters that are missing. It is judged on %s that it never saw.",
			counted(c.Train, "photograph"), counted(c.HeldOut, "other"))
	}
	return fmt.Sprintf("A network learnt from %s to take off %s noise of every strength, which it is not told. It is judged on %s that it never saw.",
		counted(c.Train, "photograph"), c.Noise, counted(c.HeldOut, "other"))
}

func (r *restorationPage) lead() []Figure {
	s := r.s
	var lead []Figure
	for _, l := range s.HeldOut.Levels {
		lead = append(lead, Figure{Label: l.Name, Value: fixed(l.Restored.PSNR, 2), Unit: "dB",
			Note: r.before() + " " + fixed(l.Harmed.PSNR, 2) + " dB", Tone: toneOf(l.Restored.PSNR, l.Harmed.PSNR)})
	}
	value, unit := duration(s.Seconds.Train)
	time := Figure{Label: "Training time", Value: value, Unit: unit}
	if finite(s.CropsPerS) && s.CropsPerS > 0 {
		time.Note = significant(rounded(s.CropsPerS, 3)) + " crops/s"
	}
	use := Figure{Label: "Speed in use", Value: significant(rounded(s.PixelsPerS/1e6, 2)), Unit: "megapixels/s",
		Note: significant(rounded(float64(s.MACs)/1000, 3)) + " thousand multiply-adds a pixel"}
	return append(lead, use, time)
}

// samples shows parts of held-out photographs before and after.
func (r *restorationPage) samples() Section {
	sec := Section{Title: "Before and after"}
	for _, w := range r.s.Warnings[:min(len(r.s.Warnings), warningsShown)] {
		sec.Blocks = append(sec.Blocks, &Note{Tone: Warn, Text: sentence(w)})
	}
	if len(r.e.Samples) == 0 {
		sec.Text = "No photograph was held out to be shown."
		return sec
	}
	sec.Text = "Parts of photographs that were held out. The figures below are PSNR, over all of the photograph that was judged: 3 dB more is half the squared error."
	heads := []string{r.before(), "restored", "original", "error × 4"}
	switch {
	case r.s.Config.SelfSupervised:
		sec.Text = "Parts of images that were held out. There is no clean one to compare them with; what was taken off should look like noise, and show nothing of the image."
		heads = []string{"as it is", "restored", "taken off × 4"}
	case r.s.Config.Task == restore.Inpaint:
		heads = []string{"missing", "restored", "original", "error × 4"}
	}
	var g *Grid
	level := ""
	for _, smp := range r.e.Samples {
		if g == nil || smp.Level != level {
			level = smp.Level
			g = &Grid{Title: level, Columns: heads, Side: smp.Side}
			sec.Blocks = append(sec.Blocks, g)
		}
		g.Rows = append(g.Rows, GridRow{Label: sourceName(smp.Photo), Tiles: r.tiles(smp)})
	}
	return sec
}

func (r *restorationPage) tiles(smp restore.Sample) []Tile {
	picture := func(pix []uint8) Image { return Image{H: smp.Side, W: smp.Side, C: 3, Pix: pix} }
	before := smp.Harmed
	if smp.Missing != nil {
		before = holed(before, smp.Missing)
	}
	tiles := []Tile{{Image: picture(before)}, {Image: picture(smp.Restored)}}
	if smp.Clean == nil {
		return append(tiles, Tile{Image: picture(apart(smp.Restored, smp.Harmed))})
	}
	tiles[0].Caption = fixed(smp.HarmedPSNR, 1) + " dB"
	if smp.Missing != nil {
		tiles[0].Caption = "" // a hole has no error
	}
	tiles[1].Caption, tiles[1].Best = fixed(smp.PSNR, 1)+" dB", smp.PSNR > smp.HarmedPSNR
	return append(tiles, Tile{Image: picture(smp.Clean)}, Tile{Image: picture(apart(smp.Restored, smp.Clean))})
}

// holed shows missing pixels in a colour that photographs hardly have.
func holed(pixels []uint8, missing []float32) []uint8 {
	out := append([]uint8(nil), pixels...)
	for i, m := range missing {
		if m == 1 {
			out[3*i], out[3*i+1], out[3*i+2] = 255, 0, 255
		}
	}
	return out
}

// apart shows the difference of two images, fourfold, around a middle grey.
func apart(x, y []uint8) []uint8 {
	out := make([]uint8, len(x))
	for i := range x {
		out[i] = uint8(max(0, min(255, 128+4*(int(x[i])-int(y[i])))))
	}
	return out
}

func (r *restorationPage) scores() Section {
	t := &Table{Columns: []Column{
		{Head: "held out"}, {Head: "PSNR, " + r.before()}, {Head: "PSNR, restored"}, {Head: "gain"},
		{Head: "MS-SSIM, " + r.before()}, {Head: "MS-SSIM, restored"},
	}}
	for _, l := range r.s.HeldOut.Levels {
		t.Rows = append(t.Rows, []Cell{Text(l.Name), Num(l.Harmed.PSNR, 2), Num(l.Restored.PSNR, 2), Num(l.Restored.PSNR-l.Harmed.PSNR, 2),
			Num(number(l.Harmed.MSSSIM), 4), Num(number(l.Restored.MSSSIM), 4)})
	}
	t.Note = fmt.Sprintf("Means over the middle parts, at most 512 pixels a side, of %s. PSNR in dB on values clipped to 0–255; MS-SSIM on bytes, for images of at least 161 pixels a side.",
		counted(r.s.Config.HeldOut, "photograph"))
	return Section{Title: "Scores", Blocks: []Block{t}}
}

// projections sets the inpainter beside an autoencoder that never saw a hole.
func (r *restorationPage) projections() Section {
	sec := Section{Title: "Beside a projection", Text: "An autoencoder that learnt from whole images only can make nothing else. So an image with holes is passed through it, its known pixels are put back, and so on until the rest settles: it is moved onto the set of images that the autoencoder knows (`hourglass restore --by-projection`). The inpainter was trained for the job. Both fill the same holes here, at the autoencoder’s size; the figures are PSNR over the missing pixels alone."}
	var g *Grid
	level := ""
	for _, p := range r.e.Projected {
		if g == nil || p.Level != level {
			level = p.Level
			g = &Grid{Title: level, Columns: []string{"missing", "by projection", "inpainted", "original"}, Side: projectionSide}
			sec.Blocks = append(sec.Blocks, g)
		}
		picture := func(pix []uint8) Image { return Image{H: p.Height, W: p.Width, C: 3, Pix: pix} }
		g.Rows = append(g.Rows, GridRow{Label: sourceName(p.Photo), Tiles: []Tile{
			{Image: picture(holed(p.Clean, p.Missing))},
			{Image: picture(p.Projection), Caption: fixed(p.ProjectionPSNR, 1) + " dB, " + counted(p.Passes, "pass"), Best: p.ProjectionPSNR > p.PSNR},
			{Image: picture(p.Inpainting), Caption: fixed(p.PSNR, 1) + " dB", Best: p.PSNR > p.ProjectionPSNR},
			{Image: picture(p.Clean)},
		}})
	}
	return sec
}

// projectionSide is the size in CSS pixels at which projections are shown.
const projectionSide = 160

// training shows how the error fell.
func (r *restorationPage) training() Section {
	c, t := r.s.Config, r.s.Training
	judged := c.Validation > 0 && !c.SelfSupervised
	of := "training loss"
	switch {
	case judged:
		of = "error on validation photographs"
	case c.SelfSupervised:
		of = "" // the loss grows by design
	}
	sec := Section{Title: "How it learnt", Text: courseText(c.Course, c.Division, t, of)}
	if len(t.Epochs) == 0 {
		return sec
	}
	columns := &Columns{Blocks: []Block{&LinePlot{Title: "Training loss by epoch", X: epochAxis(t.Epochs), Y: Axis{Label: lossName(c.Loss)},
		Series: []Series{overEpochs("", t.Epochs, Solid, pcaColor, func(e train.Epoch) float64 { return e.Loss })},
		Note:   "The mean over an epoch, while the network changes."}}}
	if judged {
		columns.Blocks = append(columns.Blocks, &LinePlot{Title: "Error on validation photographs", X: epochAxis(t.Epochs), Y: Axis{Label: "root of the squared error, of 255"},
			Series: []Series{overEpochs("", t.Epochs, Solid, autoencoderColor, func(e train.Epoch) float64 { return 255 * e.Validation })},
			Note:   fmt.Sprintf("On %s set aside from those learnt from, averaged over the levels above.", counted(c.Validation, "photograph"))})
	}
	columns.Blocks = append(columns.Blocks, ratePlot(t.Epochs, c.Course))
	sec.Blocks = []Block{columns}
	return sec
}

// remarks says what became of the photographs that were found.
func (r *restorationPage) remarks() Section {
	s, c := r.s, r.s.Config
	return Section{Title: "Fine print",
		Text: usedText(s.Found, s.Skipped) + fmt.Sprintf("%s to learn from, in crops of %d × %d pixels, %s to choose the epoch, %s to judge.",
			whole(c.Train), c.Height, c.Width, whole(c.Validation), whole(c.HeldOut)),
		Blocks: remarkLists(s.Skipped, s.Warnings)}
}

// again holds all that it takes to make the run again.
func (r *restorationPage) again() Section {
	s, c := r.s, r.s.Config
	return againSection(c.Common, s.Command, []Fact{
		{"network", fmt.Sprintf("%v channels", c.Widths), fmt.Sprintf("at 1/2, 1/4, … of the size, %s at each", counted(c.Blocks, "block"))},
		{"parameters", whole(s.Parameters), byteSize(4 * int64(s.Parameters))},
		{"multiply-adds", wholeLong(s.MACs), "for one pixel"},
		{"loss", lossName(c.Loss), ""},
	}, costFacts(s.Seconds, len(s.Training.Epochs), "", s.PeakBytes))
}
