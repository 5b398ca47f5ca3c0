// Package bench measures how fast the engine runs on this machine, beside what
// the machine could do: kernels alone and whole training steps, in milliseconds
// and in the share of the processor's multiply-add peak.
package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/internal/random"
	"hourglass/nn"
	"hourglass/tensor"
)

// Options say what to measure. The zero value measures everything.
type Options struct {
	Workloads []string      // names of [Workloads]; none means all
	Duration  time.Duration // least time for each measurement; 0 means a second
	CopyBytes int           // memory that the bandwidth is measured on; 0 means 256 MiB
	Profile   bool          // time each operation too
	// Begin is called before each measurement with its name; nil is allowed.
	Begin func(name string)
}

// Report is what was measured.
type Report struct {
	Machine Machine  `json:"machine"`
	Results []Result `json:"results"`
}

// Result is the measurement of one program.
type Result struct {
	Workload  string  `json:"workload"`
	MS        float64 `json:"ms"`         // one run, the median
	Gflops    float64 `json:"gflops"`     // operations of the plain algorithm, 10⁹ a second
	PeakShare float64 `json:"peak_share"` // of [Machine].PeakGflops
	Bytes     int64   `json:"bytes"`      // least traffic with memory, see [LeastBytes]
	// BuildMS is the time of tracing, differentiating and compiling, FirstMS that
	// of the first run.
	BuildMS float64 `json:"build_ms"`
	FirstMS float64 `json:"first_ms"`
	// ImagesPerSecond is nil if the input is no batch of images.
	ImagesPerSecond *float64 `json:"images_per_second"`
	AllocsPerStep   float64  `json:"allocs_per_step"`
	// PeakBytes is the memory for intermediate values, without parameters,
	// inputs and outputs.
	PeakBytes int64 `json:"peak_bytes"`
	// Relative is the cost of a pixel (for odd shapes of an operation, for feed
	// of a step) as a multiple of what it is for the result named Beside. Both
	// are left out where nothing is compared.
	Beside   string  `json:"beside,omitempty"`
	Relative float64 `json:"relative,omitempty"`
	// Profile has a line for each operation, if it was asked for.
	Profile []OpTime `json:"profile,omitempty"`
}

const (
	defaultDuration  = time.Second
	defaultCopyBytes = 256 << 20
	seed             = 1
)

// ErrNoProfile says that there is no operation to time.
var ErrNoProfile = errors.New("none of the chosen workloads is a program, whose operations could be timed")

