package optim

import (
	"cmp"
	"fmt"
	"math"
)

// Schedule gives the learning rate its course over a training.
type Schedule interface {
	// Factor returns what the base rate is multiplied by in a step, counted
	// from 0, of a training of total steps. Steps beyond the total keep one
	// value.
	Factor(step, total int) float64
	// String returns the form that ParseSchedule reads.
	String() string
}

// Constant keeps the base rate.
type Constant struct{}

// Factor implements [Schedule].
func (Constant) Factor(step, total int) float64 { return 1 }

// String implements [Schedule].
func (Constant) String() string { return "constant" }

// StepDecay multiplies the rate by Gamma each time that Every steps have
// passed (PyTorch's StepLR).
type StepDecay struct {
	Every float64 // steps; below 1 it is a part of all steps; 0 means 1/3
	Gamma float64 // 0 means 0.1
}

// Factor implements [Schedule].
func (s StepDecay) Factor(step, total int) float64 {
	every := max(1, steps(cmp.Or(s.Every, 1.0/3), total))
	return math.Pow(cmp.Or(s.Gamma, 0.1), float64(clampStep(step, total)/every))
}

// String implements [Schedule].
func (s StepDecay) String() string {
	return form("step", setting{"every", s.Every}, setting{"gamma", s.Gamma})
}

// Cosine falls from the base rate along half a cosine (Loshchilov & Hutter
// 2017, equation 5, without restarts; PyTorch's CosineAnnealingLR).
type Cosine struct {
	Floor float64 // the factor one step after the last
}

// Factor implements [Schedule].
func (s Cosine) Factor(step, total int) float64 {
	if total < 1 {
		return 1
	}
	at := float64(min(max(step, 0), total)) / float64(total)
	return cosineBetween(1, s.Floor, at)
}

// String implements [Schedule].
func (s Cosine) String() string { return form("cosine", setting{"floor", s.Floor}) }

// OneCycle rises to the base rate and falls far below where it began, both
// along half a cosine (Smith & Topin 2019; PyTorch's OneCycleLR with cosine
// annealing and two phases, whose max_lr is the base rate).
type OneCycle struct {
	Rise  float64 // part of the steps spent rising, less than 1; 0 means 0.3
	Start float64 // the first factor is 1/Start; 0 means 25
	Final float64 // the last factor is 1/(Start·Final); 0 means 1e4
}

// Factor implements [Schedule].
func (s OneCycle) Factor(step, total int) float64 {
	first := 1 / cmp.Or(s.Start, 25)
	last := first / cmp.Or(s.Final, 1e4)
	if total < 2 {
		return first
	}
	// The peak lies at pct·total − 1, which need not be a whole step.
	at, peak, end := float64(clampStep(step, total)), cmp.Or(s.Rise, 0.3)*float64(total)-1, float64(total-1)
	if peak > 0 && at <= peak {
		return cosineBetween(first, 1, at/peak)
	}
	return cosineBetween(1, last, (at-peak)/(end-peak))
}

// String implements [Schedule].
func (s OneCycle) String() string {
	return form("onecycle", setting{"rise", s.Rise}, setting{"start", s.Start}, setting{"final", s.Final})
}

// Triangle rises in a straight line to the base rate and falls in another.
type Triangle struct {
	Rise  float64 // part of the steps spent rising, less than 1; 0 means 0.25
	Start float64 // the first factor
	Final float64 // the factor that the fall would reach one step after the last
}

// Factor implements [Schedule].
func (s Triangle) Factor(step, total int) float64 {
	at, peak := float64(clampStep(step, total)), cmp.Or(s.Rise, 0.25)*float64(total)
	if at < peak {
		return s.Start + (1-s.Start)*at/peak
	}
	return 1 + (s.Final-1)*(at-peak)/max(1, float64(total)-peak)
}

// String implements [Schedule].
func (s Triangle) String() string {
	return form("triangle", setting{"rise", s.Rise}, setting{"start", s.Start}, setting{"final", s.Final})
}

// WarmUp rises in a straight line to the base rate, which it reaches with its
// last step, and then lets another schedule run over the steps that are left
// (Goyal et al. 2017, section 2.2).
type WarmUp struct {
	Steps float64  // steps; below 1 it is a part of all steps; 0 means 0.05
	Then  Schedule // nil means Constant
}

// Factor implements [Schedule].
func (s WarmUp) Factor(step, total int) float64 {
	rising := min(steps(cmp.Or(s.Steps, 0.05), total), max(total, 0))
	if step = max(step, 0); step < rising {
		return float64(step+1) / float64(rising)
	}
	return s.then().Factor(step-rising, total-rising)
}

func (s WarmUp) then() Schedule {
	if s.Then == nil {
		return Constant{}
	}
	return s.Then
}

// String implements [Schedule].
func (s WarmUp) String() string {
	return fmt.Sprintf("%s+%v", form("warmup", setting{"steps", s.Steps}), s.then())
}

// clampStep returns step within 0 to total-1.
func clampStep(step, total int) int { return max(0, min(step, total-1)) }

// steps resolves a number of steps that may be a part of all of them.
func steps(n float64, total int) int {
	if n < 1 {
		n *= float64(total)
	}
	return int(max(0, min(math.Round(n), math.MaxInt32)))
}

func cosineBetween(from, to, at float64) float64 {
	return to + (from-to)*(1+math.Cos(math.Pi*at))/2
}
