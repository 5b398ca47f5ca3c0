package lab

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"hourglass/optim"
)

// batchnorm follows Ioffe & Szegedy 2015, section 4: one network with and
// without normalisation, at several learning rates.
func batchnorm() Experiment {
	return Experiment{
		Name:  "batchnorm",
		Title: "Batch normalisation",
		Claim: "With batch normalisation a network reaches the best held-out accuracy of the same network without it in at most half the steps, and bears higher learning rates, at which that one learns nothing; yet either can express what the other does.",
		Recipe: func(b *Bench) []Fact {
			s := b.batchnormSize()
			facts := b.imageFacts(len(b.Parts.Train), len(b.Parts.HeldOut))
			for _, body := range s.bodies {
				facts = append(facts, Fact{body.name + " network", body.about})
			}
			return append(facts,
				Fact{"training", fmt.Sprintf("%d steps of gradient descent on batches of %d at each of %d rates; with and without normalisation from the same weights through the same batches", s.steps, s.batch, len(s.rates))},
				Fact{"choice of the rate", "of each network, the one at which it learns fastest: with the highest validation accuracy, mean over all looks"},
				Fact{"learns", "ends with more than half of the highest held-out accuracy of all"})
		},
		Run:     runBatchnorm,
		Verdict: verdictBatchnorm,
		Minutes: 1.5,
	}
}

// normTrial is one network at one rate.
type normTrial struct {
	rate       float64
	normalised bool
	looks      int // that there are in a training that comes to its end
	steps      []float64
	heldOut    []float64 // accuracy at each look
	validation []float64
	diverged   int
	network    *network
	// What the last hidden layer's units get, before and after the
	// normalisation; the same without one.
	before, after unitCourse
}

func (t *normTrial) final() float64 {
	if t.diverged > 0 {
		return 0
	}
	return t.heldOut[len(t.heldOut)-1]
}

// reaches returns the first look's step with a held-out accuracy of at least
// target, NaN if there is none.
func (t *normTrial) reaches(target float64) float64 {
	for i, a := range t.heldOut {
		if a >= target {
			return t.steps[i]
		}
	}
	return math.NaN()
}

// kinds are the two sorts of a network, in the order of their colours.
var kinds = [2]string{"plain", "normalised"}

func runBatchnorm(b *Bench, r *Result) error {
	s := b.batchnormSize()
	work := 0.0
	for _, body := range s.bodies {
		work += body.cost * float64(len(kinds)*len(s.rates)*s.steps*s.batch)
	}
	b.Expect(work)
	heldOut, validation := b.pool(b.Parts.HeldOut), b.pool(b.Parts.Validation)
	rates := Table{
		Title: "Held-out accuracy at the end", Head: "learning rate", Note: "In percent. A dash stands for a network whose loss ceased to be a number.",
	}
	for _, rate := range s.rates {
		rates.Rows = append(rates.Rows, Row{Name: fmt.Sprintf("%g", rate)})
	}
	for _, body := range s.bodies {
		var trials [2][]*normTrial
		for kind := range kinds {
			for _, rate := range s.rates {
				t, err := s.try(b, body, kind == 1, rate, heldOut, validation)
				if err != nil {
					return err
				}
				trials[kind] = append(trials[kind], t)
			}
		}
		best := [2]*normTrial{chosen(trials[0]), chosen(trials[1])}
		reportSteps(r, body, best)
		reportRates(r, &rates, body, best[0].rate, trials)
		if err := reportExpressive(b, r, body, best, heldOut); err != nil {
			return err
		}
		if body.flat {
			reportUnit(r, body, best)
		}
	}
	r.Tables = append(r.Tables, rates)
	worst := max(r.Value("convolutional_ratio"), r.Value("dense_ratio"))
	r.Headline = Headline{"Batch norm: steps needed", fmt.Sprintf("%.2f", worst), "×", "the plain network’s, for its best held-out accuracy; the worse of two"}
	return nil
}

// chosen returns the trial that learnt fastest by its validation images.
func chosen(trials []*normTrial) *normTrial {
	return slices.MaxFunc(trials, func(a, b *normTrial) int { return cmp.Compare(a.pace(), b.pace()) })
}

// pace is the mean validation accuracy over the looks that there were to be; a
// network that broke down has none at those that did not come.
func (t *normTrial) pace() float64 {
	sum := 0.0
	for _, a := range t.validation {
		sum += a
	}
	return sum / float64(t.looks)
}

// try trains one network at one rate.
func (s batchnormSize) try(b *Bench, body normBody, normalised bool, rate float64, heldOut, validation pool) (*normTrial, error) {
	net := body.network(b.Classes(), normalised)
	n := b.newNetwork(net)
	last := body.linear()[len(body.layers)-1]
	before, after := n.function("before", net[:last+1]), n.function("after", net[:last+2])
	t := &normTrial{rate: rate, normalised: normalised, network: n, looks: 1 + s.steps/s.each}
	kind := kinds[0]
	if normalised {
		kind = kinds[1]
	}
	diverged, err := n.teach(lesson{
		name:  fmt.Sprintf("%s network, %s, rate %g", body.name, kind, rate),
		train: b.Parts.Train, batch: min(s.batch, len(b.Parts.Train)), steps: s.steps, every: s.each,
		rule: optim.Options{Rule: optim.SGD{}}, rate: rate, cost: body.cost,
		look: func(at look) error {
			h, err := n.judge(heldOut)
			if err != nil {
				return err
			}
			v, err := n.judge(validation)
			if err != nil {
				return err
			}
			t.steps = append(t.steps, float64(at.step))
			t.heldOut, t.validation = append(t.heldOut, h.accuracy), append(t.validation, v.accuracy)
			if at.step == 0 {
				return nil // the statistics of use are not those of any batch yet
			}
			values, err := n.run(before, validation)
			if err != nil {
				return err
			}
			t.before.observe(float64(at.step), values, unitCount(body))
			if values, err = n.run(after, validation); err != nil {
				return err
			}
			t.after.observe(float64(at.step), values, unitCount(body))
			return nil
		},
	})
	t.diverged = diverged
	return t, err
}

