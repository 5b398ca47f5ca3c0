package restore

import (
	"math"
	"slices"
	"testing"

	"hourglass/internal/random"
)

// Noise has the mean and the variance that its strength says, and repeats.
func TestNoise(t *testing.T) {
	const h, w = 64, 64
	clean := slices.Repeat([]uint8{100}, 3*h*w)
	moments := func(v []float32) (mean, variance float64) {
		for _, x := range v {
			mean += float64(x) / float64(len(v))
		}
		for _, x := range v {
			variance += (float64(x) - mean) * (float64(x) - mean) / float64(len(v))
		}
		return
	}
	add := func(k Noise, strength float64, grey bool, counter uint64) []float32 {
		dst := make([]float32, len(clean))
		if err := k.Add(dst, clean, h, w, strength, grey, 1, counter); err != nil {
			t.Fatal(err)
		}
		return dst
	}
	const v = 100.0 / 255
	for _, c := range []struct {
		kind           Noise
		strength       float64
		mean, variance float64
	}{
		{Gaussian, 25, v, 25.0 * 25 / 255 / 255},
		{Poisson, 20, v, v / 20},   // by inversion
		{Poisson, 500, v, v / 500}, // by the normal distribution
		{Salt, 20, 0.8*v + 0.1, 0.8*v*v + 0.1 - (0.8*v+0.1)*(0.8*v+0.1)},
	} {
		x := add(c.kind, c.strength, false, 7)
		mean, variance := moments(x)
		if math.Abs(mean-c.mean) > 0.02*c.mean || math.Abs(variance-c.variance) > 0.08*c.variance {
			t.Errorf("%s %v: mean %.4f and variance %.5f, want %.4f and %.5f", c.kind, c.strength, mean, variance, c.mean, c.variance)
		}
		if !slices.Equal(x, add(c.kind, c.strength, false, 7)) || slices.Equal(x, add(c.kind, c.strength, false, 8)) {
			t.Errorf("%s: the draw is no function of the counter", c.kind)
		}
		g := add(c.kind, c.strength, true, 7)
		for i := 0; i < len(g); i += 3 {
			if g[i] != g[i+1] || g[i] != g[i+2] {
				t.Fatalf("%s: grey noise has colours at %d", c.kind, i/3)
			}
		}
	}
	for i := range clean {
		clean[i] = uint8(i * i)
	}
	good, bad := add(JPEG, 95, false, 0), add(JPEG, 5, false, 0)
	exact := add(Gaussian, 0, false, 0)
	if a, b := difference(good, exact), difference(bad, exact); !(a < b && a > 0) {
		t.Errorf("compression makes errors of %v and %v", a, b)
	}
	if err := Noise("rain").Add(make([]float32, 3), make([]uint8, 3), 1, 1, 1, false, 0, 0); err == nil {
		t.Error("noise of no kind was added")
	}
}

func TestCutter(t *testing.T) {
	c := new(Cutter)
	for _, size := range [][2]int{{64, 80}, {16, 16}, {1, 2}} {
		for _, k := range Holes() {
			mask := make([]float32, size[0]*size[1])
			c.Cut(mask, size[0], size[1], k, k.Judged(), true, 1, 5)
			n := 0.0
			for _, v := range mask {
				if v != 0 && v != 1 {
					t.Fatalf("a mask holds %v", v)
				}
				n += float64(v)
			}
			share := 100 * n / float64(len(mask))
			if n == 0 || int(n) == len(mask) || size[0] == 64 && (share < 0.7*k.Judged() || share > 2*k.Judged()) {
				t.Errorf("%s in %v: %.1f%% missing, want %v", k, size, share, k.Judged())
			}
			again := make([]float32, len(mask))
			new(Cutter).Cut(again, size[0], size[1], k, k.Judged(), true, 1, 5)
			if !slices.Equal(mask, again) {
				t.Errorf("%s: the draw depends on those before", k)
			}
		}
	}
}

// A plane that is not bent is filled in without error where holes are small,
// and known pixels stay.
func TestFill(t *testing.T) {
	const h, w = 33, 40
	x := make([]float32, 3*h*w)
	for i := range h * w {
		x[3*i], x[3*i+1], x[3*i+2] = 0.5, float32(i%w)/w, float32(i/w)/h
	}
	mask := make([]float32, h*w)
	for y := 10; y < 22; y++ {
		for z := 12; z < 26; z++ {
			mask[y*w+z] = 1
		}
	}
	got := slices.Clone(x)
	for i, m := range mask {
		if m == 1 {
			got[3*i] = float32(math.NaN())
		}
	}
	f := new(filler)
	f.fill(got, mask, h, w)
	for i := range got {
		limit := 0.0
		if mask[i/3] == 1 {
			limit = 0.12
			if i%3 == 0 {
				limit = 1e-6
			}
		}
		if d := math.Abs(float64(got[i] - x[i])); !(d <= limit) {
			t.Fatalf("value %d is %v, want %v", i, got[i], x[i])
		}
	}
	if n := testing.AllocsPerRun(3, func() { f.fill(got, mask, h, w) }); n > 0 {
		t.Errorf("filling allocates %v times", n)
	}
}

// The two images of a pair show different pixels, and every pixel has the same
// chance: the target says nothing of the noise that the network sees.
func TestPairsShareNoPixel(t *testing.T) {
	const side = 16
	image := make([]float32, 3*side*side)
	for i := range image {
		image[i] = float32(i)
	}
	draws := make([]float32, side*side/4)
	first, second := make([]float32, len(image)/4), make([]float32, len(image)/4)
	count := make([]int, side*side)
	const rounds = 400
	for r := range rounds {
		random.Uniform(draws, 1, 1, uint64(r))
		pairs(first, second, image, side, draws)
		for i := 0; i < len(first); i += 3 {
			a, b := int(first[i])/3, int(second[i])/3
			dy, dx := a/side-b/side, a%side-b%side
			if dy*dy+dx*dx != 1 || a/side/2 != i/3/(side/2) || a%side/2 != i/3%(side/2) {
				t.Fatalf("pixel %d is drawn from %d and %d", i/3, a, b)
			}
			count[a]++
		}
	}
	for i, n := range count {
		if n < rounds/8 || n > rounds/2 {
			t.Errorf("pixel %d was drawn %d times of %d", i, n, rounds)
		}
	}
}
