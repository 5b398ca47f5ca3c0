package data

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// gather reads all images of t into s, in two passes: the first reads only
// headers, which say how much memory the second needs. Images are put in order
// of name, unless the user named each.
func gather(ctx context.Context, t tree, o Options, s *Set) error {
	report := &progress{call: o.Progress}
	all, err := survey(ctx, t, o, report)
	if err != nil {
		return err
	}
	order := chooseShape(all, o, s)
	if d, ok := t.(*folder); !ok || !d.named {
		slices.SortStableFunc(order, func(a, b *entry) int { return cmp.Compare(a.name, b.name) })
	}
	for i, e := range order {
		e.slot = i
	}
	if err := s.allocate(len(order), o); err != nil {
		return err
	}
	report.begin(len(order))
	if err := s.decodeInto(ctx, t, all, o, report); err != nil {
		return err
	}

	s.keepDecoded(order)
	s.Skipped = skips(all)
	s.unread = slices.ContainsFunc(all, func(e *entry) bool { return !e.ignored && unread(e.err) })
	s.Found = s.Len() + len(s.Skipped)
	return nil
}

// survey reads the headers of all files.
func survey(ctx context.Context, t tree, o Options, report *progress) ([]*entry, error) {
	var all []*entry
	var whole sync.Mutex
	scratch := make([][]byte, o.Threads)
	err := forEach(ctx, t, o.Threads, nil, func(f file) *entry {
		e := &entry{name: Printable(f.name), err: f.err, ignored: f.ignored}
		all = append(all, e)
		if !e.usable() {
			return nil
		}
		return e
	}, func(worker int, f file, e *entry) {
		r, err := f.open()
		if err == nil {
			e.header, err = probe(r, &scratch[worker], o.MaxFileBytes, o.MaxPixels, &whole)
			r.Close()
		}
		scratch[worker] = reusable(scratch[worker])
		e.err = err
		// A file that cannot be seen to be an image matters if it claims to
		// be one.
		e.ignored = e.codec == nil && !f.named && !claimsImage(e.name)
		report.add(0)
	})
	switch t.(type) {
	case *tarball, *zipArchive:
		supersede(all)
	}
	return all, err
}

// supersede ignores the entries of an archive that later ones of the same name take
// the place of when it is unpacked.
func supersede(all []*entry) {
	last := make(map[string]*entry, len(all))
	for _, e := range all {
		if e.ignored {
			continue
		}
		if before := last[e.name]; before != nil {
			before.ignored = true
		}
		last[e.name] = e
	}
}

// chooseShape settles the height, width and channels of the set, and returns
// the images that go into it.
func chooseShape(all []*entry, o Options, s *Set) []*entry {
	var use []*entry
	gray, agree := true, true
	for _, e := range all {
		if !e.usable() {
			continue
		}
		if o.Height == 0 && min(e.width, e.height) < MinSide {
			e.err = fmt.Errorf("%d×%d pixels is less than the %d a side that are taken unless a size is given", e.width, e.height, MinSide)
			continue
		}
		use = append(use, e)
		gray = gray && e.gray
		agree = agree && e.width == use[0].width && e.height == use[0].height
	}
	switch {
	case o.Height != 0:
		s.Height, s.Width = o.Height, o.Width
	case len(use) > 0 && agree:
		s.Height, s.Width = use[0].height, use[0].width
	default:
		s.Height, s.Width = DefaultSize, DefaultSize
	}
	s.Channels = 3
	if o.Gray || gray && !o.RGB {
		s.Channels = 1
	}
	return use
}

// allocate makes room for n images.
func (s *Set) allocate(n int, o Options) error {
	if each := int64(s.ImageBytes()); int64(n) > o.MaxBytes/each {
		what := fmt.Sprintf("%d images of %d×%d pixels and %d channels take more bytes than are allowed", n, s.Width, s.Height, s.Channels)
		return &LimitError{s.Source, what, o.MaxBytes, "choose a smaller image size"}
	}
	s.Pixels = make([]uint8, n*s.ImageBytes())
	return nil
}

// inFlight bounds the pixels of the images that are being decoded at one time and
// the bytes of their files; a single larger image is decoded alone.
const inFlight = 64 << 20

