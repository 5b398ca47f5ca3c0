//go:build !amd64 || noasm

package winograd

import "hourglass/internal/isa"

func transformsFor(_ isa.Level, size int) *Transforms { return portable(size) }
