package segment

import (
	"math"

	"hourglass/data"
)

// boundaryShare is the tolerance of the boundary score as a share of the
// image's diagonal (Csurka et al. 2013, section 3).
const boundaryShare = 0.0075

// Tolerance returns the distance in pixels up to which a boundary counts as
// found.
func Tolerance(height, width int) float64 {
	return boundaryShare * math.Hypot(float64(height), float64(width))
}

// boundaryScorer measures how near the outlines of answers are to those of
// masks. It keeps its memory from image to image; each worker has its own.
type boundaryScorer struct {
	height, width, classes int
	tolerance              float64
	answer                 []uint8
	truthEdge, answerEdge  []bool
	column                 []int // distance along the column to the nearest edge pixel
}

func newBoundaryScorer(height, width, classes int) *boundaryScorer {
	n := height * width
	return &boundaryScorer{
		height: height, width: width, classes: classes, tolerance: Tolerance(height, width),
		answer: make([]uint8, n), truthEdge: make([]bool, n), answerEdge: make([]bool, n), column: make([]int, n),
	}
}

// score returns the mean over the classes in the mask or the answer of the F1
// of their outlines: precision is the share of the answer's outline that has
// the mask's within the tolerance, recall the converse (Csurka et al. 2013,
// section 3). ok is false if no class has an outline. What the mask ignores
// belongs to no class in either, and makes no outline.
func (s *boundaryScorer) score(truth, answer []uint8) (f1 float64, ok bool) {
	present := make([]bool, s.classes)
	for i, t := range truth {
		s.answer[i] = answer[i]
		if t == data.Ignored {
			s.answer[i] = data.Ignored
		} else {
			present[t], present[answer[i]] = true, true
		}
	}
	sum, n := 0.0, 0
	for class := range s.classes {
		if !present[class] {
			continue
		}
		inTruth := s.outline(s.truthEdge, truth, uint8(class))
		inAnswer := s.outline(s.answerEdge, s.answer, uint8(class))
		switch {
		case inTruth+inAnswer == 0:
			continue // it fills the image in both
		case inTruth > 0 && inAnswer > 0:
			precision := float64(s.near(s.answerEdge, s.truthEdge)) / float64(inAnswer)
			recall := float64(s.near(s.truthEdge, s.answerEdge)) / float64(inTruth)
			if precision+recall > 0 {
				sum += 2 * precision * recall / (precision + recall)
			}
		}
		n++
	}
	if n == 0 {
		return 0, false
	}
	return sum / float64(n), true
}

// outline marks the pixels of a class that have one of another class beside,
// above or below them, and counts them.
func (s *boundaryScorer) outline(edge []bool, mask []uint8, class uint8) int {
	n := 0
	for i, v := range mask {
		edge[i] = false
		if v != class {
			continue
		}
		y, x := i/s.width, i%s.width
		other := func(j int) bool { return mask[j] != class && mask[j] != data.Ignored }
		edge[i] = x > 0 && other(i-1) || x+1 < s.width && other(i+1) ||
			y > 0 && other(i-s.width) || y+1 < s.height && other(i+s.width)
		if edge[i] {
			n++
		}
	}
	return n
}

// near counts the pixels of a that have one of b within the tolerance.
func (s *boundaryScorer) near(a, b []bool) int {
	reach := int(s.tolerance)
	far := reach + 1
	for x := range s.width {
		last := far
		for y := range s.height {
			i := y*s.width + x
			last = min(last+1, far)
			if b[i] {
				last = 0
			}
			s.column[i] = last
		}
		last = far
		for y := s.height - 1; y >= 0; y-- {
			i := y*s.width + x
			last = min(last+1, far)
			if b[i] {
				last = 0
			}
			s.column[i] = min(s.column[i], last)
		}
	}
	limit := s.tolerance * s.tolerance
	n := 0
	for i, in := range a {
		if !in {
			continue
		}
		x := i % s.width
		for dx := -min(reach, x); dx <= min(reach, s.width-1-x); dx++ {
			if d := s.column[i+dx]; d < far && float64(d*d+dx*dx) <= limit {
				n++
				break
			}
		}
	}
	return n
}
