//go:build !linux && !darwin

package peakmem

func peak() int64 { return 0 }
