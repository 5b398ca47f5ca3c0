package emulate

import (
	"fmt"
	"strings"
)

type run = func(m *machine, args []operand)

// operation returns what carries out an instruction with such operands.
func operation(name string, args []operand) (run, error) {
	plain, suffix, _ := strings.Cut(name, ".")
	var r run
	switch {
	case suffix == "" && scalars[name] != nil:
		if !scalars[name].takes(args) {
			return nil, fmt.Errorf("these operands are not known")
		}
		return scalars[name].run, nil
	case vectors[plain] == nil:
		return nil, fmt.Errorf("this instruction is not known")
	case suffix != "" && suffix != "Z" && suffix != "BCST":
		return nil, fmt.Errorf("the suffix %s is not known", suffix)
	}
	if r = vectors[plain](args, suffix); r == nil {
		return nil, fmt.Errorf("these operands are not known")
	}
	return r, nil
}
