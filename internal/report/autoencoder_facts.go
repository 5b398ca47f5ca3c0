package report

import (
	"cmp"
	"fmt"

	"hourglass/task/autoencode"
)

// warningsShown caps the warnings at the head of the page; all of them are
// listed near its end.
const warningsShown = 3

// warnings returns what a reader should know before he looks at anything.
func (a *autoencoderPage) warnings() []Block {
	var blocks []Block
	all := a.s.Warnings
	if a.s.Copyable && len(all) == 0 {
		all = []string{fmt.Sprintf("there is no bottleneck: the code has %s and the image %s, so the network can copy its input and need not learn anything",
			counted(a.s.Config.Latent, "number"), whole(a.s.Dimensions))}
	}
	for _, w := range all[:min(len(all), warningsShown)] {
		blocks = append(blocks, &Note{Tone: Warn, Text: sentence(w)})
	}
	return blocks
}

// sizes compares how many images there can be with how many the waist can
// name.
func (a *autoencoderPage) sizes() Section {
	s, c := a.s, a.s.Config
	return Section{Title: "How small is small?", Text: countsText(s.Dimensions, c.Latent, c.Train, s.Codes, s.Copyable), Blocks: []Block{&Columns{Blocks: []Block{
		countsFacts(c.Images, c.Latent, s.Codes),
		&Facts{Title: "The network", Items: []Fact{
			{"architecture", a.architecture(), ""},
			{"parameters", whole(s.Parameters), "numbers that were learnt, " + byteSize(4*int64(s.Parameters))},
			{"multiply-adds", wholeLong(s.MACs), "for one image, there and back"},
			{"parameters per image", significant(rounded(ratioOf(s.Parameters, c.Train), 2)), "learnt from"},
		}},
	}}}}
}

func (a *autoencoderPage) architecture() string {
	c := a.s.Config
	if c.Decoder == "" {
		return c.Arch
	}
	return c.Arch + ", decoder " + c.Decoder
}

// remarks holds what was left out, what went wrong without harm, and how the
// yardstick was measured.
func (a *autoencoderPage) remarks() Section {
	s, c := a.s, a.s.Config
	sec := Section{Title: "Fine print"}
	sec.Text = usedText(s.Found, s.Skipped) + fmt.Sprintf("%s to learn from, %s to choose the best epoch, %s to judge.", whole(c.Train), whole(c.Validation), whole(c.HeldOut))
	if method := pcaMethod(s.PCAMethod); method != "" {
		sec.Text += "\n\nPCA was fitted to the images learnt from and those that chose the epoch: " + method
	}
	if s.PCAClippedMSE > 0 && finite(s.PCAClippedMSE) {
		sec.Text += fmt.Sprintf("\n\nWhat PCA gives back can lie outside the range of pixels. Clipped to it, as the pictures and their PSNR above are, its squared error is %s (%s dB); the headline and the curve use the plain error of the method, %s.",
			significant(rounded(s.PCAClippedMSE, 3)), fixed(autoencode.PSNR(s.PCAClippedMSE), 1), significant(rounded(number(s.HeldOut.PCA.MSE), 3)))
	}
	sec.Blocks = append(sec.Blocks, remarkLists(s.Skipped, s.Warnings)...)
	return sec
}

// pcaMethod says how the components were found.
func pcaMethod(method string) string {
	switch method {
	case "covariance":
		return "exactly, from the covariance of the pixels."
	case "gram":
		return "exactly, from the products of the images with each other."
	case "randomized":
		return "by a randomised method, whose error is a little above the exact one’s."
	}
	return method
}

// again holds all that it takes to make the run again.
func (a *autoencoderPage) again() Section {
	s, c := a.s, a.s.Config
	costs := costFacts(s.Seconds, len(s.Training.Epochs), "errors, neighbours, map", s.PeakBytes)
	if finite(s.ImagesPerS) && s.ImagesPerS > 0 {
		costs = append(costs, Fact{"speed of training", significant(rounded(s.ImagesPerS, 3)) + " images/s", ""})
	}
	return againSection(c.Common, s.Command, []Fact{
		{"architecture", cmp.Or(c.Arch, dash), ""},
		{"decoder", cmp.Or(c.Decoder, "mirrors the encoder"), ""},
		{"latent, k", counted(c.Latent, "number"), ""},
		{"loss", cmp.Or(c.Loss, dash), lossName(c.Loss)},
	}, costs)
}
