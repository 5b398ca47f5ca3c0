package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSourcesAgree reads the same files from a folder and from every archive.
func TestSourcesAgree(t *testing.T) {
	files := someImages(t)
	shuffled := slices.Clone(files)
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	ball := tarOf(t, shuffled...)
	want := mustOpen(t, folderOf(t, files...), Options{})
	if fmt.Sprint(want.Names) != "[cat/a.png cat/b.jpg dog/c.png dog/d.png]" || fmt.Sprint(want.Classes, want.Labels) != "[cat dog] [0 0 1 1]" {
		t.Fatalf("names %v, classes %v, labels %v", want.Names, want.Classes, want.Labels)
	}
	if want.Parts != nil || len(want.Skipped) != 0 || want.Width != 12 || want.Height != 10 || want.Channels != 3 {
		t.Fatalf("parts %v, skipped %v, %d×%d×%d", want.Parts, want.Skipped, want.Height, want.Width, want.Channels)
	}
	for name, data := range map[string][]byte{
		"a.zip":     zipOf(t, shuffled...),
		"a.tar":     ball,
		"a.tar.gz":  gzipped(t, ball),
		"a.tgz":     gzipped(t, ball),
		"a.tar.zst": zstandard(t, ball),
		"misnamed":  gzipped(t, ball),
	} {
		p := fileOf(t, name, data)
		for _, threads := range []int{1, 2, 7} {
			got := mustOpen(t, p, Options{Threads: threads})
			if !bytes.Equal(got.Pixels, want.Pixels) || !slices.Equal(got.Names, want.Names) || !slices.Equal(got.Labels, want.Labels) || !slices.Equal(got.Classes, want.Classes) {
				t.Errorf("%s, %d threads: another set than from the folder: %v", name, threads, got.Names)
			}
		}
	}
}

func TestThreadsDoNotMatter(t *testing.T) {
	var files []member
	for i := range 60 {
		img := shaded(9+i%5, 8+i%7, uint8(i))
		b := encodePNG(t, img)
		if i%9 == 4 {
			b = b[:len(b)-20]
		}
		files = append(files, member{fmt.Sprintf("c%d/%02d.png", i%3, i), b})
	}
	dir := folderOf(t, files...)
	one := mustOpen(t, dir, Options{Threads: 1})
	if len(one.Skipped) == 0 {
		t.Fatal("no damaged file was skipped")
	}
	many := mustOpen(t, dir, Options{Threads: 8})
	if !bytes.Equal(one.Pixels, many.Pixels) || !slices.Equal(one.Names, many.Names) || !slices.Equal(one.Skipped, many.Skipped) || one.Fingerprint != many.Fingerprint {
		t.Error("8 threads give another set than one")
	}
}

func TestDamagedFilesAreNamed(t *testing.T) {
	good := member{"good.png", encodePNG(t, shaded(16, 16, 0))}
	jpeg := encodeJPEG(t, shaded(16, 16, 0))
	png := encodePNG(t, shaded(16, 16, 7))
	corrupt := bytes.Clone(png)
	corrupt[len(corrupt)/2] ^= 0xff
	tests := []struct {
		name   string
		data   []byte
		reason string
	}{
		{"cut.jpg", jpeg[:len(jpeg)/2], "damaged JPEG: it ends too early"},
		{"head.jpg", jpeg[:20], "damaged JPEG: it ends too early"},
		{"cut.png", png[:len(png)/2], "damaged PNG: "},
		{"head.png", png[:20], "damaged PNG: it ends too early"},
		{"corrupt.png", corrupt, "damaged PNG: "},
		{"text.png", []byte("this is a text, not an image\n"), "its content is not JPEG, PNG, GIF, BMP, TIFF or WebP"},
		{"empty.gif", nil, "the file is empty"},
		{"huge.png", hugePNG(t, 30000, 30000), "30000×30000 pixels is more than the 100000000 that one image may have"},
		{"wide.png", hugePNG(t, 1<<31-1, 1), "2147483647×1 pixels is more than"},
		{"BM.bmp", append([]byte("BM"), make([]byte, 60)...), "its content is not"},
		{"short.webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), "damaged WebP"},
		{"short.tiff", []byte("II*\x00\x08\x00"), "damaged TIFF"},
		{"short.gif", []byte("GIF89a\x10"), "damaged GIF: "},
		{"archive.png", zipOf(t, good), "its content is not"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bad := member{tt.name, tt.data}
			wantSkipped(t, mustOpen(t, folderOf(t, good, bad), Options{}), tt.name, tt.reason)
			wantSkipped(t, mustOpen(t, fileOf(t, "a.zip", zipOf(t, bad, good)), Options{}), tt.name, tt.reason)
			wantSkipped(t, mustOpen(t, fileOf(t, "a.tar", tarOf(t, bad, good)), Options{}), tt.name, tt.reason)
			err := wantError(t, folderOf(t, bad), Options{}, "no images found in ", "that can be used: all 1 were skipped; "+tt.name+": ", tt.reason)
			if !errors.Is(err, ErrNoImages) {
				t.Errorf("error %v is not ErrNoImages", err)
			}
		})
	}
}

