package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hourglass/internal/bench"
)

func TestBench(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace.json")
	got := succeed(t, "bench", "fashion", "--seconds", "0.01", "--trace", trace, "--json", "--quiet")
	var r bench.Report
	decodeOne(t, got.stdout, &r)
	if r.Machine.PeakGflops <= 0 || r.Machine.BandwidthGBs <= 0 || r.Machine.Threads < 1 || r.Machine.ISA == "" {
		t.Errorf("machine is %+v", r.Machine)
	}
	if len(r.Results) != 1 || r.Results[0].Workload != "fashion" {
		t.Fatalf("results are %+v", r.Results)
	}
	b := r.Results[0]
	if b.MS <= 0 || b.Gflops <= 0 || b.ImagesPerSecond == nil || b.PeakBytes <= 0 {
		t.Errorf("result is %+v", b)
	}
	convolutions := 0
	for _, op := range b.Profile {
		if op.Op == "conv2d" {
			convolutions++
		}
	}
	if convolutions < 4 {
		t.Errorf("the profile of a training step has %d convolutions", convolutions)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var events struct {
		TraceEvents []struct {
			Name string `json:"name"`
			Ph   string `json:"ph"`
		} `json:"traceEvents"`
	}
	if err := json.Unmarshal(text, &events); err != nil || len(events.TraceEvents) != len(b.Profile)+1 {
		t.Errorf("the trace has %d events for %d operations, %v", len(events.TraceEvents), len(b.Profile), err)
	}
}

// What would only be found out after minutes of measuring is refused before.
func TestBenchRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"fashion", "--trace", dir}, {"fashion", "--trace", os.DevNull}, // a folder, a device
		{"ceilings", "--profile"}, {"feed", "--trace", filepath.Join(dir, "t.json")},
	} {
		e := invoke(t, append([]string{"bench"}, args...)...)
		if e.code != exitUsage || strings.Contains(e.stderr, "measuring") {
			t.Errorf("bench %v: exit code %d, %q", args, e.code, e.stderr)
		}
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s is %v, %v", os.DevNull, info.Mode(), err)
	}
}

func TestBenchUnknownWorkload(t *testing.T) {
	invoke(t, "bench", "quake").want(t, 2, `workload "quake" is unknown`, "fashion")
}

func TestBenchPrecision(t *testing.T) {
	invoke(t, "bench", "ceilings", "--precision", "fp4").want(t, 2, `precision "fp4" is unknown`, "bf16")
	got := succeed(t, "bench", "ceilings", "--precision", "bf16", "--seconds", "0.01", "--json", "--quiet")
	var r bench.Report
	decodeOne(t, got.stdout, &r)
	if r.Machine.Precision != "bf16" {
		t.Errorf("measured at precision %q, want bf16", r.Machine.Precision)
	}
}
