package data

import (
	"fmt"

	"hourglass/internal/random"
)

// CropOptions say which crops are taken.
type CropOptions struct {
	Size     int // side in pixels
	Batch    int // crops in a step
	PerPhoto int // crops of each photo in an epoch
	Seed     uint64
}

// Crops deals out square parts of photos in batches: each photo gives PerPhoto
// crops an epoch, from random places, turned by a random multiple of 90° and
// mirrored or not. A photo that is smaller than a crop is continued by its
// mirror images. What it yields is a pure function of the seed, the epoch and
// the step; it allocates nothing after NewCrops. It must not be used by two
// goroutines at once.
type Crops struct {
	photos  *Photos
	indices []int
	o       CropOptions
	shuffle shuffle
	source  random.Source
}

// NewCrops returns crops of the photos at indices. It panics if there are no
// indices, one is of no photo, or a number of o is not positive: these are the
// caller's bugs.
func NewCrops(p *Photos, indices []int, o CropOptions) *Crops {
	if len(indices) == 0 || o.Size < 1 || o.Batch < 1 || o.PerPhoto < 1 || o.PerPhoto > (1<<31-1)/len(indices) {
		panic(fmt.Sprintf("data: crops of %d photos with %+v", len(indices), o))
	}
	for _, i := range indices {
		if i < 0 || i >= len(p.Photos) {
			panic(fmt.Sprintf("data: crops of photo %d of %d", i, len(p.Photos)))
		}
	}
	return &Crops{photos: p, indices: indices, o: o,
		shuffle: shuffle{epoch: -1, order: make([]int32, len(indices)*o.PerPhoto)}}
}

// Steps returns the number of batches of an epoch; crops that do not fill a
// batch are left out, others in each epoch.
func (c *Crops) Steps() int { return max(1, len(c.shuffle.order)/c.o.Batch) }

// cropStream keeps the draws of the crops apart from others of the same seed.
const cropStream = 0x43524f50 << 32

// Fill writes a batch to dst [Batch,Size,Size,3]. It panics if the epoch has no such
// step or dst is too short.
func (c *Crops) Fill(epoch, step int, dst []uint8) {
	if need := c.o.Batch * 3 * c.o.Size * c.o.Size; len(dst) < need {
		panic(fmt.Sprintf("data: a batch of crops needs %d bytes, there is room for %d", need, len(dst)))
	}
	if epoch < 0 || step < 0 || step >= c.Steps() {
		panic(fmt.Sprintf("data: epoch %d has no step %d", epoch, step))
	}
	if c.shuffle.epoch != epoch {
		c.shuffle.draw(c.o.Seed, epoch)
	}
	n := 3 * c.o.Size * c.o.Size
	for row := range c.o.Batch {
		slot := step*c.o.Batch + row
		p := &c.photos.Photos[c.indices[int(c.shuffle.order[slot%len(c.shuffle.order)])%len(c.indices)]]
		c.source.Reset(c.o.Seed, cropStream+uint64(epoch), uint64(slot))
		y := c.source.IntN(max(1, p.Height-c.o.Size+1))
		x := c.source.IntN(max(1, p.Width-c.o.Size+1))
		p.Crop(dst[row*n:(row+1)*n], c.o.Size, y, x, c.source.IntN(8))
	}
}

// Crop writes the square of the given side whose upper left corner is row y and
// column x to dst [side,side,3], turned in one of eight ways: bit 0 mirrors
// left to right, bit 1 top to bottom, bit 2 swaps rows and columns. What lies
// beyond the photo is its mirror image.
func (p *Photo) Crop(dst []uint8, side, y, x, turn int) {
	for i := range side {
		for j := range side {
			a, b := i, j
			if turn&1 != 0 {
				b = side - 1 - b
			}
			if turn&2 != 0 {
				a = side - 1 - a
			}
			if turn&4 != 0 {
				a, b = b, a
			}
			from := 3 * (Mirrored(y+a, p.Height)*p.Width + Mirrored(x+b, p.Width))
			to := 3 * (i*side + j)
			dst[to], dst[to+1], dst[to+2] = p.Pixels[from], p.Pixels[from+1], p.Pixels[from+2]
		}
	}
}

// Mirrored returns the place from 0 to n-1 that place i of an axis shows when
// the axis is continued by its mirror images; edges are not repeated.
func Mirrored(i, n int) int {
	if i >= 0 && i < n {
		return i
	}
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i = ((i % period) + period) % period
	return min(i, period-i)
}

// Part copies the rectangle of height×width whose upper left corner is row y
// and column x, which must lie within the photo.
func (p *Photo) Part(y, x, height, width int) []uint8 {
	part := make([]uint8, 0, 3*height*width)
	for i := range height {
		part = append(part, p.Pixels[3*((y+i)*p.Width+x):][:3*width]...)
	}
	return part
}
