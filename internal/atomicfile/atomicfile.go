// Package atomicfile writes files whole: whoever opens the path finds the old
// contents or the new ones, never a part; with Write and Create after a crash of the
// machine too.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

var errNotFile = errors.New("what is there is no file")

// Write gives fill a temporary file in path's folder, and renames it to path
// once its bytes are on the disk; then it syncs the folder, so that the new
// name is on the disk too. If anything fails before the rename, the temporary
// file is removed and path holds what it held before. A new file has the mode
// that the user's umask leaves of 0666, and a replaced one keeps its own.
// What is no file, or is protected from writing, is left alone. Errors name path and
// wrap their cause.
func Write(path string, fill func(io.Writer) error) error { return replace(path, true, fill) }

// WriteSoon is Write without waiting for the disk, for one result of many: whoever
// opens the path finds the old contents or the new ones as long as the machine runs,
// but after a loss of power perhaps a part, or nothing.
func WriteSoon(path string, fill func(io.Writer) error) error { return replace(path, false, fill) }

// Create is Write for a path where nothing may be yet: of all who create it at once,
// one succeeds, and the errors of the others wrap [fs.ErrExist].
func Create(path string, fill func(io.Writer) error) error {
	return put(path, true, moveNew, func(f *os.File) error { return fill(f) })
}

func replace(path string, sync bool, fill func(io.Writer) error) error {
	old, err := os.Stat(path)
	isFile := err == nil && old.Mode().IsRegular()
	switch {
	case err == nil && !isFile:
		return writing(path, errNotFile)
	case isFile && old.Mode().Perm()&0o200 == 0:
		return writing(path, fs.ErrPermission)
	}
	return put(path, sync, os.Rename, func(f *os.File) error {
		if isFile && runtime.GOOS != "windows" {
			if err := f.Chmod(old.Mode().Perm()); err != nil {
				return err
			}
		}
		return fill(f)
	})
}

func writing(path string, err error) error { return fmt.Errorf("write %s: %w", path, err) }

// put fills a temporary file and moves it to path.
func put(path string, sync bool, move func(from, to string) error, fill func(*os.File) error) (err error) {
	defer func() {
		if err != nil {
			err = writing(path, err)
		}
	}()
	f, err := createBeside(path)
	if err != nil {
		return err
	}
	moved := false
	defer func() {
		if !moved {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err = fill(f); err != nil {
		return err
	}
	if sync {
		if err = f.Sync(); err != nil {
			return err
		}
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = move(f.Name(), path); err != nil {
		return err
	}
	moved = true
	if !sync {
		return nil
	}
	return syncFolder(filepath.Dir(path))
}

// moveNew is os.Rename where nothing may have the name yet.
func moveNew(from, to string) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		os.Remove(from) // what is there twice does no harm
		return nil
	case errors.Is(err, fs.ErrExist):
		return err
	}
	return moveClaimed(from, to)
}

// moveClaimed is moveNew where a file can have one name only: an empty file keeps
// others out until the whole one takes its place.
func moveClaimed(from, to string) error {
	claim, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	claim.Close()
	if err = os.Rename(from, to); err != nil {
		os.Remove(to)
	}
	return err
}

// createBeside creates a new file in path's folder. os.CreateTemp would do,
// but for its mode, which lets nobody but the owner read.
func createBeside(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	const maxBase = 200 // leaves room for the affixes within the usual 255
	base = base[:min(len(base), maxBase)]
	for i := 0; ; i++ {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d-%d.tmp", base, os.Getpid(), i))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) && i < 1000 {
			continue
		}
		return f, err
	}
}

// syncFolder makes a rename in dir durable. Systems that cannot sync a folder
// say so in their own ways; there the rename is as durable as they make it.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrPermission) {
		return nil // a folder may be open to writing and closed to reading
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
