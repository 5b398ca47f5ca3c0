package classify

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"hourglass/data"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/optim"
	"hourglass/train/run"
)

// The weights of every set of views add up to one, and each view is what its
// name says.
func TestViews(t *testing.T) {
	src := []uint8{1, 2, 3, 4, 5, 6, 7, 8, 9} // 3×3
	for _, name := range TTAs() {
		sum := 0.0
		for _, v := range viewsOf(name) {
			sum += v.weight
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%s: the weights add up to %v", name, sum)
		}
	}
	for _, c := range []struct {
		v    view
		want []uint8
	}{
		{view{}, src},
		{view{mirrored: true}, []uint8{3, 2, 1, 6, 5, 4, 9, 8, 7}},
		{view{dx: 1}, []uint8{2, 1, 2, 5, 4, 5, 8, 7, 8}},
		{view{dx: -1, dy: -1}, []uint8{5, 6, 5, 8, 9, 8, 5, 6, 5}},
	} {
		dst := make([]uint8, 9)
		if c.v.apply(dst, src, 3, 3, 1); !slices.Equal(dst, c.want) {
			t.Errorf("%+v shows %v, want %v", c.v, dst, c.want)
		}
	}
	if viewsOf("fly") != nil {
		t.Error("there are views of an unknown name")
	}
}

