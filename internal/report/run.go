package report

import (
	"cmp"
	"fmt"
	"strconv"

	"hourglass/train"
	"hourglass/train/run"
)

// What the pages of runs share, whatever their task.

const runFooter = "Made by `hourglass`. Every figure on this page stands in `" + run.SummaryFile +
	"` beside it; the page itself asks the network for nothing."

// againSection holds all that it takes to make a run again: network and costs
// are what the task has to say of both.
func againSection(c run.Common, command string, network, costs []Fact) Section {
	sec := Section{Title: "Make it again",
		Text: fmt.Sprintf("The same images, choices and seed (**%d**) give the same network, bit by bit, on `%s` instructions with any number of threads.", c.Seed, c.ISA)}
	if command != "" {
		sec.Blocks = append(sec.Blocks, &Code{Title: "The command", Text: command})
	}
	sec.Blocks = append(sec.Blocks, &Columns{Blocks: []Block{
		&Facts{Title: "The network and its training", Items: append(network, courseFacts(c.Course)...)},
		&Facts{Title: "The images and the machine", Items: imageFacts(c)},
	}}, &Facts{Title: "Time and memory", Items: costs})
	return sec
}

// costFacts lists what a run took; judging says what is in the time of that.
func costFacts(t run.Times, epochs int, judging string, peakBytes int64) []Fact {
	parts := []struct {
		name    string
		seconds float64
		note    string
	}{
		{"reading the images", t.Read, ""},
		{"training", t.Train, counted(epochs, "epoch")},
		{"judging", t.Judge, judging},
		{"PCA", t.PCA, "fitting and judging"},
	}
	if t.PCA == 0 {
		parts = parts[:3]
	}
	var items []Fact
	for _, p := range parts {
		value, unit := duration(p.seconds)
		items = append(items, Fact{p.name, value + " " + unit, p.note})
	}
	if peakBytes > 0 {
		items = append(items, Fact{"most memory in use", byteSize(peakBytes), "by the operating system’s count"})
	}
	return items
}

// usedText says how many of the files that were found are in use.
func usedText(found int, skipped []run.Skipped) string {
	if len(skipped) == 0 {
		return fmt.Sprintf("All of the %s found were used: ", counted(found, "image"))
	}
	return fmt.Sprintf("Of the %s found, **%s left out** (listed below with the reasons). The rest were used so: ",
		counted(found, "image"), wereCounted(len(skipped)))
}

// courseFacts lists the choices of training.
func courseFacts(c run.Course) []Fact {
	epochs := ""
	if c.Minutes > 0 {
		epochs = "for --minutes " + strconv.FormatFloat(c.Minutes, 'g', -1, 64)
	}
	patience := counted(c.Patience, "epoch")
	if c.Patience < 0 {
		patience = "without end"
	}
	return []Fact{
		{"epochs at most", whole(c.Epochs), epochs},
		{"patience", patience, ""},
		{"batch", counted(c.Batch, "image"), ""},
		{"optimiser", cmp.Or(c.Optimizer, dash), ""},
		{"greatest learning rate", strconv.FormatFloat(c.LR, 'g', -1, 64), ""},
		{"schedule", cmp.Or(c.Schedule, dash), ""},
		{"augmentation", cmp.Or(c.Augment, dash), ""},
		{"precision", cmp.Or(c.Precision, run.Precisions()[0]), "of products"},
	}
}

// imageFacts lists what was learnt from and on what machine.
func imageFacts(c run.Common) []Fact {
	asked := "height × width × channels"
	if c.Size > 0 {
		asked += fmt.Sprintf(", --size %d", c.Size)
	}
	if c.Gray {
		asked += ", --gray"
	}
	return []Fact{
		{"source", cmp.Or(c.Source, dash), ""},
		{"fingerprint", cmp.Or(c.Fingerprint, dash), "of the data"},
		{"image size", fmt.Sprintf("%d × %d × %d", c.Height, c.Width, c.Channels), asked},
		{"to learn from", counted(c.Train, "image"), ""},
		{"to choose the epoch", counted(c.Validation, "image"), ""},
		{"to judge", counted(c.HeldOut, "image"), ""},
		{"seed", strconv.FormatUint(c.Seed, 10), ""},
		{"instructions", cmp.Or(c.ISA, dash), ""},
	}
}

