package data

import (
	"image"
	"math"

	"golang.org/x/image/draw"
)

// renderer turns decoded images into pixels of one shape. It keeps its
// buffers, so each worker has its own.
type renderer struct {
	height, width, channels int

	canvas *image.RGBA // the shape wanted, before it is turned
	scaler draw.Scaler
	scaled [4]int // the sizes scaler is made for
}

// render writes img, turned by turn, to dst, which holds
// height·width·channels values.
func (r *renderer) render(dst []uint8, img image.Image, turn orientation) {
	height, width := r.height, r.width
	if turn.transposes() {
		height, width = width, height
	}
	bounds := img.Bounds()
	same := bounds.Dx() == width && bounds.Dy() == height
	if g, ok := img.(*image.Gray); ok && same && r.channels == 1 && turn <= 1 {
		for y := range height {
			copy(dst[y*width:(y+1)*width], g.Pix[y*g.Stride:])
		}
		return
	}
	canvas := r.canvasOf(width, height)
	if same {
		lay(canvas, img)
	} else {
		switch img.(type) {
		case *image.RGBA, *image.NRGBA, *image.YCbCr, *image.Gray:
			// The scaler knows these.
		default:
			// The rest it would read pixel by pixel through an interface.
			flat := image.NewRGBA(image.Rect(0, 0, bounds.Dx(), bounds.Dy()))
			lay(flat, img)
			img, bounds = flat, flat.Bounds()
		}
		crop := CentreCrop(bounds, width, height)
		sizes := [4]int{width, height, crop.Dx(), crop.Dy()}
		if r.scaler == nil || r.scaled != sizes {
			r.scaler, r.scaled = draw.CatmullRom.NewScaler(width, height, crop.Dx(), crop.Dy()), sizes
		}
		op := draw.Src
		if !opaque(img) {
			draw.Draw(canvas, canvas.Rect, image.White, image.Point{}, draw.Src)
			op = draw.Over
		}
		r.scaler.Scale(canvas, canvas.Rect, img, crop, op, nil)
	}
	r.pack(dst, canvas, turn)
}

// pack writes the pixels of canvas to dst, turned, as one or three channels.
func (r *renderer) pack(dst []uint8, canvas *image.RGBA, turn orientation) {
	// The pixel at row y and column x of the result is found in the canvas at
	// origin + y·down + x·right.
	w, h := canvas.Rect.Dx(), canvas.Rect.Dy()
	const px = 4
	row, lastX, lastY := w*px, (w-1)*px, (h-1)*w*px
	var origin, down, right int
	switch turn {
	default:
		origin, down, right = 0, row, px
	case 2: // mirrored
		origin, down, right = lastX, row, -px
	case 3: // by 180°
		origin, down, right = lastX+lastY, -row, -px
	case 4: // upside down, mirrored
		origin, down, right = lastY, -row, px
	case 5: // transposed
		origin, down, right = 0, px, row
	case 6: // a quarter clockwise
		origin, down, right = lastY, px, -row
	case 7: // transposed along the other diagonal
		origin, down, right = lastX+lastY, -px, -row
	case 8: // a quarter counter-clockwise
		origin, down, right = lastX, -px, row
	}
	pix := canvas.Pix
	if r.channels == 1 {
		for y := range r.height {
			at := origin + y*down
			for i := range r.width {
				dst[y*r.width+i] = Luma(pix[at], pix[at+1], pix[at+2])
				at += right
			}
		}
		return
	}
	out := 0
	for y := range r.height {
		at := origin + y*down
		for range r.width {
			dst[out], dst[out+1], dst[out+2] = pix[at], pix[at+1], pix[at+2]
			out += 3
			at += right
		}
	}
}

// Luma is ITU-R BT.601 luma in 16-bit fixed point; grey stays as it is.
func Luma(r, g, b uint8) uint8 {
	return uint8((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}

// lay draws img on white over all of dst.
func lay(dst *image.RGBA, img image.Image) {
	op := draw.Src
	if !opaque(img) {
		draw.Draw(dst, dst.Rect, image.White, image.Point{}, draw.Src)
		op = draw.Over
	}
	draw.Draw(dst, dst.Rect, img, img.Bounds().Min, op)
}

func opaque(img image.Image) bool {
	o, ok := img.(interface{ Opaque() bool })
	return ok && o.Opaque()
}

// canvasOf returns the canvas as a w×h image; w and h are r.width and r.height
// in one order or the other.
func (r *renderer) canvasOf(w, h int) *image.RGBA {
	if r.canvas == nil {
		r.canvas = image.NewRGBA(image.Rect(0, 0, w, h))
	}
	r.canvas.Stride, r.canvas.Rect = 4*w, image.Rect(0, 0, w, h)
	return r.canvas
}

// CentreCrop returns the largest rectangle in the middle of b that has the
// proportions of w×h, to the nearest pixel.
func CentreCrop(b image.Rectangle, w, h int) image.Rectangle {
	cw, ch := b.Dx(), b.Dy()
	if cw*h > ch*w {
		cw = max(1, int(math.Round(float64(ch)*float64(w)/float64(h))))
	} else {
		ch = max(1, int(math.Round(float64(cw)*float64(h)/float64(w))))
	}
	x, y := b.Min.X+(b.Dx()-cw)/2, b.Min.Y+(b.Dy()-ch)/2
	return image.Rect(x, y, x+cw, y+ch)
}
