//go:build !amd64 || noasm

package bfloat

import "hourglass/internal/isa"

func kernelFor(isa.Level) *kernel { return nil }
