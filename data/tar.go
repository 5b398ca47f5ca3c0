package data

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// tarball is a tree in a tar file, plain or compressed. It can only be read
// from front to back, so the walk itself loads each file into a buffer.
type tarball struct {
	path    string
	info    os.FileInfo
	o       Options
	buffers sync.Pool // of *[]byte
	room    *gate     // for the entries in memory

	// damage is what ended the last walk before the archive's end.
	damage error
	atEnd  bool // the damage is found after the last entry
}

func openTar(path string, o Options) (*tarball, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	t := &tarball{path: path, info: info, o: o}
	t.buffers.New = func() any { return new([]byte) }
	t.room = newGate(entriesInFlight)
	return t, nil
}

func (t *tarball) listing(w io.Writer) {
	fmt.Fprintf(w, "%d %d\n", t.info.Size(), t.info.ModTime().UnixNano())
}

func (t *tarball) walk(ctx context.Context, want func(int) bool, yield func(file) error) error {
	stream, err := openStream(t.path, t.o)
	if err != nil {
		return err
	}
	defer stream.Close()
	t.damage, t.atEnd = nil, false
	archive := tar.NewReader(stream)
	var total int64
	for i := 0; ; i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		head, err := archive.Next()
		if err == io.EOF {
			return t.end(i, stream)
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return t.broken(i, err)
		}
		if i >= t.o.MaxImages {
			return &LimitError{t.path, "the archive has too many entries", int64(t.o.MaxImages), "unpack it and choose a folder of it"}
		}
		f := file{ordinal: i, name: slashed(head.Name)}
		switch {
		case unsafeName(head.Name):
			f.name, f.err = head.Name, errUnsafeName
		case (head.Typeflag == tar.TypeLink || head.Typeflag == tar.TypeSymlink) && worthNaming(f.name):
			f.err = errLinked
		case head.Typeflag != tar.TypeReg || hiddenPath(f.name) || want != nil && !want(i):
			f.ignored = true
		case head.Size > t.o.MaxFileBytes:
			f.err = fmt.Errorf("it holds %d bytes, more than the %d that one file may have", head.Size, t.o.MaxFileBytes)
			f.ignored = !claimsImage(f.name)
		case sparse(head):
			f.err = errors.New("it is a sparse file, of which an archive may hold any size in a few bytes: unpack the archive and choose its folder")
			f.ignored = !claimsImage(f.name)
		default:
			if total += head.Size; total > t.o.MaxArchiveBytes {
				return &LimitError{t.path, "the archive holds too many bytes", t.o.MaxArchiveBytes, "split it"}
			}
			if err := t.load(archive, head.Size, &f); err != nil {
				return t.broken(i, err)
			}
		}
		if err := yield(f); err != nil {
			return err
		}
	}
}

// end reads the padding after the last of so many entries, behind which a compressed
// archive has its checksum.
func (t *tarball) end(entries int, stream io.Reader) error {
	const padding = 1 << 20
	if _, err := io.CopyN(io.Discard, stream, padding); err != nil && err != io.EOF {
		t.atEnd = true
		return t.broken(entries, err)
	}
	return nil
}

// sparse reports an entry with holes, which takes few bytes for any size.
func sparse(head *tar.Header) bool {
	for key := range head.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// entriesInFlight bounds the bytes of the entries that have been read and are not
// done with.
const entriesInFlight = 256 << 20

// load reads the current entry of the archive, of some size, into memory, if it is
// an image or claims to be one.
func (t *tarball) load(archive *tar.Reader, size int64, f *file) error {
	t.room.enter(size)
	buf := t.buffers.Get().(*[]byte)
	f.done = func() {
		t.buffers.Put(buf)
		t.room.exit(size)
	}
	var err error
	*buf, err = readUpTo(archive, (*buf)[:0], sniffLen)
	if err == nil && sniffImage(*buf) == nil && !claimsImage(f.name) {
		f.ignored = true
		return nil
	}
	if err == nil {
		*buf, err = readUpTo(archive, *buf, t.o.MaxFileBytes)
	}
	if err != nil {
		f.done()
		return err
	}
	f.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(*buf)), nil }
	return nil
}

