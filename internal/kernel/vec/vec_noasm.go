//go:build !amd64 || noasm

package vec

import "hourglass/internal/isa"

func at(level isa.Level) *Set {
	if level == isa.Generic {
		return &generic
	}
	return nil
}
