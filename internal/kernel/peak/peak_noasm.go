//go:build !amd64 || noasm

package peak

import "hourglass/internal/isa"

// loop runs rounds of operations(level) operations and returns what is left of
// them.
func loop(_ isa.Level, rounds int) float32 { return multiplyAdd(rounds) }

func operations(isa.Level) int { return 2 * portableLanes }
