package main

import (
	"bytes"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// The colours stand out from a white page, for the colour-blind too.
var (
	ourColour  = color.NRGBA{0x1f, 0x6f, 0xb4, 0xff}
	peerColour = color.NRGBA{0xd9, 0x6a, 0x0b, 0xff}
	roofColour = color.NRGBA{0x55, 0x55, 0x55, 0xff}
)

// roofline draws speed against arithmetic intensity (Williams et al. 2009):
// each workload, ours and the fastest peer's, under what peak and bandwidth
// allow.
func (r *report) roofline() ([]byte, error) {
	p := plot.New()
	p.Title.Text = r.machine()
	p.X.Label.Text, p.Y.Label.Text = "operations for each byte that must move", "GFLOP/s"
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}

	var ours, theirs plotter.XYs
	var labels plotter.XYLabels
	low, high := math.Inf(1), math.Inf(-1)
	for _, x := range r.fastest() {
		intensity := float64(x.Flops) / float64(x.Bytes)
		low, high = min(low, intensity), max(high, intensity)
		ours = append(ours, plotter.XY{X: intensity, Y: x.gflops()})
		theirs = append(theirs, plotter.XY{X: intensity, Y: float64(x.Flops) / 1e6 / x.PeerMS})
		// Kernels alone are many; their names would hide each other.
		if !strings.Contains(x.Workload, "gemm/") && !strings.Contains(x.Workload, "mobile/") {
			labels.XYs, labels.Labels = append(labels.XYs, ours[len(ours)-1]), append(labels.Labels, " "+x.Workload)
		}
	}
	low, high = low/2, high*3
	ridge := r.Machine.PeakGflops / r.Machine.BandwidthGBs
	roof, err := plotter.NewLine(plotter.XYs{
		{X: low, Y: math.Min(low, ridge) * r.Machine.BandwidthGBs}, {X: ridge, Y: r.Machine.PeakGflops}, {X: max(high, ridge), Y: r.Machine.PeakGflops},
	})
	if err != nil {
		return nil, err
	}
	roof.Color, roof.Width = roofColour, vg.Points(1.5)
	p.Add(roof)
	p.Legend.Add("what memory and multiply-adds allow", roof)
	for _, s := range []struct {
		name   string
		points plotter.XYs
		colour color.NRGBA
		shape  draw.GlyphDrawer
	}{{"the fastest peer", theirs, peerColour, draw.RingGlyph{}}, {"Hourglass", ours, ourColour, draw.CircleGlyph{}}} {
		points, err := plotter.NewScatter(s.points)
		if err != nil {
			return nil, err
		}
		points.Color, points.Shape, points.Radius = s.colour, s.shape, vg.Points(3)
		p.Add(points)
		p.Legend.Add(s.name, points)
	}
	if len(labels.Labels) > 0 {
		names, err := plotter.NewLabels(labels)
		if err != nil {
			return nil, err
		}
		p.Add(names)
	}
	p.Legend.Top, p.Legend.Left = true, true
	w, err := p.WriterTo(9*vg.Inch, 5.5*vg.Inch, "svg")
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = w.WriteTo(&out)
	return out.Bytes(), err
}

// fastest returns for each workload the result beside its fastest peer.
func (r *report) fastest() []result {
	var list []result
	for _, x := range r.Results {
		i := slices.IndexFunc(list, func(y result) bool { return y.Workload == x.Workload })
		switch {
		case i < 0:
			list = append(list, x)
		case x.Ratio > list[i].Ratio:
			list[i] = x
		}
	}
	return list
}
