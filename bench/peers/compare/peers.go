package main

import (
	"os"
	"path/filepath"
	"strings"
)

// peer is a library that is compared with.
type peer struct {
	name     string
	command  []string
	variants []string // of which the fastest counts
	takes    func(workload string) bool
}

func all(string) bool { return true }

// inUse reports whether a workload is a network in use, the only kind that
// ONNX Runtime runs.
func inUse(workload string) bool {
	return workload == "codec" || workload == "lite0" || workload == "mobile"
}

func peers(python, gomlx string) []peer {
	script := func(name string) []string {
		return []string{python, filepath.Join("bench", "peers", "python", name)}
	}
	return []peer{
		{"pytorch", script("torch_peer.py"), []string{"eager", "eager, channels last", "compile", "compile, channels last"}, all},
		{"onnxruntime", script("onnx_peer.py"), []string{""}, inUse},
		{"jax", script("jax_peer.py"), []string{""}, all},
		// Its Go backend has no training step of batch normalisation, and
		// convolves by scalar loops: products are where it is meant to be fast.
		{"gomlx", []string{gomlx}, []string{""}, func(w string) bool { return w == "gemm" }},
	}
}

// variantsFor leaves out forms that are no different for a workload.
func (p peer) variantsFor(workload string) []string {
	if p.name != "pytorch" {
		return p.variants
	}
	var list []string
	for _, v := range p.variants {
		if workload == "gemm" && v != "eager" || workload == "dense-ae" && strings.Contains(v, "last") {
			continue
		}
		list = append(list, v)
	}
	return list
}

func (p peer) installed() bool {
	_, err := os.Stat(p.command[0])
	return err == nil
}
