package bench

import (
	"fmt"
	"strings"

	"hourglass/engine/graph"
	"hourglass/nn"
)

// Ceilings is the name that measures the machine's limits and nothing else.
const Ceilings = "ceilings"

// workload is a group of programs that are measured under one name.
type workload struct {
	name  string
	about string
	cases func() ([]program, error)
}

// program is one computation to measure: the input of build is a builder with
// nothing in it.
type program struct {
	name   string
	images int // in one run; 0 if its input is no batch of images
	build  func(b *graph.Builder) ([]nn.Param, error)
}

// workloads lists what can be measured, in the order in which it is.
func workloads() []workload {
	return []workload{
		{"gemm", "products of matrices, square ones and those of dense-ae", gemm},
		{"mobile", "depthwise convolutions alone, forward", mobile},
		{"cifar", "training step: six convolutions 3×3 with batch norm, 32×32×3, batch 64", cifar},
		{"resnet18", "training step: ResNet-18 for 32×32×3, batch 64", resnet18},
		{"dense-ae", "training step: 784-512-256-16-256-512-784, batch 128", denseAE},
		{"conv-ae", "training step: the autoencoder of 128×128×3 to 1024, batch 16", convAE},
		{"fashion", "training step: the autoencoder of 28×28×1 to 16, batch 64", fashion},
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
