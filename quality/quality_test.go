package quality

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"hourglass/internal/par"
)

// all returns the four scores of two images.
func all[T Pixel](t rapid.TB, x, y []T, h, w, c int, o Options) [4]float64 {
	var s [4]float64
	var errs [4]error
	s[0], errs[0] = MSE(x, y)
	s[1], errs[1] = PSNR(x, y, o)
	s[2], errs[2] = SSIM(x, y, h, w, c, o)
	if min(h, w) >= MinMSSSIM {
		s[3], errs[3] = MSSSIM(x, y, h, w, c, o)
	}
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestPropertiesOfScores(t *testing.T) {
	pool := par.New(2)
	defer pool.Close()
	o := Options{Pool: pool}
	rapid.Check(t, func(t *rapid.T) {
		h, w := rapid.IntRange(11, 40).Draw(t, "height"), rapid.IntRange(11, 60).Draw(t, "width")
		c := rapid.SampledFrom([]int{1, 3}).Draw(t, "channels")
		if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
			h, w = h+150, w+150
		}
		x := rapid.SliceOfN(rapid.Uint8(), 64, 64).Draw(t, "x")
		y := rapid.SliceOfN(rapid.Uint8(), 64, 64).Draw(t, "y")
		a, b := make([]uint8, h*w*c), make([]uint8, h*w*c)
		for i := range a {
			a[i], b[i] = x[(i+i/61)%64], y[(i+i/53)%64]
		}
		there, back := all(t, a, b, h, w, c, o), all(t, b, a, h, w, c, o)
		if there != back {
			t.Errorf("%v, and %v when the images trade places", there, back)
		}
		if s := there[2]; !(s >= -1 && s <= 1) {
			t.Errorf("SSIM is %v", s)
		}
		if s := there[3]; !(s >= 0 && s <= 1) {
			t.Errorf("MS-SSIM is %v", s)
		}
		same := all(t, a, a, h, w, c, o)
		want := [4]float64{0, math.Inf(1), 1, 0}
		if min(h, w) >= MinMSSSIM {
			want[3] = 1
		}
		if same != want {
			t.Errorf("an image beside itself scores %v, want %v", same, want)
		}
	})
}

func TestScoresDoNotDependOnThreads(t *testing.T) {
	x, y := pattern(200, 190, 3, 50)
	var first [4]float64
	for i, threads := range []int{1, 2, 5} {
		pool := par.New(threads)
		s := all(t, x, y, 200, 190, 3, Options{Pool: pool})
		pool.Close()
		if i == 0 {
			first = s
		}
		if s != first {
			t.Errorf("%d threads give %v, one gives %v", threads, s, first)
		}
	}
	if s := all(t, x, y, 200, 190, 3, Options{}); s != first {
		t.Errorf("threads of its own give %v, one gives %v", s, first)
	}
}

func TestWorseImagesScoreLower(t *testing.T) {
	last := [4]float64{0, math.Inf(1), 1, 1}
	for _, strength := range []int{5, 20, 60, 120} {
		x, y := pattern(170, 170, 1, strength)
		s := all(t, x, y, 170, 170, 1, Options{})
		if !(s[0] > last[0] && s[1] < last[1] && s[2] < last[2] && s[3] < last[3]) {
			t.Errorf("noise of %d scores %v, less of it %v", strength, s, last)
		}
		last = s
	}
}

func TestOppositesScoreBelowZero(t *testing.T) {
	x, _ := pattern(32, 32, 1, 0)
	y := make([]uint8, len(x))
	for i, v := range x {
		y[i] = 255 - v
	}
	s, err := SSIM(x, y, 32, 32, 1, Options{})
	if err != nil || s >= 0 {
		t.Errorf("an image and its negative score %v (%v)", s, err)
	}
}

func TestErrors(t *testing.T) {
	x := make([]uint8, 160*200*3)
	for _, c := range []struct {
		call func() (float64, error)
		want string
	}{
		{func() (float64, error) { return MSE(x, x[1:]) }, "they must have one size"},
		{func() (float64, error) { return MSE(x[:0], x[:0]) }, "they must have one size"},
		{func() (float64, error) { return PSNR(x, x[1:], Options{}) }, "they must have one size"},
		{func() (float64, error) { return PSNR(x, x, Options{Range: -1}) }, "data range is -1"},
		{func() (float64, error) { return PSNR(x, x, Options{Range: math.NaN()}) }, "data range is NaN"},
		{func() (float64, error) { return SSIM(x, x, 160, 200, 1, Options{}) }, "are not both [160,200,1]"},
		{func() (float64, error) { return SSIM(x, x, -160, 200, -3, Options{}) }, "quality: "},
		{func() (float64, error) { return SSIM(x[:3000], x[:3000], 10, 100, 3, Options{}) }, "SSIM needs images of at least 11×11 pixels, and these have 100×10"},
		{func() (float64, error) { return SSIM(x, x, 160, 200, 3, Options{Range: math.Inf(1)}) }, "data range is +Inf"},
		{func() (float64, error) { return MSSSIM(x, x, 160, 200, 3, Options{}) }, "MS-SSIM needs images of at least 161×161 pixels, and these have 200×160"},
		{func() (float64, error) { return MSSSIM(x, x, 160, 200, 3, Options{Range: -1}) }, "data range is -1"},
	} {
		if _, err := c.call(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one about %q", err, c.want)
		}
	}
}

func BenchmarkSSIM(b *testing.B) {
	x, y := pattern(512, 768, 3, 40)
	pool := par.New(0)
	defer pool.Close()
	for b.Loop() {
		if _, err := SSIM(x, y, 512, 768, 3, Options{Pool: pool}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*512*768/1e6/b.Elapsed().Seconds(), "MP/s")
}
