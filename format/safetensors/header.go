package safetensors

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"hourglass/format/internal/bounded"
)

// headerParser reads a header token by token: decoding it into a map would
// hide names that occur twice.
type headerParser struct {
	dec      *json.Decoder
	tensors  []Info // Offset is relative to the data until place has run
	names    map[string]bool
	metadata map[string]string
}

// parseHeader reads a header and checks it against the length of the data
// that follows. It returns the tensors in the order of their data.
func parseHeader(header []byte, dataLen int64) ([]Info, map[string]string, error) {
	p := &headerParser{dec: json.NewDecoder(bytes.NewReader(header)), names: map[string]bool{}}
	p.dec.UseNumber()
	if len(header) == 0 || header[0] != '{' {
		return nil, nil, p.fail(ErrCorrupt, "the header does not begin with {")
	}
	if at := invalidUTF8(header); at >= 0 {
		return nil, nil, fault(prefix+int64(at), ErrCorrupt, "the header is not valid UTF-8")
	}
	if err := p.object(p.entry); err != nil {
		return nil, nil, err
	}
	if _, err := p.dec.Token(); err != io.EOF {
		return nil, nil, p.fail(ErrCorrupt, "the header goes on after its object")
	}
	if err := place(p.tensors, prefix+int64(len(header)), dataLen); err != nil {
		return nil, nil, err
	}
	return p.tensors, p.metadata, nil
}

// place checks that the tensors cover the data without overlaps or gaps,
// sorts them by their places and makes their offsets count from the beginning
// of the file.
func place(tensors []Info, dataStart, dataLen int64) error {
	// An empty tensor may lie where another begins.
	slices.SortStableFunc(tensors, func(a, b Info) int {
		if a.Offset != b.Offset {
			return cmp.Compare(a.Offset, b.Offset)
		}
		return cmp.Compare(a.Bytes, b.Bytes)
	})
	end := int64(0)
	for i := range tensors {
		t := &tensors[i]
		if t.Offset != end {
			what := "leaves a gap"
			if t.Offset < end {
				what = "overlaps another tensor"
			}
			return fault(dataStart+min(t.Offset, end), ErrCorrupt,
				"tensor %q %s: it begins at byte %d of the data, and the tensors before it end at %d", t.Name, what, t.Offset, end)
		}
		end += t.Bytes
		t.Offset += dataStart
	}
	switch {
	case end > dataLen:
		return fault(dataStart+dataLen, ErrCorrupt, "the file is cut short: its tensors take %d bytes, and %d follow the header", end, dataLen)
	case end < dataLen:
		return fault(dataStart+end, ErrCorrupt, "%d bytes follow the last tensor", dataLen-end)
	}
	return nil
}

// entry reads one member of the header's object.
func (p *headerParser) entry(name string) error {
	if name == metadataKey {
		if p.metadata != nil {
			return p.fail(ErrCorrupt, "%s occurs twice", metadataKey)
		}
		p.metadata = map[string]string{}
		return p.object(p.metadataEntry)
	}
	if p.names[name] {
		return p.fail(ErrCorrupt, "tensor %q occurs twice", name)
	}
	p.names[name] = true
	return p.tensor(name)
}

func (p *headerParser) metadataEntry(key string) error {
	if _, ok := p.metadata[key]; ok {
		return p.fail(ErrCorrupt, "%s: key %q occurs twice", metadataKey, key)
	}
	value, err := p.str(metadataKey)
	p.metadata[key] = value
	return err
}

