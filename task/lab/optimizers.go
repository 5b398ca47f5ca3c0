package lab

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"hourglass/nn"
	"hourglass/optim"
)

// optimizers compares update rules, each at its best rate of a grid, and
// batches of all images with small ones.
func optimizers() Experiment {
	return Experiment{
		Name:  "optimizers",
		Title: "Update rules and batches",
		Claim: "Momentum, Adagrad, RMSProp and Adam, each at its best rate, bring the training loss to where gradient descent ends in fewer steps; and with the same number of looks at every image, small batches bring it lower than full ones.",
		Recipe: func(b *Bench) []Fact {
			s := b.optimizersSize()
			return append(b.imageFacts(len(b.Parts.Train), len(b.Parts.HeldOut)),
				Fact{"network", fmt.Sprintf("two convolutions of %d and %d channels, a dense layer of %d, one of classes; rectifiers, He’s weights", s.width, 2*s.width, s.dense)},
				Fact{"rules", fmt.Sprintf("%d steps on batches of %d at each rate of a grid, constant, from the same weights through the same batches", s.steps, s.batch)},
				Fact{"batches", fmt.Sprintf("gradient descent, %d looks at each of %d images, in batches of %d and of all, each at its best rate of a grid", s.passes, len(s.few), s.batch)},
				Fact{"choice of the rate", "the one with the lowest validation loss at the end"})
		},
		Run:     runOptimizers,
		Verdict: verdictOptimizers,
		Minutes: 0.6,
	}
}

type optimizersSize struct {
	width, dense, batch int
	steps, every        int
	passes              int   // through few
	few                 []int // images for full and small batches
}

func (b *Bench) optimizersSize() optimizersSize {
	s := pick(b.Scale,
		optimizersSize{width: 8, dense: 64, batch: 64, steps: 500, every: 20, passes: 20},
		optimizersSize{width: 32, dense: 256, batch: 64, steps: 5000, every: 50, passes: 60},
		optimizersSize{width: 2, dense: 4, batch: 8, steps: 6, every: 2, passes: 2})
	s.few = some(b.Parts.Train, pick(b.Scale, 2048, 8192, 16))
	s.batch = min(s.batch, len(s.few))
	return s
}

// ruleGrid is an update rule with the rates that it is tried at.
type ruleGrid struct {
	name, key string
	rule      optim.Rule
	rates     []float64
}

func ruleGrids() []ruleGrid {
	return []ruleGrid{
		{"gradient descent", "sgd", optim.SGD{}, []float64{0.03, 0.1, 0.3, 1}},
		{"momentum 0.9", "momentum", optim.SGD{Momentum: 0.9}, []float64{0.003, 0.01, 0.03, 0.1}},
		{"Adagrad", "adagrad", optim.Adagrad{}, []float64{0.003, 0.01, 0.03, 0.1}},
		{"RMSProp", "rmsprop", optim.RMSProp{}, []float64{0.0003, 0.001, 0.003, 0.01}},
		{"Adam", "adam", optim.Adam{}, []float64{0.0003, 0.001, 0.003, 0.01}},
	}
}

// batchRates are those that gradient descent on batches of either size is
// tried at.
func batchRates() []float64 { return []float64{0.01, 0.03, 0.1, 0.3} }

// ruleTrial is one rule at one rate.
type ruleTrial struct {
	rate       float64
	steps      []float64
	seconds    []float64
	losses     []float64 // of training
	validation float64   // loss at the end, NaN if it diverged
	heldOut    score
	diverged   bool
}

func (t *ruleTrial) last() float64 {
	if t.diverged || len(t.losses) == 0 {
		return math.NaN()
	}
	return t.losses[len(t.losses)-1]
}

func (s optimizersSize) network(classes int) nn.Layer {
	he := nn.InitKind(nn.InitHeNormal)
	return nn.Sequential{
		nn.Conv{Out: s.width, Stride: 2, Init: he}, nn.ReLU{}, nn.Conv{Out: 2 * s.width, Stride: 2, Init: he}, nn.ReLU{},
		nn.Flatten{}, nn.Dense{Out: s.dense, Init: he}, nn.ReLU{}, nn.Dense{Out: classes, Init: he},
	}
}

func runOptimizers(b *Bench, r *Result) error {
	s := b.optimizersSize()
	grids := ruleGrids()
	work := 2 * len(batchRates()) * s.passes * len(s.few)
	for _, g := range grids {
		work += len(g.rates) * s.steps * s.batch
	}
	b.Expect(float64(work))
	if err := s.compareRules(b, r, grids); err != nil {
		return err
	}
	if err := s.compareBatches(b, r); err != nil {
		return err
	}
	r.Headline = Headline{"Adam: steps needed", fmt.Sprintf("%.2f", r.Value("adam_steps")/r.Value("sgd_steps")), "×", "gradient descent’s, for the training loss at which that ends"}
	return nil
}

