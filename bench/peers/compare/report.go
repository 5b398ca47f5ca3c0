package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"hourglass/engine"
	"hourglass/internal/bench"
)

// Both sides agree if the results differ by no more than this part of the
// greatest value, and no parameter's gradient by more than this part of its
// length: where rounding decides which side of zero a rectifier's operand lies
// on, or which value of a window is the greatest, gradients jump. PyTorch's own
// float32 gradients of resnet18 differ from its float64 ones by 0.004.
const (
	outputTolerance   = 1e-3
	gradientTolerance = 2e-2
)

// result is a line of the table.
type result struct {
	Workload    string  `json:"workload"`
	Peer        string  `json:"peer"`
	PeerVersion string  `json:"peer_version"`
	Variant     string  `json:"variant,omitempty"`
	OursMS      float64 `json:"ours_ms"` // the median over rounds
	PeerMS      float64 `json:"peer_ms"`
	Ratio       float64 `json:"ratio"` // ours to the peer's, the median over rounds
	RatioLow    float64 `json:"ratio_low"`
	RatioHigh   float64 `json:"ratio_high"` // quartiles over rounds
	Agree       bool    `json:"agree"`

	OutputError   float64 `json:"output_error"`
	GradientError float64 `json:"gradient_error"`
	OursPeakBytes int64   `json:"ours_peak_bytes"` // of the process
	PeerPeakBytes int64   `json:"peer_peak_bytes"`
	Flops         int64   `json:"flops"`
	Bytes         int64   `json:"bytes"`

	Date       string  `json:"date"`
	Machine    string  `json:"machine"`
	PeakGflops float64 `json:"peak_gflops"` // of the machine, in the run that the line is from
}

// gflops is our speed, and share its part of the peak.
func (r result) gflops() float64 { return float64(r.Flops) / 1e6 / r.OursMS }
func (r result) share() float64  { return r.gflops() / r.PeakGflops }

// summarise takes the milliseconds of both sides, round by round.
func (r *result) summarise(ours, theirs []float64) {
	ratios := make([]float64, len(ours))
	for i := range ratios {
		ratios[i] = ours[i] / theirs[i]
	}
	r.OursMS, r.PeerMS, r.Ratio = quantile(ours, 0.5), quantile(theirs, 0.5), quantile(ratios, 0.5)
	r.RatioLow, r.RatioHigh = quantile(ratios, 0.25), quantile(ratios, 0.75)
}

// quantile interpolates between the sorted values.
func quantile(values []float64, q float64) float64 {
	v := slices.Sorted(slices.Values(values))
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

func (r result) String() string {
	verdict := "agree"
	if !r.Agree {
		verdict = "DISAGREE"
	}
	return fmt.Sprintf("%.3f ms to %.3f ms, %.2f (%.2f–%.2f), %s to %.1e and %.1e", r.OursMS, r.PeerMS,
		r.Ratio, r.RatioLow, r.RatioHigh, verdict, r.OutputError, r.GradientError)
}

// report is all that was measured.
type report struct {
	Date    string
	Threads int
	Rounds  int
	Machine bench.Machine
	Results []result
	Others  []result // lines of other machines, which have tables of their own
}

// machine says what the figures hold for.
func (r *report) machine() string {
	return fmt.Sprintf("%s, %s, %d threads", strings.Join(strings.Fields(r.Machine.CPU), " "), r.Machine.ISA, r.Threads)
}

// sign notes in each line when and where it was measured.
func (r *report) sign() {
	for i := range r.Results {
		x := &r.Results[i]
		x.Date, x.Machine, x.PeakGflops = r.Date, r.machine(), r.Machine.PeakGflops
	}
}

// join keeps older lines: those of other machines, and of this one, if only some
// of the workloads or peers were measured, those that are not measured anew.
func (r *report) join(older []result, some bool) {
	lines := r.Results
	if some {
		lines = nil
		for _, x := range older {
			if x.Machine == r.machine() {
				lines = append(lines, x)
			}
		}
		for _, x := range r.Results {
			same := func(y result) bool { return y.Workload == x.Workload && y.Peer == x.Peer }
			if i := slices.IndexFunc(lines, same); i >= 0 {
				lines[i] = x
			} else {
				lines = append(lines, x)
			}
		}
	}
	r.Others = nil
	for _, x := range older {
		if x.Machine != r.machine() {
			r.Others = append(r.Others, x)
		}
	}
	r.Results = lines
}

// measureMachine measures the ceilings and keeps the higher ones.
func (r *report) measureMachine(threads int) error {
	e, err := engine.New(engine.Options{Threads: threads})
	if err != nil {
		return err
	}
	defer e.Close()
	b, err := bench.Run(context.Background(), e, bench.Options{Workloads: []string{bench.Ceilings}})
	if err != nil {
		return err
	}
	peak, bandwidth := max(r.Machine.PeakGflops, b.Machine.PeakGflops), max(r.Machine.BandwidthGBs, b.Machine.BandwidthGBs)
	r.Machine = b.Machine
	r.Machine.PeakGflops, r.Machine.BandwidthGBs = peak, bandwidth
	return nil
}

// print writes the table as Markdown.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "Made by `bench/peers/run`: %s on both sides, medians of %d rounds in turn; peak %.0f GFLOP/s, copying memory %.1f GB/s in the last run, and each line's share is of the peak in its own. "+
		"A ratio below 1 means that Hourglass is faster; in brackets its quartiles. Both sides compute the same from the same weights and images: "+
		"results differ by at most %g of the greatest value and gradients by at most %g of their length, or the line says so. Of PyTorch's forms (eager or compiled, channels first or last) the fastest counts. "+
		"Memory is the peak of the whole process.\n\n",
		r.machine(), r.Rounds, r.Machine.PeakGflops, r.Machine.BandwidthGBs, outputTolerance, gradientTolerance)
	printLines(w, r.Results)
}

