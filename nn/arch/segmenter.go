package arch

import (
	"fmt"
	"strings"

	"hourglass/nn"
)

// ResUNetOptions tune what [ResUNet] builds. The zero value is the documented
// default.
type ResUNetOptions struct {
	// Width is the number of channels at half size, a multiple of 4; 0 means
	// 32. Each further halving doubles them.
	Width int
	// Levels is the number of halvings, at least 2; 0 means 4.
	Levels int
}

// ResUNet returns a network from images [N,H,W,C] to logits [N,H,W,classes] of
// each pixel, in the form of a U-Net (Ronneberger et al. 2015), that does
// little at full size: a convolution of stride 2 takes the image to half of it
// at once, and another one to each smaller size, where a residual block works,
// the last of them dilated by 2 to see further. On the way up one convolution
// joins what comes from below, brought to half as many channels and enlarged
// bilinearly, with what was there before; at full size that is one convolution
// of the image. A size that cannot be halved is rounded up below, and what comes
// back is cropped.
func ResUNet(classes int, o ResUNetOptions) (nn.Sequential, error) {
	if o.Width == 0 {
		o.Width = 32
	}
	if o.Levels == 0 {
		o.Levels = 4
	}
	if o.Levels < 2 || o.Levels > maxLevels {
		return nil, fmt.Errorf("arch: a residual U-Net of %d levels; there must be 2 to %d", o.Levels, maxLevels)
	}
	if err := checkWidth(o.Width, maxChannels>>(o.Levels-1)); err != nil {
		return nil, err
	}
	if o.Width%4 != 0 {
		return nil, fmt.Errorf("arch: the width of a residual U-Net is %d; it must be a multiple of 4", o.Width)
	}
	if err := checkClasses(classes); err != nil {
		return nil, err
	}
	half := append(conv3(o.Width, 2), resUNetLevel(o.Width, o.Levels-1)...)
	half = append(half, rise(o.Width/4)...)
	net := nn.Sequential{nn.Concat{Branches: []nn.Layer{conv3(o.Width/2, 1), half}, Crop: true}}
	net = append(net, conv3(o.Width/2, 1)...)
	return append(net, nn.Conv{Out: classes, Kernel: 1}), nil
}

// resUNetLevel is what follows the features of one size: all that lies below
// it, and the convolution that joins both.
func resUNetLevel(width, below int) nn.Sequential {
	down := conv3(2*width, 2)
	if below > 1 {
		down = append(down, residual(2*width, 1), nn.ReLU{})
		down = append(down, resUNetLevel(2*width, below-1)...)
	} else {
		down = append(down, residual(2*width, 2), nn.ReLU{})
	}
	down = append(down, rise(width/2)...)
	return append(nn.Sequential{nn.Concat{Branches: []nn.Layer{nn.Sequential{}, down}, Crop: true}}, conv3(width, 1)...)
}

// conv3 is a convolution of 3×3, normalised and rectified.
func conv3(width, stride int) nn.Sequential {
	return nn.Sequential{torchConv(width, 3, stride), nn.BatchNorm{}, nn.ReLU{}}
}

// residual is a block of two dilated convolutions beside the identity.
func residual(width, dilation int) nn.Residual {
	body, _ := basicBlock(width, 1)
	for i, l := range body {
		if c, ok := l.(nn.Conv); ok {
			c.Dilation, c.Padding = dilation, nn.Pads(dilation, dilation, dilation, dilation)
			body[i] = c
		}
	}
	return nn.Residual{Body: body}
}

// rise brings features to so many channels and twice the size.
func rise(channels int) nn.Sequential {
	return nn.Sequential{torchConv(channels, 1, 1), nn.BatchNorm{}, nn.ReLU{}, nn.UpsampleBilinear{}}
}

// Segmenters returns the names that [Segmenter] knows:
//
//   - fast: [ResUNet], many images a second on two cores;
//   - unet: [UNet], with all convolutions of Ronneberger et al. 2015.
func Segmenters() []string { return []string{"fast", "unet"} }

// Segmenter returns the network of a name, from images [N,H,W,C] to logits
// [N,H,W,classes]. Width is that of its options, 0 the default.
func Segmenter(name string, classes, width int) (nn.Sequential, error) {
	switch name {
	case "fast":
		return ResUNet(classes, ResUNetOptions{Width: width})
	case "unet":
		return UNet(classes, UNetOptions{Width: width})
	}
	return nil, fmt.Errorf("arch: network %q is unknown; choose one of %s", name, strings.Join(Segmenters(), ", "))
}
