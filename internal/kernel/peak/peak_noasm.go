//go:build !amd64 || noasm

package peak

import "hourglass/internal/isa"

// loop runs rounds of operations(level) operations.
func loop(_ isa.Level, rounds int) { multiplyAdd(rounds) }

func operations(isa.Level) int { return 2 * portableLanes }
