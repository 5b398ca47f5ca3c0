package lab

import (
	"fmt"
	"math"
	"slices"

	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/optim"
	"hourglass/tensor"
)

// dropout follows Srivastava et al. 2014, sections 7.3 and 7.5: too few images
// for a network that can learn them by heart.
func dropout() Experiment {
	return Experiment{
		Name:  "dropout",
		Title: "Dropout",
		Claim: "Dropout narrows the gap between training and held-out loss on a small training set, and the whole network at test time comes nearer to the average of many networks with dropped units than to one of them.",
		Recipe: func(b *Bench) []Fact {
			s := b.dropoutSize()
			return append(b.imageFacts(len(s.train), len(b.Parts.HeldOut)),
				Fact{"network", fmt.Sprintf("two convolutions of %d and %d channels, a dense layer of %d with dropout of rate p, one of classes; rectifiers, He’s weights", s.width, 2*s.width, s.dense)},
				Fact{"training", fmt.Sprintf("Adam at %g, %d steps on batches of %d, for each p; %s with other weights, batches and masks", s.rate, s.steps, s.batch, repetitions(s.repeats))},
				Fact{"gap", "held-out loss less training loss at the end, both with the whole network"},
				Fact{"average of networks", fmt.Sprintf("mean of the class probabilities over up to %d masks at p = 0.5", s.masks[len(s.masks)-1])})
		},
		Run:     runDropout,
		Verdict: verdictDropout,
		Minutes: 0.8,
	}
}

type dropoutSize struct {
	train               []int
	width, dense, batch int
	steps, every        int
	repeats             int
	rate                float64
	drops               []float64
	masks               []int // numbers of networks that are averaged
}

// averagedDrop is the p of the networks that are averaged.
const averagedDrop = 0.5

func (b *Bench) dropoutSize() dropoutSize {
	s := pick(b.Scale,
		dropoutSize{width: 12, dense: 256, batch: 50, steps: 600, every: 100, repeats: 2, masks: []int{1, 2, 4, 8, 16, 32, 64}},
		dropoutSize{width: 32, dense: 512, batch: 50, steps: 4000, every: 200, repeats: 5, masks: []int{1, 2, 4, 8, 16, 32, 64, 128, 256}},
		dropoutSize{width: 2, dense: 8, batch: 10, steps: 6, every: 3, repeats: 1, masks: []int{1, 2}})
	s.rate = 0.001
	s.drops = pick(b.Scale, []float64{0, 0.2, 0.4, 0.5, 0.6, 0.8}, []float64{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}, []float64{0, 0.5})
	s.train = some(b.Parts.Train, pick(b.Scale, 500, 1000, 20))
	s.batch = min(s.batch, len(s.train))
	return s
}

func (s dropoutSize) network(classes int, drop float64) nn.Layer {
	he := nn.InitKind(nn.InitHeNormal)
	return nn.Sequential{
		nn.Conv{Out: s.width, Stride: 2, Init: he}, nn.ReLU{}, nn.Conv{Out: 2 * s.width, Stride: 2, Init: he}, nn.ReLU{},
		nn.Flatten{}, nn.Dense{Out: s.dense, Init: he}, nn.ReLU{}, nn.Dropout{Rate: drop}, nn.Dense{Out: classes, Init: he},
	}
}

// dropTrial is the mean over the repetitions of one p.
type dropTrial struct {
	drop           float64
	steps          []float64
	train, heldOut []score // at each look
}

func (t *dropTrial) last() (train, heldOut score) {
	return t.train[len(t.train)-1], t.heldOut[len(t.heldOut)-1]
}

func (t *dropTrial) gap() float64 {
	train, heldOut := t.last()
	return heldOut.loss - train.loss
}

func runDropout(b *Bench, r *Result) error {
	s := b.dropoutSize()
	averaging := float64(s.masks[len(s.masks)-1]) * float64(len(b.Parts.HeldOut)) / 4 // a pass forward is cheaper
	b.Expect(float64(len(s.drops)*s.repeats*s.steps*s.batch) + averaging)
	train, heldOut := b.pool(s.train), b.pool(b.Parts.HeldOut)
	var trials []*dropTrial
	for _, drop := range s.drops {
		t := &dropTrial{drop: drop}
		for repeat := range s.repeats {
			n, err := s.try(b, t, repeat, train, heldOut)
			if err != nil {
				return err
			}
			if drop == averagedDrop && repeat == 0 {
				if err := s.average(b, r, n, heldOut, averaging); err != nil {
					return err
				}
			}
		}
		trials = append(trials, t)
	}
	reportDropout(r, trials)
	return nil
}

