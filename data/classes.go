package data

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Ignored is what a mask holds where it says nothing, so that there are at
// most 255 classes.
const Ignored = 255

// Class is one class of the pixels of label images.
type Class struct {
	Name  string `json:"name"`
	Value uint8  `json:"value"`           // grey value or palette index that stands for it
	Color string `json:"color,omitempty"` // that stands for it in coloured labels and pictures, "#rrggbb"; "" if none was given
}

// ClassList says what the values of label images mean.
type ClassList struct {
	Classes []Class `json:"classes"`
	Ignored []Class `json:"ignored,omitempty"` // pixels that are not judged
}

// maxClassFile caps the size of a file of classes.
const maxClassFile = 1 << 20

// ErrClasses is in the chain of errors about a list of classes.
var ErrClasses = errors.New("wrong list of classes")

// ReadClassFile is [ReadClasses] of a file. If there is none the error wraps
// [fs.ErrNotExist].
func ReadClassFile(path string) (ClassList, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ClassList{}, fmt.Errorf("%s does not exist: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return ClassList{}, fmt.Errorf("%s cannot be read: %w", path, reason(err))
	}
	defer f.Close()
	l, err := ReadClasses(f)
	if err != nil {
		return l, fmt.Errorf("%s: %w", path, err)
	}
	return l, nil
}

