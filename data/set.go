package data

// Part is the share of a set that an image was put in by whoever made it.
type Part uint8

const (
	PartNone  Part = iota // not said
	PartTrain             // to learn from
	PartVal               // to choose with
	PartTest              // to measure on
)

// String returns "none", "train", "val" or "test".
func (p Part) String() string {
	switch p {
	case PartTrain:
		return "train"
	case PartVal:
		return "val"
	case PartTest:
		return "test"
	}
	return "none"
}

// Skip names a file that was left out, and says why.
type Skip struct {
	Name   string // its path inside the source
	Reason string
}

// Set is a source of images, decoded. It is not changed once [Open] or [NewSet] has
// returned it, and may be read by many goroutines.
type Set struct {
	Source string // as it was given to Open

	Height, Width, Channels int
	Pixels                  []uint8 // [N,H,W,C], 0–255

	Labels  []int32  // [N], indices into Classes; nil if the source has none
	Classes []string // nil if the source has none
	Names   []string // [N], the path of each image inside the source
	Parts   []Part   // [N]; nil if the source is not divided

	Found   int    // images that the source holds: Len() + len(Skipped)
	Skipped []Skip // those left out, in order of name

	FromCache   bool     // the pixels were decoded by an earlier Open
	Fingerprint string   // of the listing of the source (names, sizes, dates) and the options, or of the images in memory
	Warnings    []string // what went wrong without harm, such as a cache that cannot be written

	unread bool // some files could not be read, and may be read the next time
}

// Len returns the number of images, which is that of Names.
func (s *Set) Len() int { return len(s.Names) }

// ImageBytes returns the number of values in one image, H·W·C.
func (s *Set) ImageBytes() int { return s.Height * s.Width * s.Channels }

// Gather copies the images at indices, [N,H,W,C].
func (s *Set) Gather(indices []int) []uint8 {
	n := s.ImageBytes()
	all := make([]uint8, len(indices)*n)
	for i, index := range indices {
		copy(all[i*n:], s.Image(index))
	}
	return all
}

// Image returns the pixels of image i, [H,W,C], as a part of s.Pixels.
func (s *Set) Image(i int) []uint8 {
	n := s.ImageBytes()
	return s.Pixels[i*n : (i+1)*n : (i+1)*n]
}
