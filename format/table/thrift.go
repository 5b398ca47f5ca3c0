package table

import "encoding/binary"

// compact walks a value in Thrift's compact protocol, in which a .parquet file
// describes itself, without building anything. It is how sizes are checked
// before the library that reads the file believes them.
type compact struct {
	b        []byte
	at       int
	bad      bool // the bytes are no such value
	elements int  // of all lists and maps

	// visit is called with each number and truth value in a structure. Its
	// path is the numbers of the fields that lead to it, in base 1000: 5001
	// is field 1 of the structure in field 5. List elements have the path of
	// their list.
	visit func(path int, value int64)
}

// Types of the compact protocol.
const (
	thriftTrue = iota + 1
	thriftFalse
	thriftByte
	thriftInt16
	thriftInt32
	thriftInt64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
)

// maxThriftDepth bounds the nesting of values. Parquet's own go 6 deep.
const maxThriftDepth = 32

// structure walks a structure.
func (c *compact) structure(path, depth int) {
	if depth > maxThriftDepth {
		c.bad = true
	}
	id := int64(0)
	for !c.bad {
		head := c.byte()
		if head == 0 || c.bad {
			return
		}
		if delta := int64(head >> 4); delta != 0 {
			id += delta
		} else {
			id = c.zigzag()
		}
		if id < 0 || id >= 1000 {
			c.bad = true
			return
		}
		field := path*1000 + int(id)
		switch kind := head & 15; kind {
		case thriftTrue, thriftFalse:
			c.visit(field, int64(thriftFalse-kind))
		default:
			c.value(kind, field, depth)
		}
	}
}

// value walks a value that is no truth value of a structure.
func (c *compact) value(kind byte, path, depth int) {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte:
		c.skip(1)
	case thriftInt16, thriftInt32, thriftInt64:
		if v := c.zigzag(); !c.bad {
			c.visit(path, v)
		}
	case thriftDouble:
		c.skip(8)
	case thriftBinary:
		c.skip(c.varint())
	case thriftList, thriftSet:
		head := c.byte()
		n := uint64(head >> 4)
		if n == 15 {
			n = c.varint()
		}
		c.sequence(n, path, depth, head&15)
	case thriftMap:
		if n := c.varint(); n > 0 {
			kinds := c.byte()
			c.sequence(n, path, depth, kinds>>4, kinds&15)
		}
	case thriftStruct:
		c.structure(path, depth+1)
	default:
		c.bad = true
	}
}

// sequence walks n times values of the given kinds. Each takes at least a
// byte, so there cannot be more of them than bytes.
func (c *compact) sequence(n uint64, path, depth int, kinds ...byte) {
	if depth > maxThriftDepth || n > uint64(len(c.b)-c.at) {
		c.bad = true
		return
	}
	c.elements += int(n)
	for range n {
		for _, kind := range kinds {
			if c.value(kind, path, depth+1); c.bad {
				return
			}
		}
	}
}

func (c *compact) byte() byte {
	if c.at >= len(c.b) {
		c.bad = true
		return 0
	}
	c.at++
	return c.b[c.at-1]
}

func (c *compact) skip(n uint64) {
	if n > uint64(len(c.b)-c.at) {
		c.bad = true
		return
	}
	c.at += int(n)
}

func (c *compact) varint() uint64 {
	v, n := binary.Uvarint(c.b[c.at:])
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.at += n
	return v
}

func (c *compact) zigzag() int64 {
	v := c.varint()
	return int64(v>>1) ^ -int64(v&1)
}
