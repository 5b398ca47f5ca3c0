package arch

import (
	"fmt"

	"hourglass/nn"
)

// ResNetOptions tune residual networks. The zero value is the network for
// ImageNet of He et al. 2016, "Deep residual learning for image recognition".
type ResNetOptions struct {
	// Small selects the form for images of about 32×32: a first convolution of
	// 3×3 at full size and no pooling after it (their section 4.2), followed by
	// the four stages of the other form.
	Small bool
	// Width is the number of channels of the first stage; 0 means 64. Each
	// stage after it has twice as many as the one before.
	Width int
}

// blockFunc returns the body of a residual block and its channels.
type blockFunc func(width, stride int) (body nn.Sequential, channels int)

// ResNet18 returns a residual network of 18 layers from images [N,H,W,C] to
// logits [N,classes].
func ResNet18(classes int, o ResNetOptions) (nn.Sequential, error) {
	return o.resNet(classes, basicBlock, [4]int{2, 2, 2, 2})
}

// ResNet34 is the network of 34 layers, in the manner of [ResNet18].
func ResNet34(classes int, o ResNetOptions) (nn.Sequential, error) {
	return o.resNet(classes, basicBlock, [4]int{3, 4, 6, 3})
}

// ResNet50 is the network of 50 layers, in the manner of [ResNet18]. Its
// blocks have three convolutions, of which that of 3×3 has the stride, as in
// most implementations since the paper, which gives it to the first.
func ResNet50(classes int, o ResNetOptions) (nn.Sequential, error) {
	return o.resNet(classes, bottleneckBlock, [4]int{3, 4, 6, 3})
}

// resNet builds a network of blocks, so many in each stage (He et al. 2016,
// table 1).
func (o ResNetOptions) resNet(classes int, block blockFunc, blocks [4]int) (nn.Sequential, error) {
	if o.Width == 0 {
		o.Width = 64
	}
	if err := checkWidth(o.Width, maxChannels/8); err != nil {
		return nil, err
	}
	if err := checkClasses(classes); err != nil {
		return nil, err
	}
	var net nn.Sequential
	if o.Small {
		net = append(net, torchConv(o.Width, 3, 1), nn.BatchNorm{}, nn.ReLU{})
	} else {
		net = append(net, torchConv(o.Width, 7, 2), nn.BatchNorm{}, nn.ReLU{},
			nn.MaxPool{Kernel: 3, Stride: 2, Padding: nn.Pads(1, 1, 1, 1)})
	}
	channels, width := o.Width, o.Width
	for stage, count := range blocks {
		for i := range count {
			stride := 1
			if stage > 0 && i == 0 {
				stride = 2
			}
			body, out := block(width, stride)
			res := nn.Residual{Body: body}
			if stride != 1 || channels != out {
				res.Shortcut = nn.Sequential{torchConv(out, 1, stride), nn.BatchNorm{}}
			}
			net = append(net, res, nn.ReLU{})
			channels = out
		}
		width *= 2
	}
	return append(net, nn.GlobalAvgPool{}, nn.Dense{Out: classes}), nil
}

// basicBlock returns the body of a block of two convolutions and its channels.
func basicBlock(width, stride int) (nn.Sequential, int) {
	return nn.Sequential{
		torchConv(width, 3, stride), nn.BatchNorm{}, nn.ReLU{},
		torchConv(width, 3, 1), nn.BatchNorm{},
	}, width
}

// bottleneckBlock returns the body of a block whose convolution of 3×3 works
// on a quarter of the block's channels, and these.
func bottleneckBlock(width, stride int) (nn.Sequential, int) {
	const expansion = 4
	return nn.Sequential{
		torchConv(width, 1, 1), nn.BatchNorm{}, nn.ReLU{},
		torchConv(width, 3, stride), nn.BatchNorm{}, nn.ReLU{},
		torchConv(expansion*width, 1, 1), nn.BatchNorm{},
	}, expansion * width
}

// torchConv is a convolution before a normalisation, with the same padding on
// all sides for any stride, as PyTorch's networks have it, and weights that
// keep the variance through rectifiers (He et al. 2015).
func torchConv(out, kernel, stride int) nn.Conv {
	p := kernel / 2
	return nn.Conv{Out: out, Kernel: kernel, Stride: stride, Padding: nn.Pads(p, p, p, p), NoBias: true, Init: nn.InitHeNormal}
}

func checkClasses(classes int) error {
	if classes < 1 || classes > maxClasses {
		return fmt.Errorf("arch: there are %d classes; there must be 1 to %d", classes, maxClasses)
	}
	return nil
}

func checkWidth(width, most int) error {
	if width < 1 || width > most {
		return fmt.Errorf("arch: width is %d; it must be 1 to %d", width, most)
	}
	return nil
}
