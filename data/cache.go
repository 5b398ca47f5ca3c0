package data

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A cache file holds one decoded set:
//
//	cacheMagic
//	length of the header, 8 bytes, little-endian
//	header, JSON
//	pixels
//	CRC-32C of all before, 4 bytes, little-endian
//
// There is one file for each source and set of options; the fingerprint in its
// header tells whether the source is still what it was. Anything unexpected
// about the file means that there is none.
const cacheMagic = "HGSET01\n"

// decodeVersion is raised whenever the same source and options come to give
// other pixels, labels or names, so that older caches are not used.
const decodeVersion = 3

// cacheHeader is everything of a set but its pixels and its source.
type cacheHeader struct {
	Fingerprint             string
	Height, Width, Channels int
	Labels                  []int32
	Classes                 []string
	Names                   []string
	Parts                   []byte // JSON has these as base64
	Found                   int
	Skipped                 []Skip
	Warnings                []string
}

// cache is the file that may hold one set; "" is no file.
type cache struct {
	path string
	err  error // why there is no path
}

// openCache returns the cache for a source and options.
func openCache(source string, o Options) cache {
	if o.NoCache {
		return cache{}
	}
	dir := o.CacheDir
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return cache{err: err}
		}
		dir = filepath.Join(user, "hourglass")
	}
	source = absolute(source)
	h := sha256.Sum256([]byte(source + "\n" + o.key()))
	return cache{path: filepath.Join(dir, plainName(filepath.Base(source))+"-"+hex.EncodeToString(h[:8])+cacheExt)}
}

// plainName keeps of a name what any file system takes.
func plainName(name string) string {
	const most = 40
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return '_'
	}, name)
	return name[:min(len(name), most)]
}

// load fills s, whose fingerprint is known, from the cache, and reports
// whether it could.
func (c cache) load(s *Set, maxBytes int64) bool {
	if c.path == "" {
		return false
	}
	f, err := os.Open(c.path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	loaded, err := readCache(f, info.Size(), s.Fingerprint, maxBytes)
	if err != nil {
		return false
	}
	loaded.Source, loaded.Fingerprint, loaded.FromCache = s.Source, s.Fingerprint, true
	*s = *loaded
	markUsed(c.path)
	return true
}

var errStale = errors.New("not the cache of this set")

// readCache reads a cache file of the given size, if it is the one of a
// fingerprint.
func readCache(r io.Reader, size int64, fingerprint string, maxBytes int64) (*Set, error) {
	const fixed = len(cacheMagic) + 8
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	in := io.TeeReader(r, sum)
	var head [fixed]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(head[len(cacheMagic):])
	left := size - int64(fixed) - crc32.Size
	if string(head[:len(cacheMagic)]) != cacheMagic || left < 0 || length > uint64(left) {
		return nil, errStale
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, err
	}
	// The fingerprint comes first, so that the names of a large set that is
	// stale need not be parsed.
	if want, _ := json.Marshal(fingerprint); !bytes.HasPrefix(text, append([]byte(`{"Fingerprint":`), want...)) {
		return nil, errStale
	}
	var h cacheHeader
	if err := json.Unmarshal(text, &h); err != nil {
		return nil, err
	}
	n, pixels := len(h.Names), left-int64(length)
	if n == 0 || min(h.Height, h.Width) < 1 || max(h.Height, h.Width) > 1<<20 || h.Channels != 1 && h.Channels != 3 ||
		h.Labels != nil && len(h.Labels) != n || h.Parts != nil && len(h.Parts) != n ||
		pixels > maxBytes || pixels%int64(n) != 0 || pixels/int64(n) != int64(h.Height)*int64(h.Width)*int64(h.Channels) {
		return nil, errStale
	}
	for _, l := range h.Labels {
		if l < 0 || int(l) >= len(h.Classes) {
			return nil, errStale
		}
	}
	s := &Set{
		Height: h.Height, Width: h.Width, Channels: h.Channels,
		Pixels: make([]uint8, pixels),
		Labels: h.Labels, Classes: h.Classes, Names: h.Names,
		Found: h.Found, Skipped: h.Skipped, Warnings: h.Warnings,
	}
	for _, p := range h.Parts {
		if Part(p) > PartTest {
			return nil, errStale
		}
		s.Parts = append(s.Parts, Part(p))
	}
	if _, err := io.ReadFull(in, s.Pixels); err != nil {
		return nil, err
	}
	want := sum.Sum32()
	var stored [crc32.Size]byte
	if _, err := io.ReadFull(r, stored[:]); err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(stored[:]) != want {
		return nil, errors.New("the checksum does not match")
	}
	return s, nil
}

// save keeps s, unless it lacks files that could not be read. The file appears whole
// or not at all.
func (c cache) save(s *Set) (err error) {
	if c.path == "" || s.unread {
		return c.err
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o755); err != nil {
		return err
	}
	tidy(c.path, maxKept-int64(len(s.Pixels)))
	f, err := os.CreateTemp(filepath.Dir(c.path), unfinished)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = errors.Join(writeCache(f, s), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), c.path)
}

func writeCache(w io.Writer, s *Set) error {
	h := cacheHeader{
		Fingerprint: s.Fingerprint,
		Height:      s.Height, Width: s.Width, Channels: s.Channels,
		Labels: s.Labels, Classes: s.Classes, Names: s.Names,
		Found: s.Found, Skipped: s.Skipped, Warnings: s.Warnings,
	}
	for _, p := range s.Parts {
		h.Parts = append(h.Parts, byte(p))
	}
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	buffered := bufio.NewWriter(w)
	out := io.MultiWriter(buffered, sum)
	head := binary.LittleEndian.AppendUint64([]byte(cacheMagic), uint64(len(text)))
	for _, part := range [][]byte{head, text, s.Pixels} {
		if _, err := out.Write(part); err != nil {
			return err
		}
	}
	if _, err := buffered.Write(binary.LittleEndian.AppendUint32(nil, sum.Sum32())); err != nil {
		return err
	}
	return buffered.Flush()
}

// fingerprint identifies what a set is made of: where it comes from, what was
// listed there, and how it was asked for.
func fingerprint(source string, t tree, o Options) string {
	h := sha256.New()
	fmt.Fprintf(h, "hourglass data %d\n%q\n%s", decodeVersion, source, o.key())
	if t != nil {
		t.listing(h)
	}
	return hex.EncodeToString(h.Sum(nil)[:fingerprintLen])
}

// fingerprintLen is how many bytes of a SHA-256 a fingerprint has.
const fingerprintLen = 16

// key names the options that have an influence on the result.
func (o Options) key() string {
	return fmt.Sprintf("%d×%d gray=%t rgb=%t limits=%d,%d,%d,%d\n",
		o.Height, o.Width, o.Gray, o.RGB, o.MaxPixels, o.MaxFileBytes, o.MaxArchiveBytes, o.MaxImages)
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
