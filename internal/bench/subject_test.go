package bench

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"hourglass/engine"
	"hourglass/format/safetensors"
	"hourglass/nn"
)

func TestExport(t *testing.T) {
	e, err := engine.New(engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for name, want := range map[string][]string{
		"dense-ae":                     {"input.images", "param.net.0.weight", "output", "loss", "grad.net.0.weight", "grad.net.10.bias"},
		"gemm/tn-16x128x256":           {"input.x", "input.y", "output"},
		"mobile/3x3-stride1-14x14x480": {"input.images", "param.net.weight", "output"},
	} {
		s, err := NewSubject(e, name)
		if err != nil {
			t.Fatal(err)
		}
		if seconds, err := s.Time(1); err != nil || !(seconds > 0) {
			t.Errorf("%s: a run takes %v s, %v", name, seconds, err)
		}
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := s.Export(path); err != nil {
			t.Fatal(err)
		}
		tensors, metadata, err := safetensors.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d description
		if err := json.Unmarshal([]byte(metadata["program"]), &d); err != nil || d.Name != name {
			t.Errorf("%s: described by %s", name, metadata["program"])
		}
		if d.Layers != nil {
			if _, err := nn.Unmarshal(d.Layers); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		have := map[string]bool{}
		for _, x := range tensors {
			have[x.Name] = true
		}
		for _, w := range want {
			if !have[w] {
				t.Errorf("%s: the file has no %s", name, w)
			}
		}
	}
	if _, err := NewSubject(e, "quake"); err == nil {
		t.Error("a program that does not exist was made ready")
	}
}

func TestWithoutDropoutKeepsNames(t *testing.T) {
	net := nn.Sequential{
		nn.Dropout{Rate: 0.5}, nn.Dense{Out: 2},
		nn.Residual{Body: nn.Sequential{nn.Dropout{Rate: 0.1}, nn.Dense{}}, Shortcut: nn.Dropout{Rate: 0.2}},
		nn.Concat{Branches: []nn.Layer{nn.Dropout{Rate: 0.1}, nn.Dense{}}},
	}
	data, err := nn.Marshal(withoutDropout(net))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"kind":"sequential","layers":[{"kind":"sequential"},{"kind":"dense","out":2},` +
		`{"kind":"residual","body":{"kind":"sequential","layers":[{"kind":"sequential"},{"kind":"dense"}]},"shortcut":{"kind":"sequential"}},` +
		`{"kind":"concat","branches":[{"kind":"sequential"},{"kind":"dense"}]}]}`
	if string(data) != want {
		t.Errorf("got %s", data)
	}
}
