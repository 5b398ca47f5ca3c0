package arch

import (
	"hourglass/nn"
)

// activation returns the non-linearity between layers.
func (o Options) activation() nn.Layer {
	switch o.Activation {
	case "leaky_relu":
		return nn.LeakyReLU{Slope: 0.1}
	case "silu":
		return nn.SiLU{}
	case "gelu":
		return nn.GELU{}
	}
	return nn.ReLU{}
}

// norm returns the normalisation of c channels as a list of one or no layer.
func (o Options) norm(c int) []nn.Layer {
	switch o.Norm {
	case "batch":
		return []nn.Layer{nn.BatchNorm{}}
	case "group":
		groups := 1
		for g := min(8, c); g > 1; g-- {
			if c%g == 0 {
				groups = g
				break
			}
		}
		return []nn.Layer{nn.GroupNorm{Groups: groups}}
	}
	return nil
}

// bare reports whether a layer before a normalisation can do without a bias,
// which the normalisation's offset stands for.
func (o Options) bare() bool { return o.Norm != "none" }

// conv3 is a 3×3 convolution with normalisation and activation.
func (o Options) conv3(out, stride int) []nn.Layer {
	layers := []nn.Layer{nn.Conv{Out: out, Kernel: 3, Stride: stride, NoBias: o.bare()}}
	return append(append(layers, o.norm(out)...), o.activation())
}

// residuals returns n blocks of two convolutions around an identity.
func (o Options) residuals(width, n int) []nn.Layer {
	var layers []nn.Layer
	for range n {
		body := o.conv3(width, 1)
		body = append(body, nn.Conv{Out: width, Kernel: 3, NoBias: o.bare()})
		body = append(body, o.norm(width)...)
		layers = append(layers, nn.Residual{Body: nn.Sequential(body)}, o.activation())
	}
	return layers
}

// grow is a step from the size of one stage to height×width, the size of the
// one before it, which lies between 2n−1 and 2n for n pixels.
func (o Options) grow(out, height, width int) []nn.Layer {
	var layers []nn.Layer
	switch o.Upsample {
	case "transpose":
		layers = append(layers, nn.ConvTranspose{Out: out, Kernel: 4, Stride: 2, Height: height, Width: width,
			NoBias: o.bare()})
		return append(append(layers, o.norm(out)...), o.activation())
	case "shuffle":
		layers = append(layers, nn.Conv{Out: 4 * out, Kernel: 3, NoBias: o.bare()},
			nn.PixelShuffle{Factor: 2}, nn.Crop{Height: height, Width: width})
		return append(append(layers, o.norm(out)...), o.activation())
	case "nearest":
		layers = append(layers, nn.UpsampleNearest{Factor: 2}, nn.Crop{Height: height, Width: width})
	case "bilinear":
		layers = append(layers, nn.UpsampleBilinear{Height: height, Width: width})
	}
	return append(layers, o.conv3(out, 1)...)
}

// denseBlock is a product of matrices with normalisation and activation.
func (o Options) denseBlock(out int) []nn.Layer {
	layers := []nn.Layer{nn.Dense{Out: out, NoBias: o.bare()}}
	return append(append(layers, o.norm(out)...), o.activation())
}

// output returns the last activation as a list of one or no layer.
func (o Options) output() []nn.Layer {
	if o.Output == "linear" {
		return nil
	}
	return []nn.Layer{nn.Sigmoid{}}
}
