package backend

import "fmt"

// Precision is how exactly products are computed: the operands of matmul, of
// conv2d and of its gradients. Sums, and everything else, are float32.
type Precision uint8

const (
	Float32 Precision = iota
	// BF16 rounds operands to bfloat16, to nearest even, and multiplies and
	// adds in float32. Variables keep all their bits. What is below the smallest
	// normal number may count as zero.
	BF16
)

// String returns "float32" or "bf16".
func (p Precision) String() string {
	switch p {
	case Float32:
		return "float32"
	case BF16:
		return "bf16"
	}
	return fmt.Sprintf("backend.Precision(%d)", uint8(p))
}

// ParsePrecision returns the precision of a name; "" is float32.
func ParsePrecision(name string) (Precision, error) {
	switch name {
	case "", Float32.String():
		return Float32, nil
	case BF16.String():
		return BF16, nil
	}
	return 0, fmt.Errorf("precision %q is unknown: choose float32 or bf16", name)
}
