package data

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// zipArchive is a tree in a .zip file. Its entries are read in any order, by
// the workers themselves.
type zipArchive struct {
	path   string
	info   os.FileInfo
	reader *zip.ReadCloser
	o      Options
}

func openZip(path string, o Options) (*zipArchive, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	r, err := zip.OpenReader(path)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("%s: damaged zip archive: %w", path, err)
	}
	z := &zipArchive{path: path, info: info, reader: r, o: o}
	if err := z.checkTotal(); err != nil {
		r.Close()
		return nil, err
	}
	return z, nil
}

func (z *zipArchive) Close() error { return z.reader.Close() }

// checkTotal refuses archives whose usable entries together decompress to more
// than is accepted. The sizes are those of the directory, which archive/zip
// holds the entries to. It catches bombs whose entries share their data.
func (z *zipArchive) checkTotal() error {
	if n := len(z.reader.File); n > z.o.MaxImages {
		return &LimitError{z.path, fmt.Sprintf("the archive has %d entries", n), int64(z.o.MaxImages), "unpack it and choose a folder of it"}
	}
	var total int64
	for _, f := range z.reader.File {
		if z.check(f) == nil {
			total += int64(f.UncompressedSize64) // at most MaxFileBytes each
		}
		if total > z.o.MaxArchiveBytes {
			return &LimitError{z.path, "the archive decompresses to too many bytes", z.o.MaxArchiveBytes, "split it"}
		}
	}
	if total > expansionFloor && total/MaxExpansion > z.info.Size() {
		return expansionError(z.path)
	}
	return nil
}

// check says why an entry cannot be used, from what the directory says.
func (z *zipArchive) check(f *zip.File) error {
	const encrypted = 0x1
	switch {
	case unsafeName(f.Name):
		return errUnsafeName
	case f.Mode()&fs.ModeSymlink != 0:
		return errLinked
	case f.Flags&encrypted != 0:
		return errors.New("it is encrypted")
	case f.UncompressedSize64 > uint64(z.o.MaxFileBytes):
		return fmt.Errorf("it decompresses to %d bytes, more than the %d that one file may have", f.UncompressedSize64, z.o.MaxFileBytes)
	case f.UncompressedSize64 > expansionFloor && f.UncompressedSize64/MaxExpansion > f.CompressedSize64:
		return fmt.Errorf("it decompresses to more than %d times its size: it looks like a decompression bomb", MaxExpansion)
	}
	return nil
}

func (z *zipArchive) walk(ctx context.Context, want func(int) bool, yield func(file) error) error {
	for i, f := range z.reader.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := slashed(f.Name)
		out := file{ordinal: i, name: name, err: z.check(f)}
		if out.err == nil {
			out.size = int64(f.UncompressedSize64)
		}
		switch {
		case out.err == errUnsafeName:
			out.name = f.Name
		case out.err == errLinked:
			out.ignored = !worthNaming(name)
		default:
			out.ignored = !f.Mode().IsRegular() || hiddenPath(name) || want != nil && !want(i) ||
				out.err != nil && !claimsImage(name)
		}
		out.open = func() (io.ReadCloser, error) { return f.Open() }
		if err := yield(out); err != nil {
			return err
		}
	}
	return nil
}

func (z *zipArchive) listing(w io.Writer) {
	fmt.Fprintf(w, "%d %d\n", z.info.Size(), z.info.ModTime().UnixNano())
}
