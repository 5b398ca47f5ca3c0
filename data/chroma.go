package data

import "image"

// interpolateColours returns an image whose colours were stored at half the
// resolution with colours of every pixel, as libjpeg, and so nearly every other
// program, shows it: as it is they would come out as blocks of two pixels.
func interpolateColours(img image.Image) image.Image {
	switch m := img.(type) {
	case *image.YCbCr:
		return interpolateChroma(m)
	case *image.NYCbCrA:
		full := *m
		full.YCbCr = *interpolateChroma(&m.YCbCr)
		return &full
	}
	return img
}

// interpolateChroma returns m with a sample of both colours for every pixel, by a
// triangular filter: a pixel takes three quarters of the sample that covers it and
// one quarter of the next nearest one, in each direction that was halved
// (libjpeg's "fancy upsampling"; its rounding, which alternates, is kept).
// Other ratios, and images of at most four columns, stay as they are.
func interpolateChroma(m *image.YCbCr) *image.YCbCr {
	width, height := m.Rect.Dx(), m.Rect.Dy()
	across := m.SubsampleRatio == image.YCbCrSubsampleRatio420 || m.SubsampleRatio == image.YCbCrSubsampleRatio422
	down := m.SubsampleRatio == image.YCbCrSubsampleRatio420 || m.SubsampleRatio == image.YCbCrSubsampleRatio440
	if !across && !down || m.Rect.Min != (image.Point{}) || across && (width+1)/2 <= 2 {
		return m
	}
	full := &image.YCbCr{Y: m.Y, YStride: m.YStride, CStride: width, SubsampleRatio: image.YCbCrSubsampleRatio444, Rect: m.Rect}
	columns, rows := width, height // of samples
	if across {
		columns = (width + 1) / 2
	}
	if down {
		rows = (height + 1) / 2
	}
	sums := make([]int, columns)
	for _, plane := range []struct {
		from []uint8
		to   *[]uint8
	}{{m.Cb, &full.Cb}, {m.Cr, &full.Cr}} {
		*plane.to = make([]uint8, width*height)
		row := func(i int) []uint8 {
			i = max(0, min(rows-1, i))
			return plane.from[i*m.CStride:][:columns]
		}
		for y := range height {
			to := (*plane.to)[y*width:][:width]
			if !down {
				for i, v := range row(y) {
					sums[i] = int(v)
				}
				doubleRow(to, sums, 1)
				continue
			}
			other := row(y/2 - 1 + y%2*2)
			for i, v := range row(y / 2) {
				sums[i] = 3*int(v) + int(other[i])
			}
			if across {
				doubleRow(to, sums, 4)
				continue
			}
			for i, s := range sums {
				to[i] = uint8((s + 1 + y%2) >> 2)
			}
		}
	}
	return full
}

// doubleRow doubles a row of samples that are multiplied by a scale, of 1 or 4.
func doubleRow(to []uint8, samples []int, scale int) {
	// Rounding alternates from pixel to pixel, lest it shift the mean.
	even, odd, divisor := 1, 2, 4
	if scale == 4 {
		even, odd, divisor = 8, 7, 16
	}
	for x := range to {
		i := x / 2
		if x%2 == 0 {
			to[x] = uint8((3*samples[i] + samples[max(0, i-1)] + even) / divisor)
		} else {
			to[x] = uint8((3*samples[i] + samples[min(len(samples)-1, i+1)] + odd) / divisor)
		}
	}
}
