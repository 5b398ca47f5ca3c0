package report

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"hourglass/task/autoencode"
	"hourglass/train"
	"hourglass/train/run"
)

func ptr(v float64) *float64 { return &v }

// learnt is a small run with labels, as a real one fills it in.
func learnt() (*autoencode.Summary, *autoencode.Evidence) {
	const side = 6
	s := &autoencode.Summary{
		Config: autoencode.Config{
			Common: run.Common{
				Images: run.Images{Source: "photos/shapes.zip", Fingerprint: "0123456789abcdef", Height: side, Width: side, Channels: 1},
				Course: run.Course{Epochs: 3, Batch: 8, Optimizer: "adamw", LR: 0.003, Schedule: "onecycle",
					Patience: 10, Seed: 7, Augment: "none"},
				Division: run.Division{Train: 1140, Validation: 60, HeldOut: 300}, ISA: "avx2",
			},
			Arch: "conv", Latent: 4, Loss: "mse",
		},
		Command: "hourglass learn photos/shapes.zip --latent 4 --seed 7", Found: 1502,
		Skipped:    []run.Skipped{{Name: "a/b.jpg", Reason: "cut short"}, {Name: "c.png", Reason: "is text"}},
		Warnings:   []string{"the decoded images could not be kept for the next time: disk full"},
		Classes:    []string{"disc", "ring", "square"},
		Dimensions: side * side, Parameters: 4321, MACs: 98_765,
		Training: train.Record{BestEpoch: 2, Stopped: "epochs", Seconds: 9.5, Parameters: 4321, Epochs: []train.Epoch{
			{Epoch: 1, Step: 142, Loss: 0.08, Validation: 0.05, LR: 0.003, Seconds: 3},
			{Epoch: 2, Step: 284, Loss: 0.03, Validation: 0.021, LR: 0.0015, Seconds: 6},
			{Epoch: 3, Step: 426, Loss: 0.02, Validation: 0.022, LR: 1e-8, Seconds: 9.5},
		}},
		HeldOut: autoencode.HeldOut{
			Autoencoder: autoencode.Score{MSE: ptr(0.0212), PSNR: ptr(16.74), KNNAccuracy: ptr(0.912)},
			PCA:         autoencode.Score{MSE: ptr(0.0400), PSNR: ptr(13.98), KNNAccuracy: ptr(0.871)},
			Pixels:      autoencode.Score{KNNAccuracy: ptr(0.884)},
		},
		Curve:         []autoencode.CurvePoint{{K: 0, MSE: 0.12}, {K: 1, MSE: 0.09}, {K: 2, MSE: 0.065}, {K: 4, MSE: 0.04}, {K: 8, MSE: 0.02}, {K: 16, MSE: 0.008}},
		PCANeeds:      8,
		PCAClippedMSE: 0.0388, PCAMethod: "covariance", KNNBase: 1200, KNNQueries: 300,
		Codes:   run.CountsOf(side*side, 4),
		Seconds: run.Times{Read: 0.123, Train: 9.5, Judge: 1.2, PCA: 0.4}, ImagesPerS: 358.7, PeakBytes: 123_456_789,
	}
	r := rand.New(rand.NewPCG(1, 2))
	e := &autoencode.Evidence{}
	picture := func(class int) []uint8 { return shape(class, side, r).Pix }
	for i := range 4 {
		e.Samples = append(e.Samples, autoencode.Sample{Name: fmt.Sprintf("test/%d.png", i), Label: i % 3, Original: picture(i % 3),
			Autoencoder: picture(i % 3), PCA: picture(i % 3), AutoencoderPSNR: 17 + float64(i), PCAPSNR: 19.02 - float64(i)/100})
	}
	for i := range 9 {
		e.Map = append(e.Map, autoencode.MapPoint{X: float64(i % 3), Y: float64(i / 3), Label: i % 3, Name: fmt.Sprintf("test/%d.png", i), Image: picture(i % 3)})
	}
	near := func(labels ...int) (out []autoencode.Neighbour) {
		for _, l := range labels {
			out = append(out, autoencode.Neighbour{Name: "train/n.png", Label: l, Image: picture(l)})
		}
		return out
	}
	e.Neighbours = []autoencode.Neighbourhood{{Query: near(1)[0], Latent: near(1, 1, 0, 1, 2, 0, 0, 0), Pixels: near(1, 0)}}
	return s, e
}

