package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// inputs are the files and folders that a result is made from.
type inputs struct {
	paths   map[string]bool
	folders []string // all in them is an input too
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
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			in.folders = append(in.folders, r+string(filepath.Separator))
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
	if _, err := os.Lstat(file); err != nil {
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