// reusable returns a buffer for the next file, nil if it is too large to be kept.
func reusable(buf []byte) []byte {
	const most = 16 << 20
	if cap(buf) > most {
		return nil
	}
	return buf
}

var errChanged = errors.New("it was changed while it was read")

// unread tells an error of reading a file, which may be over the next time, from one
// about what the file holds.
func unread(err error) bool {
	var path *fs.PathError
	var system syscall.Errno
	return errors.Is(err, errChanged) || errors.As(err, &path) || errors.As(err, &system)
}

// decodeInto decodes the usable images of all into their slots.
func (s *Set) decodeInto(ctx context.Context, t tree, all []*entry, o Options, report *progress) error {
	team := make([]renderer, o.Threads)
	for i := range team {
		team[i] = renderer{height: s.Height, width: s.Width, channels: s.Channels}
	}
	var left litter
	tidy := len(s.Pixels) > litterLimit
	return decodeAll(ctx, t, all, o, report, func(worker int, e *entry, file []byte) error {
		err := team[worker].decode(s.Image(e.slot), e.header, file)
		if tidy {
			left.add(e.width, e.height, s.Width)
		}
		return err
	})
}

// decodeAll reads the files of the usable images of all and gives each to
// decode, on several goroutines.
func decodeAll(ctx context.Context, t tree, all []*entry, o Options, report *progress,
	decode func(worker int, e *entry, file []byte) error) error {
	files := make([][]byte, o.Threads)
	room := newGate(inFlight)
	want := func(i int) bool { return i < len(all) && all[i].usable() }
	return forEach(ctx, t, o.Threads, want, func(f file) *entry {
		if f.ignored || !want(f.ordinal) {
			return nil
		}
		e := all[f.ordinal]
		if f.err == nil && Printable(f.name) != e.name {
			f.err = errChanged
		}
		if e.err = f.err; e.err != nil {
			return nil
		}
		return e
	}, func(worker int, f file, e *entry) {
		weight := int64(e.width)*int64(e.height) + f.size
		room.enter(weight)
		defer room.exit(weight)
		r, err := f.open()
		if err == nil {
			files[worker], err = readWhole(r, files[worker], o.MaxFileBytes)
			r.Close()
		}
		if err == nil {
			err = decode(worker, e, files[worker])
		}
		e.err, e.decoded = err, err == nil
		report.add(int64(len(files[worker])))
		files[worker] = reusable(files[worker])
	})
}

// skips names the files that were left out, in order of name.
func skips(all []*entry) []Skip {
	var left []Skip
	for _, e := range all {
		if e.err != nil && !e.ignored {
			left = append(left, Skip{e.name, Printable(e.err.Error())})
		}
	}
	slices.SortStableFunc(left, func(a, b Skip) int { return cmp.Compare(a.Name, b.Name) })
	return left
}

// keepDecoded closes the gaps that images leave which could not be decoded,
// and names the others.
func (s *Set) keepDecoded(order []*entry) {
	n := 0
	s.Names = make([]string, 0, len(order))
	for i, e := range order {
		if !e.decoded {
			if e.err == nil { // the second pass never came to it
				e.err = errChanged
			}
			continue
		}
		if n != i {
			copy(s.Image(n), s.Image(i))
		}
		s.Names = append(s.Names, e.name)
		n++
	}
	s.Pixels = s.Pixels[:n*s.ImageBytes()]
}

// progress counts files and tells the caller.
type progress struct {
	call func(done, total int, bytes int64)

	mu    sync.Mutex
	done  int
	total int
	bytes int64
}

// begin starts to count anew, towards total.
func (p *progress) begin(total int) { p.done, p.total = 0, total }

func (p *progress) add(bytes int64) {
	if p.call == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.bytes += bytes
	p.call(p.done, p.total, p.bytes)
}

// Printable makes a name fit to be shown and stored, as [Open] does: of what is no
// UTF-8, or would steer a terminal, each byte is written as \x and two digits, so that
// names that differ still do.
func Printable(name string) string {
	if utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl) {
		return name
	}
	var b strings.Builder
	for len(name) > 0 {
		r, n := utf8.DecodeRuneInString(name)
		if r == utf8.RuneError && n == 1 || unicode.IsControl(r) {
			for _, c := range []byte(name[:n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(name[:n])
		}
		name = name[n:]
	}
	return b.String()
}