func pageText(t *testing.T, s *autoencode.Summary, e *autoencode.Evidence) string {
	t.Helper()
	var buf bytes.Buffer
	if err := Autoencoder(s, e).Render(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func TestAutoencoderGolden(t *testing.T) {
	s, e := learnt()
	golden(t, Autoencoder(s, e), "autoencoder.html")
}

func unlabel(s *autoencode.Summary, e *autoencode.Evidence) {
	s.Classes, s.KNNBase, s.KNNQueries = nil, 0, 0
	s.HeldOut.Autoencoder.KNNAccuracy, s.HeldOut.PCA.KNNAccuracy, s.HeldOut.Pixels.KNNAccuracy = nil, nil, nil
	for i := range e.Samples {
		e.Samples[i].Label = -1
	}
	for i := range e.Map {
		e.Map[i].Label = -1
	}
	for i := range e.Neighbours {
		h := &e.Neighbours[i]
		h.Query.Label = -1
		for _, near := range [][]autoencode.Neighbour{h.Latent, h.Pixels} {
			for j := range near {
				near[j].Label = -1
			}
		}
	}
}

// TestAutoencoderVariants renders runs of every kind, and looks for what each
// page must say and must not.
func TestAutoencoderVariants(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(s *autoencode.Summary, e *autoencode.Evidence)
		has, not []string
	}{
		{"without labels", unlabel,
			[]string{"<figcaption>0.png</figcaption>", ">Map of the codes<", "train/n.png"},
			[]string{"5-NN", ">Vote<", "label, which", "Framed and ticked", "disc", "of its class"}},
		{"labels of some only", func(s *autoencode.Summary, e *autoencode.Evidence) {
			e.Map[0].Label, e.Samples[0].Label, e.Neighbours[0].Query.Label = -1, -1, -1
		}, []string{"no class", "<figcaption>0.png</figcaption>"}, nil},
		{"label without a name", func(s *autoencode.Summary, e *autoencode.Evidence) {
			e.Map[0].Label, e.Samples[0].Label, e.Neighbours[0].Query.Label = 3, 99, math.MaxInt32
		}, []string{"no class", "class 99", "class 2147483647"}, nil},
		{"no evidence", func(_ *autoencode.Summary, e *autoencode.Evidence) { *e = autoencode.Evidence{} },
			[]string{"No image was held out to be shown", ">Vote<"}, []string{">Map of the codes<", ">Neighbours<", "<script>"}},
		{"no scores", func(s *autoencode.Summary, _ *autoencode.Evidence) {
			s.HeldOut, s.Curve, s.PCANeeds, s.PCAClippedMSE, s.PCAMethod = autoencode.HeldOut{}, nil, 0, 0, ""
		}, []string{"no data"}, []string{"Held-out PSNR", "× PCA", "5-NN", ">Vote<", "PCA was fitted"}},
		{"one score of a vote", func(s *autoencode.Summary, _ *autoencode.Evidence) {
			s.HeldOut.Autoencoder.KNNAccuracy, s.HeldOut.PCA.KNNAccuracy = nil, nil
		}, []string{"pixels\u00a088.4\u00a0%", ">Vote<"}, []string{"percentage points"}},
		{"one epoch", func(s *autoencode.Summary, _ *autoencode.Evidence) {
			s.Training.Epochs, s.Training.BestEpoch = s.Training.Epochs[:1], 1
		}, []string{"It went once through 1,140 images, as planned", "epoch 1</strong>", "best, epoch 1<"}, nil},
		{"no epoch", func(s *autoencode.Summary, _ *autoencode.Evidence) { s.Training = train.Record{} },
			[]string{"No epoch was completed"}, []string{"Learning rate"}},
		{"patience", func(s *autoencode.Summary, _ *autoencode.Evidence) {
			s.Training.Stopped, s.Config.Epochs, s.Config.Patience = "patience", 50, 1
		}, []string{"It stopped after epoch 3 of 50, because the error had not improved for 1 epoch."}, nil},
		{"minutes", func(s *autoencode.Summary, _ *autoencode.Evidence) { s.Config.Minutes = 2.5 },
			[]string{"takes about 2.5 min", "for --minutes 2.5"}, nil},
		{"no validation", func(s *autoencode.Summary, _ *autoencode.Evidence) { s.Config.Validation = 0 },
			[]string{"least training loss"}, []string{"Validation:", ">validation<"}},
		{"another loss", func(s *autoencode.Summary, _ *autoencode.Evidence) { s.Config.Loss = "bce" },
			[]string{"Training loss by epoch: binary cross-entropy", "Squared error by epoch"}, nil},
		{"PCA is better", func(s *autoencode.Summary, _ *autoencode.Evidence) {
			s.HeldOut.Autoencoder.MSE, s.HeldOut.Autoencoder.PSNR, s.PCANeeds = ptr(0.0800), ptr(10.97), 2
			s.HeldOut.Autoencoder.KNNAccuracy = ptr(0.5)
		}, []string{`note warn">PCA 14.0 dB`, `note warn">PCA needs 2 numbers`, "38.4 percentage points</strong> less often", "2 times PCA’s"}, []string{`note good"`}},
		{"PCA never gets there", func(s *autoencode.Summary, _ *autoencode.Evidence) {
			s.HeldOut.Autoencoder.MSE, s.PCANeeds = ptr(0.001), 0
		}, []string{"PCA needs more than 16 numbers"}, []string{"and PCA reaches it"}},
		{"fewer components than numbers", func(s *autoencode.Summary, _ *autoencode.Evidence) { s.Config.Latent = 20 },
			[]string{"PCA has only 16 numbers here", ">PCA, 16 numbers<"}, nil},
		{"no bottleneck", func(s *autoencode.Summary, _ *autoencode.Evidence) {
			s.Copyable, s.Config.Arch, s.Config.Latent, s.Warnings = true, "wide", 144, nil
		}, []string{"There is no bottleneck: the code has 144 numbers and the image 36, so the network can copy its input and need not learn anything.",
			"for 36: no bottleneck", "nothing makes the network choose"}, []string{"× fewer", "has to find out"}},
		{"many warnings", func(s *autoencode.Summary, _ *autoencode.Evidence) {
			s.Warnings = strings.Fields("first second third fourth fifth")
		}, []string{"<p>Third.</p>", ">fifth</span>"}, []string{"<p>Fourth.</p>"}},
		{"few names", func(s *autoencode.Summary, _ *autoencode.Evidence) { s.Codes.Names = 2 },
			[]string{"fewer than the 1,140 images learnt from"}, nil},
		{"nothing skipped", func(s *autoencode.Summary, _ *autoencode.Evidence) { s.Skipped, s.Warnings = nil, nil },
			[]string{"All of the 1,502 images found were used"}, []string{"Left out", "Warnings"}},
		{"photographs", func(s *autoencode.Summary, e *autoencode.Evidence) {
			s.Config.Height, s.Config.Width, s.Config.Channels = 120, 100, 3
			m := landscape(120, 100, rand.New(rand.NewPCG(3, 4))).Pix
			e.Map, e.Neighbours = nil, nil
			for i := range e.Samples {
				e.Samples[i].Original, e.Samples[i].Autoencoder, e.Samples[i].PCA = m, m, nil
			}
		}, []string{`cards n3 medium"`, `width="140" height="168"`, "no picture", "red, green, blue"}, nil},
		{"numbers that are none", func(s *autoencode.Summary, e *autoencode.Evidence) {
			inf, nan := math.Inf(1), math.NaN()
			for _, p := range []*autoencode.Score{&s.HeldOut.Autoencoder, &s.HeldOut.PCA, &s.HeldOut.Pixels} {
				p.MSE, p.PSNR, p.KNNAccuracy = ptr(nan), ptr(inf), ptr(nan)
			}
			for i := range s.Curve {
				s.Curve[i].MSE = inf
			}
			for i := range s.Training.Epochs {
				s.Training.Epochs[i].Loss, s.Training.Epochs[i].Validation, s.Training.Epochs[i].LR = inf, nan, nan
			}
			s.Seconds, s.ImagesPerS, s.PCAClippedMSE = run.Times{Read: nan, Train: inf, Judge: -1, PCA: 1e300}, inf, nan
			s.Codes, s.Config.LR, s.PeakBytes = run.Counts{Images: inf, Names: nan}, 1e-300, math.MaxInt64
			for i := range e.Map {
				e.Map[i].X = nan
			}
			e.Samples[0].AutoencoderPSNR, e.Samples[1].PCAPSNR = nan, inf
		}, []string{"9 points without finite coordinates", "– dB"}, nil},
		{"nothing at all", func(s *autoencode.Summary, e *autoencode.Evidence) {
			*s, *e = autoencode.Summary{}, autoencode.Evidence{}
		}, []string{"images: 0 numbers for each image of 0"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, e := learnt()
			c.change(s, e)
			html := pageText(t, s, e)
			for _, want := range c.has {
				if !strings.Contains(html, want) {
					t.Errorf("the page lacks %q", want)
				}
			}
			for _, bad := range append(c.not, "NaN", "Inf", "1e+", "%!(", "(MISSING)") {
				if i := strings.Index(dataURI.ReplaceAllString(html, ""), bad); i >= 0 {
					t.Errorf("the page contains %q", bad)
				}
			}
		})
	}
	s, _ := learnt()
	if !strings.Contains(pageText(t, s, nil), "No image was held out") {
		t.Error("a page without evidence lacks its remark")
	}
}

// TestAutoencoderHostile puts markup into every text that comes from outside.
func TestAutoencoderHostile(t *testing.T) {
	const bad = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x00\u202egnp.\xff"
	s, e := learnt()
	c := &s.Config
	for _, p := range []*string{&c.Source, &c.Fingerprint, &c.Arch, &c.Decoder, &c.Loss, &c.Optimizer, &c.Schedule, &c.Augment, &c.ISA,
		&s.Command, &s.PCAMethod, &s.Training.Stopped, &s.Classes[0], &s.Classes[1], &s.Warnings[0], &s.Skipped[0].Name, &s.Skipped[0].Reason,
		&e.Map[0].Name, &e.Neighbours[0].Query.Name, &e.Neighbours[0].Latent[0].Name, &e.Samples[0].Name} {
		*p = bad
	}
	e.Samples[0].Label, e.Neighbours[0].Query.Label = -1, -1
	html := pageText(t, s, e)
	for _, s := range []string{"<script>alert", "<img src=x", "onerror=alert(2)>", "\x00", "\u202e", "\xff"} {
		if i := strings.Index(html, s); i >= 0 {
			t.Errorf("%q reached the page: …%q…", s, html[max(0, i-80):min(len(html), i+80)])
		}
	}
	if n := strings.Count(html, "<script"); n != 2 {
		t.Errorf("the page has %d script elements, want the map's data and our own", n)
	}
}

// TestAutoencoderPure checks that the same run gives the same bytes, and that
// the page changes nothing that it is given.
func TestAutoencoderPure(t *testing.T) {
	s, e := learnt()
	first := pageText(t, s, e)
	if first != pageText(t, s, e) {
		t.Error("the same run gave two different pages")
	}
	s2, e2 := learnt()
	if fmt.Sprintf("%+v %+v", s.Config, e) != fmt.Sprintf("%+v %+v", s2.Config, e2) {
		t.Error("the page changed what it was given")
	}
	for _, plot := range regexp.MustCompile(`(?s)<svg class="plot.*?</svg>`).FindAllString(first, -1) {
		checkXML(t, plot)
	}
}

func TestTileSide(t *testing.T) {
	for _, c := range []struct{ long, want int }{{1, 112}, {8, 112}, {28, 112}, {32, 96}, {56, 112}, {64, 128}, {84, 168}, {90, 90}, {96, 96}, {128, 168}, {640, 168}} {
		if got := tileSide(c.long); got != c.want {
			t.Errorf("pictures of %d pixels are shown at %d, want %d", c.long, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	join := func(value, unit string) string { return value + " " + unit }
	for _, c := range []struct{ got, want string }{
		{counted(1, "class"), "1 class"}, {counted(2, "class"), "2 classes"}, {counted(1234, "image"), "1,234 images"},
		{times(1), "once"}, {times(2), "twice"}, {times(30), "30 times"},
		{join(duration(0.1234)), "0.12 s"}, {join(duration(71.26)), "71.3 s"}, {join(duration(135.88)), "136 s"}, {join(duration(750)), "12.5 min"}, {join(duration(9000)), "2.5 h"}, {join(duration(-1)), "– s"},
		{byteSize(1), "1 byte"}, {byteSize(64), "64 bytes"}, {byteSize(1_234_567), "1.23 MB"}, {byteSize(999_999), "1,000 kB"}, {byteSize(5e15), "5,000 TB"},
		{powerOfTen(1888.06), "10¹⁸⁸⁸"}, {powerOfTen(16.66), "10¹⁷"}, {powerOfTen(math.NaN()), "–"},
		{sentence("a b"), "A b."}, {sentence("a.zip is damaged"), "a.zip is damaged."}, {sentence("so."), "So."}, {sentence(" Ä. "), "Ä."}, {sentence(""), ""},
		{sourceName("a/b/c.zip"), "c.zip"}, {sourceName(`C:\x\y\`), "y"}, {sourceName(""), "images"}, {sourceName("/"), "images"},
		{sourceName(strings.Repeat("é", 99)), strings.Repeat("é", 59) + "…"},
		{significant(rounded(2313.4, 3)), "2,310"}, {significant(rounded(0, 3)), "0"},
		{fmt.Sprint(doublings(64)), "[1 2 4 8 16 32 64]"}, {fmt.Sprint(doublings(1536)), "[1 2 4 8 16 32 64 128 256 512 1024]"},
		{fmt.Sprint(doublings(5000)), "[1 4 16 64 256 1024 4096]"}, {fmt.Sprint(doublings(0)), "[1]"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
