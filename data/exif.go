package data

import (
	"bytes"
	"encoding/binary"
)

// orientation is the value of EXIF tag 0x0112, 1 to 8: how the stored image
// is to be turned before it is looked at. 0 is taken as 1, upright.
type orientation uint8

// transposes reports whether rows become columns.
func (o orientation) transposes() bool { return o >= 5 && o <= 8 }

// maxIFDEntries bounds the tags that are looked through for the orientation;
// cameras write a few dozen.
const maxIFDEntries = 1024

// orientationOf finds the orientation in the first bytes of a file, of a WebP file in
// all of them. It returns 1 when there is none or anything about it is malformed: a
// picture is worth more than its metadata. It reads only within head and never
// allocates.
func orientationOf(c *codec, head []byte) orientation {
	switch c {
	case &jpegCodec:
		return jpegOrientation(head)
	case &pngCodec:
		return pngOrientation(head)
	case &webpCodec:
		return webpOrientation(head)
	case &tiffCodec:
		return tiffOrientation(head)
	}
	return 1
}

// exifMark stands before EXIF data in a JPEG file, and in some WebP files.
var exifMark = []byte("Exif\x00\x00")

// pngOrientation looks for a chunk eXIf before the pixels (PNG third edition,
// section 11.3.4.5).
func pngOrientation(head []byte) orientation {
	const signature, around = 8, 12 // length and type before a chunk's data, a checksum after them
	for at := int64(signature); at+around <= int64(len(head)); {
		size := int64(binary.BigEndian.Uint32(head[at:]))
		data := head[at+8:]
		switch string(head[at+4 : at+8]) {
		case "eXIf":
			return tiffOrientation(data[:min(size, int64(len(data)))])
		case "IDAT", "IEND":
			return 1
		}
		at += around + size
	}
	return 1
}

// webpOrientation looks for a chunk EXIF, which follows the pixels (RFC 9649,
// section 2.7.1.5).
func webpOrientation(file []byte) orientation {
	if !hasEXIF(file) {
		return 1
	}
	const riff, header = 12, 8 // bytes before the first chunk, and before a chunk's data
	for at := int64(riff); at+header <= int64(len(file)); {
		size := int64(binary.LittleEndian.Uint32(file[at+4:]))
		data := file[at+header:]
		if string(file[at:at+4]) == "EXIF" {
			return tiffOrientation(bytes.TrimPrefix(data[:min(size, int64(len(data)))], exifMark))
		}
		at += header + size + size%2
	}
	return 1
}

func jpegOrientation(head []byte) orientation {
	if len(head) < 4 || head[0] != 0xff || head[1] != 0xd8 {
		return 1
	}
	for at := 2; at+4 <= len(head); {
		if head[at] != 0xff {
			return 1
		}
		marker := head[at+1]
		switch {
		case marker == 0xff: // a fill byte
			at++
			continue
		case marker == 0x01 || marker >= 0xd0 && marker <= 0xd7: // no length follows
			at += 2
			continue
		case marker == 0xda || marker == 0xd9: // the pixels, or the end
			return 1
		}
		size := int(binary.BigEndian.Uint16(head[at+2:]))
		if size < 2 {
			return 1
		}
		end := min(at+2+size, len(head))
		if body := head[at+4 : max(end, at+4)]; marker == 0xe1 && bytes.HasPrefix(body, exifMark) {
			return tiffOrientation(body[len(exifMark):])
		}
		at += 2 + size
	}
	return 1
}

// tiffOrientation reads tag 0x0112 from the first directory of a TIFF file, or of the
// structure of that kind that EXIF data are.
func tiffOrientation(b []byte) orientation {
	if len(b) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(b[4:]))
	if at < 8 || at+2 > int64(len(b)) {
		return 1
	}
	entries := min(int(order.Uint16(b[at:])), maxIFDEntries)
	at += 2
	for range entries {
		if at+12 > int64(len(b)) {
			return 1
		}
		if e := b[at : at+12]; order.Uint16(e) == 0x0112 {
			const short = 3
			if v := order.Uint16(e[8:]); order.Uint16(e[2:]) == short && v >= 1 && v <= 8 {
				return orientation(v)
			}
			return 1
		}
		at += 12
	}
	return 1
}
