package restore

import (
	"context"
	"fmt"

	"hourglass/data"
	"hourglass/engine/graph"
	"hourglass/internal/tile"
	"hourglass/nn"
	"hourglass/tensor"
	"hourglass/train/model"
)

// tilePixels is the area of a tile: larger ones waste less on margins, and
// take more memory, about 300 bytes a pixel.
const tilePixels = 1 << 20

// maxMargin bounds the margins of tiles. A network may see farther, but what
// it makes of a pixel hardly depends on what is that far away.
const maxMargin = 64

// radius is how many pixels away something can be that has an influence on a
// pixel.
func (s Shape) radius() int {
	r := 3 + 2 // the first and the last convolution
	for i := range s.Widths {
		blocks := 2 * s.Blocks
		r += (2*blocks + 1) << (i + 1) // two convolutions in each, and the step between scales
	}
	return r
}

// Denoise returns what the model makes of an image [height,width,3] in 0–1,
// which may have any size. It stops between tiles when ctx ends.
func (m *Model) Denoise(ctx context.Context, pixels []float32, height, width int) ([]float32, error) {
	if err := m.expect(Denoise, pixels, height, width); err != nil {
		return nil, err
	}
	return m.apply(ctx, pixels, nil, height, width)
}

// Inpaint returns an image [height,width,3] in 0–1 whose missing pixels, where
// mask [height,width] is 1 and not 0, are replaced. The others are returned as
// they are, and what lies in the missing ones is not read.
func (m *Model) Inpaint(ctx context.Context, pixels, mask []float32, height, width int) ([]float32, error) {
	if err := m.expect(Inpaint, pixels, height, width); err != nil {
		return nil, err
	}
	if err := checkMask(mask, height, width); err != nil {
		return nil, err
	}
	given := append([]float32(nil), pixels...)
	new(filler).fill(given, mask, height, width)
	return m.apply(ctx, given, mask, height, width)
}

// checkMask reports a mask that says nothing of use.
func checkMask(mask []float32, height, width int) error {
	if len(mask) != height*width {
		return fmt.Errorf("the mask has %d pixels and the image %d×%d: give one of the image's size", len(mask), width, height)
	}
	missing := 0
	for _, v := range mask {
		if v != 0 && v != 1 {
			return fmt.Errorf("the mask holds %v: a pixel is missing, 1, or not, 0", v)
		}
		missing += int(v)
	}
	switch missing {
	case 0:
		return fmt.Errorf("the mask has an area of zero: nothing is missing")
	case len(mask):
		return fmt.Errorf("the mask covers the whole image: nothing is left to go by")
	}
	return nil
}

func (m *Model) expect(task string, pixels []float32, height, width int) error {
	if m.config.Task != task {
		return fmt.Errorf("the model was trained for the task %q, not %q", m.config.Task, task)
	}
	if height < 1 || width < 1 || len(pixels) != 3*height*width {
		return fmt.Errorf("restore: %d values are no image of %d×%d×3", len(pixels), height, width)
	}
	return nil
}

// apply works through the tiles of an image.
func (m *Model) apply(ctx context.Context, given, missing []float32, height, width int) ([]float32, error) {
	return m.applyTiles(ctx, given, missing, height, width, model.Tile(tilePixels, m.config.Height*m.config.Width, m.rows))
}