// TestHugeImageTakesNoMemory opens an image whose header promises 900 million
// pixels.
func TestHugeImageTakesNoMemory(t *testing.T) {
	p := fileOf(t, "huge.png", hugePNG(t, 30000, 30000))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wantError(t, p, Options{}, "huge.png", "30000×30000 pixels is more than the 100000000")
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
}

func TestManyAreSkippedFewAreShown(t *testing.T) {
	var files []member
	for i := range 9 {
		files = append(files, member{fmt.Sprintf("%d.png", i), []byte("text")})
	}
	wantError(t, folderOf(t, files...), Options{}, "all 9 were skipped", "0.png", "2.png", "; and 6 more")
}

func TestNothingToRead(t *testing.T) {
	const hint = "give a folder or archive with JPEG, PNG, GIF, BMP, TIFF or WebP files"
	text := member{"notes.txt", []byte("no picture")}
	dir := folderOf(t, text)
	tests := []struct{ name, source, want string }{
		{"empty folder", t.TempDir(), "no images found in "},
		{"folder without images", dir, hint},
		{"empty zip", fileOf(t, "a.zip", zipOf(t)), hint},
		{"zip without images", fileOf(t, "a.zip", zipOf(t, text)), hint},
		{"tar without images", fileOf(t, "a.tar.gz", gzipped(t, tarOf(t, text))), hint},
		{"nested archive", fileOf(t, "a.zip", zipOf(t, member{"b.zip", zipOf(t, someImages(t)...)})), hint},
		{"text", filepath.Join(dir, "notes.txt"), "it is no image, archive, CSV, IDX, CIFAR or .npy file"},
		{"empty file", fileOf(t, "empty", nil), "it is no image, archive, CSV, IDX, CIFAR or .npy file"},
		{"packed text", fileOf(t, "a.gz", gzipped(t, []byte("text"))), "it is no image"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := wantError(t, tt.source, Options{}, tt.want, tt.source); !errors.Is(err, ErrNoImages) {
				t.Errorf("error %v is not ErrNoImages", err)
			}
		})
	}
	err := wantError(t, filepath.Join(dir, "nowhere"), Options{}, "nowhere is neither a file or folder nor a built-in set (fashion): check the name")
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v is not ErrNotExist", err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, tt := range []struct {
		o    Options
		want string
	}{
		{Options{Size: -1}, "image size -1 is out of range: choose 1 to 16384 pixels"},
		{Options{Size: MaxSide + 1}, "image size 16385 is out of range"},
		{Options{Height: 5}, "image height 5 and width 0: give both or neither"},
		{Options{Size: 5, Height: 6, Width: 6}, "image size 5 contradicts height 6 and width 6"},
		{Options{Gray: true, RGB: true}, "both gray and RGB images are asked for"},
	} {
		wantError(t, "fashion", tt.o, tt.want)
	}
	dir := folderOf(t, someImages(t)...)
	err := wantError(t, dir, Options{Size: 100, MaxBytes: 50000}, "4 images of 100×100 pixels and 3 channels take more bytes than are allowed; the limit is 50000: choose a smaller image size")
	var limit *LimitError
	if !errors.As(err, &limit) {
		t.Errorf("error %v is not a LimitError", err)
	}
	wantError(t, dir, Options{MaxImages: 3}, "too many files; the limit is 3")
	wantSkipped(t, mustOpen(t, dir, Options{MaxFileBytes: int64(len(someImages(t)[1].data)) - 1}), "cat/b.jpg", "bytes that one file may have")
}

