package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hourglass/format/cifar"
)

// Builtins returns the names of the sets that are part of the program.
func Builtins() []string { return []string{"fashion"} }

// Open reads the images of source, which the package comment describes. A name
// of a built-in set comes before a file or folder of that name; write ./NAME
// for the latter.
//
// Broken images are skipped and named in the set. The error is ErrNoImages
// (with the reasons) if none is left, a *LimitError if the source is larger
// than o accepts, a *FormatError if a file of arrays is malformed, and ctx's
// error if that ends first.
func Open(ctx context.Context, source string, o Options) (*Set, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Set{Source: source}
	if source == "fashion" {
		err = openFashion(ctx, o, s)
	} else {
		err = openPath(ctx, source, o, s)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// OpenFiles reads single image files, in the order given. Its set has neither
// labels nor parts, and is not cached.
func OpenFiles(ctx context.Context, files []string, o Options) (*Set, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: no file is named", ErrNoImages)
	}
	s := &Set{Source: files[0]}
	if len(files) > 1 {
		s.Source = fmt.Sprintf("%s and %d more", files[0], len(files)-1)
	}
	t := listFiles(files)
	if err := gather(ctx, t, o, s); err != nil {
		return nil, err
	}
	s.Fingerprint = fingerprint("files", t, o)
	if err := s.checkUsable(""); err != nil {
		return nil, err
	}
	return s, nil
}

func openPath(ctx context.Context, source string, o Options, s *Set) error {
	info, err := statSource(source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		t, err := listFolder(ctx, source, o.MaxImages)
		if err != nil {
			return openError(source, err)
		}
		return openTree(ctx, source, t, o, s)
	}
	if isCSV(source) {
		return openError(source, openCSV(ctx, source, o, s))
	}
	kind, packed, err := sniffFile(source, o)
	if err != nil {
		return openError(source, err)
	}
	switch kind {
	case kindZip:
		t, err := openZip(source, o)
		if err != nil {
			return err
		}
		defer t.Close()
		return openTree(ctx, source, t, o, s)
	case kindTar:
		t, err := openTar(source, o)
		if err != nil {
			return openError(source, err)
		}
		return openTree(ctx, source, t, o, s)
	case kindImage:
		if !packed {
			t := listFiles([]string{source})
			if err := gather(ctx, t, o, s); err != nil {
				return err
			}
			s.Fingerprint = fingerprint(absolute(source), t, o)
			return s.checkUsable("")
		}
	case kindIDX, kindNPY, kindCIFAR:
		return openRaw(ctx, kind, []string{source}, o, s)
	}
	return fmt.Errorf("%w in %s: it is no image, archive, CSV, IDX, CIFAR or .npy file: give a folder of images or one of those", ErrNoImages, source)
}

// statSource describes a source that is a file or a folder.
func statSource(source string) (os.FileInfo, error) {
	info, err := os.Stat(source)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%s is neither a file or folder nor a built-in set (%s): check the name: %w",
			source, strings.Join(Builtins(), ", "), os.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", source, reason(err))
	case !info.IsDir() && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is neither a file nor a folder: give one of those", source)
	}
	return info, nil
}

// Fingerprint returns what [Open] would note as the fingerprint of a source with
// the same options, without reading its images; it is empty for built-in sets.
func Fingerprint(ctx context.Context, source string, o Options) (string, error) {
	o, err := o.withDefaults()
	if err != nil || slices.Contains(Builtins(), source) {
		return "", err
	}
	t, err := openFileTree(ctx, source, o)
	if err != nil {
		return "", err
	}
	if t == nil { // a file of arrays
		t = listFiles([]string{source})
	}
	if c, ok := t.(io.Closer); ok {
		defer c.Close()
	}
	return fingerprint(absolute(source), t, o), nil
}

// damage says what is left out of a tree that has been read because of damage; it
// is empty if nothing is.
func damage(source string, t tree) string {
	b, ok := t.(*tarball)
	switch {
	case !ok || b.damage == nil:
	case b.atEnd:
		return fmt.Sprintf("%s is damaged somewhere, so that some of its images may be wrong: %v", source, b.damage)
	default:
		return fmt.Sprintf("%s is damaged, and what follows the damage is left out: %v", source, b.damage)
	}
	return ""
}

// openTree reads a tree of images by way of the cache.
func openTree(ctx context.Context, source string, t tree, o Options, s *Set) error {
	s.Fingerprint = fingerprint(absolute(source), t, o)
	store := openCache(source, o)
	if store.load(s, o.MaxBytes) {
		return nil
	}
	if err := gather(ctx, t, o, s); err != nil {
		return err
	}
	s.Labels, s.Classes, s.Parts = labelNames(s.Names)
	damaged := false
	if w := damage(source, t); w != "" {
		damaged = true
		s.Warnings = append(s.Warnings, w)
	}
	if s.Found == 0 {
		if done, err := openRawTree(ctx, t, o, s); done {
			return err
		}
	}
	hint := ""
	if damaged {
		hint = "the archive is damaged: fetch it again"
	}
	if err := s.checkUsable(hint); err != nil {
		return err
	}
	if err := store.save(s); err != nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("the decoded images could not be kept for the next time: %v", err))
	}
	return nil
}

// checkUsable returns an error if s holds no image.
func (s *Set) checkUsable(hint string) error {
	if s.Len() > 0 {
		return nil
	}
	if len(s.Skipped) == 0 {
		if hint == "" {
			hint = "give a folder or archive with JPEG, PNG, GIF, BMP, TIFF or WebP files"
		}
		return fmt.Errorf("%w in %s: %s", ErrNoImages, s.Source, hint)
	}
	const show = 3
	var b strings.Builder
	for i, k := range s.Skipped {
		if i == show {
			fmt.Fprintf(&b, "; and %d more", len(s.Skipped)-show)
			break
		}
		fmt.Fprintf(&b, "; %s: %s", k.Name, k.Reason)
	}
	return fmt.Errorf("%w in %s that can be used: all %d were skipped%s", ErrNoImages, s.Source, len(s.Skipped), b.String())
}

// sniffFile tells what the file at path holds, and whether that is compressed.
func sniffFile(path string, o Options) (kind container, packed bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return kindUnknown, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return kindUnknown, false, err
	}
	head, err := readUpTo(f, nil, sniffLen)
	if err != nil {
		return kindUnknown, false, err
	}
	kind = sniffContainer(head)
	name := strings.ToLower(filepath.Base(path))
	if kind == kindGzip || kind == kindZstd {
		in, err := openStream(path, o)
		if err != nil {
			return kindUnknown, true, err
		}
		defer in.Close()
		head, err := readUpTo(in, nil, sniffLen)
		if len(head) == 0 && err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return kindUnknown, true, err
		}
		packed, kind = true, sniffContainer(head)
		name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
		if strings.HasSuffix(name, ".tgz") {
			name = strings.TrimSuffix(name, ".tgz") + ".tar"
		}
	}
	if kind == kindUnknown && strings.HasSuffix(name, ".tar") {
		kind = kindTar // the first tar format has no signature
	}
	// CIFAR's files have none either. Their first byte can make them look
	// like IDX, so the name decides.
	if strings.HasSuffix(name, ".bin") && (kind == kindUnknown || kind == kindIDX) && (packed || cifar.IsSize(info.Size())) {
		kind = kindCIFAR
	}
	return kind, packed, nil
}

// openError puts the name of the source before an error that lacks it.
func openError(source string, err error) error {
	if err == nil {
		return nil
	}
	if strings.Contains(err.Error(), source) {
		return err
	}
	return fmt.Errorf("%s: %w", source, reason(err))
}