// A whitening convolution makes its own images' patches uncorrelated, with
// variance 1.
func TestWhitening(t *testing.T) {
	const n, side, c = 40, 9, 3
	set := &data.Set{Height: side, Width: side, Channels: c, Names: make([]string, n), Pixels: make([]uint8, n*side*side*c)}
	u := make([]float32, len(set.Pixels))
	random.Uniform(u, 1, 2, 3)
	for i := range u {
		// Neighbours resemble each other, and so do channels.
		v := u[i] + u[max(0, i-1)] + u[max(0, i-2)] + u[max(0, i-3*c)]
		set.Pixels[i] = uint8(60 * v)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	w, err := whitening(set, all)
	if err != nil {
		t.Fatal(err)
	}
	const d = 4 * c
	mean, deviation := moments(set, all)
	var products [d][d]float64
	count := 0.0
	for _, i := range all {
		m := set.Image(i)
		for y := range side - 1 {
			for x := range side - 1 {
				var out [2 * d]float64
				for k := range d {
					dy, dx, ch := k/(2*c), k/c%2, k%c
					v := (float64(m[((y+dy)*side+x+dx)*c+ch])/255 - mean[ch]) / deviation[ch]
					for o := range out {
						out[o] += v * float64(w[k*2*d+o])
					}
				}
				for a := range d {
					if math.Abs(out[a]+out[d+a]) > 1e-6 {
						t.Fatal("the second half is not the negative of the first")
					}
					for b := range d {
						products[a][b] += out[a] * out[b]
					}
				}
				count++
			}
		}
	}
	for a := range d {
		for b := range d {
			want := 0.0
			if a == b {
				want = 1
			}
			if got := products[a][b] / count; math.Abs(got-want) > 0.02 {
				t.Errorf("the product of %d and %d is %v, want %v", a, b, got, want)
			}
		}
	}
}

// The fitted temperature is that by which right logits were made too sure.
func TestTemperature(t *testing.T) {
	const n, k, truth = 20000, 3, 2.5
	u := make([]float32, n*k+n)
	random.Uniform(u, 5, 6, 7)
	logits, labels := make([]float32, n*k), make([]int, n)
	for i := range n {
		row := logits[i*k : (i+1)*k]
		for j := range row {
			row[j] = 4 * u[i*k+j]
		}
		// The label follows the probabilities of the row; what is then told
		// is the row times truth.
		at := float64(u[n*k+i])
		for j := range k {
			if at -= math.Exp(logProbability(row, j, 1)); at < 0 || j == k-1 {
				labels[i] = j
				break
			}
		}
		for j := range row {
			row[j] *= truth
		}
	}
	loss := func(logT float64) float64 {
		sum := 0.0
		for i, label := range labels {
			sum -= logProbability(logits[i*k:(i+1)*k], label, math.Exp(logT))
		}
		return sum
	}
	if got := math.Exp(golden(loss, math.Log(minTemperature), math.Log(maxTemperature))); math.Abs(got-truth) > 0.1 {
		t.Errorf("the temperature is %v, want %v", got, truth)
	}
}

// Figures of an evaluation that can be counted by hand.
func TestEvaluationByHand(t *testing.T) {
	m := &Model{config: Config{Classes: []string{"a", "b", "c"}}, temperature: 1}
	set := &data.Set{Height: 1, Width: 1, Channels: 1, Pixels: make([]uint8, 4), Names: []string{"0", "1", "2", "3"}, Labels: []int32{0, 0, 1, 2}}
	logits := []float32{
		2, 0, 0, // a, right
		0, 3, 0, // b, wrong and sure
		0, 1, 0, // b, right
		1, 0, 0, // a, wrong
	}
	j := newJudgement(m, set, []int{0, 1, 2, 3}, logits)
	e := j.evaluation()
	p := func(top float64) float64 { return math.Exp(top) / (math.Exp(top) + 2) }
	want := -(math.Log(p(2)) + math.Log(1/(math.Exp(3)+2)) + math.Log(p(1)) + math.Log(1/(math.Exp(1)+2))) / 4
	if e.Accuracy != 0.5 || e.Top5 != 1 || math.Abs(e.Loss-want) > 1e-6 {
		t.Errorf("accuracy %v, top-5 %v, loss %v, want 0.5, 1, %v", e.Accuracy, e.Top5, e.Loss, want)
	}
	if a := e.Classes[0]; a.Images != 2 || a.Recall != 0.5 || a.Precision != 0.5 {
		t.Errorf("class a: %+v", a)
	}
	if c := e.Classes[2]; c.Recall != 0 || c.Precision != 0 {
		t.Errorf("class c: %+v", c)
	}
	if len(e.Mistakes) != 2 || e.Mistakes[0].Name != "1" || math.Abs(e.Mistakes[0].Confidence-p(3)) > 1e-6 || e.Mistakes[1].Answer != "a" {
		t.Errorf("mistakes %+v", e.Mistakes)
	}
	ece := (math.Abs(1-p(2)) + p(3) + math.Abs(1-2*p(1))) / 4 // the two of p(1) share a bin
	if math.Abs(e.Calibration.ECE-ece) > 1e-6 {
		t.Errorf("the calibration error is %v, want %v", e.Calibration.ECE, ece)
	}
}

func TestWithoutNormAndWithDropout(t *testing.T) {
	net := nn.Sequential{nn.Conv{Out: 2, NoBias: true}, nn.BatchNorm{}, nn.Residual{Body: nn.Sequential{nn.Conv{NoBias: true}, nn.BatchNorm{}}},
		nn.Concat{Branches: []nn.Layer{nn.Sequential{nn.BatchNorm{}}, nn.ReLU{}}}, nn.Flatten{}, nn.Dropout{Rate: 0.1}, nn.Dense{Out: 3}, nn.Affine{}}
	got := withDropout(withoutNorm(net).(nn.Sequential), 0.4)
	text, err := nn.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"kind":"sequential","layers":[{"kind":"conv","out":2},{"kind":"residual","body":{"kind":"sequential","layers":[{"kind":"conv"}]}},` +
		`{"kind":"concat","branches":[{"kind":"sequential"},{"kind":"relu"}]},{"kind":"flatten"},{"kind":"dropout","rate":0.4},{"kind":"dense","out":3},{"kind":"affine"}]}`
	if string(text) != want {
		t.Errorf("it is\n%s, want\n%s", text, want)
	}
}

// The settings of the speed runs, stated for 1,024 images, come to the same
// length of a step for any batch.
func TestFastForAnyBatch(t *testing.T) {
	for _, batch := range []int{64, 256, 512, 1024} {
		c := Config{Common: run.Common{Course: run.Course{Batch: batch, Optimizer: fastOptimizer(batch)}}}
		if c.Optimizer == "" || c.Check() != nil {
			t.Fatalf("batch %d: optimiser %q, %v", batch, c.Optimizer, c.Check())
		}
		momentum := math.Pow(fastMomentum, float64(batch)/1024)
		want := fastLR * float64(batch) / 1024 / (1 + 1/(1-momentum))
		if got := fastRate(c); math.Abs(got-want) > 0.01*want {
			t.Errorf("batch %d: rate %v, want %v", batch, got, want)
		}
	}
	for _, name := range optim.Names() {
		for _, batch := range []int{1, 3, 12, 600} {
			c := Config{Common: run.Common{Course: run.Course{Batch: batch, Optimizer: name}}}
			if got := fastRate(c); !(got > 0 && got < 10) {
				t.Errorf("%s, batch %d: rate %v", name, batch, got)
			}
		}
	}
}

// Labels may leave out a number, and images of array files lie in no folder.
func TestArrayFilesAsClasses(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "raw", "deep"), 0o777); err != nil {
		t.Fatal(err)
	}
	set := &data.Set{Source: dir, Classes: []string{"0", "1", "2"}}
	for i := range 8 {
		set.Names = append(set.Names, fmt.Sprintf("images-idx3-ubyte#%05d", i))
		set.Labels = append(set.Labels, int32(1+i%2))
	}
	if err := checkFolders(dir, set); err != nil {
		t.Errorf("folders beside array files: %v", err)
	}
	c := Config{Classes: set.Classes, ClassWeights: "balanced"}
	weights, err := c.weights(set, []int{0, 1, 2, 3})
	if err != nil || weights[1] != 1 || weights[2] != 1 || math.IsNaN(weights[0]) || math.IsInf(weights[0], 0) {
		t.Errorf("weights %v, %v", weights, err)
	}
}

// Dropout can be switched off where a network has some by itself.
func TestMobileDropout(t *testing.T) {
	for _, rate := range []float64{0, 0.2, 0.5} {
		net, err := Config{Common: run.Common{Images: run.Images{Height: 32, Width: 32, Channels: 3}}, Recipe: "mobilenetv2",
			Classes: []string{"a", "b"}, Dropout: rate}.network(&data.Set{Height: 32, Width: 32, Channels: 3, Pixels: make([]uint8, 32*32*3)}, []int{0})
		if err != nil {
			t.Fatal(err)
		}
		var got []float64
		for _, l := range net {
			if d, ok := l.(nn.Dropout); ok {
				got = append(got, d.Rate)
			}
		}
		if rate == 0 && len(got) != 0 || rate > 0 && (len(got) != 1 || got[0] != rate) {
			t.Errorf("rate %v: the network has %v", rate, got)
		}
	}
}

// What is no kernel learns by Muon as it does by Nesterov's momentum.
func TestMuonForAnyBatch(t *testing.T) {
	for _, batch := range []int{64, 512, 1024} {
		c := Config{Common: run.Common{Course: run.Course{Batch: batch, Optimizer: fastMuon(batch)}}}
		o, err := optim.Parse(c.Optimizer)
		if err != nil {
			t.Fatal(err)
		}
		muon := o.Rule.(optim.Muon)
		momentum := math.Pow(fastMomentum, float64(batch)/1024)
		if got, want := fastRate(c)*muon.Rest, nesterovRate(batch, momentum); math.Abs(got-want) > 0.01*want {
			t.Errorf("batch %d: rate %v of the rest, want %v", batch, got, want)
		}
	}
}

// Few images are learnt often by a small network, many seldom by a larger one.
func TestRecipesFollowTheCollection(t *testing.T) {
	for _, name := range []string{recipeLecture, recipeFast} {
		choose := func(train int) recipe {
			c := Config{Recipe: name, Common: run.Common{Images: run.Images{Height: 32, Width: 32, Channels: 3}, Division: run.Division{Train: train}}}
			return defaults(c, run.Course{})
		}
		few, many := choose(4_000), choose(49_000)
		if few.Widths[2] >= many.Widths[2] || few.Epochs <= many.Epochs || few.Batch >= many.Batch {
			t.Errorf("%s: for few images %+v, for many %+v", name, few, many)
		}
		for _, r := range []recipe{few, many} {
			if _, err := optim.Parse(r.Optimizer); err != nil {
				t.Error(err)
			}
		}
	}
}

// A smaller image leaves the dense layer of fast as many places as a larger one.
func TestFastSmaller(t *testing.T) {
	for side, want := range map[int]int{8: 8, 12: 9, 16: 16, 24: 17, 28: 25, 32: 25, 64: 49, 96: 73, 25: 25} {
		got := fastSmaller(side)
		if got != want {
			t.Errorf("images of %d become %d, want %d", side, got, want)
		}
		places := func(side int) int {
			last := (side - 1) >> stages
			return last / max(1, min(last, lastPool))
		}
		if places(got) != places(side) {
			t.Errorf("images of %d have %d places, and of %d only %d", side, places(side), got, places(got))
		}
	}
}
