package tile

import (
	"testing"

	"pgregory.net/rapid"
)

func TestCutCovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		align := rapid.SampledFrom([]int{1, 2, 8, 16}).Draw(t, "align")
		o := Options{
			Align:     align,
			Margin:    rapid.IntRange(0, 40).Draw(t, "margin"),
			MaxPixels: rapid.IntRange(1, 200*200).Draw(t, "pixels"),
		}
		h, w := rapid.IntRange(1, 700).Draw(t, "height"), rapid.IntRange(1, 700).Draw(t, "width")
		p, err := Cut(h, w, o)
		if err != nil {
			// Only tiles that are all margin are refused.
			if side := 2*(o.Margin+align) + align; side*side <= o.MaxPixels {
				t.Fatal(err)
			}
			return
		}
		if p.Height < h || p.Height >= h+align || p.Width < w || p.Width >= w+align || p.Height%align+p.Width%align != 0 {
			t.Fatalf("%d×%d is filled up to %d×%d", h, w, p.Height, p.Width)
		}
		if len(p.Tiles) > 1 && p.TileHeight*p.TileWidth > o.MaxPixels {
			t.Fatalf("tiles of %d×%d", p.TileHeight, p.TileWidth)
		}
		seen := make([]int, p.Height*p.Width)
		for _, c := range p.Tiles {
			if c.Y%align+c.X%align != 0 || c.Y < 0 || c.X < 0 || c.Y+p.TileHeight > p.Height || c.X+p.TileWidth > p.Width {
				t.Fatalf("%+v of %d×%d does not lie in %d×%d", c, p.TileHeight, p.TileWidth, p.Height, p.Width)
			}
			for _, m := range [][5]int{
				{c.Y, p.TileHeight, c.KeepY, c.KeepHeight, p.Height},
				{c.X, p.TileWidth, c.KeepX, c.KeepWidth, p.Width},
			} {
				before, after := m[2]-m[0], m[0]+m[1]-m[2]-m[3]
				if m[3] < 1 || m[0] > 0 && before < o.Margin || after < 0 || before < 0 || m[0]+m[1] < m[4] && after < o.Margin {
					t.Fatalf("%+v has margins of %d and %d", c, before, after)
				}
			}
			for y := range c.KeepHeight {
				for x := range c.KeepWidth {
					seen[(c.KeepY+y)*p.Width+c.KeepX+x]++
				}
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Fatalf("pixel %d is kept %d times", i, n)
			}
		}
	})
}
