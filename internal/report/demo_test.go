package report

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

var demoDir = flag.String("demo", "", "folder to keep the demonstration page in, to be looked at in a browser")

// shapeNames are the classes of the synthetic pictures.
var shapeNames = []string{"disc", "ring", "square", "frame", "cross", "saltire", "bars", "stripes", "wedge", "checks"}

// shape draws a synthetic grey picture of a class: light on black, of a size,
// place and brightness of its own.
func shape(class, side int, r *rand.Rand) Image {
	m := Image{H: side, W: side, C: 1, Pix: make([]uint8, side*side)}
	s := float64(side)
	cx, cy := s/2+r.NormFloat64()*s/18, s/2+r.NormFloat64()*s/18
	size := s * (0.28 + 0.1*r.Float64())
	light := 150 + 105*r.Float64()
	for y := range side {
		for x := range side {
			dx, dy := (float64(x)+0.5-cx)/size, (float64(y)+0.5-cy)/size
			d, box := math.Hypot(dx, dy), max(math.Abs(dx), math.Abs(dy))
			on := false
			switch class {
			case 0:
				on = d < 1
			case 1:
				on = d < 1.1 && d > 0.65
			case 2:
				on = box < 0.9
			case 3:
				on = box < 1 && box > 0.6
			case 4:
				on = box < 1.1 && min(math.Abs(dx), math.Abs(dy)) < 0.3
			case 5:
				on = box < 1 && min(math.Abs(dx+dy), math.Abs(dx-dy)) < 0.4
			case 6:
				on = box < 1 && math.Mod(dx+4, 0.8) < 0.4
			case 7:
				on = box < 1 && math.Mod(dy+4, 0.8) < 0.4
			case 8:
				on = dy > -1 && dy < 1 && math.Abs(dx) < (dy+1)/2
			case 9:
				on = box < 1 && (math.Mod(dx+4, 1) < 0.5) != (math.Mod(dy+4, 1) < 0.5)
			}
			if on {
				m.Pix[y*side+x] = uint8(light * (0.75 + 0.25*math.Cos(dx+dy)))
			}
		}
	}
	return m
}

// blurred returns m with noise and a box blur of radius k.
func blurred(m Image, k int, noise float64, r *rand.Rand) Image {
	out := Image{H: m.H, W: m.W, C: m.C, Pix: make([]uint8, len(m.Pix))}
	for y := range m.H {
		for x := range m.W {
			for c := range m.C {
				sum, n := 0.0, 0.0
				for v := max(0, y-k); v <= min(m.H-1, y+k); v++ {
					for u := max(0, x-k); u <= min(m.W-1, x+k); u++ {
						sum, n = sum+float64(m.Pix[(v*m.W+u)*m.C+c]), n+1
					}
				}
				v := sum/n + noise*r.NormFloat64()
				out.Pix[(y*m.W+x)*m.C+c] = uint8(min(max(v, 0), 255))
			}
		}
	}
	return out
}

// landscape draws a synthetic colour photograph.
func landscape(h, w int, r *rand.Rand) Image {
	m := Image{H: h, W: w, C: 3, Pix: make([]uint8, h*w*3)}
	p1, p2, hue := r.Float64()*6, r.Float64()*6, r.Float64()
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			ridge := 0.5 + 0.12*math.Sin(6*u+p1) + 0.06*math.Sin(17*u+p2)
			c := [3]float64{120 + 90*v, 160 + 60*v, 215}
			if v > ridge {
				k := 0.6 + 0.4*math.Sin(40*u+60*v+p2)
				c = [3]float64{60 + 70*hue*k, 95 + 40*k*(1-v), 50 + 30*hue}
			}
			if math.Hypot((u-0.75)*float64(w)/float64(h), v-0.2) < 0.08 {
				c = [3]float64{255, 240, 200}
			}
			for i := range 3 {
				m.Pix[(y*w+x)*3+i] = uint8(min(max(c[i]+6*r.NormFloat64(), 0), 255))
			}
		}
	}
	return m
}

// shapeMap is a map of n synthetic pictures in clusters.
func shapeMap(n int, r *rand.Rand) *Map {
	m := &Map{Title: "Held-out pictures by their latents", Classes: shapeNames,
		Note: "The first two principal components of the latents. Colour shows the label, which the network never saw."}
	for i := range n {
		c := r.IntN(len(shapeNames))
		a := float64(c) * 2 * math.Pi / 10
		m.Points = append(m.Points, MapPoint{
			X: 3*math.Cos(a) + 0.8*r.NormFloat64(), Y: 2.4*math.Sin(a) + 0.7*r.NormFloat64(),
			Class: c, Label: fmt.Sprintf("test/%05d.png", i), Thumb: shape(c, 28, r),
		})
	}
	return m
}

