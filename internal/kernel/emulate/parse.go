package emulate

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// function is one TEXT of a file.
type function struct {
	code  []instruction
	stack int // bytes of local variables
}

// instruction carries out one with its operands.
type instruction func(m *machine)

// kind says what an operand is.
type kind uint8

const (
	constant kind = iota
	general       // a general register, by its number
	vector        // a vector register
	mask          // a mask register
	memory
	label
)

// operand of an instruction. Only what belongs to its kind is set.
type operand struct {
	kind  kind
	n     int // number of a register; place that a label names
	bytes int // of a vector register: 16, 32 or 64
	value int64

	// The address of memory: registers, -1 for none, and a constant part, to
	// which the address of data or of the arguments' frame is added.
	base, index  int
	scale, shift int64
	data         []byte
	inFrame      bool
}

// registers by name. SP is that of the local variables.
var registers = func() map[string]int {
	m := map[string]int{"AX": 0, "CX": 1, "DX": 2, "BX": 3, "SP": 4, "BP": 5, "SI": 6, "DI": 7, "CL": 1}
	for i := 8; i < 16; i++ {
		m[fmt.Sprintf("R%d", i)] = i
	}
	return m
}()

var (
	textLine   = regexp.MustCompile(`^TEXT ·(\w+)\(SB\),.*\$(\d+)(?:-\d+)?$`)
	dataLine   = regexp.MustCompile(`^DATA (\w+)<>\+(\d+)\(SB\)/(\d), \$(0x[0-9a-f]+)$`)
	globalLine = regexp.MustCompile(`^GLOBL (\w+)<>\(SB\), .*\$(\d+)$`)
	labelLine  = regexp.MustCompile(`^(\w+):$`)
	vectorName = regexp.MustCompile(`^([XYZK])(\d+)$`)
	address    = regexp.MustCompile(`^(-?\w+)?(?:\((\w+)\))(?:\((\w+)\*(\d)\))?$`)
	symbol     = regexp.MustCompile(`^(\w+)(<>)?\+(\d+)\((SB|FP)\)$`)
)

// Parse reads assembly.
func Parse(text string) (*File, error) {
	f := &File{functions: make(map[string]*function), data: make(map[string][]byte)}
	lines := strings.Split(text, "\n")
	for i, line := range lines { // data may come after the functions that read it
		lines[i] = strings.TrimSpace(strings.Split(line, "//")[0])
		if !strings.HasPrefix(lines[i], "GLOBL ") {
			continue
		}
		m := globalLine.FindStringSubmatch(lines[i])
		if m == nil {
			return nil, fmt.Errorf("line %d: %s: this declaration is not known", i+1, line)
		}
		size, err := strconv.Atoi(m[2])
		if err != nil || size > 1<<20 {
			return nil, fmt.Errorf("line %d: %s", i+1, line)
		}
		f.data[m[1]] = make([]byte, size)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, "DATA ") {
			continue
		}
		m := dataLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("line %d: %s: this data is not known", i+1, line)
		}
		if err := f.fill(m); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "TEXT ") {
			continue
		}
		m := textLine.FindStringSubmatch(lines[i])
		if m == nil {
			return nil, fmt.Errorf("line %d: %s: this function is not known", i+1, lines[i])
		}
		end := i + 1
		for end < len(lines) && !strings.HasPrefix(lines[end], "TEXT ") {
			end++
		}
		fn, err := f.function(lines[i+1:end], i+2)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m[1], err)
		}
		if fn.stack, err = strconv.Atoi(m[2]); err != nil || fn.stack > 1<<16 {
			return nil, fmt.Errorf("%s: a frame of %s bytes", m[1], m[2])
		}
		f.functions[m[1]] = fn
		i = end - 1
	}
	if len(f.functions) == 0 {
		return nil, fmt.Errorf("there is no function")
	}
	return f, nil
}

