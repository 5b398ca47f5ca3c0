package bench

import (
	"fmt"

	"hourglass/nn"
)

// smooth tells whether cost grows with the work: training steps of the six
// convolutions for batches and sizes that grow, each beside the one before it
// by the cost of a pixel, and of odd shapes beside even ones by that of an
// operation.
func smooth() ([]program, error) {
	net := append(sixConvolutions(), nn.GlobalAvgPool{}, nn.Dense{Out: classes})
	var list []program
	add := func(n network, unit unit, beside string) string {
		n.name, n.task = "smooth/"+n.name, classify
		p := n.program()
		p.unit, p.beside = unit, beside
		list = append(list, p)
		return p.name
	}
	before := ""
	for _, batch := range []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256} {
		before = add(network{name: fmt.Sprintf("batch-%d", batch), net: net, batch: batch, image: []int{32, 32, 3}}, perPixel, before)
	}
	before = ""
	for _, side := range []int{16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512} {
		before = add(network{name: fmt.Sprintf("size-%d", side), net: net, batch: 1, image: []int{side, side, 3}}, perPixel, before)
	}
	before = ""
	for _, s := range []struct{ height, width, channels int }{{32, 32, 16}, {31, 33, 16}, {32, 32, 17}, {31, 33, 17}} {
		var plain nn.Sequential
		for range 2 {
			plain = append(plain, nn.Conv{Out: s.channels}, nn.BatchNorm{}, nn.ReLU{})
		}
		n := network{
			name: fmt.Sprintf("%dx%dx%d", s.height, s.width, s.channels),
			net:  append(plain, nn.GlobalAvgPool{}, nn.Dense{Out: classes}), batch: 64,
			image: []int{s.height, s.width, s.channels},
		}
		name := add(n, perOperation, before)
		if before == "" {
			before = name
		}
	}
	return list, nil
}
