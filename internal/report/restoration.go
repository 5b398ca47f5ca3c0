package report

import (
	"fmt"

	"hourglass/task/restore"
	"hourglass/train/run"
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
		Footer: "Made by `hourglass`. Every figure on this page stands in `" + run.SummaryFile +
			"` beside it; the page itself asks the network for nothing.",
	}
	p.Sections = append(p.Sections, r.samples())
	if len(s.HeldOut.Levels) > 0 {
		p.Sections = append(p.Sections, r.scores())
	}
	p.Sections = append(p.Sections, r.training(), r.facts())
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
	for _, w := range r.s.Warnings {
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

// training shows how the error fell.
func (r *restorationPage) training() Section {
	t := r.s.Training
	sec := Section{Title: "How it learnt"}
	n := len(t.Epochs)
	if n == 0 {
		sec.Text = "No epoch was completed."
		return sec
	}
	epoch, loss, validation := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, e := range t.Epochs {
		epoch[i], loss[i], validation[i] = float64(e.Epoch), e.Loss, 255*e.Validation
	}
	x := Axis{Label: "epoch"}
	if n <= 8 {
		x.Ticks = epoch
	}
	columns := &Columns{Blocks: []Block{&LinePlot{Title: "Training loss by epoch", X: x, Y: Axis{Label: lossName(r.s.Config.Loss)},
		Series: []Series{{X: epoch, Y: loss, Color: pcaColor}}, Note: "The mean over an epoch, while the network changes."}}}
	if r.s.Config.Validation > 0 && !r.s.Config.SelfSupervised {
		columns.Blocks = append(columns.Blocks, &LinePlot{Title: "Error on validation photographs", X: x, Y: Axis{Label: "root of the squared error, of 255"},
			Series: []Series{{X: epoch, Y: validation, Color: autoencoderColor}},
			Note:   fmt.Sprintf("On %s set aside from those learnt from, averaged over the levels above.", counted(r.s.Config.Validation, "photograph"))})
	}
	sec.Blocks = []Block{columns}
	return sec
}

func (r *restorationPage) facts() Section {
	s, c := r.s, r.s.Config
	items := []Fact{
		{Key: "Network", Value: fmt.Sprintf("%v channels at 1/2, 1/4, … of the size, %s at each", c.Widths, counted(c.Blocks, "block")), Note: whole(s.Parameters) + " parameters"},
		{Key: "Learnt from", Value: fmt.Sprintf("crops of %d×%d, %d in a step", c.Height, c.Width, c.Batch)},
		{Key: "Loss", Value: lossName(c.Loss)},
		{Key: "Optimiser", Value: c.Optimizer, Note: c.Schedule + ", rate " + significant(c.LR)},
		{Key: "Seed", Value: fmt.Sprint(c.Seed), Note: "instructions: " + c.ISA},
		{Key: "Memory", Value: byteSize(s.PeakBytes)},
	}
	blocks := []Block{&Facts{Items: items}, &Code{Title: "Make it again", Text: s.Command}}
	if len(s.Skipped) > 0 {
		l := &List{Title: "Files left out"}
		for _, k := range s.Skipped {
			l.Items = append(l.Items, ListItem{k.Name, k.Reason})
		}
		blocks = append(blocks, l)
	}
	return Section{Title: "How it was made", Blocks: blocks}
}
