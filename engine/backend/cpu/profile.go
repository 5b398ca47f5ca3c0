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
func (p *Program) Profile(inputs []*tensor.Tensor, observe func(n *graph.Node, times int, d time.Duration)) error {
	if err := backend.CheckInputs(p.graph, p.inputs, inputs); err != nil {
		return err
	}
	count := p.parts.number()
	took := make([]time.Duration, len(p.steps)+1)
	for part := range count {
		p.bindInputs(inputs, part)
		begun := time.Now()
		for i, s := range p.steps {
			s.kernel.run(p.scratch)
			now := time.Now()
			took[i] += now.Sub(begun)
			begun = now
		}
		p.copyResults(part)
		took[len(p.steps)] += time.Since(begun)
	}
	for i, s := range p.steps {
		observe(s.node, count, took[i])
	}
	if len(p.copies)+len(p.parts.outputs) > 0 {
		observe(nil, count, took[len(p.steps)])
	}
	return nil
}