func (m *Model) applyTiles(ctx context.Context, given, missing []float32, height, width, pixels int) ([]float32, error) {
	plan, err := tile.Cut(height, width, tile.Options{
		MaxPixels: pixels, Margin: min(m.config.radius(), maxMargin), Align: m.config.stride(),
	})
	if err != nil {
		return nil, err
	}
	if err := m.compile(plan.TileHeight, plan.TileWidth); err != nil {
		return nil, err
	}
	in := []*tensor.Tensor{tensor.New(tensor.Float32, 1, plan.TileHeight, plan.TileWidth, 3)}
	if missing != nil {
		in = append(in, tensor.New(tensor.Float32, 1, plan.TileHeight, plan.TileWidth, 1))
	}
	out := make([]float32, len(given))
	for i, t := range plan.Tiles {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cut(in[0].Float32(), plan, t, given, height, width, 3)
		if missing != nil {
			cut(in[1].Float32(), plan, t, missing, height, width, 1)
		}
		if err := m.program.Run(in); err != nil {
			return nil, err
		}
		result := m.program.Output(0).Float32()
		for y := t.KeepY; y < min(height, t.KeepY+t.KeepHeight); y++ {
			from := 3 * ((y-t.Y)*plan.TileWidth + t.KeepX - t.X)
			n := 3 * min(t.KeepWidth, width-t.KeepX)
			if n > 0 {
				copy(out[3*(y*width+t.KeepX):][:n], result[from:])
			}
		}
		if m.onTile != nil {
			m.onTile(i+1, len(plan.Tiles))
		}
	}
	return out, nil
}

// compile makes the program for tiles of a size.
func (m *Model) compile(height, width int) error {
	if m.program != nil && m.height == height && m.width == width {
		return nil
	}
	m.program = nil
	b := graph.NewBuilder(fmt.Sprintf("%s@%d×%d", m.config.Task, height, width))
	y := m.restore(nn.NewContext(b, nn.Options{}), b, height, width, 1)
	b.Output("restored", b.Max(b.Min(y, b.Scalar(1)), b.Scalar(0)))
	g, err := b.Graph()
	if err != nil {
		return err
	}
	if m.program, err = m.engine.Compile(g, m.store); err != nil {
		return err
	}
	m.height, m.width = height, width
	return nil
}

// cut copies a tile of an image; what lies beyond its lower and right edge is
// its mirror image.
func cut(dst []float32, plan tile.Plan, t tile.Tile, src []float32, height, width, channels int) {
	for y := range plan.TileHeight {
		sy := data.Mirrored(t.Y+y, height)
		row := dst[y*plan.TileWidth*channels : (y+1)*plan.TileWidth*channels]
		whole := max(0, min(plan.TileWidth, width-t.X))
		copy(row[:whole*channels], src[(sy*width+t.X)*channels:])
		for x := whole; x < plan.TileWidth; x++ {
			sx := data.Mirrored(t.X+x, width)
			copy(row[x*channels:(x+1)*channels], src[(sy*width+sx)*channels:])
		}
	}
}

// DenoisePicture restores a picture and keeps its kind: depth, transparency and
// greys.
func (m *Model) DenoisePicture(ctx context.Context, p *data.Picture) (*data.Picture, error) {
	back, err := m.Denoise(ctx, colours(p), p.Height, p.Width)
	if err != nil {
		return nil, err
	}
	return withColours(p, back), nil
}

// InpaintPicture replaces the missing pixels of a picture and keeps its kind,
// and every other pixel exactly.
func (m *Model) InpaintPicture(ctx context.Context, p *data.Picture, mask []float32) (*data.Picture, error) {
	back, err := m.Inpaint(ctx, colours(p), mask, p.Height, p.Width)
	if err != nil {
		return nil, err
	}
	return withColours(p, back), nil
}

// colours returns the pixels of a picture with three channels.
func colours(p *data.Picture) []float32 {
	if p.Channels == 3 {
		return p.Pixels
	}
	rgb := make([]float32, 3*len(p.Pixels))
	for i, v := range p.Pixels {
		rgb[3*i], rgb[3*i+1], rgb[3*i+2] = v, v, v
	}
	return rgb
}

// withColours returns p with other pixels, the mean of the channels where p is
// grey.
func withColours(p *data.Picture, rgb []float32) *data.Picture {
	q := *p
	q.Pixels = rgb
	if p.Channels == 1 {
		q.Pixels = make([]float32, len(rgb)/3)
		for i := range q.Pixels {
			if r, g, b := rgb[3*i], rgb[3*i+1], rgb[3*i+2]; r == g && g == b {
				q.Pixels[i] = r // the mean of three equal numbers may be rounded
			} else {
				q.Pixels[i] = (r + g + b) / 3
			}
		}
	}
	return &q
}
