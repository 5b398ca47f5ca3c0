package arch_test

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/arch"
	"hourglass/tensor"
)

func ExampleNew() {
	a, err := arch.New("spatial", 32, 32, 3, 128, arch.Options{Width: 16})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := graph.NewBuilder("autoencoder")
	c := nn.NewContext(b, nn.Options{})
	x := b.Input("image", tensor.Float32, 1, 32, 32, 3)
	z := c.Layer("encoder", a.Encoder, x)
	y := c.Layer("decoder", a.Decoder, z)
	fmt.Println(x.Shape(), "→", z.Shape(), "→", y.Shape())
	// Output: [1 32 32 3] → [1 4 4 8] → [1 32 32 3]
}

func ExampleUNet() {
	net, err := arch.UNet(12, arch.UNetOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := graph.NewBuilder("segmentation")
	x := b.Input("images", tensor.Float32, 8, 180, 240, 3)
	logits := nn.NewContext(b, nn.Options{}).Layer("net", net, x)
	fmt.Println(x.Shape(), "→", logits.Shape())
	// Output: [8 180 240 3] → [8 180 240 12]
}
