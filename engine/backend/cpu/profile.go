package cpu

import (
	"time"

	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

var (
	_ backend.Sizer    = (*Program)(nil)
	_ backend.Profiler = (*Program)(nil)
)

// Profile implements [backend.Profiler]. It is a loop of its own, so that Run
// pays nothing for it.
func (p *Program) Profile(inputs []*tensor.Tensor, observe func(n *graph.Node, d time.Duration)) error {
	if err := p.bindInputs(inputs); err != nil {
		return err
	}
	for _, s := range p.steps {
		begun := time.Now()
		s.kernel.run(p.scratch)
		observe(s.node, time.Since(begun))
	}
	begun := time.Now()
	p.copyResults()
	if len(p.copies) > 0 {
		observe(nil, time.Since(begun))
	}
	return nil
}
