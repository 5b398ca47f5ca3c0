// Package engine compiles programs once and runs them many times. It is the
// door of the machine storey: it picks the backend, and what is above it
// builds graphs and names no device.
package engine

import (
	"fmt"
	"os"

	"hourglass/engine/backend"
	"hourglass/engine/backend/cpu"
	"hourglass/engine/graph"
	"hourglass/internal/isa"
	"hourglass/internal/par"
	"hourglass/tensor"
)

// Options configure an engine. The zero value uses every processor that Go
// may use and the best instructions it has.
type Options struct {
	Threads int    // 0 means GOMAXPROCS
	ISA     string // avx512, avx2 or generic; "" means $HOURGLASS_ISA, else the best
	// Precision of products. BF16 is much faster than float32 on processors that
	// multiply tiles of it (AMX, on Linux). On others it is emulated, and slower:
	// it shows what training in bfloat16 does to a network.
	Precision Precision
}

// Precision is how exactly products are computed; see [backend.Precision].
type Precision = backend.Precision

// The precisions of an engine. The zero value is Float32.
const (
	Float32 = backend.Float32
	BF16    = backend.BF16
)

// ParsePrecision returns the precision of a name, float32 or bf16; "" is
// float32.
func ParsePrecision(name string) (Precision, error) { return backend.ParsePrecision(name) }

// Engine owns a backend and its workers. Programs of one engine, and of those that
// At returns, must not run at the same time: a run that finds another at work
// panics. To run several at once give each goroutine an engine of its own, with one
// thread for instance, and functions made on it; they may share a store of
// variables that is frozen.
type Engine struct {
	backend   backend.Backend
	pool      *par.Pool
	level     isa.Level
	precision Precision
}

// maxThreads bounds the workers, each of which has scratch memory in every
// program.
const maxThreads = 1024

// New returns an engine. It fails if the instruction set asked for is unknown
// or missing, the precision is unknown, or there are to be fewer than 0 or more than
// 1,024 threads.
func New(o Options) (*Engine, error) {
	if o.Threads < 0 || o.Threads > maxThreads {
		return nil, fmt.Errorf("engine: %d threads; choose 1 to %d, or 0 for all processors", o.Threads, maxThreads)
	}
	if o.Precision != Float32 && o.Precision != BF16 {
		return nil, fmt.Errorf("engine: there is no precision %d: choose Float32 or BF16", o.Precision)
	}
	if o.ISA == "" {
		o.ISA = os.Getenv(isa.EnvVar)
	}
	level, err := isa.Select(o.ISA)
	if err != nil {
		return nil, err
	}
	pool := par.New(o.Threads)
	return &Engine{cpu.New(cpu.Options{Pool: pool, Level: level, Precision: o.Precision}), pool, level, o.Precision}, nil
}

// Close stops the workers. The engine must not be used afterwards.
func (e *Engine) Close() { e.pool.Close() }

// Pool returns the workers, for computations outside of programs and while none runs.
func (e *Engine) Pool() *par.Pool { return e.pool }

// Level returns the instruction-set level in use.
func (e *Engine) Level() isa.Level { return e.level }

// Instructions names what bits depend on beside inputs and seed, at a precision: the
// level, and at BF16 whether tiles multiply ("+amx").
func (e *Engine) Instructions(p Precision) string {
	name := e.level.String()
	if p == BF16 && cpu.Tiles(e.level) {
		name += "+amx"
	}
	return name
}

// Precision returns how exactly products are computed.
func (e *Engine) Precision() Precision { return e.precision }

// At returns an engine of another precision on the same workers, which Close
// of e stops. Programs of the two must not run at the same time.
func (e *Engine) At(p Precision) *Engine {
	if p == e.precision {
		return e
	}
	return &Engine{cpu.New(cpu.Options{Pool: e.pool, Level: e.level, Precision: p}), e.pool, e.level, p}
}

// Compile prepares a graph on a store of variables. A run takes all inputs that the
// graph declares, in their order. Variables that the store lacks are made, of zeros:
// nn.Initialize or model.File.Fill gives them values.
func (e *Engine) Compile(g *graph.Graph, store *backend.Store) (backend.Program, error) {
	return e.backend.Compile(g, store)
}

// Function is a computation traced and compiled once for each batch size that
// it is run with. It serves one goroutine at a time.
type Function struct {
	engine   *Engine
	store    *backend.Store
	trace    func(b *graph.Builder, batch int)
	name     string
	programs map[int]backend.Program
}

// NewFunction returns a function of the given name. trace declares inputs and
// outputs for a batch size. Variables are those of the store, as in Compile.
func (e *Engine) NewFunction(name string, store *backend.Store, trace func(b *graph.Builder, batch int)) *Function {
	return &Function{engine: e, store: store, trace: trace, name: name, programs: make(map[int]backend.Program)}
}

// Program returns the program for a batch size, compiled at first use.
func (f *Function) Program(batch int) (backend.Program, error) {
	if p, ok := f.programs[batch]; ok {
		return p, nil
	}
	b := graph.NewBuilder(fmt.Sprintf("%s@%d", f.name, batch))
	f.trace(b, batch)
	g, err := b.Graph()
	if err != nil {
		return nil, err
	}
	p, err := f.engine.Compile(g, f.store)
	if err != nil {
		return nil, err
	}
	f.programs[batch] = p
	return p, nil
}

// Run runs the program for a batch size and returns its outputs, which are
// valid until the next run with that size.
func (f *Function) Run(batch int, inputs ...*tensor.Tensor) (backend.Program, error) {
	p, err := f.Program(batch)
	if err != nil {
		return nil, err
	}
	return p, p.Run(inputs)
}
