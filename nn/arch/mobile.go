package arch

import (
	"hourglass/nn"
)

// MobileNetV2 returns the network of Sandler et al. 2018 (table 2, width 1)
// from images [N,H,W,C], theirs of 224×224, to logits [N,classes].
func MobileNetV2(classes int) (nn.Sequential, error) {
	m := mobile{
		stem: 32,
		stages: []mobileStage{
			{1, 3, 1, 1, 16}, {6, 3, 2, 2, 24}, {6, 3, 2, 3, 32}, {6, 3, 2, 4, 64},
			{6, 3, 1, 3, 96}, {6, 3, 2, 3, 160}, {6, 3, 1, 1, 320},
		},
		head: 1280,
		conv: torchConv,
	}
	return m.build(classes)
}

// EfficientNetLite0 returns the smallest of the EfficientNets for mobile CPUs:
// the base network of Tan & Le 2019 (table 1) with ReLU6 in place of its
// activation and without squeeze and excitation, from images [N,H,W,C], theirs
// of 224×224, to logits [N,classes]. Padding, the normalisation's settings and
// layout are those of the weights that its authors published.
func EfficientNetLite0(classes int) (nn.Sequential, error) {
	m := mobile{
		stem: 32,
		stages: []mobileStage{
			{1, 3, 1, 1, 16}, {6, 3, 2, 2, 24}, {6, 5, 2, 2, 40}, {6, 3, 2, 3, 80},
			{6, 5, 1, 3, 112}, {6, 5, 2, 4, 192}, {6, 3, 1, 1, 320},
		},
		head: 1280,
		conv: func(out, kernel, stride int) nn.Conv {
			c := torchConv(out, kernel, stride)
			c.Padding = nn.Same()
			return c
		},
		norm: nn.BatchNorm{Momentum: 0.01, Epsilon: 1e-3},
	}
	return m.build(classes)
}

// mobileDropout is the dropout before the last layer of both networks.
const mobileDropout = 0.2

// mobile is a network of inverted residual blocks.
type mobile struct {
	stem, head int // channels of the first and the last convolution
	stages     []mobileStage
	conv       func(out, kernel, stride int) nn.Conv
	norm       nn.BatchNorm
}

// mobileStage is a row of the papers' tables: the first block has the stride.
type mobileStage struct{ expansion, kernel, stride, blocks, out int }

func (m mobile) build(classes int) (nn.Sequential, error) {
	if err := checkClasses(classes); err != nil {
		return nil, err
	}
	net := m.block(m.conv(m.stem, 3, 2))
	channels := m.stem
	for _, s := range m.stages {
		for i := range s.blocks {
			stride := s.stride
			if i > 0 {
				stride = 1
			}
			body := m.inverted(channels, s, stride)
			if stride == 1 && channels == s.out {
				net = append(net, nn.Residual{Body: body})
			} else {
				net = append(net, body)
			}
			channels = s.out
		}
	}
	net = append(net, m.block(m.conv(m.head, 1, 1))...)
	return append(net, nn.GlobalAvgPool{}, nn.Dropout{Rate: mobileDropout}, nn.Dense{Out: classes}), nil
}

// inverted is a block that widens, filters each channel by itself and narrows
// again, without a rectifier at its end (Sandler et al. 2018, section 3.3).
func (m mobile) inverted(channels int, s mobileStage, stride int) nn.Sequential {
	var body nn.Sequential
	if s.expansion != 1 {
		body = append(body, m.block(m.conv(s.expansion*channels, 1, 1))...)
	}
	depthwise := m.conv(s.expansion*channels, s.kernel, stride)
	depthwise.Groups = nn.Depthwise
	body = append(body, m.block(depthwise)...)
	return append(body, m.conv(s.out, 1, 1), m.norm)
}

func (m mobile) block(c nn.Conv) nn.Sequential {
	return nn.Sequential{c, m.norm, nn.ReLU6{}}
}
