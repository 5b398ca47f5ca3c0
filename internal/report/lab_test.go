package report

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"hourglass/task/lab"
	"hourglass/train/run"
)

// labSession is a session of two experiments, one of which found against its
// claim, with every kind of exhibit and numbers that are none.
func labSession() (*lab.Summary, []*lab.Result) {
	nan := lab.Number(math.NaN())
	results := []*lab.Result{{
		Name: "first", Title: "First <trick>", Claim: "It helps.", Holds: true, Verdict: "As claimed: it helps by 3.0 points.",
		Recipe:   []lab.Fact{{Key: "network", Value: "one & only"}},
		Headline: lab.Headline{Label: "Trick", Value: "-3.0", Unit: "points", Note: "0 without"},
		Figures:  []lab.Figure{{Name: "gain", Value: 0.03, About: "what it adds"}, {Name: "none", Value: nan, Unit: "steps", About: "what never came"}},
		Plots: []lab.Plot{{Title: "Curve", Note: "of `steps`", X: lab.Axis{Label: "steps", Log: true}, Y: lab.Axis{Label: "accuracy", Hi: 1},
			Series: []lab.Series{{Name: "with", X: []lab.Number{1, 10, 100}, Y: []lab.Number{0.1, nan, 0.3}, Dashed: true, Color: 2}, {Name: "once", X: []lab.Number{10}, Y: []lab.Number{0.2}, Points: true}},
			Lines:  []lab.RefLine{{Name: "target", Y: 0.25}}}},
		Tables: []lab.Table{{Title: "Rates", Head: "rate", Columns: []lab.Column{{Head: "plain", Decimals: 1, Best: "highest"}, {Head: "loss", Decimals: 2, Best: "lowest"}},
			Rows: []lab.Row{{Name: "0.1", Values: []lab.Number{80, nan}}, {Name: "1", Values: []lab.Number{10, 2.5}}}}},
		Pictures: []lab.Pictures{{Title: "Seen", Columns: []string{"as is", "dark"}, Rows: []lab.PictureRow{{Name: "boot", Height: 1, Width: 2, Channels: 1, Images: [][]byte{{1, 2}, {0, 1}}}}}},
		Seconds:  12,
	}, {
		Name: "second", Title: "Second trick", Claim: "It helps too.", Verdict: "Not all as claimed: it does not.",
		Headline: lab.Headline{Label: "Other", Value: "1.00", Note: "as before"}, Figures: []lab.Figure{{Name: "x", Value: 1, About: "x"}},
	}}
	return &lab.Summary{
		Source: "data/<fashion>", Images: 100, Height: 28, Width: 28, Channels: 1, Classes: []string{"a", "b"},
		Division: run.Division{Train: 70, Validation: 10, HeldOut: 20}, Setting: lab.Setting{Fingerprint: "f0", Scale: "quick", Seed: 1, ISA: "avx2"},
		Command: "hourglass lab --seed 1 --out runs/lab", Experiments: results, Missing: []string{"third"}, Seconds: 30,
	}, results
}

func TestLab(t *testing.T) {
	s, results := labSession()
	golden(t, Lab(s, results), "lab.html")
	var page bytes.Buffer
	if err := Lab(s, results).Render(&page); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 experiments on &lt;fashion&gt;", "1 of 2 hold", "First &lt;trick&gt;", "It helps by 3.0 points.", "Not all as claimed", "It does not.", "third", "−3.0"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page.String(), "NaN") {
		t.Error("the page shows a number that is none")
	}
}

// A file of an experiment may hold anything.
func TestLabRefusesContradictions(t *testing.T) {
	s, results := labSession()
	results[0].Tables[0].Rows[0].Values = make([]lab.Number, 9)
	var page bytes.Buffer
	if err := Lab(s, results).Render(&page); err == nil || !strings.Contains(err.Error(), "Rates") {
		t.Errorf("a row that is too long: %v", err)
	}
	s, results = labSession()
	results[0].Pictures[0].Rows[0].Images[1] = []byte{1}
	if err := Lab(s, results).Render(&page); err == nil || !strings.Contains(err.Error(), "Seen") {
		t.Errorf("a picture that is too short: %v", err)
	}
	if err := Lab(&lab.Summary{}, nil).Render(&page); err != nil {
		t.Errorf("a session without experiments: %v", err)
	}
}
