// Command gomlx is the side of GoMLX's Go backend: products of matrices, by
// the protocol of ../python/protocol.py.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

type command struct {
	Do      string  `json:"do"`
	File    string  `json:"file"`
	Seconds float64 `json:"seconds"`
}

type answer struct {
	Error       string  `json:"error,omitempty"`
	Version     string  `json:"version,omitempty"`
	OutputError float64 `json:"output_error"`
	MS          float64 `json:"ms,omitempty"`
	PeakBytes   int64   `json:"peak_bytes,omitempty"`
}

func main() {
	backend := compute.MustNew()
	var run func() *tensors.Tensor
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var c command
		var a answer
		err := json.Unmarshal(lines.Bytes(), &c)
		if err == nil {
			switch {
			case c.Do == "open":
				run, a.OutputError, err = open(backend, c.File)
				a.Version = version()
			case c.Do == "time" && run != nil:
				a.MS = timed(run, c.Seconds)
			case c.Do == "memory":
				a.PeakBytes, err = peakBytes()
			default:
				err = fmt.Errorf("cannot do %q now", c.Do)
			}
		}
		if err != nil {
			a.Error = err.Error()
		}
		if err := answers.Encode(a); err != nil {
			fmt.Fprintln(os.Stderr, "gomlx:", err)
			os.Exit(1)
		}
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/gomlx/gomlx" {
			return m.Version
		}
	}
	return ""
}

// peakBytes reads the high-water mark of this program.
func peakBytes() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kib int64
	_, err = fmt.Sscan(rest, &kib)
	return kib << 10, err
}

func timed(run func() *tensors.Tensor, seconds float64) float64 {
	var times []float64
	for begun := time.Now(); len(times) == 0 || time.Since(begun).Seconds() < seconds; {
		start := time.Now()
		run()
		times = append(times, time.Since(start).Seconds()*1e3)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// array is a tensor of a program's file.
type array struct {
	shape []int
	data  []float32
}

func open(backend compute.Backend, path string) (func() *tensors.Tensor, float64, error) {
	arrays, transA, transB, err := read(path)
	if err != nil {
		return nil, 0, err
	}
	x, y, want := arrays["input.x"], arrays["input.y"], arrays["output"]
	exec, err := graph.NewExec(backend, func(x, y *graph.Node) *graph.Node {
		if transA {
			x = graph.Transpose(x, 0, 1)
		}
		if transB {
			y = graph.Transpose(y, 0, 1)
		}
		return graph.MatMul(x, y)
	})
	if err != nil {
		return nil, 0, err
	}
	a := tensors.FromFlatDataAndDimensions(x.data, x.shape...)
	b := tensors.FromFlatDataAndDimensions(y.data, y.shape...)
	run := func() *tensors.Tensor { return exec.MustExec1(a, b) }
	got := tensors.MustCopyFlatData[float32](run())
	if len(got) != len(want.data) {
		return nil, 0, fmt.Errorf("the result has %d elements, not %d", len(got), len(want.data))
	}
	worst, largest := 0.0, 0.0
	for i, w := range want.data {
		worst = max(worst, math.Abs(float64(got[i]-w)))
		largest = max(largest, math.Abs(float64(w)))
	}
	return run, worst / largest, nil
}

// read reads the float32 tensors of a safetensors file that Hourglass wrote.
func read(path string) (arrays map[string]array, transA, transB bool, err error) {
	raw, err := os.ReadFile(path)
	if err != nil || len(raw) < 8 {
		return nil, false, false, fmt.Errorf("cannot read %s: %v", path, err)
	}
	n := binary.LittleEndian.Uint64(raw)
	if n > uint64(len(raw)-8) {
		return nil, false, false, fmt.Errorf("%s is cut short", path)
	}
	header, body := raw[8:8+n], raw[8+n:]
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(header, &entries); err != nil {
		return nil, false, false, err
	}
	var metadata struct{ Program string }
	var program struct {
		Task   string
		TransA bool `json:"trans_a"`
		TransB bool `json:"trans_b"`
	}
	if err := json.Unmarshal(entries["__metadata__"], &metadata); err != nil {
		return nil, false, false, err
	}
	if err := json.Unmarshal([]byte(metadata.Program), &program); err != nil {
		return nil, false, false, err
	}
	if program.Task != "product" {
		return nil, false, false, fmt.Errorf("GoMLX is compared on products of matrices only")
	}
	delete(entries, "__metadata__")
	arrays = make(map[string]array)
	for name, text := range entries {
		var e struct {
			Shape   []int
			Offsets [2]int `json:"data_offsets"`
		}
		if err := json.Unmarshal(text, &e); err != nil {
			return nil, false, false, err
		}
		if e.Offsets[0] < 0 || e.Offsets[0] > e.Offsets[1] || e.Offsets[1] > len(body) {
			return nil, false, false, fmt.Errorf("%s lies outside of the file", name)
		}
		a := array{shape: e.Shape, data: make([]float32, (e.Offsets[1]-e.Offsets[0])/4)}
		for i := range a.data {
			a.data[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[e.Offsets[0]+4*i:]))
		}
		arrays[name] = a
	}
	return arrays, program.TransA, program.TransB, nil
}
