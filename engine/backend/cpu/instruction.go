package cpu

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/internal/kernel/vec"
)

// instruction is one call of a vector kernel in a chain. Operands and result
// are numbers of values: the chain's inputs first, then the results.
type instruction struct {
	unary      vec.Unary
	scalar     vec.UnaryScalar
	binary     vec.Binary
	ternary    vec.Ternary
	quaternary func(dst, a, b, c, d []float32)
	senary     func(dst, a, b, c, d, e, f []float32)
	octonary   func(dst, a, b, c, d, e, f, g, h []float32)
	value      float32
	args       [8]int
	dst        int
}

func (in *instruction) run(v [][]float32) {
	dst, a := v[in.dst], &in.args
	switch {
	case in.binary != nil:
		in.binary(dst, v[a[0]], v[a[1]])
	case in.unary != nil:
		in.unary(dst, v[a[0]])
	case in.scalar != nil:
		in.scalar(dst, v[a[0]], in.value)
	case in.ternary != nil:
		in.ternary(dst, v[a[0]], v[a[1]], v[a[2]])
	case in.quaternary != nil:
		in.quaternary(dst, v[a[0]], v[a[1]], v[a[2]], v[a[3]])
	case in.senary != nil:
		in.senary(dst, v[a[0]], v[a[1]], v[a[2]], v[a[3]], v[a[4]], v[a[5]])
	default:
		in.octonary(dst, v[a[0]], v[a[1]], v[a[2]], v[a[3]], v[a[4]], v[a[5]], v[a[6]], v[a[7]])
	}
}

// instructionOf returns the kernel of one operation.
func instructionOf(l link, v *vec.Set) (instruction, error) {
	switch l.pattern {
	case affine:
		return instruction{quaternary: v.Affine}, nil
	case affineRelu:
		return instruction{quaternary: v.AffineRelu}, nil
	case silu:
		return instruction{unary: v.Silu}, nil
	case siluGrad:
		return instruction{binary: v.SiluGrad}, nil
	case mulStep:
		return instruction{binary: v.MulStep}, nil
	case gradAffine:
		return instruction{senary: v.GradAffine}, nil
	case gradAffineRelu:
		return instruction{octonary: v.GradAffineRelu}, nil
	}
	switch l.op {
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
		return instruction{scalar: v.Scale, value: floatOf(l)}, nil
	case graph.OpAddScalar:
		return instruction{scalar: v.AddScalar, value: floatOf(l)}, nil
	case graph.OpLeakyRelu:
		return instruction{scalar: v.LeakyRelu, value: floatOf(l)}, nil
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
	case graph.OpMulAdd:
		return instruction{ternary: v.MulAdd}, nil
	}
	return instruction{}, fmt.Errorf("%v has no vector kernel", l.op)
}

func floatOf(l link) float32 { return float32(l.attrs.(graph.FloatAttrs).Value) }