// try trains once. Losses are those of the batches, or of a pool of images
// where there is one.
func (s optimizersSize) try(b *Bench, l lesson, images *pool, validation, heldOut pool) (*ruleTrial, error) {
	t := &ruleTrial{rate: l.rate}
	n := b.newNetwork(s.network(b.Classes()))
	l.look = func(at look) error {
		loss := at.loss
		if images != nil {
			got, err := n.judge(*images)
			if err != nil {
				return err
			}
			loss = got.loss
		} else if at.step == 0 {
			return nil
		}
		t.steps, t.seconds, t.losses = append(t.steps, float64(at.step)), append(t.seconds, at.seconds), append(t.losses, loss)
		return nil
	}
	diverged, err := n.teach(l)
	if err != nil {
		return nil, err
	}
	t.diverged, t.validation = diverged > 0, math.NaN()
	if t.diverged {
		return t, nil
	}
	v, err := n.judge(validation)
	if err != nil {
		return nil, err
	}
	t.validation = v.loss
	t.heldOut, err = n.judge(heldOut)
	return t, err
}

// bestRate returns the trial with the lowest validation loss.
func bestRate(trials []*ruleTrial) *ruleTrial {
	return slices.MinFunc(trials, func(a, b *ruleTrial) int {
		if math.IsNaN(a.validation) != math.IsNaN(b.validation) {
			return -cmp.Compare(a.validation, b.validation) // what is no number is worst
		}
		return cmp.Compare(a.validation, b.validation)
	})
}

func (s optimizersSize) compareRules(b *Bench, r *Result, grids []ruleGrid) error {
	validation, heldOut := b.pool(b.Parts.Validation), b.pool(b.Parts.HeldOut)
	var all [][]*ruleTrial
	var best []*ruleTrial
	for _, g := range grids {
		var trials []*ruleTrial
		for _, rate := range g.rates {
			t, err := s.try(b, lesson{
				name: fmt.Sprintf("%s, rate %g", g.name, rate), train: b.Parts.Train, batch: s.batch, steps: s.steps, every: s.every,
				rule: optim.Options{Rule: g.rule}, rate: rate,
			}, nil, validation, heldOut)
			if err != nil {
				return err
			}
			trials = append(trials, t)
		}
		all, best = append(all, trials), append(best, bestRate(trials))
	}
	bySteps := Plot{Title: "Training loss against steps", Note: fmt.Sprintf("Mean over %d batches, each rule at its best rate.", s.every),
		X: Axis{Label: "steps"}, Y: Axis{Label: "training loss", Log: true}}
	bySeconds := Plot{Title: "Training loss against seconds", Note: "The same on this machine, whose other work disturbs it.", X: Axis{Label: "seconds in steps"}, Y: Axis{Label: "training loss", Log: true}, Time: true}
	end := Table{Title: "Each rule at its best rate", Head: "rule", Columns: []Column{
		{Head: "rate", Decimals: 4}, {Head: "steps to gradient descent’s end", Decimals: 0, Best: "lowest"}, {Head: "training loss", Decimals: 3, Best: "lowest"},
		{Head: "held-out loss", Decimals: 3, Best: "lowest"}, {Head: "held-out accuracy, %", Decimals: 1, Best: "highest"}, {Head: "ms a step", Decimals: 2, Best: "lowest", Time: true}}}
	target := best[0].last()
	for i, g := range grids {
		t := best[i]
		steps := math.NaN()
		if at := slices.IndexFunc(t.losses, func(l float64) bool { return l <= target }); at >= 0 && !t.diverged {
			steps = t.steps[at]
		}
		r.Set(g.key+"_rate", t.rate, "", g.name+": the rate that its validation images chose")
		r.Set(g.key+"_loss", t.last(), "nats", g.name+": training loss at the end")
		r.Set(g.key+"_steps", steps, "steps", g.name+": steps to the training loss at which gradient descent ends")
		r.Set(g.key+"_accuracy", t.heldOut.accuracy, "", g.name+": held-out accuracy at the end")
		name := fmt.Sprintf("%s, %g", g.name, t.rate)
		bySteps.Series = append(bySteps.Series, Series{Name: name, X: numbers(t.steps), Y: numbers(t.losses)})
		bySeconds.Series = append(bySeconds.Series, Series{Name: name, X: numbers(t.seconds), Y: numbers(t.losses)})
		ms := math.NaN()
		if n := len(t.steps); n > 0 {
			ms = 1000 * t.seconds[n-1] / t.steps[n-1]
		}
		end.Rows = append(end.Rows, Row{g.name, numbers([]float64{t.rate, steps, t.last(), t.heldOut.loss, 100 * t.heldOut.accuracy, ms})})
	}
	r.Plots = append(r.Plots, bySteps, bySeconds)
	names := make([]string, len(grids))
	for i := range grids {
		names[i] = grids[i].name
	}
	r.Tables = append(r.Tables, end, gridTable("Validation loss over the grids of rates", "rule", names, all))
	return nil
}

