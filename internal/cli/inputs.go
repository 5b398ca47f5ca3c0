package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"hourglass/data"
)

// inputs are the files and folders that a result is made from.
type inputs struct {
	given   []os.FileInfo
	folders []string               // the images in them are inputs too
	behind  func() map[string]bool // the images that links in folders lead to, or that lists name
}

// inputsOf returns the inputs at some paths, those of "" left out.
func inputsOf(paths ...string) (in inputs) {
	var there []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			continue // which is told when it is its turn
		}
		in.given, there = append(in.given, info), append(there, p)
		if info.IsDir() {
			in.folders = append(in.folders, resolved(p)+string(filepath.Separator))
		}
	}
	in.behind = sync.OnceValue(func() map[string]bool {
		files := make(map[string]bool)
		for _, p := range there {
			images, err := data.ImageFiles(p)
			if err != nil {
				continue // it is no folder or list, or that is told when it is its turn
			}
			for _, file := range images {
				files[resolved(file)] = true
			}
		}
		return files
	})
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
	there, err := os.Stat(file)
	if err != nil {
		return false
	}
	if slices.ContainsFunc(in.given, func(g os.FileInfo) bool { return os.SameFile(g, there) }) {
		return true
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".png", ".gif": // of results, these can be images of a folder
		target := resolved(file)
		return slices.ContainsFunc(in.folders, func(folder string) bool { return strings.HasPrefix(target, folder) }) ||
			in.behind != nil && in.behind()[target]
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
