package peakmem

import (
	"runtime"
	"testing"
)

func TestBytesGrows(t *testing.T) {
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("the system does not tell")
	}
	before := Bytes()
	block := make([]byte, before+64<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	if after := Bytes(); after < int64(len(block)) {
		t.Errorf("peak is %d bytes after touching %d", after, len(block))
	}
	runtime.KeepAlive(block)
}
