package ref

import "hourglass/tensor"

// each calls f with every index of shape in row-major order and the index's
// place in that order. f must not keep or change the index.
func each(shape tensor.Shape, f func(index []int, place int)) {
	index := make([]int, len(shape))
	for place := range shape.Elements() {
		f(index, place)
		for axis := len(index) - 1; axis >= 0; axis-- {
			index[axis]++
			if index[axis] < shape[axis] {
				break
			}
			index[axis] = 0
		}
	}
}

// offset returns the place of an index in a row-major buffer.
func offset(shape tensor.Shape, index ...int) int {
	place := 0
	for axis, length := range shape {
		place = place*length + index[axis]
	}
	return place
}

// at returns the element that broadcasting puts at index of a result with as
// many axes or more.
func (a array) at(index []int) float64 {
	index = index[len(index)-len(a.shape):]
	place := 0
	for axis, length := range a.shape {
		i := index[axis]
		if length == 1 {
			i = 0
		}
		place = place*length + i
	}
	return a.data[place]
}