func reportSteps(r *Result, body normBody, best [2]*normTrial) {
	name := func(part string) string { return body.name + "_" + part }
	target := slices.Max(best[0].heldOut)
	plain, normalised := best[0].reaches(target), best[1].reaches(target)
	r.Set(name("plain_accuracy"), target, "", "highest held-out accuracy of the plain network at its rate")
	r.Set(name("plain_steps"), plain, "steps", "that it took for it")
	r.Set(name("plain_rate"), best[0].rate, "", "its rate, chosen on validation images")
	r.Set(name("normalised_accuracy"), slices.Max(best[1].heldOut), "", "highest held-out accuracy of the normalised network at its rate")
	r.Set(name("normalised_steps"), normalised, "steps", "that the normalised network took for the plain one's accuracy")
	r.Set(name("normalised_rate"), best[1].rate, "", "its rate, chosen on validation images")
	r.Set(name("ratio"), normalised/plain, "", "steps of the normalised network by those of the plain one")
	title := "Held-out accuracy, " + body.name + " network"
	if body.control {
		title = "For comparison: weights drawn with care"
	}
	p := Plot{
		Title: title,
		Note:  fmt.Sprintf("Each at the rate that its validation images chose. The dotted line is the best of the plain network, %s.", percent(target)),
		X:     Axis{Label: "steps"}, Y: Axis{Label: "held-out accuracy", Lo: max(0, target-0.4), Hi: min(1, target+0.1)},
		Lines: []RefLine{{Y: Number(target)}}, // the note names it: a name at the left would lie under the curves
	}
	for kind, t := range best {
		p.Series = append(p.Series, Series{Name: fmt.Sprintf("%s, rate %g", kinds[kind], t.rate), X: numbers(t.steps), Y: numbers(t.heldOut), Color: kind + 1})
	}
	r.Plots = append(r.Plots, p)
}

// reportRates adds the columns of a network to the table of rates, and counts
// those, above the plain network's own, that only the normalised one bears.
func reportRates(r *Result, table *Table, body normBody, plainRate float64, trials [2][]*normTrial) {
	best := 0.0
	for kind, list := range trials {
		table.Columns = append(table.Columns, Column{Head: body.name + ", " + kinds[kind], Decimals: 1, Best: "highest"})
		for i, t := range list {
			best = max(best, slices.Max(t.heldOut))
			v := 100 * t.final()
			if t.diverged > 0 {
				v = math.NaN()
			}
			table.Rows[i].Values = append(table.Rows[i].Values, Number(v))
		}
	}
	only := 0
	for i, plain := range trials[0] {
		if plain.rate > plainRate && plain.final() <= best/2 && trials[1][i].final() > best/2 {
			only++
			r.Set(fmt.Sprintf("%s_only_normalised_%d", body.name, only), plain.rate, "", "a rate above the plain network's own at which only the normalised one learns")
		}
	}
	r.Set(body.name+"_only_normalised", float64(only), "rates", "above the plain network's own at which only the normalised one learns")
}

// sameOutput is the relative difference of outputs up to which two networks
// are one function: what single precision leaves of sums over some layers.
const sameOutput = 1e-4

func verdictBatchnorm(r *Result) (string, bool) {
	holds := true
	var parts []string
	for _, name := range []string{"convolutional", "dense"} {
		text := "the " + name + " network without it " + stepsText(r, name)
		only := r.Value(name + "_only_normalised")
		switch only {
		case 0:
			text += ", and no higher rate is borne with it only"
		case 1:
			text += fmt.Sprintf(", and the higher rate %g is borne with it only", r.Value(name+"_only_normalised_1"))
		default:
			text += fmt.Sprintf(", and %.0f higher rates are borne with it only", only)
		}
		holds = holds && r.Value(name+"_ratio") <= 0.5 && only > 0
		parts = append(parts, text)
	}
	text := strings.Join(parts, "; ") + ". For comparison, the convolutional network with weights drawn with care " + stepsText(r, "careful") + "."
	apart, back := 0.0, 0.0
	for _, name := range []string{"convolutional", "dense", "careful"} {
		apart, back = max(apart, r.Value(name+"_folded_difference")), max(back, r.Value(name+"_given_difference"))
	}
	text += fmt.Sprintf(" Folded into the weights before it, normalisation changes no output by more than %.1g of the greatest; given to the plain network so that it undoes itself, by no more than %.1g.", apart, back)
	return text, holds && apart < sameOutput && back < sameOutput
}

// stepsText says how many steps a network takes without and with
// normalisation.
func stepsText(r *Result, name string) string {
	v := func(part string) float64 { return r.Value(name + "_" + part) }
	text := fmt.Sprintf("reaches %s in %.0f steps", percent(v("plain_accuracy")), v("plain_steps"))
	if math.IsNaN(v("normalised_steps")) {
		return text + fmt.Sprintf(", and with it never does: its best is %s", percent(v("normalised_accuracy")))
	}
	return text + fmt.Sprintf(" and with it in %.0f (%.2f of them)", v("normalised_steps"), v("ratio"))
}
