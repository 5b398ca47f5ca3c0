//go:build !amd64 || noasm

package emulate

const assembled = false
