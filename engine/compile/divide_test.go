package compile_test

import (
	"slices"
	"testing"

	"hourglass/engine/backend/backendtest"
	"hourglass/engine/backend/ref"
	"hourglass/engine/compile"
	"hourglass/engine/graph"
	"hourglass/internal/random"
)

// TestDivideKeepsValues divides what each output of random programs needs, where
// that may be divided, and puts the parts together.
func TestDivideKeepsValues(t *testing.T) {
	divided := 0
	for seed := range uint64(2000) {
		program, feeds, err := backendtest.RandomProgram(random.NewSource(seed, 2, 0))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range program.Outputs {
			alone, err := compile.Share(&graph.Graph{Name: o.Name, Nodes: program.Nodes, Outputs: []graph.Output{o}})
			if err != nil {
				t.Fatal(err)
			}
			for part := range compile.Rows(alone) {
				g, ok := compile.Divide(alone, part)
				if !ok {
					continue
				}
				divided++
				if err := g.Verify(); err != nil {
					t.Fatalf("%v\n%v", err, g)
				}
				want, _ := evaluate(t, alone, feeds)
				got := ref.Values{o.Name: nil}
				for i := range compile.Rows(alone) / part {
					values, _ := evaluate(t, g, partOf(alone, g, feeds, i))
					got[o.Name] = append(got[o.Name], values[o.Name]...)
				}
				if err := sameValues(got, want, 0); err != nil {
					t.Fatalf("%d rows at once: %v\nwhole\n%vdivided\n%v", part, err, alone, g)
				}
			}
		}
	}
	if divided < 500 {
		t.Errorf("only %d programs could be divided", divided)
	}
}

// partOf returns the values of a graph's leaves that part i of its rows needs.
func partOf(whole, divided *graph.Graph, feeds ref.Values, i int) ref.Values {
	part := make(ref.Values)
	for name, v := range feeds {
		part[name] = v
	}
	inputs := divided.Inputs()
	for j, n := range whole.Inputs() {
		if size := inputs[j].Shape().Elements(); !inputs[j].Shape().Equal(n.Shape()) {
			part[n.Name()] = slices.Clone(feeds[n.Name()][i*size : (i+1)*size])
		}
	}
	return part
}
