package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// folder is a tree of files on disk.
type folder struct {
	files []diskFile
	named bool // the user gave each of them
	loose bool // their names are paths, from today's working folder if they are relative
}

type diskFile struct {
	name  string // inside the source
	path  string // on disk
	size  int64
	mtime int64 // nanoseconds since 1970
	err   error
}

// listFiles makes a tree of single files, in the order given.
func listFiles(paths []string) *folder {
	d := &folder{named: true, loose: true}
	for _, p := range paths {
		d.add(filepath.ToSlash(p), p)
	}
	return d
}

// add appends one file, following a link to it.
func (d *folder) add(name, path string) {
	f := diskFile{name: name, path: path}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		f.err = reason(err)
	case info.IsDir():
		f.err = errors.New("it is a folder, not an image")
	case !info.Mode().IsRegular():
		f.err = errors.New("it is not a regular file")
	default:
		f.size, f.mtime = info.Size(), info.ModTime().UnixNano()
	}
	d.files = append(d.files, f)
}

// listFolder lists all files below root, in order of name. Links to files are
// followed. Links to folders are followed too, unless they lead to a folder
// that is read anyway, as those do that make a loop.
func listFolder(ctx context.Context, root string, maxFiles int) (*folder, error) {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	if real, err = filepath.Abs(real); err != nil {
		return nil, err
	}
	l := &lister{ctx: ctx, source: root, root: real, max: maxFiles, seen: map[string]bool{}}
	if err := l.list(real, ""); err != nil {
		return nil, err
	}
	return &l.folder, nil
}

type lister struct {
	folder
	ctx    context.Context
	source string          // as it was given, for messages
	root   string          // absolute, without links
	max    int             // files
	seen   map[string]bool // folders that have been read but are not below root
}

// below reports whether a folder is read on the way down from root without links.
func (l *lister) below(dir string) bool {
	return within(l.root, dir) && !hiddenPath(filepath.ToSlash(strings.TrimPrefix(dir, l.root)))
}

func (l *lister) list(dir, name string) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		if name == "" {
			return err
		}
		l.files = append(l.files, diskFile{name: name, path: dir, err: fmt.Errorf("the folder cannot be read: %w", reason(err))})
		return nil
	}
	for _, e := range entries {
		if hidden(e.Name()) {
			continue
		}
		if len(l.files) >= l.max {
			return &LimitError{l.source, "too many files", int64(l.max), "choose a sub-folder of it"}
		}
		at, as := filepath.Join(dir, e.Name()), path.Join(name, e.Name())
		switch {
		case e.IsDir():
			if l.seen[at] {
				continue
			}
			if !l.below(at) {
				l.seen[at] = true
			}
			if err := l.list(at, as); err != nil {
				return err
			}
		case e.Type()&fs.ModeSymlink != 0:
			if err := l.link(at, as); err != nil {
				return err
			}
		default:
			l.addFile(as, at)
		}
	}
	return nil
}

// addFile adds a file that the user did not name: one that is nothing to read, such as
// a note or what a run has written, is none of the source, and may come and go.
func (l *lister) addFile(as, at string) {
	l.add(as, at)
	if last := len(l.files) - 1; !claimsImage(as) && (l.files[last].err != nil || !readable(at)) {
		l.files = l.files[:last]
	}
}

// readable reports whether a file whose name does not say so may hold an image, or
// arrays of them.
func readable(path string) bool {
	if name := filepath.Base(path); isCIFARName(name) || isIDXName(name) {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head, err := readUpTo(f, nil, sniffLen)
	if err != nil {
		return false
	}
	return sniffImage(head) != nil || sniffContainer(head) != kindUnknown
}

// link adds what a symbolic link leads to.
func (l *lister) link(at, as string) error {
	info, err := os.Stat(at)
	if err != nil || !info.IsDir() {
		l.addFile(as, at)
		return nil
	}
	target, err := filepath.EvalSymlinks(at)
	if err == nil {
		target, err = filepath.Abs(target)
	}
	if err != nil || l.below(target) || within(target, l.root) || l.seen[target] {
		l.files = append(l.files, diskFile{name: as, path: at, err: errors.New("the link leads to a folder that is read anyway")})
		return nil
	}
	l.seen[target] = true
	return l.list(target, as)
}

// within reports whether the folder dir is root or lies below it.
func within(root, dir string) bool {
	rel, err := filepath.Rel(root, dir)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// hidden reports whether a file or folder is none of the user's pictures.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || name == "__MACOSX"
}

// reason strips an error of the operation and the path that its message will
// be shown beside.
func reason(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func (d *folder) walk(ctx context.Context, want func(int) bool, yield func(file) error) error {
	for i, f := range d.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		out := file{ordinal: i, name: f.name, size: f.size, err: f.err, named: d.named, ignored: want != nil && !want(i)}
		out.open = func() (io.ReadCloser, error) {
			r, err := os.Open(f.path)
			if err != nil {
				return nil, reason(err)
			}
			return r, nil
		}
		if err := yield(out); err != nil {
			return err
		}
	}
	return nil
}

// listing calls files as they are called from any working folder.
func (d *folder) listing(w io.Writer) {
	for _, f := range d.files {
		name := f.name
		if d.loose {
			name = filepath.ToSlash(absolute(f.path))
		}
		fmt.Fprintf(w, "%q %d %d\n", name, f.size, f.mtime)
	}
}

// ImageFiles returns the paths of the files below a folder whose names say that
// they are images, in the order and with the care with which [Open] lists them; of
// a CSV file those that it names.
func ImageFiles(source string) ([]string, error) {
	var d *folder
	if isCSV(source) {
		l, err := listCSV(source, Options{MaxImages: DefaultMaxImages})
		if err != nil {
			return nil, openError(source, err)
		}
		d = l.folder
	} else {
		var err error
		if d, err = listFolder(context.Background(), source, DefaultMaxImages); err != nil {
			return nil, openError(source, err)
		}
	}
	var paths []string
	for _, f := range d.files {
		if f.err == nil && claimsImage(f.name) {
			paths = append(paths, f.path)
		}
	}
	return paths, nil
}
