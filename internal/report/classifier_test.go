package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hourglass/task/classify"
	"hourglass/train"
	"hourglass/train/run"
)

// toldApart is a small run of a classifier, as a real one fills it in.
func toldApart() (*classify.Summary, *classify.Evidence) {
	const side = 6
	s := &classify.Summary{
		Config: classify.Config{
			Common: run.Common{
				Images:   run.Images{Source: "photos/<shapes>.zip", Fingerprint: "0123", Height: side, Width: side, Channels: 1},
				Course:   run.Course{Epochs: 3, Batch: 8, Optimizer: "adam", LR: 0.003, Schedule: "onecycle", Patience: 10, Seed: 7, Augment: "flip=0.5", Precision: "bf16"},
				Division: run.Division{Train: 1140, Validation: 60, HeldOut: 300}, ISA: "avx2",
			},
			Classes: []string{"disc", "ring", "<b>square</b>"}, Recipe: "lecture", Dropout: 0.5, TTA: "mirror", ClassWeights: "none",
		},
		Command: "hourglass train classify photos/shapes.zip --seed 7", Found: 1502, Views: 2,
		Skipped:    []run.Skipped{{Name: "a/b.jpg", Reason: "cut short"}, {Name: "c.png", Reason: "is text"}},
		Warnings:   []string{"the decoded images could not be kept for the next time: disk full"},
		Parameters: 4321, MACs: 98_765,
		Training: train.Record{BestEpoch: 2, Stopped: "epochs", Epochs: []train.Epoch{
			{Epoch: 1, Loss: 0.8, Validation: 0.5, Score: ptr(0.7), LR: 0.003},
			{Epoch: 2, Loss: 0.3, Validation: 0.21, Score: ptr(0.9), LR: 0.0015},
		}},
		HeldOut: classify.Evaluation{
			Scores: classify.Scores{Accuracy: 0.91, Top5: 1, Loss: 0.31}, Images: 300,
			Classes: []classify.ClassScore{
				{Class: "disc", Images: 100, Precision: 0.9, Recall: 0.95}, {Class: "ring", Images: 100, Precision: 0.92, Recall: 0.9},
				{Class: "<b>square</b>", Images: 100, Precision: 0.91, Recall: 0.88}},
			Confusion: [][]int{{95, 3, 2}, {4, 90, 6}, {7, 5, 88}},
			Confused:  []classify.Confusion{{Class: "<b>square</b>", Answer: "disc", Images: 7}, {Class: "ring", Answer: "<b>square</b>", Images: 6}},
			Calibration: classify.Calibration{Temperature: 1.31, ECE: 0.012, Uncalibrated: 0.045,
				Bins: []classify.Bin{{Confidence: 0.6, Accuracy: 0.58, Images: 40}, {Confidence: 0.95, Accuracy: 0.96, Images: 260}}},
		},
		Seconds: run.Times{Read: 0.1, Train: 9.5, Judge: 1.2}, ImagesPerS: 358.7, PeakBytes: 123_456_789,
	}
	r := rand.New(rand.NewPCG(1, 2))
	e := &classify.Evidence{Filters: &classify.Filters{Height: 3, Width: 3, Channels: 1, Count: 9, Weights: make([]float32, 81)}}
	for i := range e.Filters.Weights {
		e.Filters.Weights[i] = float32(i % 7)
	}
	for i := range 10 {
		one := classify.Picture{Name: fmt.Sprintf("test/%d.png", i), Label: i % 3, Answer: i % 2, Confidence: 0.9, Image: shape(i%3, side, r).Pix}
		e.Samples, e.Mistakes = append(e.Samples, one), append(e.Mistakes, one)
	}
	return s, e
}

func rendered(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Render(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestClassifierPage(t *testing.T) {
	s, e := toldApart()
	page := rendered(t, Classifier(s, e))
	for _, want := range []string{
		"3 classes told apart", "91.0", "What is taken for what", "1.31", "First filters", "hourglass train classify photos/shapes.zip --seed 7",
		"a/b.jpg", "2 views", "epoch 2", "Worst mistakes", "&lt;b&gt;square&lt;/b&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "<b>square") {
		t.Error("a class's name was taken for markup")
	}
	if again := rendered(t, Classifier(s, e)); again != page {
		t.Error("the same data give another page")
	}
	v := rendered(t, Evaluation("runs/x/model.safetensors", "others/", "test", s.Config, &s.HeldOut, e))
	for _, want := range []string{"judged on others", "its test part", "Worst mistakes"} {
		if !strings.Contains(v, want) {
			t.Errorf("the page of an evaluation lacks %q", want)
		}
	}
}

// What a run may lack leaves no hole in the page.
func TestClassifierPageWithout(t *testing.T) {
	s, _ := toldApart()
	s.Training, s.HeldOut, s.Config.Validation, s.Skipped, s.Warnings = train.Record{}, classify.Evaluation{}, 0, nil, nil
	page := rendered(t, Classifier(s, nil))
	for _, unwanted := range []string{"NaN", "Inf", "First filters"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
	if !strings.Contains(page, "No epoch was completed") || !strings.Contains(page, "No image was held out") {
		t.Error("the page does not say what is missing")
	}
}
