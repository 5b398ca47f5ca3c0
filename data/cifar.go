package data

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"hourglass/format/cifar"
)

// cifar10Classes are the classes of CIFAR-10 by label.
var cifar10Classes = [10]string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// isCIFARName reports whether a file has one of the names that the binary
// versions come with.
func isCIFARName(name string) bool {
	name = path.Base(name)
	switch name {
	case "train.bin", "test.bin", "test_batch.bin":
		return true
	}
	return strings.HasPrefix(name, "data_batch_") && strings.HasSuffix(name, ".bin")
}

// isClassList reports whether a file of that name lists the classes.
func isClassList(name string) bool {
	switch path.Base(name) {
	case "batches.meta.txt", "fine_label_names.txt":
		return true
	}
	return false
}

// parseClassList reads a list of classes, one a line.
func parseClassList(r io.Reader) []string {
	const most = 100
	var classes []string
	lines := bufio.NewScanner(io.LimitReader(r, 64<<10))
	for len(classes) < most && lines.Scan() {
		if name := strings.TrimSpace(lines.Text()); name != "" {
			classes = append(classes, name)
		}
	}
	return classes
}

// cifarBlock wraps the images of one file.
func cifarBlock(m *cifar.Images, name string) *raw {
	return &raw{
		name: name, n: len(m.Labels),
		height: cifar.Side, width: cifar.Side, channels: cifar.Channels,
		pixels: m.Pixels, labels: widen(m.Labels), classes: m.Classes, part: partOf(path.Base(name)),
	}
}

// cifarClasses returns listed if it names n classes, else what is known of
// them.
func cifarClasses(n int, listed []string) []string {
	switch n {
	case len(listed):
		return listed
	case len(cifar10Classes):
		return cifar10Classes[:]
	}
	return nil
}

// openCIFAR reads a file of records, with the names of the classes from a list
// beside it.
func openCIFAR(p string, o Options) (*raw, []string, error) {
	in, limits, err := openLimited(p, o)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	m, err := cifar.Read(in, limits)
	if err != nil {
		return nil, nil, err
	}
	var listed []string
	for _, name := range []string{"batches.meta.txt", "fine_label_names.txt"} {
		if f, err := os.Open(filepath.Join(filepath.Dir(p), name)); err == nil {
			listed = parseClassList(f)
			f.Close()
		}
		if len(listed) == m.Classes {
			break
		}
	}
	return cifarBlock(m, path.Base(filepath.ToSlash(p))), cifarClasses(m.Classes, listed), nil
}

// isIDXName reports whether a file is called as MNIST's files of images are.
func isIDXName(name string) bool {
	return strings.Contains(name, "images-idx") || strings.Contains(name, "images.idx")
}

// openRawTree looks for files of arrays in a tree without images. It reports
// whether there are any.
func openRawTree(ctx context.Context, t tree, o Options, s *Set) (bool, error) {
	switch t := t.(type) {
	case *folder:
		byKind := map[container][]string{}
		for _, f := range t.files {
			switch name := path.Base(f.name); {
			case f.err != nil:
			case isCIFARName(name) && cifar.IsSize(f.size):
				byKind[kindCIFAR] = append(byKind[kindCIFAR], f.path)
			case isIDXName(name):
				byKind[kindIDX] = append(byKind[kindIDX], f.path)
			}
		}
		for _, kind := range []container{kindCIFAR, kindIDX} {
			if paths := byKind[kind]; len(paths) > 0 {
				return true, openRaw(ctx, kind, paths, o, s)
			}
		}
	case *tarball:
		return openCIFARTar(ctx, t, o, s)
	}
	return false, nil
}

// openCIFARTar reads the records of the archives in which CIFAR comes.
func openCIFARTar(ctx context.Context, t *tarball, o Options, s *Set) (bool, error) {
	in, err := openStream(t.path, o)
	if err != nil {
		return false, err
	}
	defer in.Close()
	var blocks []*raw
	var listed []string
	classes := 0
	archive := tar.NewReader(in)
	for {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		head, err := archive.Next()
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			break // gather has judged the archive
		}
		name := slashed(head.Name)
		switch {
		case head.Typeflag != tar.TypeReg || unsafeName(head.Name) || sparse(head):
		case isClassList(name):
			listed = parseClassList(archive)
		case isCIFARName(name) && cifar.IsSize(head.Size):
			m, err := cifar.Read(archive, cifar.Limits{MaxBytes: o.MaxFileBytes})
			if err != nil {
				return true, fmt.Errorf("%s: %s: %w", t.path, name, err)
			}
			blocks = append(blocks, cifarBlock(m, name))
			classes = m.Classes
			if err := held(blocks, s.Source, o); err != nil {
				return true, err
			}
		}
	}
	if len(blocks) == 0 {
		return false, nil
	}
	slices.SortFunc(blocks, func(a, b *raw) int { return strings.Compare(a.name, b.name) })
	return true, s.adopt(ctx, blocks, cifarClasses(classes, listed), o)
}
