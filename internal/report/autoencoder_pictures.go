package report

import (
	"cmp"
	"fmt"
	"slices"

	"hourglass/task/autoencode"
)

// What fits a page: three or two samples beside each other, of three pictures
// each, and as many neighbours as have a vote.
const (
	threeAbreast   = 112 // CSS pixels of a picture's longer side
	twoAbreast     = 168
	samplesShown   = 12
	neighboursNear = 5
)

// neighbourQuality is the JPEG quality of photographs among the neighbours,
// which are many and only there to be recognised.
const neighbourQuality = 85

// tileSide returns the size in CSS pixels at which a sample's pictures are
// shown: a whole multiple of their own where they are tiny.
func tileSide(long int) int {
	switch {
	case long > 0 && 2*long <= threeAbreast:
		return long * (threeAbreast / long)
	case 2*long <= twoAbreast:
		return 2 * long
	case long <= tinySide:
		return long
	}
	return twoAbreast
}

// samples shows held-out images before and after.
func (a *autoencoderPage) samples() Section {
	k := a.s.Config.Latent
	sec := Section{Title: "Before and after"}
	sec.Blocks = append(sec.Blocks, a.warnings()...)
	if len(a.e.Samples) == 0 {
		sec.Text = "No image was held out to be shown."
		return sec
	}
	sec.Text = fmt.Sprintf("Images that were held out, each beside what the autoencoder and PCA make of %s. The figure below each is its PSNR: higher is nearer to the original, and 3 dB more is half the squared error.",
		counted(k, "number"))
	shown := make([]autoencode.Sample, min(len(a.e.Samples), samplesShown))
	for i := range shown {
		shown[i] = a.e.Samples[i*len(a.e.Samples)/len(shown)]
	}
	g := &Grid{Columns: []string{"original", "autoencoder", "PCA"},
		Side: tileSide(max(a.s.Config.Height, a.s.Config.Width)), Note: a.samplesNote(shown)}
	for _, smp := range shown {
		own, pca := fixed(smp.AutoencoderPSNR, 1), fixed(smp.PCAPSNR, 1)
		g.Rows = append(g.Rows, GridRow{Label: cmp.Or(a.class(smp.Label), sourceName(smp.Name)), Tiles: []Tile{
			{Image: a.image(smp.Original)},
			{Image: a.image(smp.Autoencoder), Caption: own + " dB", Best: own != pca && smp.AutoencoderPSNR > smp.PCAPSNR},
			{Image: a.image(smp.PCA), Caption: pca + " dB", Best: own != pca && smp.PCAPSNR > smp.AutoencoderPSNR},
		}})
	}
	sec.Blocks = append(sec.Blocks, g)
	return sec
}

func (a *autoencoderPage) samplesNote(shown []autoencode.Sample) string {
	wins := 0
	for _, smp := range shown {
		if smp.AutoencoderPSNR > smp.PCAPSNR {
			wins++
		}
	}
	note := fmt.Sprintf("Taken at even steps through the held-out images, not chosen by result. The autoencoder is nearer to the original in %d of these %d.", wins, len(shown))
	if psnr := number(a.s.HeldOut.Autoencoder.PSNR); finite(psnr) {
		note += " The PSNR of an image differs from the headline’s, which is that of the mean error of all."
	}
	return note
}

// codes is the map of the held-out images by their codes.
func (a *autoencoderPage) codes() Section {
	m := &Map{Classes: a.s.Classes}
	classes := false
	for _, pt := range a.e.Map {
		class := a.classIndex(pt.Label)
		classes = classes || class >= 0
		m.Points = append(m.Points, MapPoint{X: pt.X, Y: pt.Y, Class: class, Label: pt.Name, Thumb: a.image(pt.Image)})
	}
	m.Note = "Images too near to others to be drawn are dots, or lie below them; the pointer names each image."
	colour := ""
	if classes {
		colour = " The colour is the label, which the network has never seen."
	} else {
		m.Classes = nil
	}
	these := ""
	if len(a.e.Map) == a.s.Config.HeldOut {
		these = "the "
	}
	return Section{Title: "Map of the codes", Text: fmt.Sprintf(
		"Each of %s%s stands where t-SNE puts its code of %s on a plane: images with similar codes stand together.%s\n\n**How to read it:** look at who is next to whom. How far apart two groups are, and how large each is, means little on a t-SNE map.",
		these, counted(len(a.e.Map), "held-out image"), counted(a.s.Config.Latent, "number"), colour),
		Blocks: []Block{m}}
}

// neighbours shows which images the codes, and which the pixels, call near.
func (a *autoencoderPage) neighbours() Section {
	n := &Neighbours{Spaces: []string{
		"nearest codes, " + counted(a.s.Config.Latent, "number"),
		"nearest pixels, " + counted(a.s.Dimensions, "number"),
	}}
	if max(a.s.Config.Height, a.s.Config.Width) > tinySide {
		n.Encoding.Quality = neighbourQuality
	}
	classes := false
	for _, hood := range a.e.Neighbours {
		row := NeighbourRow{Query: a.tile(hood.Query), Near: [][]Tile{a.tiles(hood.Latent), a.tiles(hood.Pixels)}}
		classes = classes || row.Query.Class != ""
		n.Rows = append(n.Rows, row)
	}
	if classes {
		n.Note = "Framed and ticked: of the same class as the held-out image. The count says how many of these neighbours are."
	}
	return Section{Title: "Neighbours", Text: "Held-out images on the left, and beside each the images learnt from that are nearest to it, nearest first: by the distance of the codes, and by the distance of the pixels.",
		Blocks: []Block{n}}
}

func (a *autoencoderPage) tiles(near []autoencode.Neighbour) []Tile {
	tiles := make([]Tile, min(len(near), neighboursNear))
	for i, n := range near[:len(tiles)] {
		tiles[i] = a.tile(n)
	}
	return tiles
}

func (a *autoencoderPage) tile(n autoencode.Neighbour) Tile {
	t := Tile{Image: a.image(n.Image), Class: a.class(n.Label)}
	if t.Class == "" {
		t.Alt = n.Name // says at least which image it is
	}
	return t
}

// image gives pixels the run's shape; none are an empty place.
func (a *autoencoderPage) image(pix []uint8) Image {
	if len(pix) == 0 {
		return Image{}
	}
	c := a.s.Config
	return Image{H: c.Height, W: c.Width, C: c.Channels, Pix: slices.Clip(pix)}
}

// class names a label: with nothing where there is none, with its number
// where it has no name.
func (a *autoencoderPage) class(label int) string {
	switch {
	case label < 0:
		return ""
	case label >= len(a.s.Classes):
		return fmt.Sprintf("class %d", label)
	}
	return a.s.Classes[label]
}

// classIndex is a label as an index into the named classes, −1 for none.
func (a *autoencoderPage) classIndex(label int) int {
	if label < 0 || label >= len(a.s.Classes) {
		return -1
	}
	return label
}
