package builtin

import (
	"bytes"
	"hash/crc32"
	"testing"
)

func TestFashion(t *testing.T) {
	pixels, labels, err := Fashion()
	if err != nil {
		t.Fatal(err)
	}
	if len(pixels) != FashionLen*FashionSide*FashionSide || len(labels) != FashionLen {
		t.Fatalf("%d pixels, %d labels", len(pixels), len(labels))
	}
	for i, l := range labels {
		if int(l) >= len(FashionClasses()) {
			t.Fatalf("image %d has label %d", i, l)
		}
	}
	// Of the first 10,000 items of the training files as they are published.
	if got := crc32.ChecksumIEEE(pixels); got != 0xbb35a23e {
		t.Errorf("checksum of the pixels is %#x", got)
	}
	if got := crc32.ChecksumIEEE(labels); got != 0x448b6753 {
		t.Errorf("checksum of the labels is %#x", got)
	}
	again, _, err := Fashion()
	if err != nil || !bytes.Equal(again, pixels) || &again[0] == &pixels[0] {
		t.Errorf("a second call does not return pixels of its own: %v", err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	if _, err := unpack([]byte("not gzip"), 1); err == nil {
		t.Error("text was unpacked")
	}
	if _, err := unpack(fashionLabels, 5); err == nil || err.Error() != "the array has shape [10000], not [5]" {
		t.Errorf("another shape: %v", err)
	}
}
