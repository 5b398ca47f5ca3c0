package bench

import (
	"hourglass/engine/autodiff"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
)

// classifierStep is a training step by cross-entropy over classes.
func classifierStep(name string, net nn.Layer, batch int, image ...int) program {
	return trainingStep(name, batch, func(c *nn.Context) *graph.Node {
		b := c.Builder()
		x := b.Input("images", tensor.Float32, append([]int{batch}, image...)...)
		labels := b.Input("labels", tensor.Int32, batch)
		return loss.SoftmaxCrossEntropy(c.Layer("net", net, x), labels, 0, loss.MeanAll)
	})
}

// reconstructionStep is a training step of an autoencoder that ends in logits,
// by binary cross-entropy over pixels.
func reconstructionStep(name string, net nn.Layer, batch int, image ...int) program {
	return trainingStep(name, batch, func(c *nn.Context) *graph.Node {
		x := c.Builder().Input("images", tensor.Float32, append([]int{batch}, image...)...)
		return loss.BinaryCrossEntropy(c.Layer("net", net, x), x, loss.MeanAll)
	})
}

// trainingStep is forward pass, loss, backward pass and Adam's update.
func trainingStep(name string, batch int, trace func(c *nn.Context) *graph.Node) program {
	return program{name: name, images: batch, build: func(b *graph.Builder) ([]nn.Param, error) {
		step := b.Input("step", tensor.Int32)
		rate := b.Input("rate", tensor.Float32)
		c := nn.NewContext(b, nn.Options{Training: true, Step: step, Seed: seed})
		l := trace(c)
		if err := b.Err(); err != nil {
			return nil, err
		}
		trainable := c.Trainable()
		weights := make([]*graph.Node, len(trainable))
		for i, p := range trainable {
			weights[i] = p.Node
		}
		grads, err := autodiff.Gradients(l, weights)
		if err != nil {
			return nil, err
		}
		if _, err := optim.Build(b, optim.Options{}, trainable, grads, rate, step); err != nil {
			return nil, err
		}
		b.Output("loss", l)
		return c.Params(), b.Err()
	}}
}
