package lab

import (
	"fmt"
	"slices"

	"hourglass/nn"
)

// normBody is a network that can do with and without normalisation: triples of
// a linear layer, a normalisation or nothing, and a rectifier.
type normBody struct {
	name, about string
	cost        float64 // of an image, beside that of the other network
	control     bool    // shown beside the others, and no part of the claim
	flat        bool
	layers      []nn.Layer // the linear ones before the last
	init        nn.InitKind
}

type batchnormSize struct {
	bodies             []normBody
	batch, steps, each int
	rates              []float64
}

func (b *Bench) batchnormSize() batchnormSize {
	conv := func(width int) normBody {
		body := normBody{name: "convolutional", cost: 4, about: fmt.Sprintf(
			"six convolutions of %d to %d channels and a dense layer, rectifiers, weights uniform within ±1/√inputs, the usual default", width, 3*width)}
		for i, channels := range []int{1, 1, 2, 2, 3, 3} {
			body.layers = append(body.layers, nn.Conv{Out: channels * width, Stride: 2 - i%2})
		}
		return body
	}
	careful := func(body normBody) normBody {
		body.name, body.control, body.init = "careful", true, nn.InitHeNormal
		body.about = "for comparison: the convolutional one, with weights drawn for rectifiers (He et al. 2015)"
		body.layers = slices.Clone(body.layers)
		for i, l := range body.layers {
			c := l.(nn.Conv)
			c.Init = body.init
			body.layers[i] = c
		}
		return body
	}
	dense := func(width, depth int) normBody {
		body := normBody{name: "dense", cost: 1, flat: true, about: fmt.Sprintf(
			"%d dense layers of %d rectifiers and one of classes, the same weights", depth, width)}
		for range depth {
			body.layers = append(body.layers, nn.Dense{Out: width})
		}
		return body
	}
	return pick(b.Scale,
		batchnormSize{[]normBody{conv(8), dense(100, 6), careful(conv(8))}, 64, 800, 40, []float64{0.03, 0.1, 0.3, 1}},
		batchnormSize{[]normBody{conv(32), dense(256, 8), careful(conv(32))}, 64, 6000, 100, []float64{0.01, 0.03, 0.1, 0.3, 1, 3}},
		batchnormSize{[]normBody{conv(2), dense(6, 2), careful(conv(2))}, 16, 12, 4, []float64{0.1, 1}})
}

// network builds the layers. Both kinds have one layer where the other has the
// normalisation, so that names, and with them first weights, agree.
func (body normBody) network(classes int, normalised bool) nn.Sequential {
	var net nn.Sequential
	if body.flat {
		net = append(net, nn.Flatten{})
	}
	for _, linear := range body.layers {
		var norm nn.Layer = nn.Sequential{}
		if normalised {
			norm = nn.BatchNorm{}
		}
		net = append(net, linear, norm, nn.ReLU{})
	}
	if !body.flat {
		net = append(net, nn.Flatten{})
	}
	return append(net, nn.Dense{Out: classes, Init: body.init})
}

// linear returns the places of the linear layers before the last in what
// network returns.
func (body normBody) linear() []int {
	first := 0
	if body.flat {
		first = 1
	}
	at := make([]int, len(body.layers))
	for i := range at {
		at[i] = first + 3*i
	}
	return at
}

// unitCount is the number of units of the last hidden layer: channels, where
// each has a place for every pixel.
func unitCount(body normBody) int {
	switch l := body.layers[len(body.layers)-1].(type) {
	case nn.Conv:
		return l.Out
	case nn.Dense:
		return l.Out
	}
	return 1
}