// broken ends a walk at a fault in the archive. What came before is used; a
// fault at the very beginning, or one that is a refusal, is an error.
func (t *tarball) broken(files int, err error) error {
	var limit *LimitError
	if errors.As(err, &limit) {
		return err
	}
	if files == 0 {
		return fmt.Errorf("%s: damaged archive: %w", t.path, err)
	}
	t.damage = err
	return nil
}

// stream is a file, decompressed if its first bytes say that it is gzip or
// zstd, within the limits for archives.
type stream struct {
	io.Reader
	file   *os.File
	closer func()
}

func (s *stream) Close() error {
	if s.closer != nil {
		s.closer()
	}
	return s.file.Close()
}

// plain reports whether the file is read as it is.
func (s *stream) plain() bool {
	_, packed := s.Reader.(*expander)
	return !packed
}

// maxWindow caps the memory that a zstd file can ask for.
const maxWindow = 128 << 20

func openStream(path string, o Options) (*stream, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	raw := &counter{r: f}
	in := bufio.NewReaderSize(raw, 64<<10)
	s := &stream{Reader: in, file: f}
	head, _ := in.Peek(4) // a shorter file is plain
	out := &expander{in: raw, name: path, limit: o.MaxArchiveBytes}
	switch sniffContainer(head) {
	case kindGzip:
		z, err := gzip.NewReader(in)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: damaged gzip file: %w", path, err)
		}
		out.r = members{z}
		s.Reader = out
	case kindZstd:
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("%s: damaged zstd file: %w", path, err)
		}
		out.r = z
		s.Reader, s.closer = out, z.Close
	}
	return s, nil
}

// members reads the members of a gzip file. What follows the last is no member, such
// as the zeros with which tapes pad, and no fault.
type members struct{ *gzip.Reader }

func (m members) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if errors.Is(err, gzip.ErrHeader) {
		err = io.EOF
	}
	return n, err
}

// counter counts what is read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// expander reads what a decompressor makes of in, and fails when that is too
// much.
type expander struct {
	r     io.Reader
	in    *counter
	name  string
	n     int64
	limit int64
}

func (e *expander) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.n += int64(n)
	if e.n > e.limit {
		return 0, &LimitError{e.name, "it decompresses to too many bytes", e.limit, "split it"}
	}
	if e.n > expansionFloor && e.n/MaxExpansion > e.in.n {
		return 0, expansionError(e.name)
	}
	return n, err
}

func expansionError(name string) error {
	return &LimitError{name, "it decompresses to many times its size and looks like a decompression bomb", MaxExpansion, "if it is none, unpack it and give the folder"}
}

var errLinked = errors.New("it is a link, which is not followed in an archive: unpack the archive and choose its folder")

// worthNaming reports whether a link in an archive may stand for images: it claims to
// be one, or has the name of a folder.
func worthNaming(name string) bool {
	return !hiddenPath(name) && (claimsImage(name) || path.Ext(name) == "")
}

var errUnsafeName = errors.New("its name leads out of the archive")

// slashed returns the path of an archive's entry with the slashes that some
// archivers on Windows turn round, and without what does not change it.
func slashed(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	return strings.TrimPrefix(path.Clean("/"+name), "/")
}

// unsafeName reports whether an archive's entry would be written outside the
// folder the archive is unpacked in.
func unsafeName(name string) bool {
	name = strings.ReplaceAll(name, `\`, "/")
	if strings.HasPrefix(name, "/") || len(name) >= 2 && name[1] == ':' || strings.ContainsRune(name, 0) {
		return true
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == ".." {
			return true
		}
	}
	return false
}

// hiddenPath reports whether any folder on the way, or the file, is hidden.
func hiddenPath(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if hidden(part) {
			return true
		}
	}
	return false
}
