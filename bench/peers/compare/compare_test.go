package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"hourglass/internal/bench"
)

func TestServe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.safetensors")
	name, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	commands := `{"do":"time","seconds":0.001}
{"do":"export","program":"gemm/tn-16x128x256","file":` + string(name) + `}
{"do":"open","program":"gemm/tn-16x128x256"}
{"do":"time","seconds":0.001}
{"do":"memory"}
{"do":"dance"}
{"do":"open","program":"quake"}
`
	var out bytes.Buffer
	if err := serve(strings.NewReader(commands), &out, 1); err != nil {
		t.Fatal(err)
	}
	var answers []answer
	for d := json.NewDecoder(&out); ; {
		var a answer
		if err := d.Decode(&a); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != 7 {
		t.Fatalf("there are %d answers", len(answers))
	}
	for i, failed := range []bool{true, false, false, false, false, true, true} {
		if (answers[i].Error != "") != failed {
			t.Errorf("answer %d is %+v", i, answers[i])
		}
	}
	if answers[2].Flops != 2*16*128*256 || answers[3].MS <= 0 {
		t.Errorf("answers are %+v", answers)
	}
}

func TestSummarise(t *testing.T) {
	var r result
	r.summarise([]float64{1, 2, 3, 10, 2}, []float64{2, 2, 2, 2, 2})
	if r.OursMS != 2 || r.PeerMS != 2 || r.Ratio != 1 || r.RatioLow != 1 || r.RatioHigh != 1.5 {
		t.Errorf("got %+v", r)
	}
}

func sample() report {
	r := report{
		Date: "2026-01-01", Threads: 2, Rounds: 9, Machine: bench.Machine{CPU: "A  CPU", ISA: "avx2", PeakGflops: 200, BandwidthGBs: 20},
		Results: []result{
			{Workload: "cifar", Peer: "pytorch", PeerVersion: "2", Variant: "eager", OursMS: 100, PeerMS: 200, Ratio: 0.5, Agree: true, Flops: 1e10, Bytes: 1e8},
			{Workload: "cifar", Peer: "jax", PeerVersion: "1", OursMS: 100, PeerMS: 150, Ratio: 0.67, Flops: 1e10, Bytes: 1e8, OutputError: 0.5},
			{Workload: "gemm/nn-2x2x2", Peer: "pytorch", OursMS: 1, PeerMS: 1, Ratio: 1, Agree: true, Flops: 1e5, Bytes: 1e5},
		},
	}
	r.sign()
	return r
}

func TestJoin(t *testing.T) {
	older, r := sample().Results, sample()
	r.Date, r.Machine.PeakGflops = "2026-02-02", 100
	r.Results = []result{{Workload: "cifar", Peer: "jax", OursMS: 50, Flops: 1e9}, {Workload: "unet", Peer: "jax"}}
	r.sign()
	r.join(older, true)
	if len(r.Results) != 4 || r.Results[1].OursMS != 50 || r.Results[1].share() != 0.2 || r.Results[1].Date != "2026-02-02" ||
		r.Results[0].Date != "2026-01-01" || r.Results[0].share() != 0.5 || r.Results[3].Workload != "unet" || len(r.Others) != 0 {
		t.Errorf("joined to %+v and %+v", r.Results, r.Others)
	}
	r.Results = r.Results[:1]
	r.join(older, false)
	if len(r.Results) != 1 {
		t.Errorf("measured anew, all of it: %+v", r.Results)
	}
}

// Lines of another machine stay, in a table of their own.
func TestOtherMachines(t *testing.T) {
	older, r := sample().Results, sample()
	r.Threads, r.Results = 1, r.Results[:1]
	r.sign()
	for _, some := range []bool{false, true} {
		r.join(older, some)
		if len(r.Results) != 1 || len(r.Others) != 3 {
			t.Errorf("some %v: joined to %+v and %+v", some, r.Results, r.Others)
		}
	}
	var b strings.Builder
	r.printOthers(&b)
	if text := b.String(); strings.Count(text, "A CPU, avx2, 2 threads") != 1 || strings.Count(text, "| cifar |") != 2 {
		t.Errorf("the other machine's table is\n%s", text)
	}
}

func TestTable(t *testing.T) {
	r := sample()
	var b strings.Builder
	r.print(&b)
	for _, want := range []string{"| cifar | pytorch 2, eager | 100 ms | 200 ms | 0.50", "100 | 50 % |", "differ: 5.0e-01", "A CPU, avx2, 2 threads"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	if f := r.fastest(); len(f) != 2 || f[0].Peer != "jax" {
		t.Errorf("the fastest are %+v", f)
	}
}

func TestRoofline(t *testing.T) {
	r := sample()
	svg, err := r.roofline()
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot is no XML: %v", err)
		}
	}
	if !bytes.Contains(svg, []byte("cifar")) {
		t.Error("the plot does not name a workload")
	}
}

func TestReplaced(t *testing.T) {
	got, err := replaced("a\n"+begin+"old\n"+end+"b\n", "new\n")
	if err != nil || got != "a\n"+begin+"new\n"+end+"b\n" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := replaced("a\n"+end, "new\n"); err == nil {
		t.Error("a document without the marks was changed")
	}
}

func TestPeers(t *testing.T) {
	for _, p := range peers("python", "gomlx") {
		if !p.takes("gemm") && !p.takes("lite0") {
			t.Errorf("%s takes nothing", p.name)
		}
		if len(p.variantsFor("gemm")) != 1 {
			t.Errorf("%s has the forms %v of a product", p.name, p.variantsFor("gemm"))
		}
	}
}
