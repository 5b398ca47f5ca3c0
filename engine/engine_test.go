package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

func TestUnknownInstructionSet(t *testing.T) {
	if _, err := engine.New(engine.Options{ISA: "mmx"}); err == nil || !strings.Contains(err.Error(), "avx512, avx2 or generic") {
		t.Errorf("got %v", err)
	}
	t.Setenv("HOURGLASS_ISA", "sse1")
	if _, err := engine.New(engine.Options{}); err == nil {
		t.Error("an unknown level in the environment was accepted")
	}
	t.Setenv("HOURGLASS_ISA", "generic")
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if got := e.Level().String(); got != "generic" {
		t.Errorf("level is %s", got)
	}
}

func TestTooManyThreads(t *testing.T) {
	if _, err := engine.New(engine.Options{Threads: 1 << 30}); err == nil || !strings.Contains(err.Error(), "threads") {
		t.Errorf("got %v", err)
	}
}

func TestFunctionCompilesOncePerBatch(t *testing.T) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	store := backend.NewStore()
	traced := 0
	f := e.NewFunction("double", store, func(b *graph.Builder, batch int) {
		traced++
		x := b.Input("x", tensor.Float32, batch, 3)
		b.Output("y", b.Mul(x, b.Variable("w", tensor.Float32, 3)))
	})
	for _, n := range []int{2, 5, 2, 5, 2} {
		in := tensor.New(tensor.Float32, n, 3)
		for i := range in.Float32() {
			in.Float32()[i] = float32(i)
		}
		if traced == 0 {
			if _, err := f.Program(n); err != nil {
				t.Fatal(err)
			}
			copy(store.Get("w").Float32(), []float32{2, 3, 4})
		}
		p, err := f.Run(n, in)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range p.Output(0).Float32() {
			if want := float32(i) * float32(2+i%3); got != want {
				t.Errorf("batch %d: element %d is %v, want %v", n, i, got, want)
			}
		}
	}
	if traced != 2 {
		t.Errorf("traced %d times for 2 batch sizes", traced)
	}
}

func Example() {
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	b := graph.NewBuilder("pythagoras")
	x := b.Input("x", tensor.Float32, 2)
	b.Output("length", b.Sqrt(b.ToScalar(b.Sum(b.Square(x)))))
	g, err := b.Graph()
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := e.Compile(g, backend.NewStore())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := p.Run([]*tensor.Tensor{tensor.Of([]float32{3, 4}, 2)}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Output(0).Float32()[0])
	// Output: 5
}

// Joined, these factors are no float32s: what is within range after each of
// them would become infinite, NaN or nothing.
func TestFactorsBeyondFloat32StayApart(t *testing.T) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b := graph.NewBuilder("factors")
	x := b.Input("x", tensor.Float32, 3)
	b.Output("grown", b.Scale(b.Scale(x, 1e30), 1e30))
	b.Output("shrunk", b.Scale(b.Scale(x, 1e-30), 1e-30))
	g, err := b.Graph()
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Compile(g, backend.NewStore())
	if err != nil {
		t.Fatal(err)
	}
	in := []float32{0, 0x1p-120, 0x1p120}
	if err := p.Run([]*tensor.Tensor{tensor.Of(in, 3)}); err != nil {
		t.Fatal(err)
	}
	for i, factor := range []float32{1e30, 1e-30} {
		for j, v := range in {
			want := v * factor * factor
			if got := p.Output(i).Float32()[j]; got != want {
				t.Errorf("%v times %v twice is %v, want %v", v, factor, got, want)
			}
		}
	}
}
