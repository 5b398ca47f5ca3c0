package cpu

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
	"hourglass/tensor"
)

const (
	// tileSize is how many elements a chain carries through all its
	// instructions at a time: 8 KiB a value, so that a handful of values stay
	// in the first-level cache.
	tileSize = 2048
	// partSize is how many elements are one part of parallel work.
	partSize = 16384
)

// instruction is one call of a vector kernel in a chain. Operands and result
// are numbers of values: the chain's inputs first, then the results.
type instruction struct {
	unary   vec.Unary
	scalar  vec.UnaryScalar
	binary  vec.Binary
	ternary vec.Ternary
	value   float32
	args    [3]int
	dst     int
}

func (in *instruction) run(v [][]float32) {
	dst := v[in.dst]
	switch {
	case in.binary != nil:
		in.binary(dst, v[in.args[0]], v[in.args[1]])
	case in.unary != nil:
		in.unary(dst, v[in.args[0]])
	case in.scalar != nil:
		in.scalar(dst, v[in.args[0]], in.value)
	default:
		in.ternary(dst, v[in.args[0]], v[in.args[1]], v[in.args[2]])
	}
}

// chain runs a fused sequence of element-wise instructions tile by tile.
type chain struct {
	out      *buffer
	operands []operand
	code     []instruction
	slotOf   []int // scratch tile of each instruction's result, -1 for the last
	slots    int   // scratch tiles per worker
	size     int   // elements of the result
	tile     int   // elements a tile
	perPart  int   // tiles a part
	vec      *vec.Set
	pool     *par.Pool

	scratch []float32
	values  [][][]float32 // per worker: the tiles of inputs and results
	work    func(worker, part int)
}

func lowerFused(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error) {
	body := n.Attrs().(graph.FusedAttrs).Body
	ch := &chain{out: out, size: out.size, vec: c.vec, pool: c.pool}
	ch.tile = tileLength(n)
	ch.perPart = max(1, partSize/ch.tile)
	for i, b := range in {
		op := newOperand(b, n.Input(i).Shape(), n.Shape(), ch.tile)
		if op.mode != direct {
			op.slot = ch.slots
			ch.slots++
		}
		ch.operands = append(ch.operands, op)
	}
	if err := ch.assemble(body); err != nil {
		return kernel{}, err
	}
	ch.values = make([][][]float32, c.pool.Threads())
	for w := range ch.values {
		ch.values[w] = make([][]float32, len(in)+len(body))
	}
	ch.work = ch.part
	tiles := (ch.size + ch.tile - 1) / ch.tile
	parts := (tiles + ch.perPart - 1) / ch.perPart
	run := func(scratch []float32) {
		ch.scratch = scratch
		ch.pool.Run(parts, ch.work)
	}
	return kernel{run, ch.slots * ch.tile * c.pool.Threads()}, nil
}

// tileLength returns a multiple of the longest period with which an operand
// repeats, if that fits a tile: its repetition then looks the same in every
// tile.
func tileLength(n *graph.Node) int {
	period := 1
	for _, in := range n.Inputs() {
		if p, ok := periodOf(in.Shape(), n.Shape()); ok && p <= tileSize {
			period = max(period, p)
		}
	}
	return tileSize / period * period
}

// assemble chooses kernels and scratch tiles. A result may take the tile of
// an operand that is read for the last time.
func (ch *chain) assemble(body []graph.Instruction) error {
	inputs := len(ch.operands)
	last := make([]int, inputs+len(body))
	for i, in := range body {
		for _, a := range in.Args {
			last[a] = i
		}
	}
	var free []int
	ch.slotOf = make([]int, len(body))
	for i, in := range body {
		code, err := ch.instruction(in)
		if err != nil {
			return err
		}
		copy(code.args[:], in.Args)
		code.dst = inputs + i
		ch.code = append(ch.code, code)
		for j, a := range in.Args {
			if a >= inputs && last[a] == i && !seenBefore(in.Args[:j], a) {
				free = append(free, ch.slotOf[a-inputs])
			}
		}
		switch {
		case i == len(body)-1:
			ch.slotOf[i] = -1
		case len(free) > 0:
			ch.slotOf[i] = free[len(free)-1]
			free = free[:len(free)-1]
		default:
			ch.slotOf[i] = ch.slots
			ch.slots++
		}
	}
	return nil
}

