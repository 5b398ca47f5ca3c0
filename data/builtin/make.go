//go:build ignore

// Make writes the embedded part of Fashion-MNIST: the first images of its
// training set and their labels, as gzipped IDX files. Run it by go generate,
// which expects Debian's package dataset-fashion-mnist.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"io"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	from := flag.String("from", "", "folder with train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz")
	count := flag.Int("count", 10000, "number of images")
	flag.Parse()
	if *from == "" {
		log.Fatal("make: -from is needed")
	}
	cut(filepath.Join(*from, "train-images-idx3-ubyte.gz"), "fashion-images.idx3.gz", *count, 28*28)
	cut(filepath.Join(*from, "train-labels-idx1-ubyte.gz"), "fashion-labels.idx1.gz", *count, 1)
}

// cut keeps the first count items of the IDX file src, of size bytes each.
func cut(src, dst string, count, size int) {
	f, err := os.Open(src)
	check(err)
	defer f.Close()
	in, err := gzip.NewReader(f)
	check(err)
	magic := make([]byte, 4)
	_, err = io.ReadFull(in, magic)
	check(err)
	body := make([]byte, 4*int(magic[3])+count*size)
	_, err = io.ReadFull(in, body)
	check(err)
	binary.BigEndian.PutUint32(body, uint32(count))

	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	check(err)
	_, err = z.Write(append(magic, body...))
	check(err)
	check(z.Close())
	check(os.WriteFile(dst, out.Bytes(), 0o644))
}

func check(err error) {
	if err != nil {
		log.Fatal("make: ", err)
	}
}
