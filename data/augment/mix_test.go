package augment

import (
	"math"
	"slices"
	"testing"
)

// mixed applies a mixer to a batch of images of one value each.
func mixed(m *Mixer, n int, seed, epoch, step uint64) (images []uint8, partners []int32, share float64) {
	const h, w = 6, 5
	images, partners = make([]uint8, n*h*w), make([]int32, n)
	for i := range images {
		images[i] = uint8(20 * (i / (h * w)))
	}
	share = m.Apply(images, partners, h, w, 1, seed, epoch, step)
	return images, partners, share
}

func TestMixing(t *testing.T) {
	const n, size = 8, 30
	for name, m := range map[string]*Mixer{"mixup": {Mixup: 0.4}, "cutmix": {Cutmix: 1}, "both": {Mixup: 1, Cutmix: 1}} {
		var sum float64
		changed := 0
		for step := range uint64(200) {
			images, partners, share := mixed(m, n, 3, 1, step)
			if !(share >= 0 && share <= 1) {
				t.Fatalf("%s: a share of %v", name, share)
			}
			sum += share
			sorted := slices.Clone(partners)
			slices.Sort(sorted)
			for i, p := range sorted {
				if int(p) != i {
					t.Fatalf("%s: partners %v are no permutation", name, partners)
				}
			}
			for i, p := range partners {
				mean := 0.0
				for _, v := range images[i*size : (i+1)*size] {
					mean += float64(v) / size
				}
				want := share*float64(20*i) + (1-share)*float64(20*p)
				if math.Abs(mean-want) > 0.51 {
					t.Fatalf("%s: image %d with %d at a share of %v has the mean %v, want %v", name, i, p, share, mean, want)
				}
				if p != int32(i) {
					changed++
				}
			}
			again, _, shareAgain := mixed(m, n, 3, 1, step)
			if share != shareAgain || !slices.Equal(images, again) {
				t.Fatalf("%s: the same step gives another mixture", name)
			}
		}
		if mean := sum / 200; mean < 0.4 || mean > 0.8 || changed < 1000 {
			t.Errorf("%s: a mean share of %v, %d images changed", name, mean, changed)
		}
	}
	images, partners, share := mixed(&Mixer{}, 3, 1, 0, 0)
	if share != 1 || !slices.Equal(partners, []int32{0, 1, 2}) || images[size] != 20 {
		t.Errorf("an empty mixer gives %v, %v", share, partners)
	}
	for _, m := range []Mixer{{Mixup: -1}, {Cutmix: math.NaN()}, {Mixup: 101}} {
		if m.Check() == nil {
			t.Errorf("%v, %v were taken", m.Mixup, m.Cutmix)
		}
	}
}

// The shares of Beta(α, α) have the mean 1/2 and the variance 1/(8α+4).
func TestMixingPanicsWhereItCannotMix(t *testing.T) {
	for name, m := range map[string]*Mixer{"NaN": {Mixup: math.NaN()}, "negative": {Cutmix: -3}, "much": {Mixup: 1e6}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: mixed", name)
				}
			}()
			mixed(m, 8, 3, 1, 0)
		}()
	}
}

func TestSharesAreBeta(t *testing.T) {
	for _, alpha := range []float64{0.1, 0.5, 1, 4} {
		m := &Mixer{Mixup: alpha}
		var sum, squares float64
		const n = 4000
		for step := range uint64(n) {
			m.random.Reset(9, mixStream, step)
			s := beta(&m.random, alpha)
			sum += s / n
			squares += (s - 0.5) * (s - 0.5) / n
		}
		if want := 1 / (8*alpha + 4); math.Abs(sum-0.5) > 0.02 || math.Abs(squares-want) > 0.1*want {
			t.Errorf("α = %v: mean %v, variance %v, want 0.5 and %v", alpha, sum, squares, want)
		}
	}
}

func TestAlternateTurnsRoundEachEpoch(t *testing.T) {
	p := parse(t, "alternate")
	first := 0
	for index := range 200 {
		even, odd := p.Draw(4, 4, 1, 0, index)[0].Values[0].Value, p.Draw(4, 4, 1, 1, index)[0].Values[0].Value
		if even+odd != 1 || even != p.Draw(4, 4, 1, 6, index)[0].Values[0].Value {
			t.Fatalf("image %d is mirrored %v in an even epoch and %v in an odd one", index, even, odd)
		}
		first += int(even)
	}
	if first < 70 || first > 130 {
		t.Errorf("%d of 200 images are mirrored first", first)
	}
}
