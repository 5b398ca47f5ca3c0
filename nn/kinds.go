package nn

import "fmt"

// Kinds returns the kinds of layers that have a JSON form.
func Kinds() []string {
	all := known()
	kinds := make([]string, len(all))
	for i, l := range all {
		kinds[i] = l.Kind()
	}
	return kinds
}

// known returns a zero value of each layer.
func known() []Layer {
	return []Layer{
		Sequential(nil), Residual{}, Concat{},
		Dense{}, Conv{}, ConvTranspose{},
		BatchNorm{}, LayerNorm{}, GroupNorm{}, L2Normalize{}, Affine{}, GDN{}, Dropout{},
		ReLU{}, LeakyReLU{}, ReLU6{}, SiLU{}, GELU{}, Sigmoid{}, Tanh{}, Softmax{},
		MaxPool{}, AvgPool{}, GlobalAvgPool{},
		UpsampleNearest{}, UpsampleBilinear{}, PixelShuffle{},
		Reshape{}, Flatten{}, Crop{}, Pad{},
	}
}

// blank returns the zero value of the layer of the given kind.
func blank(kind string) (Layer, error) {
	for _, l := range known() {
		if l.Kind() == kind {
			return l, nil
		}
	}
	return nil, fmt.Errorf("nn: layer kind %q is unknown; this build knows %v", kind, Kinds())
}
