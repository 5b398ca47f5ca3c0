package cpu_test

import (
	"strings"
	"testing"

	"hourglass/engine/backend"
	"hourglass/engine/backend/cpu"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// What a program writes while it reads its inputs cannot be one of them.
func TestInputsThatAreWrittenAreRefused(t *testing.T) {
	b := graph.NewBuilder("turn")
	x, v := b.Input("x", tensor.Float32, 2, 2), b.Variable("v", tensor.Float32, 2, 2)
	kept := b.Variable("kept", tensor.Float32, 2, 2)
	b.Output("y", b.Transpose(x, 1, 0))
	b.Update(v, b.Add(b.Transpose(x, 1, 0), kept))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	store := backend.NewStore()
	p, err := cpu.New(cpu.Options{}).Compile(g, store)
	if err != nil {
		t.Fatal(err)
	}
	run := func(in *tensor.Tensor) error { return p.Run([]*tensor.Tensor{in}) }
	for name, in := range map[string]*tensor.Tensor{"output": p.Output(0), "variable": store.Get("v"), "the output's numbers": tensor.Of(p.Output(0).Float32(), 2, 2)} {
		if err := run(in); err == nil || !strings.Contains(err.Error(), "give a clone") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, in := range map[string]*tensor.Tensor{"a clone": p.Output(0).Clone(), "a variable that stays": store.Get("kept")} {
		if err := run(in); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The same where the images are taken in turn.
func TestDividedProgramsRefuseTheirOutputs(t *testing.T) {
	const rows, columns = 4, 3 << 20
	b := graph.NewBuilder("large")
	b.Output("y", b.Exp(b.Input("x", tensor.Float32, rows, columns)))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	p, err := cpu.New(cpu.Options{}).Compile(g, backend.NewStore())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run([]*tensor.Tensor{p.Output(0)}); err == nil {
		t.Error("taken")
	}
}
