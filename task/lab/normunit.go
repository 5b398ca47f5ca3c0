package lab

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// unitCourse is how the inputs of a layer's units are distributed, at each
// look after the first step.
type unitCourse struct {
	steps   []float64
	first   [3][]float64 // quantiles of the first unit
	medians [][]float64  // of each unit
	spread  float64      // sum over the looks of the units' mean distance between the outer quantiles
}

// unitQuantiles are those that Ioffe & Szegedy 2015 show in figure 1.
var unitQuantiles = [3]float64{0.15, 0.5, 0.85}

// observe notes quantiles of the inputs [N,…,units] at a look.
func (c *unitCourse) observe(step float64, values []float32, units int) {
	medians := make([]float64, units)
	column := make([]float64, len(values)/units)
	for unit := range units {
		for i := range column {
			column[i] = float64(values[i*units+unit])
		}
		slices.Sort(column)
		var q [3]float64
		for k, at := range unitQuantiles {
			q[k] = column[int(at*float64(len(column)-1)+0.5)]
			if unit == 0 {
				c.first[k] = append(c.first[k], q[k])
			}
		}
		medians[unit] = q[1]
		c.spread += (q[2] - q[0]) / float64(units)
	}
	c.steps, c.medians = append(c.steps, step), append(c.medians, medians)
}

// wander is how far the units' medians moved, as a multiple of their spread:
// the mean over the units of the way from the lowest to the highest.
func (c *unitCourse) wander() float64 {
	if len(c.medians) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for unit := range c.medians[0] {
		low, high := math.Inf(1), math.Inf(-1)
		for _, at := range c.medians {
			low, high = min(low, at[unit]), max(high, at[unit])
		}
		sum += (high - low) / float64(len(c.medians[0]))
	}
	return sum / (c.spread / float64(len(c.medians)))
}

// reportUnit shows what goes into a hidden unit: in the plain network, and in
// the normalised one before and after the normalisation.
func reportUnit(r *Result, body normBody, best [2]*normTrial) {
	for i, view := range []struct {
		name, title string
		course      *unitCourse
	}{
		{"plain", "without normalisation", &best[0].after},
		{"before", "before its normalisation", &best[1].before},
		{"after", "after its normalisation", &best[1].after},
	} {
		wander := view.course.wander()
		r.Set(fmt.Sprintf("%s_wander_%s", body.name, view.name), wander, "spreads",
			"way of the median of what a unit of the last hidden layer gets, "+view.title+", during training: mean over the units, by their spread from the 15th to the 85th percentile")
		p := Plot{
			Title: fmt.Sprintf("A hidden unit’s input, %s", view.title),
			Note: fmt.Sprintf("%s network, first unit of its last hidden layer: 15th, 50th and 85th percentile over the validation images (Ioffe & Szegedy 2015, figure 1). The medians of all units of the layer moved by %.2f of their spreads.",
				strings.ToUpper(body.name[:1])+body.name[1:], wander),
			X: Axis{Label: "steps"}, Y: Axis{Label: "input of the unit"},
		}
		for k := len(unitQuantiles) - 1; k >= 0; k-- {
			p.Series = append(p.Series, Series{Name: fmt.Sprintf("%.0f%%", 100*unitQuantiles[k]),
				X: numbers(view.course.steps), Y: numbers(view.course.first[k]), Color: min(i, 1) + 1, Dashed: k != 1})
		}
		r.Plots = append(r.Plots, p)
	}
}
