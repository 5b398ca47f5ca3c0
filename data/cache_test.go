package data

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// openCached opens a source by way of a cache and reports whether it decoded.
func openCached(t *testing.T, source string, o Options) (s *Set, decoded bool) {
	t.Helper()
	o.Progress = func(int, int, int64) { decoded = true }
	s, err := Open(context.Background(), source, o)
	if err != nil {
		t.Fatal(err)
	}
	if s.FromCache == decoded {
		t.Errorf("FromCache is %t, decoded %t", s.FromCache, decoded)
	}
	return s, decoded
}

// onlyFile returns the path of the one file in dir.
func onlyFile(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files in the cache: %v %v", len(files), files, err)
	}
	return filepath.Join(dir, files[0].Name())
}

func TestCache(t *testing.T) {
	files := append(someImages(t), member{"dog/bad.png", []byte("text")})
	for i := range files {
		files[i].name = "train/" + files[i].name
	}
	for _, source := range []string{folderOf(t, files...), fileOf(t, "a.zip", zipOf(t, files...)), fileOf(t, "a.tar.gz", gzipped(t, tarOf(t, files...)))} {
		o := Options{CacheDir: filepath.Join(t.TempDir(), "new", "folder")}
		first, decoded := openCached(t, source, o)
		if !decoded || len(first.Warnings) != 0 {
			t.Fatalf("%s: the first time decoded %t, warnings %v", source, decoded, first.Warnings)
		}
		second, decoded := openCached(t, source, o)
		if decoded {
			t.Fatalf("%s: decoded again", source)
		}
		second.FromCache = false
		if !reflect.DeepEqual(first, second) {
			t.Errorf("%s: the cache holds another set:\n%+v\n%+v", source, first, second)
		}
		onlyFile(t, o.CacheDir)
		if _, decoded := openCached(t, source, Options{CacheDir: o.CacheDir, Size: 6}); !decoded {
			t.Errorf("%s: another size came from the cache", source)
		}
		if _, decoded := openCached(t, source, Options{CacheDir: o.CacheDir, NoCache: true}); !decoded {
			t.Errorf("%s: NoCache came from the cache", source)
		}
	}
}

func TestCacheNoticesChange(t *testing.T) {
	dir := folderOf(t, someImages(t)...)
	o := Options{CacheDir: t.TempDir()}
	openCached(t, dir, o)
	changes := []struct {
		name string
		do   func() error
	}{
		{"a new file", func() error {
			return os.WriteFile(filepath.Join(dir, "cat", "new.png"), encodePNG(t, shaded(12, 10, 9)), 0o644)
		}},
		{"a new date", func() error {
			return os.Chtimes(filepath.Join(dir, "cat", "a.png"), time.Time{}, time.Unix(1000000000, 0))
		}},
		{"a new name", func() error {
			return os.Rename(filepath.Join(dir, "cat", "a.png"), filepath.Join(dir, "cat", "z.png"))
		}},
		{"a file less", func() error { return os.Remove(filepath.Join(dir, "dog", "d.png")) }},
	}
	for _, c := range changes {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		if _, decoded := openCached(t, dir, o); !decoded {
			t.Errorf("%s was not noticed", c.name)
		}
		if _, decoded := openCached(t, dir, o); decoded {
			t.Errorf("after %s the cache was not replaced", c.name)
		}
		onlyFile(t, o.CacheDir)
	}
}

// TestCacheCorrupt damages each part of a cache file in turn.
func TestCacheCorrupt(t *testing.T) {
	dir := folderOf(t, someImages(t)...)
	o := Options{CacheDir: t.TempDir()}
	want, _ := openCached(t, dir, o)
	p := onlyFile(t, o.CacheDir)
	whole, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 0x41
		return b
	}
	header := bytes.IndexByte(whole, '{')
	tests := map[string][]byte{
		"empty":          nil,
		"magic":          flip(0),
		"header length":  flip(len(cacheMagic)),
		"huge header":    flip(len(cacheMagic) + 7),
		"fingerprint":    flip(header + 20),
		"header":         flip(header + 60),
		"shape":          bytes.Replace(whole, []byte(`"Height":10`), []byte(`"Height":99`), 1),
		"negative shape": bytes.Replace(whole, []byte(`"Height":10,"Width":12`), []byte(`"Height":-1,"Width":99`), 1),
		"label":          bytes.Replace(whole, []byte(`"Labels":[0,0,1,1]`), []byte(`"Labels":[0,0,1,9]`), 1),
		"pixels":         flip(len(whole) - 100),
		"checksum":       flip(len(whole) - 1),
		"cut":            whole[:len(whole)-1],
		"cut in header":  whole[:header+10],
		"longer":         append(bytes.Clone(whole), 0),
	}
	for name, b := range tests {
		if bytes.Equal(b, whole) {
			t.Fatalf("%s: nothing was damaged", name)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
		s, decoded := openCached(t, dir, o)
		if !decoded || !bytes.Equal(s.Pixels, want.Pixels) || len(s.Warnings) != 0 {
			t.Errorf("%s: decoded %t, warnings %v", name, decoded, s.Warnings)
		}
		if now, err := os.ReadFile(p); err != nil || !bytes.Equal(now, whole) {
			t.Errorf("%s: the cache was not replaced: %v", name, err)
		}
	}
}