// tensor reads the description of a tensor. Members that the format does not
// name are passed over, as its own library does.
func (p *headerParser) tensor(name string) error {
	info := Info{Name: name}
	var dtype string
	var offsets []int64
	seen := map[string]bool{}
	err := p.object(func(key string) (err error) {
		if seen[key] {
			return p.fail(ErrCorrupt, "tensor %q: %q occurs twice", name, key)
		}
		seen[key] = true
		switch key {
		case "dtype":
			dtype, err = p.str(name)
		case "shape":
			var shape []int64
			shape, err = p.numbers(name, MaxDims)
			info.Shape = make([]int, len(shape))
			for i, d := range shape {
				info.Shape[i] = int(d)
			}
		case "data_offsets":
			offsets, err = p.numbers(name, 2)
		default:
			var ignored json.RawMessage
			if err := p.dec.Decode(&ignored); err != nil {
				return p.invalid(err)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			return p.fail(ErrCorrupt, "tensor %q has no %s", name, key)
		}
	}
	var known bool
	if info.DType, known = parseDType(dtype); !known {
		return p.fail(ErrUnsupported, "tensor %q: elements of type %q", name, dtype)
	}
	if len(offsets) != 2 || offsets[0] > offsets[1] {
		return p.fail(ErrCorrupt, "tensor %q: data_offsets %v are no beginning and end", name, offsets)
	}
	info.Offset, info.Bytes = offsets[0], offsets[1]-offsets[0]
	want, ok := bounded.Product(info.Shape, info.DType.Size(), maxData)
	if !ok {
		return p.fail(ErrCorrupt, "tensor %q: shape %v is too large for any file", name, info.Shape)
	}
	if want != info.Bytes {
		return p.fail(ErrCorrupt, "tensor %q: %v elements of shape %v take %d bytes, and data_offsets give it %d",
			name, info.DType, info.Shape, want, info.Bytes)
	}
	p.tensors = append(p.tensors, info)
	return nil
}

// maxData is far above any file and keeps sums of places within an int64.
const maxData = 1 << 60

// object reads an object and calls member at the value of each key.
func (p *headerParser) object(member func(key string) error) error {
	if err := p.delim('{'); err != nil {
		return err
	}
	for p.dec.More() {
		key, err := p.token()
		if err != nil {
			return err
		}
		if err := member(key.(string)); err != nil { // a key is a string, or Token has failed
			return err
		}
	}
	return p.delim('}')
}

func (p *headerParser) numbers(name string, limit int) ([]int64, error) {
	if err := p.delim('['); err != nil {
		return nil, err
	}
	list := []int64{}
	for p.dec.More() {
		tok, err := p.token()
		if err != nil {
			return nil, err
		}
		num, ok := tok.(json.Number)
		n, err := strconv.ParseInt(num.String(), 10, strconv.IntSize)
		if !ok || err != nil || n < 0 || n > maxData {
			return nil, p.fail(ErrCorrupt, "tensor %q: %v is no size or offset", name, tok)
		}
		if len(list) == limit {
			return nil, p.fail(ErrTooLarge, "tensor %q: a list of more than %d numbers", name, limit)
		}
		list = append(list, n)
	}
	return list, p.delim(']')
}

func (p *headerParser) str(name string) (string, error) {
	tok, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := tok.(string)
	if !ok {
		return "", p.fail(ErrCorrupt, "%q: found %v where a string belongs", name, tok)
	}
	return s, nil
}

func (p *headerParser) delim(want json.Delim) error {
	tok, err := p.token()
	if err != nil {
		return err
	}
	if tok != want {
		return p.fail(ErrCorrupt, "found %v where %v belongs", tok, want)
	}
	return nil
}

func (p *headerParser) token() (json.Token, error) {
	tok, err := p.dec.Token()
	if err != nil {
		return nil, p.invalid(err)
	}
	return tok, nil
}

// invalid turns a fault that encoding/json found into ours.
func (p *headerParser) invalid(err error) error {
	at := p.dec.InputOffset()
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = syntax.Offset
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return &Error{Format: "safetensors", Offset: prefix + at, Kind: ErrCorrupt, Reason: "the header is no valid JSON", Err: err}
}

func (p *headerParser) fail(kind error, format string, args ...any) error {
	return fault(prefix+p.dec.InputOffset(), kind, format, args...)
}

func fault(offset int64, kind error, format string, args ...any) error {
	return &Error{Format: "safetensors", Offset: offset, Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

func invalidUTF8(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}
