package arch

import (
	"fmt"

	"hourglass/nn"
)

// Codec is the transforms of a learned image codec (Ballé et al. 2018,
// "Variational image compression with a scale hyperprior", figure 4): four
// convolutions of 5×5, each halving the image, with divisive normalisation
// between them, and their mirror.
type Codec struct {
	// Analysis takes images [N,H,W,C] to latents [N,h,w,Latent], where h and w
	// are a sixteenth of H and W, rounded up at each halving.
	Analysis nn.Layer
	// Synthesis takes latents to images of sixteen times their height and width.
	Synthesis nn.Layer
}

// NewCodec returns the transforms for images of a number of channels, with
// width channels between the convolutions and latent ones at the waist.
func NewCodec(channels, width, latent int) (Codec, error) {
	for _, n := range []int{channels, width, latent} {
		if n < 1 || n > maxChannels {
			return Codec{}, fmt.Errorf("arch: a codec of %d image channels, width %d and %d latents; each must be 1 to %d",
				channels, width, latent, maxChannels)
		}
	}
	const depth = 4
	var analysis, synthesis nn.Sequential
	for i := range depth {
		down := nn.Conv{Out: width, Kernel: 5, Stride: 2, Padding: nn.Pads(2, 2, 2, 2)}
		up := nn.ConvTranspose{Out: width, Kernel: 5, Stride: 2, Padding: nn.Pads(2, 2, 2, 2), OutputPadding: 1}
		if i == depth-1 {
			down.Out, up.Out = latent, channels
		}
		analysis, synthesis = append(analysis, down), append(synthesis, up)
		if i < depth-1 {
			analysis = append(analysis, nn.GDN{})
			synthesis = append(synthesis, nn.GDN{Inverse: true})
		}
	}
	return Codec{analysis, synthesis}, nil
}