// fill sets bytes of data from the parts of a DATA line.
func (f *File) fill(m []string) error {
	at, err1 := strconv.Atoi(m[2])
	size, err2 := strconv.Atoi(m[3])
	v, err3 := strconv.ParseUint(m[4], 0, 64)
	if err1 != nil || err2 != nil || err3 != nil || at+size > len(f.data[m[1]]) || size > 8 {
		return fmt.Errorf("%s", m[0])
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	copy(f.data[m[1]][at:at+size], b[:])
	return nil
}

// function reads the lines of a function, the first of which has a number.
func (f *File) function(lines []string, number int) (*function, error) {
	places := make(map[string]int)
	n := 0
	for i, line := range lines {
		if m := labelLine.FindStringSubmatch(line); m != nil {
			places[m[1]] = n
		} else if isCode(line) && !(isByte(line) && i > 0 && isByte(lines[i-1])) {
			n++
		}
	}
	fn := &function{code: make([]instruction, 0, n+1)}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if !isCode(line) {
			continue
		}
		var in instruction
		var err error
		if isByte(line) { // a comment is between the bytes of two
			var code []byte
			var n int
			if code, n, err = bytesOf(lines[i:]); err == nil {
				in, err = decode(code)
			}
			i += max(n, 1) - 1
		} else {
			in, err = f.instruction(line, places)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", number+i, line, err)
		}
		fn.code = append(fn.code, in)
	}
	// What runs past the end would be a mistake of the generator.
	fn.code = append(fn.code, func(*machine) { panic("emulate: a function has no end") })
	return fn, nil
}

func isCode(line string) bool {
	return line != "" && !strings.HasSuffix(line, ":") && !strings.HasPrefix(line, "DATA ") && !strings.HasPrefix(line, "GLOBL ") && !strings.HasPrefix(line, "#")
}

func isByte(line string) bool { return strings.HasPrefix(line, "BYTE ") }

func (f *File) instruction(line string, places map[string]int) (instruction, error) {
	var args []operand
	name, rest, _ := strings.Cut(line, " ")
	for _, text := range splitOperands(rest) {
		o, err := f.operand(text, places)
		if err != nil {
			return nil, err
		}
		args = append(args, o)
	}
	return operation(name, args)
}

// splitOperands splits at commas. No operand has one inside.
func splitOperands(text string) []string {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func (f *File) operand(text string, places map[string]int) (operand, error) {
	if value, ok := strings.CutPrefix(text, "$"); ok {
		v, err := strconv.ParseInt(value, 0, 64)
		if err != nil { // greater than the greatest signed number
			var u uint64
			u, err = strconv.ParseUint(value, 0, 64)
			v = int64(u)
		}
		return operand{kind: constant, value: v}, err
	}
	if n, ok := registers[text]; ok {
		return operand{kind: general, n: n}, nil
	}
	if m := vectorName.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[2])
		if err != nil || n > 31 || m[1] == "K" && n > 7 {
			return operand{}, fmt.Errorf("there is no register %s", text)
		}
		if m[1] == "K" {
			return operand{kind: mask, n: n}, nil
		}
		return operand{kind: vector, n: n, bytes: map[string]int{"X": 16, "Y": 32, "Z": 64}[m[1]]}, nil
	}
	if m := symbol.FindStringSubmatch(text); m != nil {
		shift, err := strconv.ParseInt(m[3], 10, 64)
		o := operand{kind: memory, base: -1, index: -1, shift: shift, inFrame: m[4] == "FP"}
		if m[4] == "SB" {
			if o.data = f.data[m[1]]; int(shift) >= len(o.data) {
				return o, fmt.Errorf("there is no data at %s", text)
			}
		}
		return o, err
	}
	if m := address.FindStringSubmatch(text); m != nil {
		return addressOf(m)
	}
	if n, ok := places[text]; ok {
		return operand{kind: label, n: n}, nil
	}
	return operand{}, fmt.Errorf("%q is no operand", text)
}

// addressOf returns the operand of shift(base)(index*scale), of which shift and
// the index may be missing.
func addressOf(m []string) (o operand, err error) {
	o = operand{kind: memory, base: -1, index: -1}
	if m[1] != "" {
		if o.shift, err = strconv.ParseInt(m[1], 0, 64); err != nil {
			return o, err
		}
	}
	for i, name := range []string{m[2], m[3]} {
		if name == "" {
			continue
		}
		n, ok := registers[name]
		if !ok {
			return o, fmt.Errorf("there is no register %s", name)
		}
		if i == 0 {
			o.base = n
		} else {
			o.index = n
			if o.scale, err = strconv.ParseInt(m[4], 10, 64); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}
