package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"hourglass/engine"
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/format/safetensors"
	"hourglass/nn"
	"hourglass/tensor"
)

// Programs returns the names of the programs that workloads consist of. It
// fails with an [UnknownError] if there is no such workload. Those that are
// more than programs have none.
func Programs(workloads []string) ([]string, error) {
	list, err := chosen(workloads)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, w := range list {
		if w.cases == nil {
			continue
		}
		programs, err := w.cases()
		if err != nil {
			return nil, fmt.Errorf("workload %s: %w", w.name, err)
		}
		for _, p := range programs {
			names = append(names, p.name)
		}
	}
	return names, nil
}

// Subject is a program made ready to be compared with what others make of the
// same computation.
type Subject struct {
	Name  string
	Flops int64 // of a run, see [Flops]
	Bytes int64 // of a run, see [LeastBytes]

	program  program
	engine   *engine.Engine
	compiled backend.Program
	inputs   []*tensor.Tensor
}

// NewSubject compiles the program of a name that [Programs] knows.
func NewSubject(e *engine.Engine, name string) (*Subject, error) {
	p, err := find(name)
	if err != nil {
		return nil, err
	}
	g, params, err := p.trace()
	if err != nil {
		return nil, err
	}
	store, err := storeOf(g, params)
	if err != nil {
		return nil, err
	}
	compiled, err := e.Compile(g, store)
	if err != nil {
		return nil, err
	}
	return &Subject{name, Flops(g), LeastBytes(g), p, e, compiled, fill(g.Inputs())}, nil
}

func find(name string) (program, error) {
	for _, w := range workloads() {
		if w.cases == nil {
			continue
		}
		list, err := w.cases()
		if err != nil {
			return program{}, err
		}
		for _, p := range list {
			if p.name == name {
				return p, nil
			}
		}
	}
	return program{}, fmt.Errorf("there is no program %q", name)
}

// Time runs the program for at least the given time, after a run that does not
// count, and returns the median seconds of a run.
func (s *Subject) Time(least time.Duration) (float64, error) {
	var err error
	t := timed(context.Background(), least, func() {
		if runErr := s.compiled.Run(s.inputs); runErr != nil {
			err = runErr
		}
	})
	return median(t.rounds), err
}

// description is what a peer is told of a program.
type description struct {
	Name   string          `json:"name"`
	Task   string          `json:"task"`             // product, or what is done with the network
	Layers json.RawMessage `json:"layers,omitempty"` // of the network, see [nn.Marshal]
	Image  []int           `json:"image,omitempty"`  // shape of an image
	Batch  int             `json:"batch,omitempty"`
	TransA bool            `json:"trans_a,omitempty"`
	TransB bool            `json:"trans_b,omitempty"`
}

// Export writes what a peer needs to do the same and to check that it does: a
// safetensors file with the inputs ("input.NAME"), parameters ("param.NAME"),
// the result ("output") and, for a training step, the loss ("loss") and its
// gradients ("grad.NAME"). The metadata entry "program" is a JSON object that
// describes the program. Dropout, whose masks no two libraries share, is left
// out of the results, but not of the description.
func (s *Subject) Export(path string) error {
	d := description{Name: s.Name, Task: "product"}
	b := graph.NewBuilder(s.Name)
	params, err := s.program.traceForPeers(b)
	if err != nil {
		return err
	}
	if n := s.program.network; n != nil {
		d.Task, d.Image, d.Batch = string(n.task), n.image, n.batch
		if d.Layers, err = nn.Marshal(n.net); err != nil {
			return err
		}
	} else {
		d.TransA, d.TransB = s.program.product.transA, s.program.product.transB
	}
	g, err := b.Graph()
	if err != nil {
		return err
	}
	store, err := storeOf(g, params)
	if err != nil {
		return err
	}
	compiled, err := s.engine.Compile(g, store)
	if err != nil {
		return err
	}
	var tensors []safetensors.Tensor
	for _, p := range params { // before the run, which moves statistics
		tensors = append(tensors, stored("param."+p.Name, store.Get(p.Name).Clone()))
	}
	inputs := fill(g.Inputs())
	if err := compiled.Run(inputs); err != nil {
		return err
	}
	for i, n := range g.Inputs() {
		tensors = append(tensors, stored("input."+n.Name(), inputs[i]))
	}
	for i, o := range g.Outputs {
		tensors = append(tensors, stored(o.Name, compiled.Output(i)))
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return safetensors.WriteFile(path, tensors, map[string]string{"program": string(text)})
}

// traceForPeers adds the program's result and, for a training step, its loss
// and gradients.
func (p program) traceForPeers(b *graph.Builder) ([]nn.Param, error) {
	if p.network == nil || p.network.task == forward {
		return p.build(b)
	}
	n := *p.network
	n.net = withoutDropout(n.net)
	c := nn.NewContext(b, nn.Options{Training: true})
	y, l := n.loss(c)
	grads, err := gradients(c, l)
	if err != nil {
		return nil, err
	}
	b.Output("output", y)
	b.Output("loss", l)
	for i, w := range c.Trainable() {
		b.Output("grad."+w.Name, grads[i])
	}
	return c.Params(), b.Err()
}

// withoutDropout puts the identity in the place of each dropout, so that the
// names of the other layers' parameters stay as they are.
func withoutDropout(l nn.Layer) nn.Layer {
	switch l := l.(type) {
	case nn.Dropout:
		return nn.Sequential(nil)
	case nn.Sequential:
		s := make(nn.Sequential, len(l))
		for i, part := range l {
			s[i] = withoutDropout(part)
		}
		return s
	case nn.Residual:
		l.Body = withoutDropout(l.Body)
		if l.Shortcut != nil {
			l.Shortcut = withoutDropout(l.Shortcut)
		}
		return l
	case nn.Concat:
		l.Branches = withoutDropout(nn.Sequential(l.Branches)).(nn.Sequential)
		return l
	}
	return l
}

func stored(name string, t *tensor.Tensor) safetensors.Tensor {
	if t.DType() == tensor.Int32 {
		return safetensors.New(name, t.Shape(), t.Int32())
	}
	return safetensors.New(name, t.Shape(), t.Float32())
}