func curve(n int, from, to, rate, noise float64, r *rand.Rand) []float64 {
	y := make([]float64, n)
	for i := range y {
		y[i] = to + (from-to)*math.Exp(-rate*float64(i)/float64(n)) + noise*r.NormFloat64()
	}
	return y
}

// demoPage uses every block, with data as a task would give them.
func demoPage() *Page {
	r := rand.New(rand.NewPCG(7, 11))
	recon := &Grid{Title: "Input and reconstructions", Columns: []string{"input", "autoencoder", "PCA"},
		Note: "Held-out pictures. PSNR in dB; the better of each pair is set off."}
	for i := range 9 {
		m := shape(i, 28, r)
		recon.Rows = append(recon.Rows, GridRow{Tiles: []Tile{
			{Image: m, Caption: shapeNames[i]},
			{Image: blurred(m, 1, 3, r), Caption: fmt.Sprintf("%.1f dB", 22+3*r.Float64()), Best: true},
			{Image: blurred(m, 2, 9, r), Caption: fmt.Sprintf("%.1f dB", 18+3*r.Float64())},
		}})
	}
	photos := &Grid{Title: "Photographs", Columns: []string{"input", "decoded"}}
	for i := range 2 {
		m := landscape(240, 360, r)
		photos.Rows = append(photos.Rows, GridRow{Label: fmt.Sprintf("holiday %d.jpg", i+1), Tiles: []Tile{
			{Image: m, Caption: "480 × 320"}, {Image: blurred(m, 2, 2, r), Caption: "31.2 dB, 0.21 bpp"}}})
	}
	prototypes := &Grid{Title: "Along the latent axes", Columns: []string{"−3σ", "−2σ", "−1σ", "0", "+1σ", "+2σ", "+3σ"}}
	for i := range 3 {
		row := GridRow{Label: fmt.Sprintf("axis %d", i+1)}
		for range 7 {
			row.Tiles = append(row.Tiles, Tile{Image: shape(i, 28, r)})
		}
		prototypes.Rows = append(prototypes.Rows, row)
	}
	hoods := &Neighbours{Title: "Nearest neighbours", Spaces: []string{"in the latent space", "in pixels"},
		Note: "Framed: of the query's class."}
	for i := range 3 {
		row := NeighbourRow{Query: Tile{Image: shape(i*3, 28, r), Class: shapeNames[i*3]}}
		for _, luck := range []float64{0.9, 0.6} {
			var tiles []Tile
			for range 5 {
				c := i * 3
				if r.Float64() > luck {
					c = r.IntN(10)
				}
				tiles = append(tiles, Tile{Image: shape(c, 28, r), Class: shapeNames[c]})
			}
			row.Near = append(row.Near, tiles)
		}
		hoods.Rows = append(hoods.Rows, row)
	}
	ks := []float64{2, 4, 8, 16, 32, 64}
	skipped := &List{Title: "Files that were skipped"}
	for i := range 14 {
		skipped.Items = append(skipped.Items, ListItem{fmt.Sprintf("photos/IMG_%04d.jpg", 100+7*i), "truncated JPEG at byte 41,213"})
	}
	skipped.Items = append(skipped.Items, ListItem{`<script>alert("hi")</script>.png`, "is a text file"})
	epochs := 30
	return &Page{
		Title: "What the waist has learnt", Subtitle: "10,000 pictures of 28 × 28 pixels, 784 numbers squeezed through 16",
		Lead: []Figure{
			{Label: "held-out PSNR", Value: "22.9", Unit: "dB", Note: "PCA with as many numbers: 20.3 dB", Tone: Good},
			{Label: "error against PCA's", Value: "0.54", Unit: "×", Note: "held-out squared error"},
			{Label: "5-NN accuracy", Value: "83.4", Unit: "%", Note: "pixels: 80.1 %", Tone: Good},
			{Label: "skipped files", Value: "15", Note: "see the list below", Tone: Warn},
		},
		Sections: []Section{
			{Title: "What came out", Text: "The network saw **8,000 pictures without their labels**. The figures below are from 2,000 it never saw; `summary.json` holds them all.",
				Blocks: []Block{recon, &Note{Tone: Warn, Title: "Wider than its input", Text: "With `--arch wide` the waist has more numbers than a picture. The network can copy its input and need not learn anything."},
					&Note{Tone: Good, Text: "Labels were used to judge, never to learn."}, photos, prototypes}},
			{Title: "How it learnt", Blocks: []Block{&Columns{Blocks: []Block{
				&LinePlot{Title: "Squared error over the epochs", X: Axis{Label: "epoch"}, Y: Axis{Label: "squared error", Log: true},
					Series: []Series{{Name: "training", Y: curve(epochs, 0.09, 0.008, 6, 0.0003, r)}, {Name: "held-out", Y: curve(epochs, 0.08, 0.0098, 6, 0.0004, r), Style: Dashed}}},
				&LinePlot{Title: "Error against the size of the waist", X: Axis{Label: "k, numbers in the waist", Log: true, Ticks: ks}, Y: Axis{Label: "held-out squared error", Zero: true},
					Series: []Series{{Name: "autoencoder", X: ks, Y: []float64{0.031, 0.022, 0.0147, 0.0098, 0.0079, 0.0068}}, {Name: "PCA", X: ks, Y: []float64{0.046, 0.036, 0.0265, 0.0182, 0.0121, 0.0075}}},
					Lines:  []RefLine{{0.0868, "mean picture"}}},
			}},
				&LinePlot{Title: "Every step", Note: "12,000 steps; thinned without losing a peak.", X: Axis{Label: "step"}, Y: Axis{Label: "loss"},
					Series: []Series{{Name: "loss", Y: curve(12000, 0.3, 0.05, 9, 0.006, r), Style: Faint}, {Name: "smoothed over 100 steps", Y: curve(12000, 0.3, 0.05, 9, 0, r)}}},
			}},
			{Title: "What it is good for", Blocks: []Block{&Columns{Blocks: []Block{
				&BarPlot{Title: "A vote of five neighbours", Label: "accuracy", Unit: " %", Decimals: 1, Best: Highest,
					Rows: []BarRow{{"pixels", []float64{80.1}}, {"PCA, 16 numbers", []float64{79.2}}, {"latents, 16 numbers", []float64{83.4}}, {"not measured", []float64{math.NaN()}}}},
				&BarPlot{Title: "By class", Label: "accuracy", Decimals: 0, Unit: " %", Series: []string{"latents", "pixels"},
					Rows: []BarRow{{"disc", []float64{92, 88}}, {"ring", []float64{71, 64}}, {"square", []float64{83, 85}}}},
			}}, shapeMap(2000, r), hoods}},
			{Title: "Figures", Blocks: []Block{
				&Table{Title: "Three spaces", Columns: []Column{{Head: "space"}, {Head: "numbers"}, {Head: "squared error", Best: Lowest}, {Head: "PSNR, dB", Best: Highest}, {Head: "5-NN accuracy, %", Best: Highest}},
					Rows: [][]Cell{{Text("pixels"), Int(784), Num(math.NaN(), 4), Num(math.Inf(1), 1), Num(80.1, 1)}, {Text("PCA"), Int(16), Num(0.0182, 4), Num(17.4, 1), Num(79.2, 1)}, {Text("autoencoder"), Int(16), Num(0.0098, 4), Num(20.09, 1), Num(83.4, 1)}}},
				&Columns{Blocks: []Block{
					&Facts{Title: "Sizes", Items: []Fact{{"picture, d", "784", "28 × 28 × 1"}, {"waist, k", "16", ""}, {"parameters", "214,321", ""}, {"pictures with 256 levels", "10¹⁸⁸⁸", ""}, {"pictures the waist can name", "10¹⁶", "with 11 levels each"}}},
					&Facts{Title: "Time", Items: []Fact{{"reading", "0.4 s", ""}, {"training", "71.3 s", "2,310 pictures a second"}, {"PCA", "0.6 s", ""}}}}},
				skipped,
				&Code{Title: "Make it again", Text: "hourglass learn fashion --latent 16 --seed 1 --epochs 30 \\\n    --out runs/fashion"}}},
		},
		Footer: "Made by `hourglass` 0.1.0. This file asks the network for nothing.",
	}
}

// TestDemoPage renders every block, keeps the page for a look with -demo, and
// holds it to the size that a report may have.
func TestDemoPage(t *testing.T) {
	dir := *demoDir
	if dir == "" {
		dir = t.TempDir()
	}
	path := filepath.Join(dir, "demo.html")
	if err := demoPage().WriteFile(path); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if limit := int64(1_600_000); st.Size() > limit {
		t.Errorf("the demonstration page has %d bytes, more than %d", st.Size(), limit)
	}
}
