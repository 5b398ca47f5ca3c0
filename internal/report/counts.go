package report

import (
	"fmt"
	"math"

	"hourglass/train/run"
)

// countsText compares in words how many images of d numbers there can be with
// how many a code of k can name; learnt is the number of images learnt from,
// and copyable says that there is no waist.
func countsText(d, k, learnt int, counts run.Counts, copyable bool) string {
	all, named := powerOfTen(counts.Images), powerOfTen(counts.Names)
	text := fmt.Sprintf("An image is %s of 256 levels each, so about %s different ones could be written down, nearly all of them noise.",
		counted(d, "number"), all)
	text += fmt.Sprintf(" The code, if only 11 levels of each of its %s are told apart, can name about %s of them", counted(k, "number"), named)
	switch {
	case copyable:
		text += ": nothing makes the network choose which are worth a name."
	case learnt > 0 && counts.Names < math.Log10(float64(learnt)):
		text += fmt.Sprintf(": fewer than the %s learnt from, so that many of those must share one.", counted(learnt, "image"))
	default:
		text += fmt.Sprintf(": enough for the %s learnt from, and so few beside all there could be that the network has to find out what real images have in common.", counted(learnt, "image"))
	}
	return text
}

// countsFacts lists the same.
func countsFacts(c run.Images, k int, counts run.Counts) *Facts {
	channels := counted(c.Channels, "channel")
	switch c.Channels {
	case 1:
		channels = "grey"
	case 3:
		channels = "red, green, blue"
	}
	d := c.Height * c.Width * c.Channels
	return &Facts{Title: "What there can be", Items: []Fact{
		{"image, d", counted(d, "number"), fmt.Sprintf("%d × %d, %s", c.Height, c.Width, channels)},
		{"code, k", counted(k, "number"), ""},
		{"images of 256 levels", "about " + powerOfTen(counts.Images), "256" + superscript(d)},
		{"names of 11 levels", "about " + powerOfTen(counts.Names), "11" + superscript(k)},
		{"as stored", byteSize(int64(d)) + " → " + byteSize(4*int64(k)), "a byte for a pixel’s value, four for a number of the code"},
	}}
}
