package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// inputs are the files and folders that a result is made from.
type inputs struct {
	paths   map[string]bool
	files   []os.FileInfo // of the same, for systems where names differ in case
	folders []string      // the images in them are inputs too
}

// inputsOf returns the inputs at some paths, those of "" left out.
func inputsOf(paths ...string) inputs {
	in := inputs{paths: make(map[string]bool, len(paths))}
	for _, p := range paths {
		if p == "" {
			continue
		}
		r := resolved(p)
		in.paths[r] = true
		info, err := os.Stat(p)
		switch {
		case err != nil: // that is told when it is its turn
		case info.IsDir():
			in.folders = append(in.folders, r+string(filepath.Separator))
		default:
			in.files = append(in.files, info)
		}
	}
	return in
}

// spare refuses to write a result over an input.
func (in inputs) spare(flag, file string) error {
	if !in.has(file) {
		return nil
	}
	return usageError{fmt.Errorf("--%s: the result %s would take the place of a file that it is made from: choose another name", flag, quote(file))}
}

func (in inputs) has(file string) bool {
	target := resolved(file)
	if in.paths[target] {
		return true
	}
	there, err := os.Stat(file)
	if err != nil {
		return false
	}
	if slices.ContainsFunc(in.files, func(f os.FileInfo) bool { return os.SameFile(f, there) }) {
		return true
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".png", ".gif": // of results, these can be images of a folder
	default:
		return false
	}
	for _, folder := range in.folders {
		if strings.HasPrefix(target, folder) {
			return true
		}
	}
	return false
}

// resultFile readies the place of a result that is one file: it refuses to write
// over an input, a folder or a device, and makes the folder that the file goes to.
func resultFile(flag, file string, from inputs) error {
	if err := from.spare(flag, file); err != nil {
		return err
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		return usageError{fmt.Errorf("--%s: %s is there already and no file: choose another name", flag, quote(file))}
	}
	return outFolder(filepath.Dir(file))
}

// resolved returns a path that is the same for all ways to a file.
func resolved(file string) string {
	if p, err := filepath.EvalSymlinks(file); err == nil {
		file = p
	}
	if p, err := filepath.Abs(file); err == nil {
		file = p
	}
	return file
}
