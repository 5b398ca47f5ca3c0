// Command compare runs what hourglass bench measures and the same computation
// by its peers, in turn, and says how they compare. bench/peers/run installs
// the peers and calls it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"hourglass/internal/bench"
)

// options are the command line.
type options struct {
	python, gomlx string
	peers         string
	rounds        int
	seconds       float64
	threads       int
	quick         bool
	write         bool
	serve         bool
	workloads     []string
}

func main() {
	var o options
	flag.StringVar(&o.python, "python", "python3", "Python that has the peers")
	flag.StringVar(&o.gomlx, "gomlx", "", "program of bench/peers/gomlx")
	flag.StringVar(&o.peers, "peers", "", "names of peers, separated by commas; none means all")
	flag.IntVar(&o.rounds, "rounds", 9, "rounds of each comparison")
	flag.Float64Var(&o.seconds, "seconds", 0.3, "least time of each side in a round")
	flag.IntVar(&o.threads, "threads", min(2, runtime.GOMAXPROCS(0)), "threads of each side")
	flag.BoolVar(&o.quick, "quick", false, "one short round and PyTorch's eager form only: to see that the sides agree")
	flag.BoolVar(&o.write, "write", false, "write docs/performance.md, docs/roofline.svg and bench/peers/results.json; of what is not measured, the lines there stay")
	flag.BoolVar(&o.serve, "serve", false, "be our side: answer commands on standard input")
	flag.Parse()
	o.workloads = flag.Args()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// defaults are the workloads that are compared if none is named: smooth and
// feed compare us with ourselves.
func defaults() []string {
	var names []string
	for _, w := range bench.Workloads() {
		if !slices.Contains([]string{bench.Ceilings, "smooth", "feed"}, w.Name) {
			names = append(names, w.Name)
		}
	}
	return names
}

func (o options) run() error {
	if o.serve {
		return serve(os.Stdin, os.Stdout, o.threads)
	}
	if o.rounds < 1 || o.threads < 1 || !(o.seconds > 0) {
		return fmt.Errorf("--rounds %d, --threads %d and --seconds %v must be positive", o.rounds, o.threads, o.seconds)
	}
	if o.quick {
		o.rounds, o.seconds = 1, 0.01
	}
	some := len(o.workloads) > 0 || o.peers != ""
	if len(o.workloads) == 0 {
		o.workloads = defaults()
	}
	dir, err := os.MkdirTemp("", "hourglass-peers-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	report := report{Date: time.Now().UTC().Format(time.DateOnly), Threads: o.threads, Rounds: o.rounds}
	if err := report.measureMachine(o.threads); err != nil {
		return err
	}
	wanted := strings.Split(o.peers, ",")
	for _, w := range o.workloads {
		programs, err := bench.Programs([]string{w})
		if err != nil {
			return err
		}
		files, err := o.export(dir, programs)
		if err != nil {
			return err
		}
		for _, p := range peers(o.python, o.gomlx) {
			if o.peers != "" && !slices.Contains(wanted, p.name) || !p.takes(w) {
				continue
			}
			if !p.installed() {
				fmt.Fprintf(os.Stderr, "%s: left out, %s is not there\n", p.name, p.command[0])
				continue
			}
			report.Results = append(report.Results, o.compare(p, w, programs, files)...)
		}
		for _, f := range files {
			os.Remove(f)
		}
		// What the machine can do changes while others use it: its best counts.
		if err := report.measureMachine(o.threads); err != nil {
			return err
		}
	}
	report.sign()
	report.print(os.Stdout)
	if !o.write {
		return nil
	}
	return report.write(some)
}

// ours starts our side.
func (o options) ours() (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(o.threads, self, "--serve", "--threads", fmt.Sprint(o.threads))
}

// export has the programs written to files.
func (o options) export(dir string, programs []string) ([]string, error) {
	c, err := o.ours()
	if err != nil {
		return nil, err
	}
	defer c.stop()
	var files []string
	for i, name := range programs {
		file := fmt.Sprintf("%s/%d.safetensors", dir, i)
		if _, err := c.ask(command{Do: "export", Program: name, File: file}); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, file)
	}
	return files, nil
}

// scoutRounds choose the fastest of a peer's variants.
const scoutRounds = 2

// compare measures all programs of a workload beside one peer. What the peer
// cannot do is named and left out.
func (o options) compare(p peer, workload string, programs, files []string) []result {
	var results []result
	variants := p.variantsFor(workload)
	if o.quick {
		variants = variants[:1]
	}
	scout := o
	scout.rounds = min(o.rounds, scoutRounds)
	for i, name := range programs {
		best, least := variants[0], math.Inf(1)
		for _, v := range variants {
			if len(variants) == 1 {
				break
			}
			if r, ok := scout.duel(p, v, name, files[i]); ok && r.PeerMS < least {
				best, least = v, r.PeerMS
			}
		}
		if r, ok := o.duel(p, best, name, files[i]); ok {
			results = append(results, r)
		}
	}
	return results
}

// duel measures and says what came of it.
func (o options) duel(p peer, variant, program, file string) (result, bool) {
	r, err := o.measure(p, variant, program, file)
	what := strings.TrimSpace(p.name + " " + variant)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s, %s: left out: %v\n", program, what, err)
		return r, false
	}
	fmt.Fprintf(os.Stderr, "%s, %s, %d rounds: %s\n", program, what, o.rounds, r)
	return r, true
}

// measure runs one program beside one variant of a peer, each in a process of
// its own, in turn.
func (o options) measure(p peer, variant, program, file string) (result, error) {
	theirs, err := start(o.threads, p.command[0], p.command[1:]...)
	if err != nil {
		return result{}, err
	}
	defer theirs.stop()
	opened, err := theirs.ask(command{Do: "open", File: file, Variant: variant})
	if err != nil {
		return result{}, err
	}
	ours, err := o.ours()
	if err != nil {
		return result{}, err
	}
	defer ours.stop()
	own, err := ours.ask(command{Do: "open", Program: program})
	if err != nil {
		return result{}, err
	}
	r := result{
		Workload: program, Peer: p.name, PeerVersion: opened.Version, Variant: variant,
		OutputError: opened.OutputError, GradientError: opened.GradientError,
		Flops: own.Flops, Bytes: own.Bytes,
	}
	r.Agree = r.OutputError <= outputTolerance && r.GradientError <= gradientTolerance
	sides := [2]*child{ours, theirs}
	var times [2][]float64
	for round := range o.rounds {
		for turn := range sides {
			side := (turn + round) % 2 // who begins changes
			time.Sleep(20 * time.Millisecond)
			a, err := sides[side].ask(command{Do: "time", Seconds: o.seconds})
			if err != nil {
				return result{}, err
			}
			times[side] = append(times[side], a.MS)
		}
	}
	for side, to := range []*int64{&r.OursPeakBytes, &r.PeerPeakBytes} {
		a, err := sides[side].ask(command{Do: "memory"})
		if err != nil {
			return result{}, err
		}
		*to = a.PeakBytes
	}
	r.summarise(times[0], times[1])
	return r, nil
}

// encode writes v as indented JSON.
func encode(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}
