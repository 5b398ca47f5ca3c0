package arch

import (
	"fmt"

	"hourglass/nn"
)

// UNetOptions tune what [UNet] builds. The zero value is the documented
// default.
type UNetOptions struct {
	// Width is the number of channels at full size; 0 means 32. Each halving of
	// the image doubles them.
	Width int
	// Levels is the number of halvings; 0 means 4.
	Levels int
}

// maxLevels halve an image of maxSide pixels to one.
const maxLevels = 14

// UNet returns a network from images [N,H,W,C] to logits [N,H,W,classes] of
// each pixel (Ronneberger et al. 2015): two convolutions at each size on the
// way down, and on the way up two more on what came from below beside what was
// there before. Unlike theirs, its convolutions are padded, so that the result
// has the image's size, and normalised. A size that cannot be halved is rounded
// up below, and what comes back is cropped.
func UNet(classes int, o UNetOptions) (nn.Sequential, error) {
	if o.Width == 0 {
		o.Width = 32
	}
	if o.Levels == 0 {
		o.Levels = 4
	}
	if o.Levels < 1 || o.Levels > maxLevels {
		return nil, fmt.Errorf("arch: a U-Net of %d levels; there must be 1 to %d", o.Levels, maxLevels)
	}
	if err := checkWidth(o.Width, maxChannels>>o.Levels); err != nil {
		return nil, err
	}
	if err := checkClasses(classes); err != nil {
		return nil, err
	}
	return append(unetLevel(o.Width, o.Levels), nn.Conv{Out: classes, Kernel: 1}), nil
}

// unetLevel is one size of the network with all that lies below it.
func unetLevel(width, below int) nn.Sequential {
	net := doubleConv(width)
	if below == 0 {
		return net
	}
	down := nn.Sequential{nn.MaxPool{Padding: nn.Same()}}
	down = append(down, unetLevel(2*width, below-1)...)
	down = append(down, nn.ConvTranspose{Out: width, Kernel: 2, Stride: 2})
	net = append(net, nn.Concat{Branches: []nn.Layer{nn.Sequential(nil), down}, Crop: true})
	return append(net, doubleConv(width)...)
}

// doubleConv is two convolutions of 3×3, each normalised and rectified.
func doubleConv(width int) nn.Sequential {
	var net nn.Sequential
	for range 2 {
		net = append(net, torchConv(width, 3, 1), nn.BatchNorm{}, nn.ReLU{})
	}
	return net
}
