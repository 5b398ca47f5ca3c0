package lab

import (
	"fmt"
	"strings"

	"hourglass/data"
	"hourglass/data/augment"
	"hourglass/nn"
	"hourglass/optim"
)

// augmentation trains one network with each of several transformations, and
// shows each held-out images of every kind.
func augmentation() Experiment {
	return Experiment{
		Name:  "augmentation",
		Title: "Data augmentation",
		Claim: "Training on images that are changed at random raises the accuracy on held-out images that are changed in the same way: each transformation on its own kind of change.",
		Recipe: func(b *Bench) []Fact {
			s := b.augmentationSize()
			facts := append(b.imageFacts(len(s.train), len(b.Parts.HeldOut)),
				Fact{"network", fmt.Sprintf("two convolutions of %d and %d channels, a dense layer of %d, one of classes; rectifiers, He’s weights", s.width, 2*s.width, s.dense)},
				Fact{"training", fmt.Sprintf("Adam with one-cycle up to %g, %d steps on batches of %d, the same for each transformation; %s", s.rate, s.steps, s.batch, repetitions(s.repeats))})
			for _, c := range changes() {
				facts = append(facts, Fact{c.name, c.list + ": " + c.about})
			}
			return append(facts, Fact{"held-out images", "each changed once, by a draw of its own"})
		},
		Run:     runAugmentation,
		Verdict: verdictAugmentation,
		Minutes: 0.5,
	}
}

// change is a way to change images.
type change struct {
	name, done, list, about string
}

// changes are what is tried. Grey images are given three equal channels, so
// that recolouring tints them; turning the hue does something to colour only.
func changes() []change {
	return []change{
		{"shift", "shifted", "shift=5,border=zero", "by up to 5 pixels on each axis, black outside"},
		{"rotate", "rotated", "rotate=45,border=zero", "by up to 45 degrees, black outside"},
		{"darken", "darkened", "darken=0.9", "to between a tenth and all of the brightness"},
		{"recolour", "recoloured", "hue=0.5,colour=0.4", "any hue, and up to 0.4 of the range more or less of red, green and blue; grey images have three equal channels here, so that they are tinted"},
	}
}

type augmentationSize struct {
	train               []int
	width, dense, batch int
	steps, repeats      int
	rate                float64
}

func (b *Bench) augmentationSize() augmentationSize {
	s := pick(b.Scale,
		augmentationSize{width: 12, dense: 64, batch: 64, steps: 700, repeats: 1},
		augmentationSize{width: 48, dense: 256, batch: 64, steps: 8000, repeats: 3},
		augmentationSize{width: 2, dense: 4, batch: 8, steps: 4, repeats: 1})
	s.rate = 0.004
	s.train = b.Parts.Train
	s.batch = min(s.batch, len(s.train))
	return s
}

// coloured returns the bench with three channels to an image, equal ones where
// there was one.
func (b *Bench) coloured() *Bench {
	if b.Set.Channels == 3 {
		return b
	}
	set := new(data.Set)
	*set = *b.Set
	set.Channels = 3
	set.Pixels = make([]uint8, 3*len(b.Set.Pixels))
	for i, v := range b.Set.Pixels {
		set.Pixels[3*i], set.Pixels[3*i+1], set.Pixels[3*i+2] = v, v, v
	}
	c := new(Bench)
	*c = *b
	c.Set = set
	c.mean, c.scale = nil, nil
	for range 3 {
		c.mean, c.scale = append(c.mean, b.mean[0]), append(c.scale, b.scale[0])
	}
	return c
}

