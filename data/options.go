package data

import (
	"errors"
	"fmt"
	"runtime"
)

const (
	// DefaultSize is the side, in pixels, of the images of a set whose sources
	// differ in size, when no size is asked for.
	DefaultSize = 64

	// MinSide is the smallest side, in pixels, of an image that is taken when
	// no size is asked for. With a size every image is taken, even 1×1.
	MinSide = 8

	// MaxSide is the largest side, in pixels, that can be asked for.
	MaxSide = 16384

	// DefaultMaxPixels caps the pixels of one image, read from its header.
	DefaultMaxPixels = 100_000_000

	// DefaultMaxFileBytes caps the size of one image file, or of one entry of
	// an archive after decompression.
	DefaultMaxFileBytes = 256 << 20

	// DefaultMaxBytes caps the decoded pixels of a whole set.
	DefaultMaxBytes = 16 << 30

	// DefaultMaxArchiveBytes caps what one archive may decompress to.
	DefaultMaxArchiveBytes = 64 << 30

	// DefaultMaxImages caps the number of files looked at in one source.
	DefaultMaxImages = 10_000_000

	// MaxExpansion is the largest ratio of decompressed to compressed size of
	// an archive or of one of its entries, judged once 64 MiB have come
	// out. Photographs in an archive hardly shrink at all; only
	// constructed files exceed it.
	MaxExpansion = 200
)

// expansionFloor is what an archive or an entry may decompress to before
// MaxExpansion is applied: small files of zeros are harmless.
const expansionFloor = 64 << 20

// Options says how a source is read. The zero value reads every image at the
// size that all have in common, else at DefaultSize.
type Options struct {
	// Size is the side of square images in pixels; Height and Width ask for
	// another shape instead. All zero keeps the images' own size if all agree
	// in it, and otherwise makes them DefaultSize pixels square.
	Size          int
	Height, Width int

	// Gray asks for one channel, the luma (ITU-R BT.601) of coloured images.
	// RGB asks for three, even where every image is grey.
	Gray, RGB bool

	// CacheDir is the folder that keeps decoded sets; empty means
	// "hourglass" in the user's cache folder. Of those that come to more
	// than 16 GB the ones that were not of use for longest are removed.
	// NoCache neither reads nor writes it.
	CacheDir string
	NoCache  bool

	// Threads is the number of images decoded at once; 0 means GOMAXPROCS. It
	// has no influence on the result.
	Threads int

	// Progress, if not nil, is called after each file, never concurrently.
	// While the files are being counted total is 0 and done counts those
	// looked at; then done counts from 0 the images that have been decoded, of
	// total, from so many bytes of files.
	Progress func(done, total int, bytes int64)

	// Caps on what is accepted; 0 means the default of the same name.
	MaxPixels       int64 // pixels of one image
	MaxFileBytes    int64 // bytes of one file or decompressed entry
	MaxBytes        int64 // decoded bytes of the whole set
	MaxArchiveBytes int64 // decompressed bytes of an archive
	MaxImages       int   // files in one source
}

// ErrNoImages is in the chain of the error that Open returns for a source in
// which nothing can be used.
var ErrNoImages = errors.New("no images found")

// LimitError reports that a source exceeds one of the caps of Options.
type LimitError struct {
	Name  string // the source, or "source: entry"
	What  string // what is too large
	Limit int64
	Hint  string // what to do about it
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: %s; the limit is %d: %s", e.Name, e.What, e.Limit, e.Hint)
}

// withDefaults checks o and fills in what was left zero.
func (o Options) withDefaults() (Options, error) {
	for _, v := range []struct {
		name  string
		value int
	}{{"size", o.Size}, {"height", o.Height}, {"width", o.Width}} {
		if v.value < 0 || v.value > MaxSide {
			return o, fmt.Errorf("image %s %d is out of range: choose 1 to %d pixels, or 0 to keep the images' own", v.name, v.value, MaxSide)
		}
	}
	if (o.Height == 0) != (o.Width == 0) {
		return o, fmt.Errorf("image height %d and width %d: give both or neither", o.Height, o.Width)
	}
	if o.Size != 0 && o.Height != 0 && (o.Height != o.Size || o.Width != o.Size) {
		return o, fmt.Errorf("image size %d contradicts height %d and width %d: give one or the other", o.Size, o.Height, o.Width)
	}
	if o.Gray && o.RGB {
		return o, errors.New("both gray and RGB images are asked for: choose one")
	}
	if o.Height == 0 {
		o.Height, o.Width = o.Size, o.Size
	}
	if o.Threads <= 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	setDefault(&o.MaxPixels, DefaultMaxPixels)
	setDefault(&o.MaxFileBytes, DefaultMaxFileBytes)
	setDefault(&o.MaxBytes, DefaultMaxBytes)
	setDefault(&o.MaxArchiveBytes, DefaultMaxArchiveBytes)
	if o.MaxImages <= 0 {
		o.MaxImages = DefaultMaxImages
	}
	return o, nil
}

func setDefault(v *int64, d int64) {
	if *v <= 0 {
		*v = d
	}
}