// gridTable shows the validation losses of all trials.
func gridTable(title, head string, names []string, all [][]*ruleTrial) Table {
	var rates []float64
	for _, trials := range all {
		for _, t := range trials {
			rates = append(rates, t.rate)
		}
	}
	slices.Sort(rates)
	rates = slices.Compact(rates)
	table := Table{Title: title, Head: head, Note: "The rate with the lowest in a row is the one taken. A dash stands where a rate was not tried, or the loss ceased to be a number."}
	for _, rate := range rates {
		table.Columns = append(table.Columns, Column{Head: fmt.Sprintf("%g", rate), Decimals: 3})
	}
	for i, trials := range all {
		row := Row{Name: names[i], Values: make([]Number, len(rates))}
		for k := range row.Values {
			row.Values[k] = Number(math.NaN())
		}
		for _, t := range trials {
			row.Values[slices.Index(rates, t.rate)] = Number(t.validation)
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// compareBatches runs gradient descent on few images, in small batches and in
// full ones.
func (s optimizersSize) compareBatches(b *Bench, r *Result) error {
	validation, heldOut, images := b.pool(b.Parts.Validation), b.pool(b.Parts.HeldOut), b.pool(s.few)
	byPasses := Plot{Title: "Full and small batches: loss against looks at every image", Note: "Gradient descent, each size at its best rate; loss over all images learnt from.", X: Axis{Label: "looks at every image"}, Y: Axis{Label: "training loss", Log: true}}
	bySeconds := Plot{Title: "Full and small batches: loss against seconds", X: Axis{Label: "seconds in steps"}, Y: Axis{Label: "training loss", Log: true}, Time: true}
	var all [][]*ruleTrial
	var names []string
	for _, size := range []struct {
		key   string
		batch int
	}{{"small", s.batch}, {"full", len(s.few)}} {
		perPass := len(s.few) / size.batch
		name := fmt.Sprintf("batches of %d", size.batch)
		var trials []*ruleTrial
		for _, rate := range batchRates() {
			t, err := s.try(b, lesson{
				name: fmt.Sprintf("%s, rate %g", name, rate), train: s.few, batch: size.batch, steps: s.passes * perPass, every: perPass,
				rule: optim.Options{Rule: optim.SGD{}}, rate: rate,
			}, &images, validation, heldOut)
			if err != nil {
				return err
			}
			trials = append(trials, t)
		}
		t := bestRate(trials)
		r.Set(size.key+"_batch", float64(size.batch), "images", "in a "+size.key+" batch")
		r.Set(size.key+"_batch_rate", t.rate, "", "its rate, chosen on validation images")
		r.Set(size.key+"_batch_loss", t.last(), "nats", fmt.Sprintf("training loss after %d looks at every image in %s batches", s.passes, size.key))
		r.Set(size.key+"_batch_accuracy", t.heldOut.accuracy, "", "held-out accuracy then")
		passes := make([]float64, len(t.steps))
		for i := range passes {
			passes[i] = t.steps[i] / float64(perPass)
		}
		label := fmt.Sprintf("%s, rate %g", name, t.rate)
		byPasses.Series = append(byPasses.Series, Series{Name: label, X: numbers(passes), Y: numbers(t.losses)})
		bySeconds.Series = append(bySeconds.Series, Series{Name: label, X: numbers(t.seconds), Y: numbers(t.losses)})
		all, names = append(all, trials), append(names, name)
	}
	r.Set("passes", float64(s.passes), "", "looks at every image")
	r.Plots = append(r.Plots, byPasses, bySeconds)
	r.Tables = append(r.Tables, gridTable("Validation loss over the grid of rates, full and small batches", "gradient descent", names, all))
	return nil
}

func verdictOptimizers(r *Result) (string, bool) {
	v := r.Value
	var fewer []string
	holds := true
	for _, g := range ruleGrids()[1:] {
		steps := v(g.key + "_steps")
		if !(steps < v("sgd_steps")) {
			holds = false
		}
		text := fmt.Sprintf("%s in %.0f", g.name, steps)
		if math.IsNaN(steps) {
			text = g.name + " never"
		}
		fewer = append(fewer, text)
	}
	holds = holds && v("small_batch_loss") < v("full_batch_loss")
	text := fmt.Sprintf("gradient descent takes %.0f steps to a training loss of %.3f; there gets %s. After %.0f looks at every image, gradient descent has a training loss of %.3f in batches of %.0f and of %.3f in batches of all %.0f.",
		v("sgd_steps"), v("sgd_loss"), strings.Join(fewer, ", "), v("passes"), v("small_batch_loss"), v("small_batch"), v("full_batch_loss"), v("full_batch"))
	return text, holds
}