// remarkLists lists what was left out and what went wrong without harm.
func remarkLists(skipped []run.Skipped, warnings []string) (blocks []Block) {
	if len(skipped) > 0 {
		l := &List{Title: "Left out", Open: len(skipped) <= 5}
		for _, skip := range skipped {
			l.Items = append(l.Items, ListItem{skip.Name, skip.Reason})
		}
		blocks = append(blocks, l)
	}
	if len(warnings) > 0 {
		l := &List{Title: "Warnings", Open: len(warnings) > warningsShown}
		for _, w := range warnings {
			l.Items = append(l.Items, ListItem{Text: w})
		}
		blocks = append(blocks, l)
	}
	return blocks
}

// epochAxis is the axis of plots over epochs.
func epochAxis(epochs []train.Epoch) Axis {
	x := Axis{Label: "epoch"}
	if len(epochs) <= 8 { // no ticks between epochs
		for _, e := range epochs {
			x.Ticks = append(x.Ticks, float64(e.Epoch))
		}
	}
	return x
}

// overEpochs is a series of something of each epoch.
func overEpochs(name string, epochs []train.Epoch, style Style, color int, of func(train.Epoch) float64) Series {
	s := Series{Name: name, Style: style, Color: color}
	for _, e := range epochs {
		s.X, s.Y = append(s.X, float64(e.Epoch)), append(s.Y, of(e))
	}
	return s
}

// ratePlot draws the course of the learning rate.
func ratePlot(epochs []train.Epoch, c run.Course) *LinePlot {
	return &LinePlot{Title: "Learning rate", X: epochAxis(epochs), Y: Axis{Label: "rate at the epoch’s last step", Zero: true},
		Series: []Series{overEpochs("", epochs, Solid, rateColor, func(e train.Epoch) float64 { return e.LR })},
		Note:   "Schedule `" + c.Schedule + "`, optimiser `" + c.Optimizer + "`."}
}

// bestOf returns the epoch whose network was kept, or nil.
func bestOf(r train.Record) *train.Epoch {
	for i := range r.Epochs {
		if r.Epochs[i].Epoch == r.BestEpoch {
			return &r.Epochs[i]
		}
	}
	return nil
}

// courseText tells in words how training went; of names what was least in the
// epoch that was kept.
func courseText(c run.Course, d run.Division, r train.Record, of string) string {
	if len(r.Epochs) == 0 {
		return "No epoch was completed."
	}
	last := r.Epochs[len(r.Epochs)-1].Epoch
	text := ""
	switch r.Stopped {
	case "patience":
		text = fmt.Sprintf("It stopped after epoch %s of %s, because the error had not improved for %s.",
			whole(last), whole(c.Epochs), counted(c.Patience, "epoch"))
	case "epochs":
		text = fmt.Sprintf("It went %s through %s, as planned.", times(last), counted(d.Train, "image"))
	default:
		text = fmt.Sprintf("It ended after %s.", counted(last, "epoch"))
	}
	if c.Minutes > 0 {
		text += fmt.Sprintf(" The number of epochs was chosen so that training takes about %s min in all.", significant(rounded(c.Minutes, 2)))
	}
	if of == "" {
		return text + " The network kept is that of the last epoch."
	}
	if best := bestOf(r); best != nil {
		text += fmt.Sprintf(" The network kept is that of **epoch %s**, which had the least %s: %s.", whole(best.Epoch), of, significant(rounded(best.Validation, 3)))
	}
	return text
}
