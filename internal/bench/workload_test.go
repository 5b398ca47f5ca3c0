package bench

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"hourglass/engine"
	"hourglass/tensor"
)

func TestEveryProgramBuilds(t *testing.T) {
	names := make(map[string]bool)
	for _, w := range workloads() {
		if w.cases == nil {
			continue
		}
		list, err := w.cases()
		if err != nil || len(list) == 0 {
			t.Fatalf("%s has %d programs, %v", w.name, len(list), err)
		}
		for _, p := range list {
			if names[p.name] {
				t.Errorf("two programs are called %s", p.name)
			}
			if p.beside != "" && !names[p.beside] {
				t.Errorf("%s is compared with %s, which is not measured before it", p.name, p.beside)
			}
			names[p.name] = true
			g, _, err := p.trace()
			if err != nil {
				t.Errorf("%s: %v", p.name, err)
				continue
			}
			if err := g.Verify(); err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
			if Flops(g) <= 0 || LeastBytes(g) <= 0 {
				t.Errorf("%s has %d operations on %d bytes", p.name, Flops(g), LeastBytes(g))
			}
		}
	}
	// A product of dense-ae and one of lite0.
	for _, name := range []string{"gemm/nn-128x784x512", "gemm/nn-16x1280x1000"} {
		if !names[name] {
			t.Errorf("%s is not measured", name)
		}
	}
}

func TestChosen(t *testing.T) {
	list, err := chosen([]string{"lite0", "cifar", "lite0", Ceilings})
	if err != nil || len(list) != 2 || list[0].name != "cifar" || list[1].name != "lite0" {
		t.Errorf("chosen are %v, %v", list, err)
	}
}

// An interrupted measurement is no result.
func TestInterrupted(t *testing.T) {
	e, err := engine.New(engine.Options{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Run(ctx, e, Options{Workloads: []string{Ceilings}, Duration: time.Hour, CopyBytes: 1 << 20}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

func TestFeeder(t *testing.T) {
	set, err := cachedSet(context.Background(), 20, 8, 8)
	if err != nil {
		t.Fatal(err)
	}
	const batch = 6
	fill, err := newFeeder(set, batch)
	if err != nil {
		t.Fatal(err)
	}
	in := []*tensor.Tensor{tensor.New(tensor.Float32, batch, 8, 8, 3), tensor.New(tensor.Int32, batch)}
	fill(1, 2, in)
	want := slices.Clone(in[0].Float32())
	if low, high := slices.Min(want), slices.Max(want); low < 0 || high > 1 || high < 0.5 {
		t.Errorf("pixels lie between %v and %v", low, high)
	}
	if slices.Max(in[1].Int32()) == 0 {
		t.Error("all labels are 0")
	}
	fill(3, 0, in)
	fill(1, 2, in)
	if !slices.Equal(in[0].Float32(), want) {
		t.Error("a batch depends on those before it")
	}
}
