package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/internal/atomicfile"
	"hourglass/internal/bench"
)

func (a *app) bench() *cobra.Command {
	var o bench.Options
	var trace, precision string
	var seconds float64
	var about strings.Builder
	for _, w := range bench.Workloads() {
		fmt.Fprintf(&about, "\n  %-10s %s", w.Name, w.About)
	}
	c := &cobra.Command{
		Use:   "bench [WORKLOAD...]",
		Short: "measure this machine's ceilings, the kernels and whole training steps",
		Long: `Bench measures how fast this machine can multiply and add and how fast it moves
memory, and then each WORKLOAD against that: milliseconds, GFLOP/s of the plain
algorithm, share of the peak, images a second, allocations and memory. Without a
WORKLOAD it measures all:
` + about.String(),
		Example: `  hourglass bench
  hourglass bench fashion --profile --trace fashion.json`,
		Args: cobra.ArbitraryArgs,
	}
	c.Flags().BoolVar(&o.Profile, "profile", false, "time each operation of each workload")
	c.Flags().StringVar(&trace, "trace", "", "file for the profile, which the viewers of Chrome and Perfetto open")
	c.Flags().Float64Var(&seconds, "seconds", 1, "least time for each measurement")
	c.Flags().StringVar(&precision, "precision", "float32", "of products: float32, or bf16, which is fast on processors with AMX and emulated on others")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		if !(seconds > 0 && seconds <= 3600) {
			return usageError{fmt.Errorf("--seconds %v: choose a number above 0, at most 3600", seconds)}
		}
		p, err := engine.ParsePrecision(precision)
		if err != nil {
			return usageError{fmt.Errorf("--precision: %w", err)}
		}
		o.Workloads = args
		o.Duration = time.Duration(seconds * float64(time.Second))
		o.Profile = o.Profile || trace != ""
		if !a.quiet {
			o.Begin = func(name string) { fmt.Fprintf(a.stderr, "measuring %s\n", name) }
		}
		if trace != "" {
			if err := resultFile("trace", trace, inputs{}); err != nil {
				return err
			}
		}
		e, err := a.engineAt(p)
		if err != nil {
			return err
		}
		defer e.Close()
		r, err := bench.Run(c.Context(), e, o)
		if unknown := (*bench.UnknownError)(nil); errors.As(err, &unknown) || errors.Is(err, bench.ErrNoProfile) {
			return usageError{err}
		}
		if err != nil {
			return err
		}
		if trace != "" {
			if err := atomicfile.Write(trace, r.WriteTrace); err != nil {
				return fmt.Errorf("cannot write the trace: %w", err)
			}
		}
		return a.result(r, func(w io.Writer) { benchText(w, r) })
	})
	return c
}

// benchCost says how a result compares with the one that it stands beside.
func benchCost(b bench.Result) string {
	if b.Beside == "" {
		return "-"
	}
	return fmt.Sprintf("%.2f of %s", b.Relative, b.Beside)
}

// benchText writes a report as tables.
func benchText(w io.Writer, r *bench.Report) {
	m := r.Machine
	fmt.Fprintf(w, "%s, %s, %s, %s: peak %.0f GFLOP/s, copying memory %.1f GB/s\n\n",
		oneLine(m.CPU), m.ISA, m.Precision, count(m.Threads, "thread"), m.PeakGflops, m.BandwidthGBs)
	rows := [][]string{{"instructions", "threads", "GFLOP/s"}}
	for _, c := range m.Ceilings {
		rows = append(rows, []string{c.ISA, number(c.Threads), fmt.Sprintf("%.0f", c.Gflops)})
	}
	columns(w, rows)
	if len(r.Results) == 0 {
		return
	}
	fmt.Fprintln(w)
	rows = [][]string{{"workload", "ms", "GFLOP/s", "of the peak", "images/s", "allocations", "MB", "built ms", "first ms", "cost"}}
	for _, b := range r.Results {
		rate := "-"
		if b.ImagesPerSecond != nil {
			rate = fmt.Sprintf("%.0f", *b.ImagesPerSecond)
		}
		rows = append(rows, []string{
			b.Workload, fmt.Sprintf("%.3f", b.MS), fmt.Sprintf("%.1f", b.Gflops), fmt.Sprintf("%.0f%%", 100*b.PeakShare),
			rate, fmt.Sprintf("%.0f", b.AllocsPerStep), fmt.Sprintf("%.1f", float64(b.PeakBytes)/1e6),
			fmt.Sprintf("%.1f", b.BuildMS), fmt.Sprintf("%.3f", b.FirstMS), benchCost(b),
		})
	}
	columns(w, rows)
	for _, b := range r.Results {
		if len(b.Profile) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s\n", b.Workload)
		rows := [][]string{{"operation", "result", "times", "ms", "GFLOP/s"}}
		for _, op := range b.Profile {
			rows = append(rows, []string{op.Op, fmt.Sprint(op.Shape), number(op.Times), fmt.Sprintf("%.4f", op.MS), fmt.Sprintf("%.1f", op.Gflops)})
		}
		columns(w, rows)
	}
}