func TestLinks(t *testing.T) {
	dir := folderOf(t, someImages(t)...)
	outside := folderOf(t, member{"e.png", encodePNG(t, shaded(12, 10, 5))})
	for name, target := range map[string]string{
		"loop":      dir,
		"cat/up":    filepath.Dir(dir),
		"kitten":    filepath.Join(dir, "cat"),
		"bird":      outside,
		"bird2":     outside,
		"dog/f.png": filepath.Join(outside, "e.png"),
		"gone.png":  filepath.Join(dir, "nowhere.png"),
		"gone.txt":  filepath.Join(dir, "nowhere.txt"),
	} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	s := mustOpen(t, dir, Options{})
	if got := strings.Join(s.Names, " "); got != "bird/e.png cat/a.png cat/b.jpg dog/c.png dog/d.png dog/f.png" {
		t.Errorf("read %s", got)
	}
	var skipped []string
	for _, k := range s.Skipped {
		skipped = append(skipped, k.Name+": "+k.Reason)
	}
	const again = ": the link leads to a folder that is read anyway"
	want := []string{"bird2" + again, "cat/up" + again, "gone.png: no such file or directory", "kitten" + again, "loop" + again}
	if !slices.Equal(skipped, want) {
		t.Errorf("skipped %q, want %q", skipped, want)
	}
}

