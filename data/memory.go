package data

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
)

// NewSet returns a set of images that are in memory already: pixels
// [N,height,width,channels] in 0–255, grey (one channel) or colour (three). Labels
// [N] are indices into classes; both may be nil. The set keeps these slices, and
// images are called by their numbers. It fails if sizes do not agree or a label has no
// class.
func NewSet(pixels []uint8, height, width, channels int, labels []int32, classes []string) (*Set, error) {
	if height < 1 || width < 1 || channels != 1 && channels != 3 {
		return nil, fmt.Errorf("data: images of %d×%d×%d; they need at least a pixel, and 1 or 3 channels", height, width, channels)
	}
	n := len(pixels) / channels / height / width
	switch {
	case n == 0 || len(pixels) != n*height*width*channels:
		return nil, fmt.Errorf("data: %d bytes are no images of %d×%d×%d", len(pixels), height, width, channels)
	case labels != nil && len(labels) != n:
		return nil, fmt.Errorf("data: %d labels of %d images", len(labels), n)
	}
	for i, l := range labels {
		if l < 0 || int(l) >= len(classes) {
			return nil, fmt.Errorf("data: image %d has the label %d of %d classes", i, l, len(classes))
		}
	}
	if labels == nil {
		classes = nil
	}
	s := &Set{Source: "memory", Height: height, Width: width, Channels: channels, Pixels: pixels,
		Labels: labels, Classes: classes, Names: make([]string, n), Found: n}
	for i := range s.Names {
		s.Names[i] = strconv.Itoa(i)
	}
	h := sha256.New()
	fmt.Fprintf(h, "hourglass data in memory 1\n%d×%d×%d\n%q\n", height, width, channels, classes)
	binary.Write(h, binary.LittleEndian, labels)
	h.Write(pixels)
	s.Fingerprint = hex.EncodeToString(h.Sum(nil)[:fingerprintLen])
	return s, nil
}
