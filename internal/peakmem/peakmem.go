// Package peakmem asks the operating system for the largest amount of memory
// that this process has held.
package peakmem

// Bytes returns the process's peak resident memory in bytes, 0 where the
// system does not tell.
func Bytes() int64 { return peak() }
