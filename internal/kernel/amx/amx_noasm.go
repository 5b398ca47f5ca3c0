//go:build !amd64 || noasm

package amx

var assembly *functions

func available() bool { return false }