func seenBefore(args []int, a int) bool {
	for _, b := range args {
		if a == b {
			return true
		}
	}
	return false
}

// instruction returns the kernel of one operation.
func (ch *chain) instruction(in graph.Instruction) (instruction, error) {
	v := ch.vec
	switch in.Op {
	case graph.OpNeg:
		return instruction{unary: v.Neg}, nil
	case graph.OpAbs:
		return instruction{unary: v.Abs}, nil
	case graph.OpExp:
		return instruction{unary: v.Exp}, nil
	case graph.OpExpm1:
		return instruction{unary: v.Expm1}, nil
	case graph.OpLog:
		return instruction{unary: v.Log}, nil
	case graph.OpLog1p:
		return instruction{unary: v.Log1p}, nil
	case graph.OpSqrt:
		return instruction{unary: v.Sqrt}, nil
	case graph.OpRsqrt:
		return instruction{unary: v.Rsqrt}, nil
	case graph.OpReciprocal:
		return instruction{unary: v.Reciprocal}, nil
	case graph.OpSquare:
		return instruction{unary: v.Square}, nil
	case graph.OpSigmoid:
		return instruction{unary: v.Sigmoid}, nil
	case graph.OpTanh:
		return instruction{unary: v.Tanh}, nil
	case graph.OpErf:
		return instruction{unary: v.Erf}, nil
	case graph.OpRelu:
		return instruction{unary: v.Relu}, nil
	case graph.OpRelu6:
		return instruction{unary: v.Relu6}, nil
	case graph.OpSign:
		return instruction{unary: v.Sign}, nil
	case graph.OpStep:
		return instruction{unary: v.Step}, nil
	case graph.OpFloor:
		return instruction{unary: v.Floor}, nil
	case graph.OpCast: // operands arrive as floats
		return instruction{unary: v.Copy}, nil
	case graph.OpScale:
		return instruction{scalar: v.Scale, value: floatOf(in)}, nil
	case graph.OpAddScalar:
		return instruction{scalar: v.AddScalar, value: floatOf(in)}, nil
	case graph.OpLeakyRelu:
		return instruction{scalar: v.LeakyRelu, value: floatOf(in)}, nil
	case graph.OpAdd:
		return instruction{binary: v.Add}, nil
	case graph.OpSub:
		return instruction{binary: v.Sub}, nil
	case graph.OpMul:
		return instruction{binary: v.Mul}, nil
	case graph.OpDiv:
		return instruction{binary: v.Div}, nil
	case graph.OpMax:
		return instruction{binary: v.Max}, nil
	case graph.OpMin:
		return instruction{binary: v.Min}, nil
	case graph.OpPow:
		return instruction{binary: v.Pow}, nil
	case graph.OpGreater:
		return instruction{binary: v.Greater}, nil
	case graph.OpGreaterEqual:
		return instruction{binary: v.GreaterEqual}, nil
	case graph.OpEqual:
		return instruction{binary: v.Equal}, nil
	case graph.OpSelect:
		return instruction{ternary: v.Select}, nil
	}
	return instruction{}, fmt.Errorf("%v has no vector kernel", in.Op)
}

func floatOf(in graph.Instruction) float32 { return float32(in.Attrs.(graph.FloatAttrs).Value) }

// part runs the tiles of one part.
func (ch *chain) part(worker, part int) {
	values := ch.values[worker]
	scratch := ch.scratch[worker*ch.slots*ch.tile:]
	begin := part * ch.perPart * ch.tile
	end := min(begin+ch.perPart*ch.tile, ch.size)
	for at := begin; at < end; at += ch.tile {
		n := min(ch.tile, end-at)
		for i := range ch.operands {
			op := &ch.operands[i]
			if op.mode == direct {
				values[i] = op.buf.f32[at : at+n]
				continue
			}
			tile := scratch[op.slot*ch.tile:][:n]
			// What looks the same in every tile is filled once a part; the
			// first tile is the longest.
			if op.mode != steady || at == begin {
				op.fill(tile, at, ch.vec)
			}
			values[i] = tile
		}
		inputs := len(ch.operands)
		for i := range ch.code {
			if slot := ch.slotOf[i]; slot >= 0 {
				values[inputs+i] = scratch[slot*ch.tile:][:n]
			} else {
				values[inputs+i] = ch.out.f32[at : at+n]
			}
			ch.code[i].run(values)
		}
	}
}