func runAugmentation(b *Bench, r *Result) error {
	s := b.augmentationSize()
	b = b.coloured()
	all := changes()
	b.Expect(float64((len(all) + 2) * s.repeats * s.steps * s.batch))
	tests, heads := []pool{b.pool(b.Parts.HeldOut)}, []string{"as they are"}
	var lists []string
	for k, c := range all {
		p, err := augment.Parse(c.list)
		if err != nil {
			return err
		}
		// The epoch keeps the draws apart from those of training.
		tests, heads, lists = append(tests, b.changed(b.Parts.HeldOut, &p, 1<<31+uint64(k))), append(heads, c.done), append(lists, c.list)
	}
	table := Table{Title: "Held-out accuracy", Head: "trained with", Note: "In percent. Columns are the held-out images, as they are and changed; the best of a column is set off."}
	for _, head := range heads {
		table.Columns = append(table.Columns, Column{Head: head, Decimals: 1, Best: "highest"})
	}
	names, augments := []string{"nothing"}, []string{"none"}
	for _, c := range all {
		names, augments = append(names, c.name), append(augments, c.list)
	}
	names, augments = append(names, "all of them"), append(augments, strings.Join(lists, ","))
	accuracies := make([][]float64, len(names)) // by training and by test
	for i, name := range names {
		accuracies[i] = make([]float64, len(tests))
		for repeat := range s.repeats {
			if err := s.try(b, name, augments[i], repeat, tests, accuracies[i]); err != nil {
				return err
			}
		}
		row := Row{Name: name}
		for _, a := range accuracies[i] {
			row.Values = append(row.Values, Number(100*a))
		}
		table.Rows = append(table.Rows, row)
	}
	r.Tables = append(r.Tables, table)
	for k, c := range all {
		without, with := accuracies[0][k+1], accuracies[k+1][k+1]
		r.Set(c.name+"_without", without, "", "accuracy on "+c.done+" held-out images, trained with nothing")
		r.Set(c.name+"_with", with, "", "the same, trained with "+c.name)
		r.Set(c.name+"_gain", with-without, "", "what "+c.name+" adds to it")
		r.Set(c.name+"_untouched", accuracies[k+1][0]-accuracies[0][0], "", "what "+c.name+" adds to the accuracy on untouched held-out images")
	}
	r.Set("untouched", accuracies[0][0], "", "accuracy on untouched held-out images, trained with nothing")
	worst, worstWithout := 1.0, 1.0
	for k := range tests {
		worst, worstWithout = min(worst, accuracies[len(names)-1][k]), min(worstWithout, accuracies[0][k])
	}
	r.Set("worst_without", worstWithout, "", "lowest accuracy over the kinds of held-out images, trained with nothing")
	r.Set("worst_with_all", worst, "", "the same, trained with all of them")
	gain := 0.0
	for _, c := range all {
		gain += r.Value(c.name+"_gain") / float64(len(all))
	}
	r.Set("mean_gain", gain, "", "what a transformation adds on its own kind of change, mean over all")
	r.Headline = Headline{"Augmentation: accuracy", fmt.Sprintf("%+.1f", 100*gain), "points", fmt.Sprintf("on its own kind of change, mean of %d", len(all))}
	r.Pictures = append(r.Pictures, b.gallery(tests, heads))
	return nil
}

// try trains one repetition and adds its share to the accuracies.
func (s augmentationSize) try(b *Bench, name, list string, repeat int, tests []pool, accuracies []float64) error {
	he := nn.InitKind(nn.InitHeNormal)
	n := b.newNetwork(nn.Sequential{
		nn.Conv{Out: s.width, Stride: 2, Init: he}, nn.ReLU{}, nn.Conv{Out: 2 * s.width, Stride: 2, Init: he}, nn.ReLU{},
		nn.Flatten{}, nn.Dense{Out: s.dense, Init: he}, nn.ReLU{}, nn.Dense{Out: b.Classes(), Init: he},
	})
	_, err := n.teach(lesson{
		name: fmt.Sprintf("with %s, repetition %d of %d", name, repeat+1, s.repeats), train: s.train, batch: s.batch,
		steps: s.steps, every: s.steps, rule: optim.Options{Rule: optim.Adam{}}, rate: s.rate, schedule: optim.OneCycle{},
		augment: list, repeat: uint64(repeat),
	})
	if err != nil {
		return err
	}
	for k, images := range tests {
		got, err := n.judge(images)
		if err != nil {
			return err
		}
		accuracies[k] += got.accuracy / float64(s.repeats)
	}
	return nil
}

// gallery shows the first held-out images of different classes in every kind.
func (b *Bench) gallery(tests []pool, heads []string) Pictures {
	p := Pictures{Title: "What the networks were judged by", Columns: heads}
	const most = 6
	seen := make(map[int32]bool)
	for i, label := range tests[0].labels {
		if seen[label] || len(p.Rows) == most {
			continue
		}
		seen[label] = true
		row := PictureRow{Name: b.Set.Classes[label], Height: b.Set.Height, Width: b.Set.Width, Channels: b.Set.Channels}
		for _, t := range tests {
			row.Images = append(row.Images, t.pixels[i*t.bytes:(i+1)*t.bytes])
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

func verdictAugmentation(r *Result) (string, bool) {
	var parts []string
	holds := true
	for _, c := range changes() {
		gain := r.Value(c.name + "_gain")
		holds = holds && gain > 0
		parts = append(parts, fmt.Sprintf("on %s images %s brings %s to %s (%s)", c.done, c.name,
			percent(r.Value(c.name+"_without")), percent(r.Value(c.name+"_with")), points(gain)))
	}
	text := strings.Join(parts, ", ") + fmt.Sprintf(". On untouched ones, %s without any, they add", percent(r.Value("untouched")))
	for i, c := range changes() {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprintf(" %s (%s)", points(r.Value(c.name+"_untouched")), c.name)
	}
	text += "."
	return text, holds
}
