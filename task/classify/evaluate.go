package classify

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"hourglass/data"
	"hourglass/train/model"
	"hourglass/train/run"
)

// Evaluation is how well a model does on images with labels.
type Evaluation struct {
	Scores
	Images      int          `json:"images"`
	Classes     []ClassScore `json:"classes"`
	Confusion   [][]int      `json:"confusion,omitempty"` // [label][answer]; only for up to 100 classes
	Confused    []Confusion  `json:"confused,omitempty"`  // the pairs most often confused
	Calibration Calibration  `json:"calibration"`
	Mistakes    []Mistake    `json:"mistakes,omitempty"` // the most confident ones
}

// Scores are the headline figures.
type Scores struct {
	Accuracy float64 `json:"accuracy"` // share of images whose most probable class is right, 0–1
	Top5     float64 `json:"top5"`     // share whose label is among the five most probable
	Loss     float64 `json:"loss"`     // mean of −log of the label's probability
}

// ClassScore is how well one class is told from the others.
type ClassScore struct {
	Class     string  `json:"class"`
	Images    int     `json:"images"`
	Precision float64 `json:"precision"` // of those answered with it, the share that is; 0 if none was
	Recall    float64 `json:"recall"`    // of those that are, the share answered with it
}

// Confusion counts the images of one class that were taken for another.
type Confusion struct {
	Class  string `json:"class"`
	Answer string `json:"answer"`
	Images int    `json:"images"`
}

// Calibration compares how sure a model is with how often it is right (Guo et
// al. 2017, section 2).
type Calibration struct {
	Temperature float64 `json:"temperature"`
	// ECE is the expected calibration error: the mean, over the images, of the
	// distance of accuracy and confidence in their bin. Uncalibrated is that
	// of a temperature of 1.
	ECE          float64 `json:"ece"`
	Uncalibrated float64 `json:"ece_uncalibrated"`
	Bins         []Bin   `json:"bins"` // of equal width, without empty ones
}

// Bin holds the images whose answers are about equally sure.
type Bin struct {
	Confidence float64 `json:"confidence"` // mean
	Accuracy   float64 `json:"accuracy"`
	Images     int     `json:"images"`
}

// Mistake is an image that was taken for something else.
type Mistake struct {
	Name       string  `json:"name"`
	Class      string  `json:"class"`
	Answer     string  `json:"answer"`
	Confidence float64 `json:"confidence"`
}

const (
	bins          = 15 // of the calibration curve, as Guo et al. have it
	maxConfusion  = 100
	confusedPairs = 20
	mistakesShown = 24
	samplesShown  = 24
)

// Evaluate judges the model on images of a set whose labels are those of the
// model's classes. progress, if not nil, is told how many images are done.
func (m *Model) Evaluate(ctx context.Context, set *data.Set, images []int, progress func(done int)) (*Evaluation, *Evidence, error) {
	for _, i := range images {
		if i < 0 || i >= len(set.Labels) {
			return nil, nil, fmt.Errorf("classify: image %d of %d that have labels", i, len(set.Labels))
		}
	}
	views := viewsOf(m.config.TTA)
	var logits []float32
	done := 0
	for images := range slices.Chunk(images, model.Block(set.ImageBytes())) {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		block, err := m.logitsOf(set, images, views)
		if err != nil {
			return nil, nil, err
		}
		logits = append(logits, block...)
		if done += len(images); progress != nil {
			progress(done)
		}
	}
	j := newJudgement(m, set, images, logits)
	return j.evaluation(), j.evidence(), nil
}

// judgement is what is known of each image.
type judgement struct {
	m       *Model
	set     *data.Set
	images  []int
	labels  []int
	answers []int
	sure    []float64 // of the answer, with temperature
	before  []float64 // without
	loss    float64
	top5    int
}

func newJudgement(m *Model, set *data.Set, images []int, logits []float32) *judgement {
	j := &judgement{m: m, set: set, images: images}
	k := len(m.config.Classes)
	for i, image := range images {
		row, label := logits[i*k:(i+1)*k], int(set.Labels[image])
		answer := argmax(row)
		j.labels, j.answers = append(j.labels, label), append(j.answers, answer)
		j.sure = append(j.sure, math.Exp(logProbability(row, answer, m.temperature)))
		j.before = append(j.before, math.Exp(logProbability(row, answer, 1)))
		j.loss -= logProbability(row, label, m.temperature) / float64(len(images))
		above := 0
		for i, v := range row {
			if v > row[label] || v == row[label] && i < label {
				above++
			}
		}
		if above < 5 {
			j.top5++
		}
	}
	return j
}