// printOthers writes the tables of other machines.
func (r *report) printOthers(w io.Writer) {
	for rest := r.Others; len(rest) > 0; {
		machine := rest[0].Machine
		var lines, others []result
		for _, x := range rest {
			if x.Machine == machine {
				lines = append(lines, x)
			} else {
				others = append(others, x)
			}
		}
		fmt.Fprintf(w, "\n### On another machine\n\nMeasured in the same way on: %s on both sides.\n\n", machine)
		printLines(w, lines)
		rest = others
	}
}

func printLines(w io.Writer, lines []result) {
	fmt.Fprintln(w, "| workload | peer | ours | peer's | ratio | GFLOP/s | of the peak | memory, ours | peer's | day | |")
	fmt.Fprintln(w, "|-|-|-|-|-|-|-|-|-|-|-|")
	for _, x := range lines {
		form := strings.TrimSpace(x.Peer + " " + x.PeerVersion)
		if x.Variant != "" {
			form += ", " + x.Variant
		}
		verdict := ""
		if !x.Agree {
			verdict = fmt.Sprintf("differ: %.1e, %.1e", x.OutputError, x.GradientError)
		}
		fmt.Fprintf(w, "| %s | %s | %.3g ms | %.3g ms | %.2f (%.2f–%.2f) | %.0f | %.0f %% | %d MB | %d MB | %s | %s |\n", x.Workload, form,
			x.OursMS, x.PeerMS, x.Ratio, x.RatioLow, x.RatioHigh, x.gflops(), 100*x.share(),
			x.OursPeakBytes/1e6, x.PeerPeakBytes/1e6, x.Date, verdict)
	}
}

// The part of docs/performance.md that is the table's.
const (
	document = "docs/performance.md"
	figures  = "bench/peers/results.json"
	begin    = "<!-- bench/peers/run writes from here -->\n"
	end      = "<!-- to here -->\n"
)

// write writes tables, plot and figures. Lines of other machines stay, and if only
// some of the workloads or peers were measured, so do the others of this one.
func (r *report) write(some bool) error {
	if len(r.Results) == 0 {
		return errors.New("nothing was compared, so nothing is written")
	}
	old, err := os.ReadFile(figures)
	if err != nil {
		return err
	}
	var older []result
	if err := json.Unmarshal(old, &older); err != nil {
		return fmt.Errorf("%s: %w", figures, err)
	}
	r.join(older, some)
	data, err := encode(slices.Concat(r.Results, r.Others))
	if err != nil {
		return err
	}
	if err := os.WriteFile(figures, data, 0o644); err != nil {
		return err
	}
	plot, err := r.roofline()
	if err != nil {
		return err
	}
	if err := os.WriteFile("docs/roofline.svg", plot, 0o644); err != nil {
		return err
	}
	if old, err = os.ReadFile(document); err != nil {
		return err
	}
	var table strings.Builder
	r.print(&table)
	table.WriteString("\n![Speed of each workload against what it computes for each byte](roofline.svg)\n")
	r.printOthers(&table)
	text, err := replaced(string(old), table.String())
	if err != nil {
		return err
	}
	return os.WriteFile(document, []byte(text), 0o644)
}

// replaced puts text between the marks of the document.
func replaced(document, text string) (string, error) {
	before, rest, ok := strings.Cut(document, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("the document lacks the lines %q and %q", begin, end)
	}
	return before + begin + text + end + after, nil
}
