package data

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxCSVBytes caps a list of images and labels, and maxCSVField one cell of it.
const (
	maxCSVBytes = 1 << 30
	maxCSVField = 1 << 14
)

// labelled is a tree of files whose labels, and perhaps parts, stand in a list.
type labelled struct {
	*folder
	names, labels []string
	parts         []Part
}

// listing describes the files and what is said about them.
func (l *labelled) listing(w io.Writer) {
	l.folder.listing(w)
	for i, label := range l.labels {
		fmt.Fprintf(w, "%q %d\n", label, l.parts[i])
	}
}

// isCSV reports whether a file is a list by its name.
func isCSV(source string) bool { return strings.EqualFold(filepath.Ext(source), ".csv") }

// openCSV reads the images that a CSV file names, with its labels.
func openCSV(ctx context.Context, source string, o Options, s *Set) error {
	t, err := listCSV(source, o)
	if err != nil {
		return err
	}
	s.Fingerprint = fingerprint(absolute(source), t, o)
	store := openCache(source, o)
	if store.load(s, o.MaxBytes) {
		return nil
	}
	if err := gather(ctx, t, o, s); err != nil {
		return err
	}
	if err := s.checkUsable("its rows name no image; give path,label in each"); err != nil {
		return err
	}
	s.applyLabels(t.byName())
	if err := store.save(s); err != nil {
		s.Warnings = append(s.Warnings, fmt.Sprintf("the decoded images could not be kept for the next time: %v", err))
	}
	return nil
}

// listCSV returns the images that a CSV file names.
func listCSV(source string, o Options) (*labelled, error) {
	f, err := os.Open(source)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := readUpTo(f, nil, maxCSVBytes+1)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if len(text) > maxCSVBytes {
		return nil, &LimitError{source, "it is longer than a list may be", maxCSVBytes, "cut it into several"}
	}
	rows, err := parseCSV(text, o.MaxImages)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	t := &labelled{folder: &folder{named: true}}
	place := map[string]int{}
	for _, r := range rows {
		path := filepath.Clean(filepath.FromSlash(r.path))
		if !filepath.IsAbs(path) {
			path = filepath.Join(filepath.Dir(source), path)
		}
		name := Printable(filepath.ToSlash(r.path))
		if i, ok := place[path]; ok {
			if t.labels[i] != r.label || t.parts[i] != r.part {
				return nil, fmt.Errorf("%s: it names %s twice, as %q and as %q: leave one of them out", source, name, t.labels[i], r.label)
			}
			continue
		}
		place[path] = len(t.labels)
		t.names = append(t.names, name)
		t.add(name, path)
		t.labels, t.parts = append(t.labels, r.label), append(t.parts, r.part)
	}
	return t, nil
}

// byName returns what is said about each file.
func (l *labelled) byName() (label map[string]string, part map[string]Part) {
	label, part = make(map[string]string, len(l.names)), make(map[string]Part, len(l.names))
	for i, name := range l.names {
		label[name], part[name] = l.labels[i], l.parts[i]
	}
	return label, part
}

// applyLabels gives the images their labels by name.
func (s *Set) applyLabels(label map[string]string, part map[string]Part) {
	index := map[string]int32{}
	for _, name := range s.Names {
		if _, ok := index[label[name]]; !ok {
			index[label[name]] = 0
			s.Classes = append(s.Classes, label[name])
		}
	}
	slices.Sort(s.Classes)
	for i, c := range s.Classes {
		index[c] = int32(i)
	}
	for _, name := range s.Names {
		s.Labels = append(s.Labels, index[label[name]])
	}
	s.Parts = partsOf(s.Names, part)
}

// partsOf returns the parts of images by name, nil if none is in one.
func partsOf(names []string, part map[string]Part) (parts []Part) {
	divided := false
	for _, name := range names {
		parts = append(parts, part[name])
		divided = divided || part[name] != PartNone
	}
	if !divided {
		return nil
	}
	return parts
}

// csvRow is a row of a list of images.
type csvRow struct {
	path, label string
	part        Part
}

// parseCSV reads rows of path,label or path,label,part, the last of which is
// train, val or test. A first row that names the columns is passed over.
func parseCSV(text []byte, maxRows int) ([]csvRow, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	r.TrimLeadingSpace = true
	var rows []csvRow
	for first := true; ; first = false {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("it is no CSV file: %w", err)
		}
		line, _ := r.FieldPos(0)
		if first && headsCSV(cells) {
			continue
		}
		if len(cells) != 2 && len(cells) != 3 {
			return nil, fmt.Errorf("line %d has %d columns: give path,label or path,label,part", line, len(cells))
		}
		for _, c := range cells {
			if len(c) > maxCSVField {
				return nil, fmt.Errorf("line %d has a cell of %d bytes; the limit is %d", line, len(c), maxCSVField)
			}
		}
		row := csvRow{path: strings.Clone(strings.TrimSpace(cells[0])), label: Printable(strings.TrimSpace(cells[1]))}
		if row.path == "" || row.label == "" {
			return nil, fmt.Errorf("line %d lacks the path or the label: give path,label", line)
		}
		if len(cells) == 3 && strings.TrimSpace(cells[2]) != "" {
			if row.part = partNamed(strings.TrimSpace(cells[2])); row.part == PartNone {
				return nil, fmt.Errorf("line %d puts its image into the part %q: choose train, val or test", line, Printable(cells[2]))
			}
		}
		if len(rows) == maxRows {
			return nil, fmt.Errorf("it has more than %d rows: cut it into several", maxRows)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: it has no rows of path,label", ErrNoImages)
	}
	return rows, nil
}

// headsCSV reports whether the first row names the columns.
func headsCSV(cells []string) bool {
	switch strings.ToLower(strings.TrimSpace(cells[0])) {
	case "path", "file", "filename", "file_name", "image", "image_path", "name":
		return !claimsImage(cells[0])
	}
	return false
}
