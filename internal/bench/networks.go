package bench

import (
	"hourglass/nn"
	"hourglass/nn/arch"
)

const classes = 10

// cifar is a plain classifier of six convolutions.
func cifar() ([]program, error) {
	var net nn.Sequential
	for _, width := range []int{32, 64, 128} {
		for range 2 {
			net = append(net, nn.Conv{Out: width}, nn.BatchNorm{}, nn.ReLU{})
		}
		net = append(net, nn.MaxPool{}, nn.Dropout{Rate: 0.2})
	}
	net = append(net, nn.Flatten{}, nn.Dense{Out: classes})
	return []program{classifierStep("cifar", net, 64, 32, 32, 3)}, nil
}

// resnet18 is the form for small images.
func resnet18() ([]program, error) {
	net, err := arch.ResNet18(classes, arch.ResNetOptions{Small: true})
	return []program{classifierStep("resnet18", net, 64, 32, 32, 3)}, err
}

// denseAE has products of matrices and no normalisation.
func denseAE() ([]program, error) {
	net := nn.Sequential{nn.Dense{Out: 512}}
	for _, width := range []int{256, 16, 256, 512, 784} {
		net = append(net, nn.ReLU{}, nn.Dense{Out: width})
	}
	return []program{reconstructionStep("dense-ae", net, 128, 784)}, nil
}

// convAE is what learning from photographs trains by default.
func convAE() ([]program, error) {
	return autoencoder("conv-ae", "spatial", 16, 1024, 128, 128, 3)
}

// fashion is what learning from the embedded set trains by default.
func fashion() ([]program, error) {
	return autoencoder("fashion", "conv", 64, 16, 28, 28, 1)
}

// autoencoder returns the step of a ready-made network. Its end is linear: the
// sigmoid is part of the loss.
func autoencoder(name, kind string, batch, latent, height, width, channels int) ([]program, error) {
	a, err := arch.New(kind, height, width, channels, latent, arch.Options{Activation: "silu", Output: "linear"})
	if err != nil {
		return nil, err
	}
	net := nn.Sequential{a.Encoder, a.Decoder}
	return []program{reconstructionStep(name, net, batch, height, width, channels)}, nil
}
