package arch

import (
	"fmt"
	"slices"

	"hourglass/nn"
	"hourglass/tensor"
)

// stage is one resolution of a convolutional network.
type stage struct{ height, width, channels int }

func (s stage) area() int { return s.height * s.width }

func halve(n int) int { return (n + 1) / 2 }

// stages returns the resolutions from the image down to the first one at
// which stop holds, or to a single pixel. Only decoders work at the first, the
// image's own: an encoder's first convolution halves it.
func (o Options) stages(image tensor.Shape, stop func(stage) bool) []stage {
	s := stage{image[0], image[1], max(1, o.Width/2)}
	all := []stage{s}
	for channels := o.Width; s.area() > 1 && (len(all) < 2 || !stop(s)); channels *= 2 {
		s = stage{halve(s.height), halve(s.width), min(channels, o.MaxWidth)}
		all = append(all, s)
	}
	return all
}

// smallGrid ends a network whose waist is a vector: below 8×8 pixels (7×7 for
// 28×28, 4×4 for powers of two) the product that follows is small, and less
// would throw away where things are.
func smallGrid(s stage) bool { return s.area() < 64 }

// descend returns the convolutions through all stages, with one more in the
// last, where it is cheapest and sees most.
func (o Options) descend(stages []stage) []nn.Layer {
	var layers []nn.Layer
	for _, s := range stages[1:] {
		layers = append(layers, o.conv3(s.channels, 2)...)
		layers = append(layers, o.residuals(s.channels, o.Blocks)...)
	}
	return append(layers, o.conv3(stages[len(stages)-1].channels, 1)...)
}

// ascend returns the way from the last stage back to the image.
func (o Options) ascend(stages []stage, channels int) []nn.Layer {
	var layers []nn.Layer
	for i := len(stages) - 1; i > 0; i-- {
		layers = append(layers, o.residuals(stages[i].channels, o.Blocks)...)
		to := stages[i-1]
		layers = append(layers, o.grow(to.channels, to.height, to.width)...)
	}
	layers = append(layers, nn.Conv{Out: channels, Kernel: 3})
	return append(layers, o.output()...)
}

// forDecoder returns the options and stages that the decoder's name asks for.
func (o Options) forDecoder(stages []stage) (Options, []stage) {
	stages = slices.Clone(stages)
	switch o.Decoder {
	case "light":
		for i := range stages {
			stages[i].channels = max(1, stages[i].channels/2)
		}
	case "heavy":
		o.Blocks++
	}
	return o, stages
}

// fromVector returns the decoder from a vector to an image if it is one of
// those that need no grid.
func (o Options) fromVector(image tensor.Shape) ([]nn.Layer, bool) {
	var layers []nn.Layer
	switch o.Decoder {
	case "dense":
		for _, h := range slices.Backward(o.Hidden) {
			layers = append(layers, o.denseBlock(h)...)
		}
	case "linear":
	default:
		return nil, false
	}
	layers = append(layers, nn.Dense{Out: image.Elements()}, nn.Reshape{Shape: image})
	return append(layers, o.output()...), true
}

func (o Options) conv(image tensor.Shape, latent int) Autoencoder {
	stages := o.stages(image, smallGrid)
	encoder := append(o.descend(stages), nn.Flatten{}, nn.Dense{Out: latent})
	decoder, ok := o.fromVector(image)
	if !ok {
		o, stages := o.forDecoder(stages)
		s := stages[len(stages)-1]
		decoder = []nn.Layer{
			nn.Dense{Out: s.area() * s.channels, NoBias: o.bare()},
			nn.Reshape{Shape: []int{s.height, s.width, s.channels}},
		}
		decoder = append(append(decoder, o.norm(s.channels)...), o.activation())
		decoder = append(decoder, o.ascend(stages, image[2])...)
	}
	return Autoencoder{nn.Sequential(encoder), nn.Sequential(decoder), latent, nil}
}

func (o Options) dense(image tensor.Shape, latent int) Autoencoder {
	encoder := []nn.Layer{nn.Flatten{}}
	for _, h := range o.Hidden {
		encoder = append(encoder, o.denseBlock(h)...)
	}
	encoder = append(encoder, nn.Dense{Out: latent})
	// Every other decoder's shape is a matter of channels, which this network
	// has none of: the hidden widths take their place.
	switch o.Decoder {
	case "mirror":
		o.Decoder = "dense"
	case "light":
		o.Decoder = "dense"
		hidden := make([]int, len(o.Hidden))
		for i, h := range o.Hidden {
			hidden[i] = max(1, h/2)
		}
		o.Hidden = hidden
	case "heavy":
		o.Decoder = "dense"
		o.Hidden = append(o.Hidden[:len(o.Hidden):len(o.Hidden)], o.Hidden[max(0, len(o.Hidden)-1):]...)
	}
	decoder, _ := o.fromVector(image)
	return Autoencoder{nn.Sequential(encoder), nn.Sequential(decoder), latent, nil}
}

// gridChannels is how many values each place of a spatial waist has at least,
// if the waist is large enough: fewer, and a place cannot tell an edge's
// direction.
const gridChannels = 4

func (o Options) spatial(image tensor.Shape, latent int) Autoencoder {
	stages := o.stages(image, func(s stage) bool { return s.area()*gridChannels <= latent })
	s := stages[len(stages)-1]
	c := max(1, latent/s.area())
	encoder := append(o.descend(stages), nn.Conv{Out: c, Kernel: 1})
	decoder, ok := o.fromVector(image)
	if ok {
		decoder = append([]nn.Layer{nn.Flatten{}}, decoder...)
	} else {
		o, stages := o.forDecoder(stages)
		decoder = append(o.conv3(stages[len(stages)-1].channels, 1), o.ascend(stages, image[2])...)
	}
	return Autoencoder{nn.Sequential(encoder), nn.Sequential(decoder), s.area() * c, []int{s.height, s.width, c}}
}

// wide keeps the image's size and gives each pixel more values than it has.
func (o Options) wide(image tensor.Shape, latent int) (Autoencoder, error) {
	area, pixels := image[0]*image[1], image.Elements()
	if latent == 0 {
		latent = 4 * pixels
	}
	if latent <= pixels || latent > maxChannels*area {
		return Autoencoder{}, fmt.Errorf("arch: latent is %d; a wide network needs more than the %d values of an image, at most %d (or 0 for %d)",
			latent, pixels, maxChannels*area, 4*pixels)
	}
	c := (latent + area - 1) / area
	if err := (tensor.Shape{image[0], image[1], c}).Validate(); err != nil {
		return Autoencoder{}, fmt.Errorf("arch: %w", err)
	}
	encoder := append(o.conv3(o.Width, 1), o.residuals(o.Width, o.Blocks)...)
	encoder = append(encoder, nn.Conv{Out: c, Kernel: 3})
	decoder, ok := o.fromVector(image)
	if ok {
		decoder = append([]nn.Layer{nn.Flatten{}}, decoder...)
	} else {
		o, stages := o.forDecoder([]stage{{image[0], image[1], o.Width}})
		decoder = append(o.conv3(stages[0].channels, 1), o.residuals(stages[0].channels, o.Blocks)...)
		decoder = append(decoder, o.ascend(stages, image[2])...)
	}
	return Autoencoder{nn.Sequential(encoder), nn.Sequential(decoder), area * c, []int{image[0], image[1], c}}, nil
}
