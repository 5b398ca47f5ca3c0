package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"hourglass/data"
	"hourglass/train/run"
)

// ClassFile is the name of the file in a source that names its classes.
const ClassFile = "classes.txt"

// Labels returns what the labels of a source mean: by a file of classes, by
// names of the values from 0 on, or, with neither, by the source's own
// [ClassFile] if it has one; otherwise the list has no classes, and they are
// found. ignored values are those of no class, beside what the file says.
// Errors about choices wrap [run.ErrChoice].
func Labels(source, file string, names []string, ignored []int) (l data.ClassList, err error) {
	values := make([]uint8, len(ignored))
	for i, v := range ignored {
		if v < 0 || v > 255 {
			return l, fmt.Errorf("%w: --ignore %d: choose values from 0 to 255", run.ErrChoice, v)
		}
		values[i] = uint8(v)
	}
	switch {
	case file != "" && len(names) > 0:
		return l, fmt.Errorf("%w: --classes and --names: give one of them", run.ErrChoice)
	case len(names) > 0:
		if l, err = data.NamedClasses(names, values...); err != nil {
			return l, fmt.Errorf("%w: --names: %w", run.ErrChoice, err)
		}
		return l, nil
	case file != "":
		l, err = data.ReadClassFile(file)
	default:
		l, err = data.ReadClassFile(filepath.Join(source, ClassFile))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // the latter is told of the source
			err = nil
		}
	}
	if err != nil {
		return l, err
	}
	for _, v := range values {
		l.Ignored = append(l.Ignored, data.Class{Name: fmt.Sprintf("ignored %d", v), Value: v})
	}
	if err := l.Check(); err != nil {
		return l, fmt.Errorf("%w: --ignore: %w", run.ErrChoice, err)
	}
	return l, nil
}
