//go:build !amd64 || noasm

package depthwise

import "hourglass/internal/isa"

func kernelsUpTo(isa.Level) []*kernels { return []*kernels{&portable} }
