package segment

import (
	"fmt"

	"hourglass/data"
)

// Confusion counts pixels by their class and the class they were given.
type Confusion struct {
	classes int
	counts  []int64 // [classes,classes], truth by answer
}

// NewConfusion returns a table of so many classes without counts.
func NewConfusion(classes int) *Confusion {
	return &Confusion{classes, make([]int64, classes*classes)}
}

// Add counts the pixels of a mask and its answer. Where the mask says
// [data.Ignored] nothing is counted. It panics if they are not of one length or name
// a class that the table has not.
func (c *Confusion) Add(truth, answer []uint8) {
	if len(truth) != len(answer) {
		panic(fmt.Sprintf("segment: a mask of %d pixels and an answer of %d", len(truth), len(answer)))
	}
	for i, t := range truth {
		if t != data.Ignored {
			if int(t) >= c.classes || int(answer[i]) >= c.classes {
				panic(fmt.Sprintf("segment: class %d answered by %d, of %d", t, answer[i], c.classes))
			}
			c.counts[int(t)*c.classes+int(answer[i])]++
		}
	}
}

// Count returns how many pixels of class truth were taken for class answer.
func (c *Confusion) Count(truth, answer int) int64 { return c.counts[truth*c.classes+answer] }

// sums returns the pixels of a class, those given to it, and all.
func (c *Confusion) sums(class int) (truth, answer, all int64) {
	for i, n := range c.counts {
		if i/c.classes == class {
			truth += n
		}
		if i%c.classes == class {
			answer += n
		}
		all += n
	}
	return truth, answer, all
}

// ClassScore is how well one class is found.
type ClassScore struct {
	Class string   `json:"class"`
	Share float64  `json:"share"`         // of the judged pixels that are of this class
	IoU   *float64 `json:"iou,omitempty"` // intersection over union; nil if it neither occurs nor is answered
	// Recall is the share of its pixels that are found, Precision that of the
	// pixels given to it that are its; nil where there is none.
	Recall    *float64 `json:"recall,omitempty"`
	Precision *float64 `json:"precision,omitempty"`
}

// Classes returns the scores of each class.
func (c *Confusion) Classes(names []string) []ClassScore {
	scores := make([]ClassScore, c.classes)
	for k := range scores {
		truth, answer, all := c.sums(k)
		right := c.Count(k, k)
		scores[k] = ClassScore{
			Class: names[k], IoU: ratio(right, truth+answer-right), Recall: ratio(right, truth), Precision: ratio(right, answer),
		}
		if all > 0 {
			scores[k].Share = float64(truth) / float64(all)
		}
	}
	return scores
}

// MIoU returns the mean intersection over union of the classes that occur or
// are answered (Everingham et al. 2015, section 4.1.3, over all pixels at
// once); 0 if there are none.
func (c *Confusion) MIoU() float64 {
	sum, n := 0.0, 0
	for k := range c.classes {
		truth, answer, _ := c.sums(k)
		right := c.Count(k, k)
		if iou := ratio(right, truth+answer-right); iou != nil {
			sum += *iou
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / float64(n)
}

// Accuracy returns the share of the judged pixels that are right, 0 if there
// are none.
func (c *Confusion) Accuracy() float64 {
	right, all := int64(0), int64(0)
	for i, n := range c.counts {
		if i/c.classes == i%c.classes {
			right += n
		}
		all += n
	}
	if a := ratio(right, all); a != nil {
		return *a
	}
	return 0
}

func ratio(a, b int64) *float64 {
	if b == 0 {
		return nil
	}
	r := float64(a) / float64(b)
	return &r
}
