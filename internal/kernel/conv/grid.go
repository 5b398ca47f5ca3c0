package conv

import "hourglass/internal/kernel/conv/winograd"

// grid cuts the outputs of a convolution of stride 1 into square tiles, image
// by image, row by row, and knows which pixels of an image a tile concerns.
// Tiles along the lower and the right border may reach beyond it.
type grid struct {
	images, size int // outputs along a side of a tile
	rows, cols   int // of tiles in an image
}

func newGrid(images, height, width, size int) grid {
	return grid{images, size, ceilDiv(height, size), ceilDiv(width, size)}
}

func (g grid) tiles() int { return g.images * g.rows * g.cols }

// canvas is an image that tiles read or write: side·side pixels from a tile's
// place on, shifted by the padding.
type canvas struct {
	height, width, channels int
	padTop, padLeft         int
	side                    int
}

// points finds the pixels of a tile, in x from channel c on. Those outside the
// image are at the given place.
func (v *canvas) points(p *winograd.Points, x []float32, g grid, tile, c int, outside *float32) {
	image, at := tile/(g.rows*g.cols), tile%(g.rows*g.cols)
	y0, x0 := at/g.cols*g.size-v.padTop, at%g.cols*g.size-v.padLeft
	i := 0
	for y := y0; y < y0+v.side; y++ {
		if y < 0 || y >= v.height {
			for range v.side {
				p[i] = outside
				i++
			}
			continue
		}
		row := (image*v.height + y) * v.width
		for col := x0; col < x0+v.side; col++ {
			if col < 0 || col >= v.width {
				p[i] = outside
			} else {
				p[i] = &x[(row+col)*v.channels+c]
			}
			i++
		}
	}
}
