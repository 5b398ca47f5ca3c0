package segment

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"hourglass/data"
)

// Colors returns the colours of classes in pictures: those given, and for the
// others colours as far apart as their number allows.
func Colors(l data.ClassList) [][3]uint8 {
	colors := make([][3]uint8, len(l.Classes))
	for i, c := range l.Classes {
		var ok bool
		if colors[i], ok = c.RGB(); !ok {
			// Steps of the golden section spread hues evenly, however many there
			// are; three levels of lightness keep near ones apart.
			const golden = 0.6180339887498949
			colors[i] = fromHue(math.Mod(0.02+golden*float64(i), 1), []float64{0.5, 0.65, 0.38}[i%3])
		}
	}
	return colors
}

// fromHue returns a saturated colour of a hue (a share of a turn) and a
// lightness.
func fromHue(hue, lightness float64) (rgb [3]uint8) {
	chroma := 0.8 * min(lightness, 1-lightness)
	for i, offset := range []float64{0, 8, 4} {
		k := math.Mod(offset+12*hue, 12)
		v := lightness - chroma*max(-1, min(k-3, 9-k, 1))
		rgb[i] = uint8(math.Round(255 * v))
	}
	return rgb
}

// tint is the share of the class's colour in an overlay.
const tint = 0.55

// Overlay returns an image [H,W,3] with the classes of its pixels laid over it
// in colours. The image has one channel or three. Pixels that are ignored stay
// as they are, and so do those of the first of two classes, the background.
func Overlay(image []uint8, classes []uint8, colors [][3]uint8) []uint8 {
	channels := len(image) / max(1, len(classes))
	out := make([]uint8, 3*len(classes))
	for i, class := range classes {
		plain := class == data.Ignored || class == 0 && len(colors) == 2
		for k := range 3 {
			v := float64(image[i*channels+min(k, channels-1)])
			if !plain {
				v += tint * (float64(colors[class][k]) - v)
			}
			out[3*i+k] = uint8(math.Round(v))
		}
	}
	return out
}

// Keep returns which classes are kept in a cut-out: those named, or all but the
// first if none is.
func Keep(l data.ClassList, names []string) ([]bool, error) {
	keep := make([]bool, len(l.Classes))
	if len(names) == 0 {
		for i := range keep {
			keep[i] = i > 0
		}
		return keep, nil
	}
	for _, name := range names {
		i := slices.Index(l.Names(), strings.TrimSpace(name))
		if i < 0 {
			return nil, fmt.Errorf("the model knows no class %q: choose from %s", name, strings.Join(l.Names(), ", "))
		}
		keep[i] = true
	}
	return keep, nil
}