// A link may lead to a hidden folder, which nothing else reads.
func TestLinksToHiddenFolders(t *testing.T) {
	png := someImages(t)[0].data
	dir := folderOf(t, member{".store/a/1.png", png}, member{".store/a/more/2.png", png}, member{"dog/3.png", png})
	for name, target := range map[string]string{"cat": ".store/a", "again": ".store/a/more"} {
		if err := os.Symlink(filepath.FromSlash(target), filepath.Join(dir, name)); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	if got := strings.Join(mustOpen(t, dir, Options{}).Names, " "); got != "again/2.png cat/1.png dog/3.png" {
		t.Errorf("read %s", got)
	}
}

// A source is what can be read in it, from whatever folder it is named.
func TestFingerprintsOfTheSameSource(t *testing.T) {
	files := someImages(t)
	dir := folderOf(t, append(files, member{"images.npy", npyOf(t, make([]uint8, 4*8*8), 4, 8, 8)})...)
	t.Chdir(dir)
	list := []byte("cat/a.png,cat\ndog/c.png,dog\n")
	if err := os.WriteFile("list.csv", list, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".", "cat/a.png", "images.npy", "list.csv"} {
		relative, err := Fingerprint(context.Background(), name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		opened := mustOpen(t, filepath.FromSlash(name), Options{}).Fingerprint
		t.Chdir(t.TempDir())
		if absolute, err := Fingerprint(context.Background(), filepath.Join(dir, name), Options{}); err != nil || absolute != relative || opened != relative {
			t.Errorf("%s: %s, opened %s, and %s by its whole path (%v)", name, relative, opened, absolute, err)
		}
		t.Chdir(dir)
	}
	before := mustOpen(t, dir, Options{}).Fingerprint
	for name, matters := range map[string]bool{"notes.txt": false, "runs/x/config.json": false, "plain": true} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		text := []byte("{}")
		if matters {
			text = files[0].data // an image by what it holds
		}
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
		if after := mustOpen(t, dir, Options{}).Fingerprint; (after != before) != matters {
			t.Errorf("with %s the fingerprint goes from %s to %s", name, before, after)
		}
		os.Remove(path)
	}
}

func TestPrintable(t *testing.T) {
	for _, name := range []string{"", "a b.png", "été/猫.png", `back\slash`} {
		if got := Printable(name); got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
	for name, want := range map[string]string{"caf\xe9": `caf\xe9`, "caf\xe8": `caf\xe8`, "a\nb": `a\x0ab`, "\u0085": `\xc2\x85`, "\xff\xfe é": `\xff\xfe é`} {
		if got := Printable(name); got != want {
			t.Errorf("%q became %q, want %q", name, got, want)
		}
	}
}

func TestUnreadable(t *testing.T) {
	if os.Geteuid() <= 0 {
		t.Skip("this user may read everything, or the system has no such permissions")
	}
	dir := folderOf(t, someImages(t)...)
	if err := os.Chmod(filepath.Join(dir, "cat", "a.png"), 0); err != nil {
		t.Fatal(err)
	}
	wantSkipped(t, mustOpen(t, dir, Options{}), "cat/a.png", "permission denied")
}

func TestHiddenFilesAreIgnored(t *testing.T) {
	files := someImages(t)
	files = append(files,
		member{".DS_Store", []byte{0}}, member{"cat/._a.png", []byte("resource fork")},
		member{"__MACOSX/cat/a.png", []byte("resource fork")}, member{".thumbs/a.png", files[0].data})
	for _, p := range []string{folderOf(t, files...), fileOf(t, "a.zip", zipOf(t, files...)), fileOf(t, "a.tar", tarOf(t, files...))} {
		if s := mustOpen(t, p, Options{}); s.Len() != 4 || len(s.Skipped) != 0 {
			t.Errorf("%s: read %v, skipped %v", filepath.Base(p), s.Names, s.Skipped)
		}
	}
}

// TestOddNames reads files whose names are no text.
func TestOddNames(t *testing.T) {
	png := someImages(t)[0].data
	ball := fileOf(t, "a.tar", tarOf(t, member{"a\x1b[31m.png", png}, member{"b\xff.png", png}, member{"c\x07.png", nil}))
	o := Options{CacheDir: t.TempDir()}
	for range 2 {
		s, _ := openCached(t, ball, o)
		if want := []string{`a\x1b[31m.png`, `b\xff.png`}; !slices.Equal(s.Names, want) {
			t.Errorf("names %q, want %q", s.Names, want)
		}
		wantSkipped(t, s, `c\x07.png`, "the file is empty")
	}
}

// TestDecoderPanics has a decoder fail in a way of its own.
func TestDecoderPanics(t *testing.T) {
	png := someImages(t)[0].data
	wild := codec{name: "PNG", decode: func(io.Reader) (image.Image, error) { panic("index out of range") }}
	r := renderer{height: 10, width: 12, channels: 3}
	err := r.decode(make([]uint8, 360), header{codec: &wild, width: 12, height: 10}, png)
	if err == nil || err.Error() != "damaged PNG: the decoder failed with index out of range" {
		t.Errorf("error %v", err)
	}
	err = r.decode(make([]uint8, 360), header{codec: &pngCodec, width: 11, height: 10}, png)
	if !errors.Is(err, errChanged) {
		t.Errorf("an image of another size than its header: %v", err)
	}
}

func TestGate(t *testing.T) {
	g := newGate(10)
	var inside, most atomic.Int64
	var team sync.WaitGroup
	for range 8 {
		team.Go(func() {
			for _, weight := range []int64{1, 4, 9, 3} {
				g.enter(weight)
				if now := inside.Add(weight); now > most.Load() {
					most.Store(now)
				}
				runtime.Gosched()
				inside.Add(-weight)
				g.exit(weight)
			}
		})
	}
	team.Wait()
	if most.Load() > 10 || inside.Load() != 0 {
		t.Errorf("%d inside a gate for 10", most.Load())
	}
	g.enter(99) // alone, anything may enter
	g.exit(99)
}

func TestOpenFiles(t *testing.T) {
	dir := folderOf(t, someImages(t)...)
	a, d := filepath.Join(dir, "cat", "a.png"), filepath.Join(dir, "dog", "d.png")
	s, err := OpenFiles(context.Background(), []string{d, a, filepath.Join(dir, "notes.txt")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{filepath.ToSlash(d), filepath.ToSlash(a)}; !slices.Equal(s.Names, want) || s.Labels != nil {
		t.Errorf("names %v, labels %v", s.Names, s.Labels)
	}
	wantSkipped(t, s, filepath.ToSlash(filepath.Join(dir, "notes.txt")), "its content is not")
	if _, err := OpenFiles(context.Background(), []string{dir}, Options{}); err == nil || !strings.Contains(err.Error(), "it is a folder, not an image") {
		t.Errorf("a folder among files: %v", err)
	}
	if _, err := OpenFiles(context.Background(), nil, Options{}); !errors.Is(err, ErrNoImages) {
		t.Errorf("no files: %v", err)
	}
	if s := mustOpen(t, a, Options{}); s.Len() != 1 || s.Labels != nil {
		t.Errorf("one file: %d images", s.Len())
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := folderOf(t, someImages(t)...)
	for _, source := range []string{dir, fileOf(t, "a.zip", zipOf(t, someImages(t)...)), fileOf(t, "a.tar", tarOf(t, someImages(t)...))} {
		if _, err := Open(ctx, source, Options{NoCache: true}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", filepath.Base(source), err)
		}
	}
	ctx, cancel = context.WithCancel(context.Background())
	defer cancel()
	_, err := Open(ctx, dir, Options{NoCache: true, Progress: func(done, total int, _ int64) {
		if total > 0 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled while decoding: %v", err)
	}
}

func TestProgress(t *testing.T) {
	files := someImages(t)
	var size int64
	for _, f := range files[:4] {
		size += int64(len(f.data))
	}
	last, counted := 0, 0
	var bytes int64
	s := mustOpen(t, folderOf(t, files...), Options{Threads: 3, Progress: func(done, total int, b int64) {
		switch {
		case total == 0:
			counted = done
		case total != 4 || done != last+1:
			t.Errorf("progress %d of %d after %d", done, total, last)
		default:
			last, bytes = done, b
		}
	}})
	if counted != 4 || last != s.Len() || bytes != size {
		t.Errorf("counted %d files, then %d images of %d bytes; want 4, %d, %d", counted, last, bytes, s.Len(), size)
	}
}
