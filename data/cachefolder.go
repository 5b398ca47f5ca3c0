package data

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	cacheExt   = ".hgset"
	writing    = ".writing-" // begins the names of files that are being written,
	unfinished = writing + "*" + cacheExt

	maxKept = 16 << 30 // bytes of decoded sets that are kept in a folder
)

// markUsed notes that a cache has been of use: its time of change says when.
func markUsed(path string) {
	now := time.Now()
	os.Chtimes(path, now, now) // if it cannot be noted, it goes sooner
}

// tidy makes room for the cache at path. From its folder it removes unfinished files
// whose writers must have been killed, and the other caches that were not of use for
// longest, until these have at most so many bytes. What cannot be removed stays.
func tidy(path string, most int64) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	type kept struct {
		path string
		size int64
		used time.Time
	}
	var files []kept
	var total int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.HasSuffix(e.Name(), cacheExt) {
			continue
		}
		file := kept{filepath.Join(dir, e.Name()), info.Size(), info.ModTime()}
		if strings.HasPrefix(e.Name(), writing) {
			if time.Since(file.used) > time.Hour {
				os.Remove(file.path)
			}
			continue
		}
		if file.path != path {
			files = append(files, file)
			total += file.size
		}
	}
	slices.SortFunc(files, func(a, b kept) int {
		return cmp.Or(a.used.Compare(b.used), strings.Compare(a.path, b.path))
	})
	for _, file := range files {
		if total <= most {
			return
		}
		if os.Remove(file.path) == nil {
			total -= file.size
		}
	}
}
