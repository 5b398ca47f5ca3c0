package bench

import (
	"hourglass/engine/autodiff"
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/nn/loss"
	"hourglass/optim"
	"hourglass/tensor"
)

// task is what is done with a network.
type task string

const (
	forward     task = "forward"     // its result, in use
	classify    task = "classify"    // a training step by cross-entropy over classes, of images or of pixels
	reconstruct task = "reconstruct" // a training step of an autoencoder that ends in logits, by binary cross-entropy over pixels
)

// network is a network and what is done with it.
type network struct {
	name  string
	net   nn.Layer
	task  task
	batch int
	image []int // shape of one image
}

func (n network) input(b *graph.Builder) *graph.Node {
	return b.Input("images", tensor.Float32, append([]int{n.batch}, n.image...)...)
}

// program is the forward pass, or a training step: forward pass, loss, backward
// pass and Adam's update.
func (n network) program() program {
	build := n.step
	if n.task == forward {
		build = n.forward
	}
	return program{name: n.name, images: n.batch, build: build, network: &n}
}

func (n network) forward(b *graph.Builder) ([]nn.Param, error) {
	c := nn.NewContext(b, nn.Options{})
	b.Output("output", c.Layer("net", n.net, n.input(b)))
	return c.Params(), b.Err()
}

func (n network) step(b *graph.Builder) ([]nn.Param, error) {
	step := b.Input("step", tensor.Int32)
	rate := b.Input("rate", tensor.Float32)
	c := nn.NewContext(b, nn.Options{Training: true, Step: step, Seed: seed})
	_, l := n.loss(c)
	grads, err := gradients(c, l)
	if err != nil {
		return nil, err
	}
	if _, err := optim.Build(b, optim.Options{}, c.Trainable(), grads, rate, step); err != nil {
		return nil, err
	}
	b.Output("loss", l)
	return c.Params(), b.Err()
}

// loss traces the network's result and its loss.
func (n network) loss(c *nn.Context) (y, l *graph.Node) {
	b := c.Builder()
	x := n.input(b)
	y = c.Layer("net", n.net, x)
	if b.Err() != nil {
		return y, y
	}
	if n.task == classify {
		shape := y.Shape()
		labels := b.Input("labels", tensor.Int32, shape[:len(shape)-1]...)
		return y, loss.SoftmaxCrossEntropy(y, labels, 0, loss.MeanAll)
	}
	return y, loss.BinaryCrossEntropy(y, x, loss.MeanAll)
}

// gradients returns the gradient of l by each trainable parameter.
func gradients(c *nn.Context, l *graph.Node) ([]*graph.Node, error) {
	if err := c.Builder().Err(); err != nil {
		return nil, err
	}
	trainable := c.Trainable()
	weights := make([]*graph.Node, len(trainable))
	for i, p := range trainable {
		weights[i] = p.Node
	}
	return autodiff.Gradients(l, weights)
}
