package restore

import (
	"fmt"

	"hourglass/nn"
)

// Shape is the size of a network: channels at each scale, the first at half
// the image's size, and residual blocks at each on the way down and again on
// the way up.
type Shape struct {
	Widths []int `json:"widths"`
	Blocks int   `json:"blocks"`
}

// maxScales is how often an image may be halved; more and the margins of tiles
// would be larger than the tiles.
const maxScales = 6

func (s Shape) check() error {
	if len(s.Widths) < 1 || len(s.Widths) > maxScales || s.Blocks < 1 || s.Blocks > 32 {
		return fmt.Errorf("a network of %d scales of %d blocks; there must be 1 to %d and 1 to 32", len(s.Widths), s.Blocks, maxScales)
	}
	for _, w := range s.Widths {
		if w < 1 || w > 1024 {
			return fmt.Errorf("%d channels; there must be 1 to 1024", w)
		}
	}
	return nil
}

// stride is what the sides of an image must be a multiple of.
func (s Shape) stride() int { return 1 << len(s.Widths) }

// network returns the layers that say what is to be added to an image
// [N,H,W,3]; their input may have more channels.
//
// It is the form of DRUNet (Zhang et al. 2021, "Plug-and-play image
// restoration with deep denoiser prior", section III-B): a U of residual
// blocks without normalisation and without biases, whose two sides are added.
// Without biases an image of twice the contrast gives twice the correction,
// which carries over to strengths of noise that were not seen (Mohan et al.
// 2020, "Robust and interpretable blind image denoising"). Unlike DRUNet's,
// its first scale is half the image's size, as FFDNet's is (Zhang et al. 2018,
// section III-B): a convolution of 6×6 with stride 2 is one of 3×3 on
// rearranged pixels. Three quarters of the work at full size are saved.
func (s Shape) network() nn.Layer {
	return nn.Sequential{
		nn.Conv{Out: s.Widths[0], Kernel: 6, Stride: 2, NoBias: true},
		s.scale(0),
		nn.Conv{Out: 4 * 3, NoBias: true, Init: nn.InitZeros}, // begin as the identity
		nn.PixelShuffle{},
	}
}

// scale is one size of the image with all that lies below it.
func (s Shape) scale(i int) nn.Layer {
	var net nn.Sequential
	if i == len(s.Widths)-1 {
		for range 2 * s.Blocks {
			net = append(net, block(s.Widths[i]))
		}
		return net
	}
	for range s.Blocks {
		net = append(net, block(s.Widths[i]))
	}
	net = append(net, nn.Residual{Body: nn.Sequential{
		nn.Conv{Out: s.Widths[i+1], Kernel: 2, Stride: 2, NoBias: true},
		s.scale(i + 1),
		nn.ConvTranspose{Out: s.Widths[i], Kernel: 2, Stride: 2, NoBias: true},
	}})
	for range s.Blocks {
		net = append(net, block(s.Widths[i]))
	}
	return net
}

// block is two convolutions around the identity, as which it begins (Zhang,
// Dauphin and Ma 2019, "Fixup initialization", section 3).
func block(width int) nn.Layer {
	return nn.Residual{Body: nn.Sequential{
		nn.Conv{Out: width, NoBias: true, Init: nn.InitHeNormal},
		nn.ReLU{},
		nn.Conv{Out: width, NoBias: true, Init: nn.InitZeros},
	}}
}
