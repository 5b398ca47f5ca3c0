package emulate

import (
	"fmt"
	"strings"
)

// operation returns the instruction of a name with such operands.
func operation(name string, args []operand) (instruction, error) {
	plain, suffix, _ := strings.Cut(name, ".")
	switch {
	case suffix == "" && scalars[name] != nil:
		s := scalars[name]
		if !s.takes(args) {
			return nil, fmt.Errorf("these operands are not known")
		}
		return func(m *machine) { s.run(m, args) }, nil
	case vectors[plain] == nil:
		return nil, fmt.Errorf("this instruction is not known")
	case suffix != "" && suffix != "Z" && suffix != "BCST":
		return nil, fmt.Errorf("the suffix %s is not known", suffix)
	}
	in := vectors[plain](args, suffix)
	if in == nil {
		return nil, fmt.Errorf("these operands are not known")
	}
	return in, nil
}