// mode says how an operand's elements reach a tile.
type mode uint8

const (
	direct   mode = iota // a slice of its buffer
	steady               // repeated, the same in every tile
	periodic             // repeated with a period that tiles do not divide
	strided              // repeated along inner axes
	convert              // integers
)

// operand is an input of a chain.
type operand struct {
	buf    *buffer
	mode   mode
	slot   int
	period int
	shape  []int // strided: the result's axes, merged
	stride []int // elements of the operand along them, 0 where it repeats
}

func newOperand(b *buffer, shape, result tensor.Shape, tile int) operand {
	op := operand{buf: b, period: b.size}
	period, isPeriodic := periodOf(shape, result)
	switch {
	case b.dtype != tensor.Float32 && b.size == result.Elements():
		op.mode = convert
	case b.dtype == tensor.Float32 && b.size == result.Elements():
		op.mode = direct
	case isPeriodic && tile%period == 0:
		op.mode = steady
	case isPeriodic:
		op.mode = periodic
	default:
		op.mode = strided
		op.shape, op.stride = mergedStrides(shape, result)
	}
	return op
}

// periodOf returns the number of elements of an operand that repeats whole,
// such as a bias over channels.
func periodOf(shape, result tensor.Shape) (int, bool) {
	for len(shape) > 0 && shape[0] == 1 {
		shape = shape[1:]
	}
	if !shape.Equal(result[len(result)-len(shape):]) {
		return 0, false
	}
	return shape.Elements(), true
}

// mergedStrides aligns an operand with the result and joins axes that can be
// walked as one.
func mergedStrides(shape, result tensor.Shape) (axes, strides []int) {
	own := shape.Strides()
	lead := len(result) - len(shape)
	for i, n := range result {
		stride := 0
		if i >= lead && shape[i-lead] > 1 {
			stride = own[i-lead]
		}
		if n == 1 {
			continue
		}
		if k := len(axes) - 1; k >= 0 && strides[k] == stride*n {
			axes[k] *= n
			strides[k] = stride
			continue
		}
		axes = append(axes, n)
		strides = append(strides, stride)
	}
	return axes, strides
}

// fill writes the operand's elements for result elements [at, at+len(tile)).
func (op *operand) fill(tile []float32, at int, v *vec.Set) {
	switch {
	case op.buf.dtype != tensor.Float32:
		op.fillConverted(tile, at, v)
	case op.mode == strided:
		op.fillStrided(tile, at, v)
	case op.period == 1:
		v.Fill(tile, op.buf.f32[0])
	default:
		for i := 0; i < len(tile); {
			from := (at + i) % op.period
			i += copy(tile[i:], op.buf.f32[from:])
		}
	}
}

func (op *operand) fillConverted(tile []float32, at int, v *vec.Set) {
	if op.mode == convert {
		if op.buf.dtype == tensor.Uint8 {
			v.FromUint8(tile, op.buf.u8[at:at+len(tile)])
		} else {
			v.FromInt32(tile, op.buf.i32[at:at+len(tile)])
		}
		return
	}
	for i := range tile {
		from := op.source(at + i)
		if op.buf.dtype == tensor.Uint8 {
			tile[i] = float32(op.buf.u8[from])
		} else {
			tile[i] = float32(op.buf.i32[from])
		}
	}
}

// source returns the operand's element for element i of the result.
func (op *operand) source(i int) int {
	if op.mode != strided {
		return i % op.period
	}
	from := 0
	for k := len(op.shape) - 1; k >= 0; k-- {
		from += i % op.shape[k] * op.stride[k]
		i /= op.shape[k]
	}
	return from
}

// fillStrided walks runs along the innermost merged axis, along which the
// operand either repeats one element or is contiguous.
func (op *operand) fillStrided(tile []float32, at int, v *vec.Set) {
	inner := op.shape[len(op.shape)-1]
	repeats := op.stride[len(op.stride)-1] == 0
	for i := 0; i < len(tile); {
		run := min(inner-(at+i)%inner, len(tile)-i)
		from := op.source(at + i)
		if repeats {
			if run == 1 {
				tile[i] = op.buf.f32[from]
			} else {
				v.Fill(tile[i:i+run], op.buf.f32[from])
			}
		} else {
			copy(tile[i:i+run], op.buf.f32[from:])
		}
		i += run
	}
}
