package bench

import (
	"hourglass/nn"
	"hourglass/nn/arch"
)

// classes is how many classes the classifiers tell apart; labels stay below it.
const classes = 10

func programs(n network, err error) ([]program, error) { return []program{n.program()}, err }

// cifar is a plain classifier of six convolutions.
func cifar() ([]program, error) {
	net := append(sixConvolutions(), nn.Flatten{}, nn.Dropout{Rate: 0.5}, nn.Dense{Out: classes})
	return programs(network{"cifar", net, classify, 64, []int{32, 32, 3}}, nil)
}

func sixConvolutions() nn.Sequential {
	var net nn.Sequential
	for _, width := range []int{32, 64, 128} {
		for range 2 {
			net = append(net, nn.Conv{Out: width}, nn.BatchNorm{}, nn.ReLU{})
		}
		net = append(net, nn.MaxPool{})
	}
	return net
}

// resnet18 is the form for small images.
func resnet18() ([]program, error) {
	net, err := arch.ResNet18(classes, arch.ResNetOptions{Small: true})
	return programs(network{"resnet18", net, classify, 64, []int{32, 32, 3}}, err)
}

// denseAE has products of matrices and no normalisation.
func denseAE() ([]program, error) {
	net := nn.Sequential{nn.Dense{Out: 512}}
	for _, width := range []int{256, 16, 256, 512, 784} {
		net = append(net, nn.ReLU{}, nn.Dense{Out: width})
	}
	return programs(network{"dense-ae", net, reconstruct, 128, []int{784}}, nil)
}

// convAE is what learning from photographs trains by default.
func convAE() ([]program, error) {
	return programs(autoencoder("conv-ae", "spatial", 16, 1024, 128, 128, 3))
}

// fashion is what learning from the embedded set trains by default.
func fashion() ([]program, error) {
	return programs(autoencoder("fashion", "conv", 64, 16, 28, 28, 1))
}

// autoencoder returns the step of a ready-made network. Its end is linear: the
// sigmoid is part of the loss.
func autoencoder(name, kind string, batch, latent, height, width, channels int) (network, error) {
	a, err := arch.New(kind, height, width, channels, latent, arch.Options{Activation: "silu", Output: "linear"})
	return network{name, nn.Sequential{a.Encoder, a.Decoder}, reconstruct, batch, []int{height, width, channels}}, err
}

// unet tells 12 classes of pixels apart.
func unet() ([]program, error) {
	net, err := arch.UNet(12, arch.UNetOptions{})
	return programs(network{"unet", net, classify, 8, []int{180, 240, 3}}, err)
}

// codec is both transforms on one photograph.
func codec() ([]program, error) {
	c, err := arch.NewCodec(3, 64, 64)
	return programs(network{"codec", nn.Sequential{c.Analysis, c.Synthesis}, forward, 1, []int{512, 768, 3}}, err)
}

// lite0 is EfficientNet-Lite0 on one photograph and on many.
func lite0() ([]program, error) {
	net, err := arch.EfficientNetLite0(1000)
	if err != nil {
		return nil, err
	}
	return []program{
		network{"lite0/1", net, forward, 1, []int{224, 224, 3}}.program(),
		network{"lite0/16", net, forward, 16, []int{224, 224, 3}}.program(),
	}, nil
}
