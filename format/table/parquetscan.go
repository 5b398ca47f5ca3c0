package table

import (
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// The library takes memory for what a file says of itself. Here that is
// checked first: the footer before the file is opened, the pages of a column
// before the column is read.
const (
	maxFooterElements = 1 << 19 // of all lists in the footer: wide tables have 20 for each column
	maxFooterGroups   = 1000    // columns that hold columns, and so how deep they nest
	maxPageHeader     = 1 << 16

	// A file may unfold to 256 times its size, or to 64 MB if that is more.
	maxExpansion   = 256
	smallExpansion = 64 << 20
)

// Fields of Parquet's structures, as paths of compact.
const (
	fieldSchemaChildren = 2005 // FileMetaData.schema, SchemaElement.num_children

	// PageHeader
	fieldPageUncompressed = 2
	fieldPageCompressed   = 3
	fieldPageV1Values     = 5001
	fieldPageDictValues   = 7001
	fieldPageV2Values     = 8001
	fieldPageV2DefLevels  = 8005
	fieldPageV2RepLevels  = 8006
	fieldPageV2Compressed = 8007
)

// scanFooter checks the footer of the size bytes in r: its length, that it is
// a Thrift structure, and that no list in it is longer than its bytes.
func scanFooter(r io.ReaderAt, size int64) error {
	const frame = 12 // magic numbers at both ends and the footer's length
	if size < frame {
		return parquetFault(ErrCorrupt, "%d bytes are no .parquet file", size)
	}
	var tail [8]byte
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return wrapParquet(err)
	}
	if string(tail[4:]) != "PAR1" {
		return parquetFault(ErrCorrupt, "the file does not end with the mark of .parquet")
	}
	length := int64(binary.LittleEndian.Uint32(tail[:4]))
	if length > size-frame {
		return parquetFault(ErrCorrupt, "a footer of %d bytes in a file of %d", length, size)
	}
	footer := make([]byte, length)
	if _, err := r.ReadAt(footer, size-8-length); err != nil {
		return wrapParquet(err)
	}
	groups := 0
	c := compact{b: footer, visit: func(path int, value int64) {
		if path == fieldSchemaChildren && value > 0 {
			groups++
		}
	}}
	c.structure(0, 0)
	switch {
	case c.bad:
		return parquetFault(ErrCorrupt, "the footer is malformed")
	case c.elements > maxFooterElements || groups > maxFooterGroups:
		return parquetFault(ErrTooLarge, "a footer that lists %d things, %d of them groups of columns", c.elements, groups)
	}
	return nil
}

// page is what a page's header says.
type page struct {
	compressed, uncompressed int64
	values                   int64 // in the page or dictionary
	levels                   int64 // bytes before the compressed ones in version 2
	isCompressed             bool
}

// scanChunk checks the pages of a column chunk: that they lie within the file
// and that what they unfold to is within room, which it lowers.
func scanChunk(r io.ReaderAt, size int64, m *format.ColumnMetaData, room *int64) error {
	at := m.DataPageOffset
	if m.DictionaryPageOffset != 0 {
		at = m.DictionaryPageOffset
	}
	if at < 0 || m.TotalCompressedSize < 0 || at > size || m.TotalCompressedSize > size-at {
		return parquetFault(ErrCorrupt, "a column lies outside the file")
	}
	buf := make([]byte, min(maxPageHeader, m.TotalCompressedSize))
	for end := at + m.TotalCompressedSize; at < end; {
		head := buf[:min(int64(len(buf)), end-at)]
		if _, err := r.ReadAt(head, at); err != nil {
			return wrapParquet(err)
		}
		p := page{isCompressed: true}
		c := compact{b: head, visit: p.set}
		c.structure(0, 0)
		at += int64(c.at)
		if c.bad || p.compressed < 0 || p.compressed > end-at || p.uncompressed < 0 || p.values < 0 || p.levels < 0 || p.levels > p.compressed {
			return &Error{Format: "parquet", Offset: at, Kind: ErrCorrupt, Reason: "a malformed page header"}
		}
		const perValue = 4 + 2 // a float or an index of the dictionary, and two levels
		if *room -= p.uncompressed + perValue*p.values; *room < 0 {
			return &Error{Format: "parquet", Offset: at, Kind: ErrTooLarge, Reason: "the pages unfold to more than the limit or than is credible for the file's size"}
		}
		if p.isCompressed {
			if err := p.checkBody(r, at, m.Codec); err != nil {
				return err
			}
		}
		at += p.compressed
	}
	return nil
}

// set takes a field of the header.
func (p *page) set(path int, value int64) {
	switch path {
	case fieldPageUncompressed:
		p.uncompressed = value
	case fieldPageCompressed:
		p.compressed = value
	case fieldPageV1Values, fieldPageDictValues, fieldPageV2Values:
		p.values = max(p.values, value)
	case fieldPageV2DefLevels, fieldPageV2RepLevels:
		if value < 0 || value > 1<<31 {
			value = 1 << 32 // more than a page can hold
		}
		p.levels += value
	case fieldPageV2Compressed:
		p.isCompressed = value == 1
	}
}

// checkBody compares the length that compressed data announces with that of
// the page.
func (p *page) checkBody(r io.ReaderAt, at int64, codec format.CompressionCodec) error {
	var start [zstd.HeaderMaxSize]byte
	n, err := r.ReadAt(start[:min(int64(len(start)), p.compressed-p.levels)], at+p.levels)
	if err != nil && err != io.EOF {
		return wrapParquet(err)
	}
	if n == 0 {
		return nil
	}
	announced := uint64(0)
	switch codec {
	case format.Uncompressed:
		return nil
	case format.Snappy:
		var width int
		if announced, width = binary.Uvarint(start[:n]); width <= 0 {
			return &Error{Format: "parquet", Offset: at, Kind: ErrCorrupt, Reason: "malformed Snappy data"}
		}
	case format.Zstd:
		var h zstd.Header
		if err := h.Decode(start[:n]); err != nil {
			return &Error{Format: "parquet", Offset: at, Kind: ErrCorrupt, Reason: "malformed Zstandard data", Err: err}
		}
		if !h.HasFCS {
			return &Error{Format: "parquet", Offset: at, Kind: ErrUnsupported, Reason: "Zstandard data that does not tell its length"}
		}
		announced = h.FrameContentSize
	default:
		return &Error{Format: "parquet", Offset: at, Kind: ErrUnsupported, Reason: "compression " + codec.String() + "; write the file with Snappy, Zstandard or without compression"}
	}
	if announced > uint64(p.uncompressed) {
		return &Error{Format: "parquet", Offset: at, Kind: ErrCorrupt, Reason: "compressed data that is longer than its page"}
	}
	return nil
}
