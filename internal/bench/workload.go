package bench

import (
	"context"
	"fmt"
	"strings"

	"hourglass/engine"
	"hourglass/engine/graph"
	"hourglass/nn"
)

// Ceilings is the name that measures the machine's limits and nothing else.
const Ceilings = "ceilings"

// workload is a group of measurements under one name: of programs, or of what
// is more than a program.
type workload struct {
	name  string
	about string
	cases func() ([]program, error)
	other func(ctx context.Context, e *engine.Engine, o Options) ([]Result, error)
}

// program is one computation to measure: the input of build is a builder with
// nothing in it.
type program struct {
	name   string
	images int // in one run; 0 if its input is no batch of images
	build  func(b *graph.Builder) ([]nn.Param, error)

	// What it was made of, one of the two.
	network *network
	product *product

	unit   unit
	beside string // the program whose cost of a unit this one's is compared with
}

// unit is what the cost of programs is counted by where they are compared.
type unit uint8

const (
	perPixel unit = iota + 1
	perOperation
)

// count returns how many units a program of the graph g has, 0 for the zero
// unit.
func (u unit) count(p program, g *graph.Graph) float64 {
	switch u {
	case perPixel:
		n := p.network
		return float64(n.batch * n.image[0] * n.image[1])
	case perOperation:
		return float64(Flops(g))
	}
	return 0
}

// workloads lists what can be measured, in the order in which it is.
func workloads() []workload {
	list := []workload{
		{name: "gemm", about: "products of matrices, square ones and those of the networks below", cases: gemm},
		{name: "mobile", about: "depthwise convolutions alone, forward", cases: mobile},
	}
	list = append(list, networks()...)
	return append(list,
		workload{name: "smooth", about: "whether the cost of a pixel stays the same for batches, sizes and odd shapes", cases: smooth},
		workload{name: "feed", about: "training steps on augmented images beside steps that get theirs for nothing", other: feed},
	)
}

// networks lists the workloads that are networks.
func networks() []workload {
	return []workload{
		{name: "cifar", about: "training step: six convolutions 3×3 with batch norm, 32×32×3, batch 64", cases: cifar},
		{name: "resnet18", about: "training step: ResNet-18 for 32×32×3, batch 64", cases: resnet18},
		{name: "dense-ae", about: "training step: 784-512-256-16-256-512-784, batch 128", cases: denseAE},
		{name: "conv-ae", about: "training step: the autoencoder of 128×128×3 to 1024, batch 16", cases: convAE},
		{name: "unet", about: "training step: U-Net of width 32, 240×180×3 to 12 classes, batch 8", cases: unet},
		{name: "codec", about: "forward: a codec's transforms of width 64, one image of 768×512", cases: codec},
		{name: "lite0", about: "forward: EfficientNet-Lite0, 224×224×3, batch 1 and 16", cases: lite0},
		{name: "fashion", about: "training step: the autoencoder of 28×28×1 to 16, batch 64", cases: fashion},
	}
}

// Workload describes what can be measured under a name.
type Workload struct{ Name, About string }

// Workloads lists the names that [Options].Workloads may hold, in the order in
// which they are measured.
func Workloads() []Workload {
	list := []Workload{{Ceilings, "multiply-add peak and memory bandwidth of this machine (always measured)"}}
	for _, w := range workloads() {
		list = append(list, Workload{w.name, w.about})
	}
	return list
}

// UnknownError names a workload that does not exist.
type UnknownError struct{ Name string }

// Error lists the workloads that there are.
func (e *UnknownError) Error() string {
	var names []string
	for _, w := range Workloads() {
		names = append(names, w.Name)
	}
	return fmt.Sprintf("workload %q is unknown: choose from %s", e.Name, strings.Join(names, ", "))
}

// chosen returns the workloads of the given names, all of them for none, in
// the order of the list and each once.
func chosen(names []string) ([]workload, error) {
	all := workloads()
	if len(names) == 0 {
		return all, nil
	}
	wanted := make(map[string]bool)
	for _, n := range names {
		wanted[n] = true
	}
	var list []workload
	known := map[string]bool{Ceilings: true}
	for _, w := range all {
		known[w.name] = true
		if wanted[w.name] {
			list = append(list, w)
		}
	}
	for _, n := range names {
		if !known[n] {
			return nil, &UnknownError{n}
		}
	}
	return list, nil
}