func TestCacheCannotBeWritten(t *testing.T) {
	source := folderOf(t, someImages(t)...)
	blocked := fileOf(t, "file", []byte("not a folder"))
	for range 2 {
		s, decoded := openCached(t, source, Options{CacheDir: filepath.Join(blocked, "cache")})
		if !decoded || s.Len() != 4 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "the decoded images could not be kept for the next time: ") {
			t.Errorf("decoded %t, %d images, warnings %q", decoded, s.Len(), s.Warnings)
		}
	}
}

func TestCacheWriteFails(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no device that is always full")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	if err := writeCache(full, mustOpen(t, folderOf(t, someImages(t)...), Options{})); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("a full disk gave %v", err)
	}
}

func TestCacheFolder(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other systems name the user's cache folder in other ways")
	}
	source, user := folderOf(t, someImages(t)...), t.TempDir()
	t.Setenv("XDG_CACHE_HOME", user)
	left := filepath.Join(user, "hourglass", ".writing-1.hgset")
	fresh := filepath.Join(user, "hourglass", ".writing-2.hgset")
	if err := os.Mkdir(filepath.Dir(left), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{left, fresh} {
		if err := os.WriteFile(p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(left, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	openCached(t, source, Options{})
	if _, decoded := openCached(t, source, Options{}); decoded {
		t.Error("decoded again")
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("a file whose writer was killed is still there")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Error("a file that another may be writing was removed")
	}

	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if s, decoded := openCached(t, source, Options{}); !decoded || len(s.Warnings) != 1 {
		t.Errorf("without a cache folder: decoded %t, warnings %q", decoded, s.Warnings)
	}
}

// The caches that were of use last stay.
func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	files := []string{"oldest.hgset", "older.hgset", "newer.hgset", "own.hgset", "other.txt"}
	for i, name := range files {
		if err := os.WriteFile(at(name), make([]byte, 100), 0o644); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(time.Duration(i-48) * time.Hour)
		if err := os.Chtimes(at(name), used, used); err != nil {
			t.Fatal(err)
		}
	}
	markUsed(at("oldest.hgset"))
	for _, x := range []struct {
		most int64
		left []string
	}{
		{300, files},
		{299, []string{"oldest.hgset", "newer.hgset", "own.hgset", "other.txt"}},
		{100, []string{"oldest.hgset", "own.hgset", "other.txt"}},
		{-1, []string{"own.hgset", "other.txt"}},
	} {
		tidy(at("own.hgset"), x.most)
		for _, name := range files {
			_, err := os.Stat(at(name))
			if want := slices.Contains(x.left, name); (err == nil) != want {
				t.Errorf("with %d bytes at most, %s is there %t", x.most, name, err == nil)
			}
		}
	}
}

// A cache that serves is as good as new.
func TestCacheIsMarked(t *testing.T) {
	source, o := folderOf(t, someImages(t)...), Options{CacheDir: t.TempDir()}
	openCached(t, source, o)
	file, past := onlyFile(t, o.CacheDir), time.Now().Add(-48*time.Hour)
	if err := os.Chtimes(file, past, past); err != nil {
		t.Fatal(err)
	}
	openCached(t, source, o)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if time.Since(info.ModTime()) > time.Hour {
		t.Errorf("it counts as unused since %v", info.ModTime())
	}
}

func TestCacheFileName(t *testing.T) {
	for name, want := range map[string]string{"a b.tar.gz": "a_b_tar_gz", strings.Repeat("x", 99): strings.Repeat("x", 40), "ü": "_"} {
		if got := plainName(name); got != want {
			t.Errorf("plainName(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzReadCache(f *testing.F) {
	s := &Set{Height: 1, Width: 2, Channels: 1, Pixels: []byte{1, 2}, Names: []string{"a"}, Found: 1, Fingerprint: "x",
		Labels: []int32{0}, Classes: []string{"c"}, Parts: []Part{PartTest}}
	var b bytes.Buffer
	if err := writeCache(&b, s); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(cacheMagic))
	f.Fuzz(func(t *testing.T, in []byte) {
		s, err := readCache(bytes.NewReader(in), int64(len(in)), "x", 1<<20)
		if err == nil && len(s.Pixels) != s.Len()*s.ImageBytes() {
			t.Fatalf("%d values for %d images", len(s.Pixels), s.Len())
		}
	})
}

// unreadable is a tree of one image and of files that cannot be opened.
type unreadable struct {
	image []byte
	names []string
}

func (u unreadable) walk(_ context.Context, _ func(int) bool, yield func(file) error) error {
	err := yield(file{name: "a.png", open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(u.image)), nil }})
	for i, name := range u.names {
		if err == nil {
			err = yield(file{ordinal: i + 1, name: name, open: func() (io.ReadCloser, error) { return nil, syscall.EIO }})
		}
	}
	return err
}

func (u unreadable) listing(io.Writer) {}

// What could not be read is looked for the next time, if it claims to be an image.
func TestUnreadIsNotCached(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  bool
	}{{nil, false}, {[]string{"notes.txt"}, false}, {[]string{"b.png"}, true}} {
		o, err := Options{Threads: 1}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		s := &Set{}
		if err := gather(context.Background(), unreadable{encodePNG(t, shaded(16, 16, 1)), c.names}, o, s); err != nil {
			t.Fatal(err)
		}
		if s.Len() != 1 || s.unread != c.want {
			t.Errorf("with %v: %d images, unread %t", c.names, s.Len(), s.unread)
		}
		kept := filepath.Join(t.TempDir(), "kept")
		if err := (cache{path: kept}).save(s); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(kept); (err != nil) != c.want {
			t.Errorf("with %v the cache is %v", c.names, err)
		}
	}
}
