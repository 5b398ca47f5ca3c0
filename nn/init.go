package nn

import (
	"cmp"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"

	"hourglass/engine/backend"
	"hourglass/internal/random"
	"hourglass/tensor"
)

// InitKind names a way to choose the first values of weights.
type InitKind string

const (
	// InitDefault is uniform within ±1/sqrt(fan-in), for weights and biases:
	// what PyTorch gives dense and convolution layers.
	InitDefault InitKind = ""
	// InitZeros, InitOnes and InitConstant give every element one value.
	InitZeros    InitKind = "zeros"
	InitOnes     InitKind = "ones"
	InitConstant InitKind = "constant"
	// InitHeNormal and InitHeUniform have the variance 2/fan-in, fit for
	// rectifiers (He et al. 2015, section 2.2).
	InitHeNormal  InitKind = "he_normal"
	InitHeUniform InitKind = "he_uniform"
	// InitGlorotNormal and InitGlorotUniform have the variance
	// 2/(fan-in+fan-out) (Glorot & Bengio 2010, section 4.2.1).
	InitGlorotNormal  InitKind = "glorot_normal"
	InitGlorotUniform InitKind = "glorot_uniform"
	// InitOrthogonal makes the weights, as a matrix of all axes but the last
	// by the last, a slice of a random rotation (Saxe et al. 2014).
	InitOrthogonal InitKind = "orthogonal"
	// InitDirac makes each of the first outputs of a convolution in one group,
	// as many as there are inputs, a copy of an input (Zagoruyko & Komodakis 2017,
	// DiracNets); the rest are InitDefault.
	InitDirac InitKind = "dirac"

	// initDiagonal is [GDN]'s: the root of Value on a square matrix's diagonal
	// and almost nothing elsewhere.
	initDiagonal InitKind = "diagonal"
)

// Init says how a variable starts.
type Init struct {
	Kind InitKind
	// Value is the value of InitConstant. For the random kinds it is a factor
	// on the result, where 0 means 1.
	Value float64
	// FanIn and FanOut are the numbers of values that one output reads and
	// that one input feeds. Left 0, they follow from the shape: the last axis
	// is that of outputs, the one before it that of inputs, the rest is the
	// kernel.
	FanIn, FanOut int
}

// biasInit returns how the bias starts beside weights of the given kind.
func biasInit(weights InitKind, fanIn int) Init {
	if weights == InitDefault {
		return Init{FanIn: fanIn}
	}
	return Init{Kind: InitZeros}
}

// Initialize gives each parameter its first value in the store. The value is
// a function of the seed and the parameter's name and shape alone: adding a
// layer does not change the others.
func Initialize(params []Param, store *backend.Store, seed uint64) error {
	for _, p := range params {
		v, err := store.Variable(p.Name, p.Node.DType(), p.Node.Shape())
		if err != nil {
			return err
		}
		if err := p.Init.fill(v.Float32(), v.Shape(), seed, stream("init", p.Name)); err != nil {
			return fmt.Errorf("nn: parameter %s: %w", p.Name, err)
		}
	}
	return nil
}

// fill writes the first values of a variable.
func (i Init) fill(dst []float32, shape tensor.Shape, seed, stream uint64) error {
	gain := cmp.Or(i.Value, 1)
	switch i.Kind {
	case InitZeros:
		clear(dst)
		return nil
	case InitOnes:
		fillWith(dst, 1)
		return nil
	case InitConstant:
		fillWith(dst, float32(i.Value))
		return nil
	case initDiagonal:
		return diagonal(dst, shape, i.Value)
	case InitOrthogonal:
		return orthogonal(dst, shape, gain, seed, stream)
	case InitDirac:
		i.Kind = InitDefault
		if err := i.fill(dst, shape, seed, stream); err != nil {
			return err
		}
		return dirac(dst, shape, gain)
	}
	fanIn, fanOut, err := i.fans(shape)
	if err != nil {
		return err
	}
	var std float64
	normal := false
	switch i.Kind {
	case InitDefault:
		std = math.Sqrt(1 / (3 * fanIn))
	case InitHeNormal, InitHeUniform:
		std, normal = math.Sqrt(2/fanIn), i.Kind == InitHeNormal
	case InitGlorotNormal, InitGlorotUniform:
		std, normal = math.Sqrt(2/(fanIn+fanOut)), i.Kind == InitGlorotNormal
	default:
		return fmt.Errorf("unknown initialiser %q", i.Kind)
	}
	if normal {
		random.Normal(dst, seed, stream, 0)
		for j, v := range dst {
			dst[j] = float32(gain * std * float64(v))
		}
		return nil
	}
	bound := gain * std * math.Sqrt(3)
	random.Uniform(dst, seed, stream, 0)
	for j, v := range dst {
		dst[j] = float32(bound * (2*float64(v) - 1))
	}
	return nil
}