// Run measures the machine and the chosen workloads. It fails with an
// [UnknownError], before it measures, if there is no such workload, with
// [ErrNoProfile] if a profile is asked for of none, and with the context's error
// when that ends.
func Run(ctx context.Context, e *engine.Engine, o Options) (*Report, error) {
	list, err := chosen(o.Workloads)
	if err != nil {
		return nil, err
	}
	if o.Profile && !slices.ContainsFunc(list, func(w workload) bool { return w.cases != nil }) {
		return nil, ErrNoProfile
	}
	if o.Duration == 0 {
		o.Duration = defaultDuration
	}
	if o.CopyBytes == 0 {
		o.CopyBytes = defaultCopyBytes
	}
	begin := func(name string) {
		if o.Begin != nil {
			o.Begin(name)
		}
	}
	begin(Ceilings)
	report := &Report{Machine: measureMachine(ctx, e.Pool(), e.Level(), o.CopyBytes, o.Duration), Results: []Result{}}
	report.Machine.Precision = e.Precision().String()
	costs := make(map[string]float64) // of a unit, by program
	for _, w := range list {
		if w.other != nil {
			begin(w.name)
			results, err := w.other(ctx, e, o)
			if err != nil {
				return nil, fmt.Errorf("workload %s: %w", w.name, err)
			}
			report.Results = append(report.Results, results...)
			continue
		}
		programs, err := w.cases()
		if err != nil {
			return nil, fmt.Errorf("workload %s: %w", w.name, err)
		}
		for _, p := range programs {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			begin(p.name)
			r, least, units, err := p.measure(ctx, e, o)
			if err != nil {
				return nil, fmt.Errorf("workload %s: %w", p.name, err)
			}
			if units > 0 {
				costs[p.name] = least / units
			}
			if before, ok := costs[p.beside]; ok {
				r.Beside, r.Relative = p.beside, costs[p.name]/before
			}
			report.Results = append(report.Results, r)
			// What the machine can do changes while others use it: its best is
			// looked for between the measurements too.
			report.Machine.raise(e.Pool(), e.Level())
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err // what was measured last was cut short
	}
	for i := range report.Results {
		report.Results[i].PeakShare = report.Results[i].Gflops / report.Machine.PeakGflops
	}
	return report, nil
}

// storeOf returns the variables of a program with their first values. Those of
// one that trains nothing are as in a model that is used.
func storeOf(g *graph.Graph, params []nn.Param) (*backend.Store, error) {
	store := backend.NewStore()
	if _, err := store.Bind(g); err != nil {
		return nil, err
	}
	if err := nn.Initialize(params, store, seed); err != nil {
		return nil, err
	}
	if len(g.Updates) == 0 {
		store.Freeze()
	}
	return store, nil
}

// measure builds and compiles a program and times it. For comparisons it
// returns the least milliseconds of a run too, which other processes disturb
// less than the median, and the number of units that its cost is counted by, 0
// if there is none.
func (p program) measure(ctx context.Context, e *engine.Engine, o Options) (r Result, least, units float64, err error) {
	begun := time.Now()
	g, params, err := p.trace()
	if err != nil {
		return Result{}, 0, 0, err
	}
	traced := time.Since(begun)
	store, err := storeOf(g, params)
	if err != nil {
		return Result{}, 0, 0, err
	}
	begun = time.Now()
	compiled, err := e.Compile(g, store)
	if err != nil {
		return Result{}, 0, 0, err
	}
	r = Result{Workload: p.name, BuildMS: (traced + time.Since(begun)).Seconds() * 1e3, Bytes: LeastBytes(g)}
	inputs := fill(g.Inputs())
	begun = time.Now()
	if err := compiled.Run(inputs); err != nil {
		return Result{}, 0, 0, err
	}
	r.FirstMS = time.Since(begun).Seconds() * 1e3
	t := timed(ctx, o.Duration, func() {
		if runErr := compiled.Run(inputs); runErr != nil {
			err = runErr
		}
	})
	if err != nil {
		return Result{}, 0, 0, err
	}
	seconds := median(t.rounds)
	r.MS, r.Gflops, r.AllocsPerStep = seconds*1e3, float64(Flops(g))/1e9/seconds, t.allocs
	if p.images > 0 {
		rate := float64(p.images) / seconds
		r.ImagesPerSecond = &rate
	}
	if s, ok := compiled.(backend.Sizer); ok {
		r.PeakBytes = int64(s.Memory())
	}
	if o.Profile {
		r.Profile, err = profile(ctx, compiled, inputs, o.Duration)
	}
	return r, t.rounds[0] * 1e3, p.unit.count(p, g), err // the median sorted them
}

func (p program) trace() (*graph.Graph, []nn.Param, error) {
	b := graph.NewBuilder(p.name)
	params, err := p.build(b)
	if err != nil {
		return nil, nil, err
	}
	g, err := b.Graph()
	return g, params, err
}

// fill makes an input for each node: numbers in 0–1 for float32, labels for
// int32, and a small learning rate for the one scalar among the former.
func fill(nodes []*graph.Node) []*tensor.Tensor {
	inputs := make([]*tensor.Tensor, len(nodes))
	for i, n := range nodes {
		t := tensor.New(n.DType(), n.Shape()...)
		random.Uniform(t.Float32(), seed, uint64(i), 0)
		if n.DType() == tensor.Float32 && len(n.Shape()) == 0 {
			t.Float32()[0] = 1e-3
		}
		for j := range t.Int32() {
			t.Int32()[j] = int32(j % classes)
		}
		inputs[i] = t
	}
	return inputs
}
