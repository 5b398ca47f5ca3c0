package report

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"hourglass/task/generate"
	"hourglass/train"
	"hourglass/train/features"
	"hourglass/train/run"
)

// madeUp is a small run of train generate, as a real one fills it in.
func madeUp() (*generate.Summary, *generate.Evidence) {
	const side = 6
	score := func(d, p, r float64) generate.Score { return generate.Score{Frechet: &d, Precision: &p, Recall: &r} }
	s := &generate.Summary{
		Config: generate.Config{
			Common: run.Common{
				Images:   run.Images{Source: "photos/<shapes>.zip", Fingerprint: "0123", Height: side, Width: side, Channels: 1},
				Course:   run.Course{Epochs: 3, Batch: 8, Optimizer: "adamw", LR: 0.005, Schedule: "onecycle", Patience: -1, Seed: 7, Augment: "none"},
				Division: run.Division{Train: 1140, Validation: 60, HeldOut: 300}, ISA: "avx2",
			},
			Arch: "conv", Latent: 4, Beta: 1, Prior: "flow", PriorSteps: 400,
		},
		Command: "hourglass train generate photos/shapes.zip --seed 7", Found: 1502, Skipped: []run.Skipped{{Name: "a/b.jpg", Reason: "cut short"}},
		Warnings: []string{"the decoded images could not be kept for the next time: disk full"},
		Classes:  []string{"disc", "ring", "square"}, Dimensions: side * side, Parameters: 4321, MACs: 98_765, PriorMACs: 1234, Passes: 64, Sigma: 0.1, Active: 3,
		Training: train.Record{BestEpoch: 2, Stopped: "epochs", Epochs: []train.Epoch{
			{Epoch: 1, Step: 142, Loss: 4, Validation: 3.9, LR: 0.005}, {Epoch: 2, Step: 284, Loss: 3, Validation: 3.1, LR: 0.001}}},
		Second: train.Record{BestEpoch: 2, Stopped: "epochs", Epochs: []train.Epoch{
			{Epoch: 1, Step: 200, Loss: 1.4, Validation: 1.3, LR: 0.002}, {Epoch: 2, Step: 400, Loss: 1.2, Validation: 1.25, LR: 0.001}}},
		HeldOut: generate.HeldOut{Score: score(2.5, 0.7, 0.6), BitsPerDimension: 3.456, Divergence: 12, MSE: 0.01, PSNR: 20,
			VAE: score(7.5, 0.5, 0.55), Autoencoder: score(20, 0.2, 0.1), Pixels: score(300, 0, 0), Reconstructed: score(1.5, 0.8, 0.7), Learnt: score(0.2, 0.9, 0.9)},
		Copying: &generate.Copying{Base: 1140, Samples: 2.1, HeldOut: 2.2}, Space: features.Space{Kind: features.KindTrained, Dim: 128, Accuracy: ptr(0.91)},
		Judged: 300, Codes: run.CountsOf(side*side, 4), Seconds: run.Times{Read: 0.1, Train: 9.5, Judge: 1.2},
		Stages: generate.Stages{First: 5, Second: 2, Autoencoder: 1.5, Features: 1}, SamplesS: 1234, PeakBytes: 123_456_789,
	}
	r := rand.New(rand.NewPCG(1, 2))
	picture := func(class int) []uint8 { return shape(class, side, r).Pix }
	pictures := func(n int) (all [][]uint8) {
		for i := range n {
			all = append(all, picture(i%3))
		}
		return all
	}
	e := &generate.Evidence{Real: pictures(3)}
	for _, k := range kinds {
		e.Kinds = append(e.Kinds, generate.Kind{Name: k.key, Images: pictures(3)})
	}
	near := []generate.Neighbour{{Name: "train/1.png", Label: 1, Image: picture(1)}, {Name: "train/<2>.png", Label: -1, Image: picture(2)}}
	e.Nearest = []generate.Nearest{{Sample: picture(1), Features: near, Pixels: near}}
	e.Paths = []generate.Path{{From: picture(0), To: picture(1), Steps: pictures(5)}}
	return s, e
}

func TestGenerationGolden(t *testing.T) {
	s, e := madeUp()
	golden(t, Generation(s, e), "generation.html")
}

func TestGenerationVariants(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(s *generate.Summary, e *generate.Evidence)
		has    []string
		lacks  []string
	}{
		{"as it is", func(*generate.Summary, *generate.Evidence) {}, []string{"0.33", "Does it copy?", "&lt;shapes&gt;", "right on 91.0"}, []string{"<shapes>", "train/<2>"}},
		{"without labels", func(s *generate.Summary, _ *generate.Evidence) {
			s.Space, s.Classes = features.Space{Kind: features.KindComponents, Dim: 64}, nil
		}, []string{"first 64 components of PCA"}, []string{"classifier, trained"}},
		{"a classifier that was given", func(s *generate.Summary, _ *generate.Evidence) {
			s.Space = features.Space{Kind: features.KindGiven, Dim: 128, Model: "runs/`x`.safetensors"}
		}, []string{"the classifier <code>runs/&#39;x&#39;.safetensors</code>"}, nil},
		{"too few to judge", func(s *generate.Summary, _ *generate.Evidence) {
			s.HeldOut = generate.HeldOut{}
		}, []string{"–"}, []string{"× the VAE’s"}},
		{"numbers that are none", func(s *generate.Summary, _ *generate.Evidence) {
			nan, inf := math.NaN(), math.Inf(1)
			s.HeldOut = generate.HeldOut{Score: generate.Score{Frechet: &nan, Precision: &inf}, BitsPerDimension: nan, Divergence: inf, MSE: nan, PSNR: inf}
			s.Sigma, s.SamplesS = nan, inf
		}, nil, []string{"NaN", "Inf"}},
		{"nothing at all", func(s *generate.Summary, e *generate.Evidence) {
			*s, *e = generate.Summary{}, generate.Evidence{}
		}, []string{"No image was made", "No epoch was completed"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, e := madeUp()
			c.change(s, e)
			html := rendered(t, Generation(s, e))
			for _, want := range c.has {
				if !strings.Contains(html, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, no := range c.lacks {
				if strings.Contains(html, no) {
					t.Errorf("the page has %q", no)
				}
			}
		})
	}
	if html := rendered(t, Generation(&generate.Summary{}, nil)); !strings.Contains(html, "No image was made") {
		t.Error("a page without evidence says nothing of it")
	}
}
