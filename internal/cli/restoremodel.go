package cli

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/task/restore"
)

// restorer loads the model of a task at path, or the one that is built in.
func restorer(e *engine.Engine, file, task string) (*restore.Model, error) {
	if file == "" {
		m, err := restore.Shipped(e, task)
		if errors.Is(err, restore.ErrNotShipped) {
			return nil, advised{err, "give one with --model, made by: hourglass train " + task + " PHOTOS"}
		}
		return m, err
	}
	m, err := restore.Load(e, modelPath(file), task)
	if err != nil {
		return nil, unloadable(err)
	}
	return m, nil
}

// openPicture reads an image file for a result of the same kind.
func openPicture(file string) (*data.Picture, error) {
	p, err := data.OpenPicture(file, data.Options{})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file %s", file)
	}
	return p, err
}

// writePicture writes a picture as PNG.
func writePicture(file string, p *data.Picture, write func(string, image.Image) error) error {
	m, err := p.Image()
	if err != nil {
		return err
	}
	return write(file, m)
}

// outFile makes the folder of a result that is one file, and refuses the names of
// what it is made from and those that promise another format than PNG.
func outFile(file string, from ...string) error {
	if file == "" {
		return usageError{errors.New("--out is missing: name a file for the result, such as out.png")}
	}
	if !strings.EqualFold(filepath.Ext(file), ".png") {
		return usageError{fmt.Errorf("--out %s: the result is a PNG; give a name that ends in .png", quote(file))}
	}
	return resultFile("out", file, inputsOf(from...))
}

// restoredNames names the results in a folder for images: each as its image, but
// a PNG. It refuses to write over one of the images.
func restoredNames(out string, files []string) ([]string, error) {
	given := inputsOf(files...)
	taken := make(map[string]bool, len(files))
	names := make([]string, len(files))
	for i, file := range files {
		base := path.Base(filepath.ToSlash(file))
		base = strings.TrimSuffix(base, path.Ext(base))
		name := base + ".png"
		for i := 2; taken[name]; i++ {
			name = fmt.Sprintf("%s-%d.png", base, i)
		}
		taken[name], names[i] = true, name
		if err := given.spare("out", filepath.Join(out, name)); err != nil {
			return nil, err
		}
	}
	return names, nil
}