func (j *judgement) evaluation() *Evaluation {
	n, k := len(j.images), len(j.m.config.Classes)
	counts := make([][]int, k) // [label][answer]
	for i := range counts {
		counts[i] = make([]int, k)
	}
	answered := make([]int, k)
	right := 0
	for i, label := range j.labels {
		counts[label][j.answers[i]]++
		answered[j.answers[i]]++
		if label == j.answers[i] {
			right++
		}
	}
	e := &Evaluation{Images: n, Scores: Scores{Loss: j.loss}}
	if n > 0 {
		e.Accuracy, e.Top5 = float64(right)/float64(n), float64(j.top5)/float64(n)
	}
	for c, class := range j.m.config.Classes {
		s := ClassScore{Class: class}
		for _, v := range counts[c] {
			s.Images += v
		}
		if answered[c] > 0 {
			s.Precision = float64(counts[c][c]) / float64(answered[c])
		}
		if s.Images > 0 {
			s.Recall = float64(counts[c][c]) / float64(s.Images)
		}
		e.Classes = append(e.Classes, s)
		for a, v := range counts[c] {
			if a != c && v > 0 {
				e.Confused = append(e.Confused, Confusion{class, j.m.config.Classes[a], v})
			}
		}
	}
	slices.SortStableFunc(e.Confused, func(a, b Confusion) int { return cmp.Compare(b.Images, a.Images) })
	e.Confused = e.Confused[:min(len(e.Confused), confusedPairs)]
	if k <= maxConfusion {
		e.Confusion = counts
	}
	e.Calibration = Calibration{Temperature: j.m.temperature}
	e.Calibration.ECE, e.Calibration.Bins = j.calibration(j.sure)
	e.Calibration.Uncalibrated, _ = j.calibration(j.before)
	for _, i := range j.mistakes() {
		e.Mistakes = append(e.Mistakes, Mistake{j.set.Names[j.images[i]], j.m.config.Classes[j.labels[i]], j.m.config.Classes[j.answers[i]], j.sure[i]})
	}
	return e
}

// calibration returns the expected calibration error and the bins.
func (j *judgement) calibration(sure []float64) (ece float64, kept []Bin) {
	var all [bins]Bin
	for i, p := range sure {
		b := &all[min(bins-1, int(p*bins))]
		b.Images++
		b.Confidence += p
		if j.labels[i] == j.answers[i] {
			b.Accuracy++
		}
	}
	for _, b := range all {
		if b.Images == 0 {
			continue
		}
		n := float64(b.Images)
		b.Confidence, b.Accuracy = b.Confidence/n, b.Accuracy/n
		ece += n / float64(len(sure)) * math.Abs(b.Accuracy-b.Confidence)
		kept = append(kept, b)
	}
	return ece, kept
}

// mistakes returns the most confident wrong answers.
func (j *judgement) mistakes() []int {
	var wrong []int
	for i := range j.images {
		if j.labels[i] != j.answers[i] {
			wrong = append(wrong, i)
		}
	}
	slices.SortStableFunc(wrong, func(a, b int) int { return cmp.Compare(j.sure[b], j.sure[a]) })
	return wrong[:min(len(wrong), mistakesShown)]
}

// evidence returns the pictures of mistakes and of some images.
func (j *judgement) evidence() *Evidence {
	ev := &Evidence{}
	for _, i := range j.mistakes() {
		ev.Mistakes = append(ev.Mistakes, j.picture(i))
	}
	for _, i := range run.Evenly(len(j.images), samplesShown) {
		ev.Samples = append(ev.Samples, j.picture(i))
	}
	return ev
}

func (j *judgement) picture(i int) Picture {
	image := j.images[i]
	return Picture{j.set.Names[image], j.labels[i], j.answers[i], j.sure[i], j.set.Image(image)}
}

// argmax returns the place of the greatest number, the first of equals.
func argmax(v []float32) int {
	best := 0
	for i := range v {
		if v[i] > v[best] {
			best = i
		}
	}
	return best
}

// logProbability returns the logarithm of the probability of class k that
// scores have at a temperature.
func logProbability(scores []float32, k int, temperature float64) float64 {
	peak := float64(scores[argmax(scores)])
	total := 0.0
	for _, v := range scores {
		total += math.Exp((float64(v) - peak) / temperature)
	}
	return (float64(scores[k])-peak)/temperature - math.Log(total)
}

// Bounds of the temperature: beyond them a fit tells of too few images.
const (
	minTemperature = 0.05
	maxTemperature = 20
)

// calibrate fits the temperature to some images by likelihood.
func (m *Model) calibrate(set *data.Set, images []int) error {
	m.temperature = 1
	if len(images) == 0 {
		return nil
	}
	logits, err := m.logitsOf(set, images, viewsOf(m.config.TTA))
	if err != nil {
		return err
	}
	k := len(m.config.Classes)
	// The loss is convex in 1/T, so that it has one minimum in log T.
	loss := func(logT float64) float64 {
		sum := 0.0
		for i, image := range images {
			sum -= logProbability(logits[i*k:(i+1)*k], int(set.Labels[image]), math.Exp(logT))
		}
		return sum
	}
	m.temperature = math.Exp(golden(loss, math.Log(minTemperature), math.Log(maxTemperature)))
	return nil
}

// golden returns the place of the minimum of a function with one minimum, by
// golden-section search.
func golden(f func(float64) float64, low, high float64) float64 {
	const ratio = 0.6180339887498949
	a, b := high-ratio*(high-low), low+ratio*(high-low)
	fa, fb := f(a), f(b)
	for range 60 {
		if fa <= fb {
			high, b, fb = b, a, fa
			a = high - ratio*(high-low)
			fa = f(a)
		} else {
			low, a, fa = a, b, fb
			b = low + ratio*(high-low)
			fb = f(b)
		}
	}
	return (low + high) / 2
}
