// Package cpu compiles graphs for the processor: vectorised kernels over one
// arena, planned in advance, so that a run allocates nothing.
//
// Results do not depend on the number of threads: kernels cut their work by
// shape. They do depend on the instruction-set level, within the kernels'
// stated errors.
package cpu

import (
	"fmt"

	"hourglass/engine/backend"
	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/internal/isa"
	"hourglass/internal/kernel/vec"
	"hourglass/internal/par"
)

// Options configure a backend.
type Options struct {
	// Pool is the workers, such as [hourglass/engine.Engine.Pool] returns; nil means a
	// new pool of GOMAXPROCS threads, which nothing closes.
	Pool *par.Pool
	// Level is the instruction set, such as [hourglass/engine.Engine.Level] returns.
	// The zero value is portable Go, which is many times slower.
	Level isa.Level
	// Precision of products. On a processor without tiles (AMX), bfloat16 is
	// emulated, and slower than float32.
	Precision backend.Precision
}

// Backend runs programs on the processor. It and the programs that it
// compiled share one pool, so no two of them may run at once.
type Backend struct {
	pool      *par.Pool
	level     isa.Level
	precision backend.Precision
	vec       *vec.Set
}

// New returns a backend.
func New(o Options) *Backend {
	if o.Pool == nil {
		o.Pool = par.New(0)
	}
	return &Backend{pool: o.Pool, level: o.Level, precision: o.Precision, vec: vec.At(o.Level)}
}

// Name returns "cpu".
func (b *Backend) Name() string { return "cpu" }

// Compile implements [backend.Backend]. It runs the passes of engine/compile
// itself; the graph may or may not have been through them.
func (b *Backend) Compile(g *graph.Graph, store *backend.Store) (backend.Program, error) {
	if divided, ok := compile.Divide(g, rowsAtOnce(g)); ok {
		p, err := b.compile(divided, store)
		if err != nil {
			return nil, err
		}
		return p.repeated(g), nil
	}
	return b.compile(g, store)
}

// compile is Compile for all rows at once.
func (b *Backend) compile(g *graph.Graph, store *backend.Store) (*Program, error) {
	g, err := compile.Optimize(g)
	if err != nil {
		return nil, err
	}
	c := &compiler{Backend: b, g: g, buffers: make(map[*graph.Node]*buffer, len(g.Nodes))}
	if err := c.placeValues(store); err != nil {
		return nil, err
	}
	for _, steps := range [][]step{c.once, c.steps} {
		for i := range steps {
			s := &steps[i]
			if err := c.lower(s); err != nil {
				return nil, fmt.Errorf("cpu: program %s: %v%v: %w", g.Name, s.node.Op(), s.node.Shape(), err)
			}
		}
	}
	return c.finish()
}

// kernel is a lowered operation: what to call, how many float32s of scratch it
// needs while it runs, and what to call once before, if anything, when what is
// fixed has its values.
type kernel struct {
	run     func(scratch []float32)
	scratch int
	prepare func()
	chain   *chain // instead of both: what joinChains makes a kernel of
}

// lower chooses the kernel of a step.
func (c *compiler) lower(s *step) (err error) {
	f, ok := lowerings[s.node.Op()]
	if !ok {
		return fmt.Errorf("no kernel")
	}
	in := make([]*buffer, len(s.node.Inputs()))
	for i, n := range s.node.Inputs() {
		in[i] = c.buffers[n]
	}
	s.kernel, err = c.atPrecision(f, s.node)(c, s.node, c.buffers[s.node], in)
	return err
}

// lowering makes the kernel that computes node n into out from in.
type lowering func(c *compiler, n *graph.Node, out *buffer, in []*buffer) (kernel, error)

// lowerings has an entry for each operation that takes time: leaves but for
// the random ones, and reshapes, are buffers only. Element-wise operations
// arrive as OpFused, batch normalisation as element-wise operations and sums.
var lowerings = map[graph.Op]lowering{
	graph.OpRandomUniform: lowerRandom,
	graph.OpRandomNormal:  lowerRandom,
	graph.OpFused:         lowerFused,
	graph.OpFusedSums:     lowerFusedSums,

	graph.OpReduceSum: lowerReduce,
	graph.OpReduceMax: lowerReduce,
	graph.OpArgMax:    lowerArgMax,

	graph.OpTranspose: lowerTranspose,
	graph.OpBroadcast: lowerBroadcast,
	graph.OpConcat:    lowerConcat,
	graph.OpSlice:     lowerSlice,
	graph.OpPad:       lowerPad,
	graph.OpOneHot:    lowerOneHot,

	graph.OpMatMul:           lowerMatMul,
	graph.OpConv2D:           lowerConv2D,
	graph.OpConv2DGradInput:  lowerConv2DGradInput,
	graph.OpConv2DGradWeight: lowerConv2DGradWeight,

	graph.OpMaxPool:             lowerPool,
	graph.OpMaxPoolGrad:         lowerPool,
	graph.OpAvgPool:             lowerPool,
	graph.OpAvgPoolGrad:         lowerPool,
	graph.OpUpsampleNearest:     lowerResize,
	graph.OpUpsampleNearestGrad: lowerResize,
	graph.OpResizeBilinear:      lowerResize,
	graph.OpResizeBilinearGrad:  lowerResize,

	graph.OpSoftmax:    lowerSoftmax,
	graph.OpLogSoftmax: lowerSoftmax,
	graph.OpMoments:    lowerMoments,
}

// Memory returns the bytes of the program's arena and scratch.
func (p *Program) Memory() int { return 4 * (len(p.arena) + len(p.scratch)) }
