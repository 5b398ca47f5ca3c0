package npy

import (
	"encoding/binary"
	"io"
	"strconv"
	"strings"

	"hourglass/format/internal/bounded"
)

const magic = "\x93NUMPY"

// maxHeader caps the dictionary. NumPy writes some 70 bytes, and refuses more
// than 10,000 itself.
const maxHeader = 10000

// ReadHeader reads what comes before the elements and leaves r at the first of
// them. The size of the array is within limits, and within limits.Size if that
// is given. All errors are of type *Error.
func ReadHeader(r io.Reader, limits Limits) (*Header, error) {
	var head [12]byte
	if n, err := io.ReadFull(r, head[:8]); err != nil {
		return nil, &Error{Format: "npy", Offset: int64(n), Kind: ErrCorrupt, Reason: "the magic string is cut short", Err: err}
	}
	if string(head[:6]) != magic {
		return nil, fault(0, ErrCorrupt, "%q is not the magic string", head[:6])
	}
	start := 10
	switch head[6] {
	case 1:
	case 2, 3:
		start = 12
	default:
		return nil, fault(6, ErrUnsupported, "version %d.%d; 1.0 to 3.0 are read", head[6], head[7])
	}
	if n, err := io.ReadFull(r, head[8:start]); err != nil {
		return nil, &Error{Format: "npy", Offset: int64(8 + n), Kind: ErrCorrupt, Reason: "the length of the header is cut short", Err: err}
	}
	length := int64(binary.LittleEndian.Uint16(head[8:]))
	if start == 12 {
		length = int64(binary.LittleEndian.Uint32(head[8:]))
	}
	if length > maxHeader {
		return nil, fault(8, ErrTooLarge, "the header has %d bytes; at most %d are read", length, maxHeader)
	}
	text := make([]byte, length)
	if n, err := io.ReadFull(r, text); err != nil {
		return nil, &Error{Format: "npy", Offset: int64(start + n), Kind: ErrCorrupt, Reason: "the header is cut short", Err: err}
	}
	p := &parser{text: string(text), start: start}
	h, err := p.header()
	if err != nil {
		return nil, err
	}
	h.Offset = int64(start) + length
	size, ok := bounded.Product(h.Shape, h.DType.Size(), limits.Max())
	if !ok {
		return nil, fault(int64(start), ErrTooLarge, "an array of shape %v and type %v is above the limit of %d bytes", h.Shape, h.DType, limits.Max())
	}
	if limits.Size > 0 && limits.Size < h.Offset+size {
		return nil, fault(limits.Size, ErrCorrupt, "the file ends before the array of shape %v does, at %d", h.Shape, h.Offset+size)
	}
	return h, nil
}

// parser reads the dictionary of a header: the part of Python's literals that
// it is made of.
type parser struct {
	text  string
	at    int
	start int // of text in the file
}

func (p *parser) fail(kind error, format string, args ...any) error {
	return fault(int64(p.start+p.at), kind, format, args...)
}

// header reads {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} with
// its keys in any order.
func (p *parser) header() (*Header, error) {
	h := &Header{}
	seen := map[string]bool{}
	if err := p.expect("{"); err != nil {
		return nil, err
	}
	for !p.accept("}") {
		key, err := p.quoted()
		if err != nil {
			return nil, err
		}
		if seen[key] {
			return nil, p.fail(ErrCorrupt, "the key %q comes twice", key)
		}
		seen[key] = true
		if err := p.expect(":"); err != nil {
			return nil, err
		}
		switch key {
		case "descr":
			err = p.descr(h)
		case "fortran_order":
			h.Fortran = p.accept("True")
			if !h.Fortran {
				err = p.expect("False")
			}
		case "shape":
			h.Shape, err = p.shape()
		default:
			err = p.fail(ErrCorrupt, "unknown key %q", key)
		}
		if err != nil {
			return nil, err
		}
		if !p.accept(",") {
			if err := p.expect("}"); err != nil {
				return nil, err
			}
			break
		}
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return nil, p.fail(ErrCorrupt, "the key %q is missing", key)
		}
	}
	if p.skipSpace(); p.at < len(p.text) {
		return nil, p.fail(ErrCorrupt, "%q follows the header", p.next())
	}
	return h, nil
}

func (p *parser) descr(h *Header) error {
	p.skipSpace()
	at := p.at
	if strings.HasPrefix(p.text[p.at:], "[") {
		return p.fail(ErrUnsupported, "records; plain numbers are read")
	}
	s, err := p.quoted()
	if err != nil {
		return err
	}
	code := s
	if s != "" && strings.ContainsRune("<>|=", rune(s[0])) {
		h.BigEndian = s[0] == '>'
		code = s[1:]
	}
	for d, t := range dtypes {
		if t.size > 0 && t.code == code {
			h.DType = DType(d)
			return nil
		}
	}
	p.at = at
	return p.fail(ErrUnsupported, "elements of type %q; float32, float64 and integers are read", s)
}

// shape reads (), (5,), (5, 6) and so on.
func (p *parser) shape() ([]int, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	shape := []int{}
	for !p.accept(")") {
		if len(shape) == MaxDims {
			return nil, p.fail(ErrUnsupported, "more than %d dimensions", MaxDims)
		}
		p.skipSpace()
		end := p.at
		for end < len(p.text) && p.text[end] >= '0' && p.text[end] <= '9' {
			end++
		}
		d, err := strconv.ParseInt(p.text[p.at:end], 10, 0)
		if err != nil {
			return nil, p.fail(ErrCorrupt, "%q is not a dimension", p.next())
		}
		p.at = end
		p.accept("L") // as Python 2 wrote it
		shape = append(shape, int(d))
		if !p.accept(",") {
			if err := p.expect(")"); err != nil {
				return nil, err
			}
			break
		}
	}
	return shape, nil
}

// quoted reads a string in single or double quotes, without escapes.
func (p *parser) quoted() (string, error) {
	p.skipSpace()
	if p.at < len(p.text) && (p.text[p.at] == '\'' || p.text[p.at] == '"') {
		if n := strings.IndexByte(p.text[p.at+1:], p.text[p.at]); n >= 0 {
			s := p.text[p.at+1 : p.at+1+n]
			p.at += n + 2
			return s, nil
		}
	}
	return "", p.fail(ErrCorrupt, "%q stands where a string is wanted", p.next())
}

func (p *parser) expect(token string) error {
	if !p.accept(token) {
		return p.fail(ErrCorrupt, "%q stands where %q is wanted", p.next(), token)
	}
	return nil
}

func (p *parser) accept(token string) bool {
	p.skipSpace()
	if !strings.HasPrefix(p.text[p.at:], token) {
		return false
	}
	p.at += len(token)
	return true
}

func (p *parser) skipSpace() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// next returns the beginning of what has not been read, for messages.
func (p *parser) next() string {
	const most = 16
	return p.text[p.at:min(p.at+most, len(p.text))]
}