// try trains one repetition and adds its share to the means.
func (s dropoutSize) try(b *Bench, t *dropTrial, repeat int, train, heldOut pool) (*network, error) {
	n := b.newNetwork(s.network(b.Classes(), t.drop))
	at := 0
	_, err := n.teach(lesson{
		name: fmt.Sprintf("p = %g, repetition %d of %d", t.drop, repeat+1, s.repeats), train: s.train, batch: s.batch,
		steps: s.steps, every: s.every, rule: optim.Options{Rule: optim.Adam{}}, rate: s.rate, repeat: uint64(repeat),
		look: func(now look) error {
			if repeat == 0 {
				t.steps, t.train, t.heldOut = append(t.steps, float64(now.step)), append(t.train, score{}), append(t.heldOut, score{})
			}
			for _, side := range []struct {
				images pool
				mean   *score
			}{{train, &t.train[at]}, {heldOut, &t.heldOut[at]}} {
				got, err := n.judge(side.images)
				if err != nil {
					return err
				}
				side.mean.loss += got.loss / float64(s.repeats)
				side.mean.accuracy += got.accuracy / float64(s.repeats)
			}
			at++
			return nil
		},
	})
	return n, err
}

// average compares the whole network with the mean of many with dropped units.
func (s dropoutSize) average(b *Bench, r *Result, n *network, heldOut pool, work float64) error {
	most := s.masks[len(s.masks)-1]
	step := tensor.New(tensor.Int32)
	masked := b.Engine.NewFunction("masked", n.store, func(g *graph.Builder, batch int) {
		images := g.Input("images", tensor.Uint8, batch, b.Set.Height, b.Set.Width, b.Set.Channels)
		number := g.Input("step", tensor.Int32)
		c := nn.NewContext(g, nn.Options{Training: true, Step: number, Seed: b.Seed})
		g.Output("probabilities", g.Softmax(c.Layer(scope, n.net, b.inputs(images))))
	})
	whole, err := n.judge(heldOut)
	if err != nil {
		return err
	}
	classes := b.Classes()
	sum := make([]float32, heldOut.len()*classes)
	logs := make([]float32, len(sum))
	var accuracy, loss []float64
	for mask := range most {
		step.Int32()[0] = int32(mask)
		p, err := n.run(masked, heldOut, step)
		if err != nil {
			return err
		}
		for i, v := range p {
			sum[i] += v
		}
		if err := b.Advance(work/float64(most), fmt.Sprintf("averaging, mask %d of %d", mask+1, most)); err != nil {
			return err
		}
		if slices.Contains(s.masks, mask+1) {
			for i, v := range sum {
				logs[i] = float32(math.Log(max(float64(v)/float64(mask+1), 1e-30)))
			}
			got := scoreOf(logs, heldOut.labels)
			accuracy, loss = append(accuracy, got.accuracy), append(loss, got.loss)
		}
	}
	last := len(loss) - 1
	r.Set("whole_loss", whole.loss, "nats", "held-out loss of the whole network at p = 0.5")
	r.Set("whole_accuracy", whole.accuracy, "", "its held-out accuracy")
	r.Set("single_loss", loss[0], "nats", "held-out loss of one network with dropped units")
	r.Set("single_accuracy", accuracy[0], "", "its held-out accuracy")
	r.Set("averaged", float64(most), "networks", "with dropped units that were averaged")
	r.Set("averaged_loss", loss[last], "nats", "held-out loss of their average")
	r.Set("averaged_accuracy", accuracy[last], "", "its held-out accuracy")
	note := "Class probabilities averaged over as many masks, at p = 0.5; the line is the whole network, whose weights need no change because units that were kept were made larger in training."
	r.Plots = append(r.Plots,
		Plot{Title: "One network or the average of many: loss", Note: note, X: Axis{Label: "networks averaged", Log: true}, Y: Axis{Label: "held-out loss"},
			Series: []Series{{Name: "average", X: numbers(s.masks), Y: numbers(loss), Color: 3}}, Lines: []RefLine{{"whole network", Number(whole.loss)}}},
		Plot{Title: "One network or the average of many: accuracy", X: Axis{Label: "networks averaged", Log: true}, Y: Axis{Label: "held-out accuracy"},
			Series: []Series{{Name: "average", X: numbers(s.masks), Y: numbers(accuracy), Color: 3}}, Lines: []RefLine{{"whole network", Number(whole.accuracy)}}})
	return nil
}