// ReadClasses reads a list of classes: a class a line, in the form
//
//	[VALUE] NAME [COLOUR] [ignore]
//
// VALUE is the value of its pixels, by default one more than that of the line
// before, from 0. COLOUR, #rrggbb or three numbers from 0 to 255, is for labels
// in colours and for pictures. ignore marks pixels that are not judged. Empty
// lines and those that begin with # are passed over.
func ReadClasses(r io.Reader) (ClassList, error) {
	var l ClassList
	text, err := io.ReadAll(io.LimitReader(r, maxClassFile+1))
	if err != nil {
		return l, fmt.Errorf("%w: %w", ErrClasses, err)
	}
	if len(text) > maxClassFile {
		return l, fmt.Errorf("%w: it is larger than %d bytes", ErrClasses, maxClassFile)
	}
	in := bufio.NewScanner(bytes.NewReader(text))
	next := 0
	for number := 1; in.Scan(); number++ {
		line := strings.TrimSpace(strings.TrimPrefix(in.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		c, value, ignored, err := parseClass(line, next)
		if err != nil {
			return ClassList{}, fmt.Errorf("%w: line %d: %w", ErrClasses, number, err)
		}
		if ignored {
			l.Ignored = append(l.Ignored, c)
		} else {
			l.Classes = append(l.Classes, c)
		}
		next = value + 1
	}
	if err := in.Err(); err != nil {
		return ClassList{}, fmt.Errorf("%w: %w", ErrClasses, err)
	}
	if len(l.Classes) == 0 {
		return ClassList{}, fmt.Errorf("%w: it names no class", ErrClasses)
	}
	return l, l.Check()
}

// parseClass reads one line; next is its value if it gives none.
func parseClass(line string, next int) (c Class, value int, ignored bool, err error) {
	words := strings.Fields(line)
	if last := len(words) - 1; last > 0 && words[last] == "ignore" {
		ignored, words = true, words[:last]
	}
	if n := len(words); n > 1 && strings.HasPrefix(words[n-1], "#") {
		c.Color, words = strings.ToLower(words[n-1]), words[:n-1]
		if _, err := parseColor(c.Color); err != nil {
			return c, 0, false, err
		}
	} else if n > 3 {
		var rgb [3]uint8
		all := true
		for i := range rgb {
			v, err := strconv.ParseUint(words[n-3+i], 10, 8)
			rgb[i], all = uint8(v), all && err == nil
		}
		if all {
			c.Color, words = formatColor(rgb), words[:n-3]
		}
	}
	value = next
	if v, err := strconv.Atoi(words[0]); err == nil && len(words) > 1 {
		value, words = v, words[1:]
	}
	if value < 0 || value > 255 {
		return c, 0, false, fmt.Errorf("the value %d of %q is not one of 0 to 255", value, strings.Join(words, " "))
	}
	c.Name, c.Value = strings.Join(words, " "), uint8(value)
	return c, value, ignored, nil
}

// NamedClasses returns the list of classes with values counted from 0, past
// those that are ignored.
func NamedClasses(names []string, ignored ...uint8) (ClassList, error) {
	var l ClassList
	skip := [256]bool{}
	for _, v := range ignored {
		skip[v] = true
		l.Ignored = append(l.Ignored, Class{Name: fmt.Sprintf("ignored %d", v), Value: v})
	}
	value := 0
	for _, name := range names {
		for value < 256 && skip[value] {
			value++
		}
		if value > 255 {
			return ClassList{}, fmt.Errorf("%w: there are more than the 255 classes that labels can tell apart", ErrClasses)
		}
		l.Classes = append(l.Classes, Class{Name: strings.TrimSpace(name), Value: uint8(value)})
		value++
	}
	return l, l.Check()
}

// Check reports names, values or colours that stand for two classes.
func (l ClassList) Check() error {
	if len(l.Classes) > Ignored {
		return fmt.Errorf("%w: there are %d classes, more than %d", ErrClasses, len(l.Classes), Ignored)
	}
	names, values, colors := map[string]bool{}, map[uint8]string{}, map[string]string{}
	for i, c := range append(l.Classes[:len(l.Classes):len(l.Classes)], l.Ignored...) {
		if c.Name == "" || strings.ContainsAny(c.Name, "\r\n") {
			return fmt.Errorf("%w: the class of value %d has no name", ErrClasses, c.Value)
		}
		if i < len(l.Classes) && names[c.Name] {
			return fmt.Errorf("%w: two classes are called %q", ErrClasses, c.Name)
		}
		names[c.Name] = true
		if other, ok := values[c.Value]; ok {
			return fmt.Errorf("%w: %q and %q both have the value %d", ErrClasses, other, c.Name, c.Value)
		}
		values[c.Value] = c.Name
		if c.Color == "" {
			continue
		}
		if _, err := parseColor(c.Color); err != nil {
			return fmt.Errorf("%w: %w", ErrClasses, err)
		}
		if other, ok := colors[c.Color]; ok {
			return fmt.Errorf("%w: %q and %q both have the colour %s", ErrClasses, other, c.Name, c.Color)
		}
		colors[c.Color] = c.Name
	}
	return nil
}

// Names returns the names of the classes.
func (l ClassList) Names() []string {
	names := make([]string, len(l.Classes))
	for i, c := range l.Classes {
		names[i] = c.Name
	}
	return names
}

// describe says which values there are.
func (l ClassList) describe() string {
	text := func(cs []Class) string {
		const show = 12
		var words []string
		for i, c := range cs {
			if i == show {
				words = append(words, "…")
				break
			}
			words = append(words, strconv.Itoa(int(c.Value)))
		}
		return strings.Join(words, ", ")
	}
	s := "the values of the classes are " + text(l.Classes)
	if len(l.Ignored) > 0 {
		s += ", and ignored is " + text(l.Ignored)
	}
	return s
}

// table returns the place of the class of each value, and which values there
// are at all. What is ignored has the place Ignored.
func (l ClassList) table() (places [256]uint8, known [256]bool) {
	for i, c := range l.Classes {
		places[c.Value], known[c.Value] = uint8(i), true
	}
	for _, c := range l.Ignored {
		places[c.Value], known[c.Value] = Ignored, true
	}
	return places, known
}

// colors returns the place of the class of each colour.
func (l ClassList) colors() map[[3]uint8]uint8 {
	m := map[[3]uint8]uint8{}
	add := func(c Class, place uint8) {
		if rgb, err := parseColor(c.Color); err == nil {
			m[rgb] = place
		}
	}
	for i, c := range l.Classes {
		add(c, uint8(i))
	}
	for _, c := range l.Ignored {
		add(c, Ignored)
	}
	return m
}

// RGB returns the colour of the class, and false if none was given.
func (c Class) RGB() (rgb [3]uint8, ok bool) {
	rgb, err := parseColor(c.Color)
	return rgb, err == nil
}

func parseColor(text string) (rgb [3]uint8, err error) {
	v, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 24)
	if err != nil || len(text) != 7 || text[0] != '#' {
		return rgb, fmt.Errorf("%q is no colour: write #rrggbb, or three numbers from 0 to 255", text)
	}
	return [3]uint8{uint8(v >> 16), uint8(v >> 8), uint8(v)}, nil
}

func formatColor(rgb [3]uint8) string { return fmt.Sprintf("#%02x%02x%02x", rgb[0], rgb[1], rgb[2]) }
