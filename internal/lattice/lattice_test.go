// Package lattice holds the test that keeps imports pointing downward.
package lattice

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// allowed lists, for each package of the module, what it may import of the
// module; a trailing /... stands for a whole tree. A package matches the
// longest entry. Read it from the bottom storey up.
var allowed = []struct {
	pkg     string
	imports string
}{
	// machine
	{"tensor", ""},
	{"internal/isa", ""},
	{"internal/par", ""},
	{"internal/random", "internal/par"},
	{"internal/atomicfile", ""},
	{"internal/tile", ""},
	{"internal/peakmem", ""},
	{"internal/large", ""},
	{"internal/lattice", ""},
	{"internal/kernel/...", "internal/isa internal/par internal/random internal/kernel/..."},
	{"engine/graph", "tensor"},
	{"engine/autodiff", "engine/graph tensor"},
	{"engine/compile", "engine/graph tensor"},
	{"engine/backend", "engine/graph tensor"},
	{"engine/backend/ref", "engine/backend engine/graph tensor internal/random"},
	{"engine/backend/cpu", "engine/backend engine/compile engine/graph tensor internal/isa internal/large internal/par internal/random internal/kernel/..."},
	{"engine/backend/backendtest", "engine/backend engine/backend/ref engine/graph engine/autodiff tensor internal/random"},
	{"engine", "engine/backend/... engine/compile engine/graph tensor internal/isa internal/par"},
	{"engine/enginetest", "engine"},

	// learning
	{"format/...", "format/... internal/atomicfile"},
	{"nn", "engine/graph engine/backend tensor internal/random"},
	{"nn/loss", "engine/graph tensor"},
	{"nn/arch", "nn engine/graph tensor"},
	{"optim", "nn engine/graph tensor"},
	{"data/...", "data/... format/... internal/atomicfile internal/par internal/random"},
	{"quality", "tensor internal/par"},
	{"quality/distribution", "internal/par"},
	{"represent/...", "represent/... internal/isa internal/par internal/random internal/kernel/..."},
	{"train", "nn optim engine engine/backend engine/graph engine/autodiff format/safetensors tensor"},
	{"train/run", "train data data/augment optim engine internal/atomicfile"},
	{"train/model", "train nn engine/backend engine/graph format/safetensors tensor"},
	{"train/latent", "train train/model data nn nn/loss nn/arch engine engine/backend engine/graph tensor internal/random"},
	{"train/features", "train train/run train/model data nn nn/loss represent/pca engine engine/backend engine/graph tensor"},
	{"task/autoencode", "train train/... data quality nn nn/... optim represent/... engine engine/backend engine/graph tensor internal/peakmem"},
	{"task/classify", "train train/... data data/augment nn nn/... optim engine engine/backend engine/graph tensor internal/peakmem"},
	{"task/segment", "train train/... data data/augment nn nn/... engine engine/backend engine/graph tensor internal/peakmem"},
	{"task/restore", "train train/... data quality nn nn/loss optim engine engine/backend engine/graph format/safetensors tensor internal/random internal/tile internal/peakmem"},
	{"task/generate", "train train/... data quality quality/distribution nn nn/arch represent/neighbors engine engine/backend engine/graph tensor internal/random internal/peakmem"},
	{"task/lab", "train train/... data data/augment quality/distribution nn nn/... optim represent/... engine engine/backend engine/graph tensor internal/random"},
	{"internal/bench", "train train/run data format/safetensors nn nn/... optim engine engine/... tensor internal/isa internal/par internal/random internal/kernel/peak"},

	// people
	{"internal/report", "task/... train train/... internal/atomicfile"},
	{"internal/cli", "internal/report task/... train train/... data data/augment optim nn format/... engine internal/... tensor"},
	{"cmd/hourglass", "internal/cli"},
	{"bench/...", "bench/picture internal/bench internal/peakmem engine"},
	{"bench/picture", ""},
	{"bench/scenes", "bench/picture data"},
	{"bench/restore", "bench/picture data engine quality task/restore"},
	{"bench/peers/distance", "data engine quality/distribution train/features train/run"},
}

const module = "hourglass/"

func matches(pattern, pkg string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == tree || strings.HasPrefix(pkg, tree+"/")
	}
	return pkg == pattern
}

// ruleFor returns the allowed imports of the most special entry for pkg.
func ruleFor(pkg string) (imports []string, ok bool) {
	best := -1
	for _, a := range allowed {
		if matches(a.pkg, pkg) && len(a.pkg) > best {
			best, imports, ok = len(a.pkg), strings.Fields(a.imports), true
		}
	}
	return imports, ok
}

func TestImportsPointDownward(t *testing.T) {
	root := filepath.Join("..", "..")
	known := make(map[string]bool)
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if file != root && (strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || name == "testdata" || name == "runs") {
				return filepath.SkipDir
			}
			return nil
		}
		// Tests may reach sideways for an oracle.
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(rel))
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, src, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		for _, group := range f.Comments {
			if strings.HasPrefix(group.List[0].Text, "//go:build ignore") {
				return nil // a script, not part of the package
			}
		}
		rule, ok := ruleFor(pkg)
		if !ok && !known[pkg] {
			t.Errorf("%s has no place in the lattice; give it one", pkg)
		}
		known[pkg] = true
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			target, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			fine := false
			for _, pattern := range rule {
				fine = fine || matches(pattern, target)
			}
			if ok && !fine {
				t.Errorf("%s must not import %s (%s)", pkg, target, filepath.ToSlash(rel))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(known) < 20 {
		t.Errorf("only %d packages were found; the walk is broken", len(known))
	}
}