func reportDropout(r *Result, trials []*dropTrial) {
	table := Table{Title: "At the end of training", Head: "p", Columns: []Column{
		{Head: "training loss", Decimals: 3}, {Head: "held-out loss", Decimals: 3, Best: "lowest"}, {Head: "gap", Decimals: 3, Best: "lowest"},
		{Head: "training accuracy, %", Decimals: 1}, {Head: "held-out accuracy, %", Decimals: 1, Best: "highest"},
	}}
	var drops, train, heldOut, gaps []float64
	for _, t := range trials {
		a, z := t.last()
		drops, train, heldOut, gaps = append(drops, t.drop), append(train, a.loss), append(heldOut, z.loss), append(gaps, t.gap())
		table.Rows = append(table.Rows, Row{fmt.Sprintf("%g", t.drop), numbers([]float64{a.loss, z.loss, t.gap(), 100 * a.accuracy, 100 * z.accuracy})})
		r.Set(fmt.Sprintf("gap_%g", t.drop), t.gap(), "nats", fmt.Sprintf("held-out less training loss at p = %g", t.drop))
		r.Set(fmt.Sprintf("heldout_accuracy_%g", t.drop), z.accuracy, "", fmt.Sprintf("held-out accuracy at p = %g", t.drop))
	}
	narrower, at := 0, 0
	for i, g := range gaps {
		if g < gaps[0] {
			narrower++
		}
		if g < gaps[at] {
			at = i
		}
	}
	r.Set("gap_without", gaps[0], "nats", "the gap without dropout")
	r.Set("gap_least", gaps[at], "nats", "the narrowest gap")
	r.Set("gap_least_p", drops[at], "", "its p")
	r.Set("rates_narrower", float64(narrower), "", "rates p with a narrower gap than without dropout")
	r.Set("rates", float64(len(gaps)-1), "", "rates p above 0 that were tried")
	r.Headline = Headline{"Dropout: gap of losses", fmt.Sprintf("%.2f", gaps[at]), "nats", fmt.Sprintf("%.2f without, held-out less training loss", gaps[0])}
	r.Tables = append(r.Tables, table)
	course := func(title string, side func(*dropTrial) []score) Plot {
		p := Plot{Title: title, X: Axis{Label: "steps"}, Y: Axis{Label: "loss"}}
		for i, t := range trials {
			if len(trials) > 6 && i%2 == 1 {
				continue // as many lines as can be told apart
			}
			var y []float64
			for _, at := range side(t) {
				y = append(y, at.loss)
			}
			p.Series = append(p.Series, Series{Name: fmt.Sprintf("p = %g", t.drop), X: numbers(t.steps), Y: numbers(y)})
		}
		return p
	}
	r.Plots = slices.Concat([]Plot{
		{Title: "Loss against the share of units dropped", Note: "At the end of training. The gap is the distance between the lines.", X: Axis{Label: "p"}, Y: Axis{Label: "loss"},
			Series: []Series{{Name: "held out", X: numbers(drops), Y: numbers(heldOut), Color: 1}, {Name: "training", X: numbers(drops), Y: numbers(train), Color: 2}}},
		course("Held-out loss during training", func(t *dropTrial) []score { return t.heldOut }),
	}, r.Plots)
}

func verdictDropout(r *Result) (string, bool) {
	v := r.Value
	text := fmt.Sprintf("without dropout the held-out loss is %.2f above the training loss; %.0f of %.0f rates narrow this gap, most of all p = %g, to %.2f. ",
		v("gap_without"), v("rates_narrower"), v("rates"), v("gap_least_p"), v("gap_least"))
	text += fmt.Sprintf("The whole network at p = 0.5 has a held-out loss of %.3f (%s), the average of %.0f with dropped units %.3f (%s), and one of those %.3f (%s).",
		v("whole_loss"), percent(v("whole_accuracy")), v("averaged"), v("averaged_loss"), percent(v("averaged_accuracy")), v("single_loss"), percent(v("single_accuracy")))
	narrows := v("rates_narrower") == v("rates") && v("gap_least") < v("gap_without")
	// As good as the average: nearer to it than to a single one of them.
	near := math.Abs(v("whole_loss")-v("averaged_loss")) < math.Abs(v("single_loss")-v("averaged_loss"))
	return text, narrows && near
}