func (i Init) fans(shape tensor.Shape) (in, out float64, err error) {
	fanIn, fanOut := i.FanIn, i.FanOut
	if n := shape.Rank(); n >= 2 {
		kernel := shape[:n-2].Elements()
		if fanIn == 0 {
			fanIn = kernel * shape[n-2]
		}
		if fanOut == 0 {
			fanOut = kernel * shape[n-1]
		}
	}
	if fanIn < 1 {
		return 0, 0, fmt.Errorf("initialiser %q needs a fan-in for shape %v", i.Kind, shape)
	}
	return float64(fanIn), float64(fanOut), nil
}

func fillWith(dst []float32, v float32) {
	for i := range dst {
		dst[i] = v
	}
}

// diagonal fills a square matrix with what [GDN] starts from.
func diagonal(dst []float32, shape tensor.Shape, value float64) error {
	if shape.Rank() != 2 || shape[0] != shape[1] {
		return fmt.Errorf("a diagonal needs a square matrix, not shape %v", shape)
	}
	fillWith(dst, gdnSmallRoot)
	for j := 0; j < len(dst); j += shape[1] + 1 {
		dst[j] = float32(math.Sqrt(value))
	}
	return nil
}

// dirac makes the first outputs of kernels [KH,KW,In,Out] copies of the inputs.
func dirac(dst []float32, shape tensor.Shape, gain float64) error {
	if shape.Rank() != 4 {
		return fmt.Errorf("dirac kernels have four axes, not shape %v", shape)
	}
	kh, kw, in, out := shape[0], shape[1], shape[2], shape[3]
	middle := (kh/2*kw + kw/2) * in * out
	for o := range min(in, out) {
		for at := o; at < len(dst); at += out {
			dst[at] = 0
		}
		dst[middle+o*out+o] = float32(gain)
	}
	return nil
}

// maxOrthogonal bounds the work of an orthogonal matrix, the product of its
// longer side and the square of its shorter one.
const maxOrthogonal = 1 << 37

// orthogonal fills a matrix with orthonormal rows or columns, whichever are
// fewer: the Q factor of a matrix of normal numbers, with the signs of R's
// diagonal moved into it so that all rotations are equally likely.
func orthogonal(dst []float32, shape tensor.Shape, gain float64, seed, stream uint64) error {
	if shape.Rank() < 2 {
		return fmt.Errorf("an orthogonal matrix needs two axes, not shape %v", shape)
	}
	cols := shape[shape.Rank()-1]
	rows := shape.Elements() / cols
	tall, thin := max(rows, cols), min(rows, cols)
	if thin > maxOrthogonal/tall/thin {
		return fmt.Errorf("an orthogonal matrix of %d by %d takes too long; use another initialiser", rows, cols)
	}
	random.Normal(dst, seed, stream, 0)
	q := blas64.General{Rows: tall, Cols: thin, Stride: thin, Data: make([]float64, len(dst))}
	for i, v := range dst {
		q.Data[i] = float64(v)
	}
	tau := make([]float64, thin)
	size := make([]float64, 1)
	lapack64.Geqrf(q, tau, size, -1)
	work := make([]float64, max(int(size[0]), 1))
	lapack64.Geqrf(q, tau, work, len(work))
	sign := make([]float64, thin)
	for j := range sign {
		sign[j] = math.Copysign(gain, q.Data[j*thin+j])
	}
	// Only the first columns of Q are formed: all of them would take the
	// square of the longer side.
	lapack64.Orgqr(q, tau, size, -1)
	work = make([]float64, max(int(size[0]), 1))
	lapack64.Orgqr(q, tau, work, len(work))
	for i := range tall {
		for j := range thin {
			v := float32(sign[j] * q.Data[i*thin+j])
			if rows >= cols {
				dst[i*cols+j] = v
			} else {
				dst[j*cols+i] = v
			}
		}
	}
	return nil
}
