package ref

import (
	"hourglass/engine/backend"
	"hourglass/engine/graph"
	"hourglass/tensor"
)

// New returns the interpreter as a backend: float32 values between runs,
// float64 within one. It can stand in for any other where speed does not
// matter.
func New() backend.Backend { return interpreter{} }

// NewAt is New with a precision of products: each factor is rounded to float32
// and then to that.
func NewAt(p backend.Precision) backend.Backend { return interpreter{p} }

type interpreter struct{ precision backend.Precision }

func (interpreter) Name() string { return "ref" }

func (i interpreter) Compile(g *graph.Graph, store *backend.Store) (backend.Program, error) {
	if err := g.Verify(); err != nil {
		return nil, err
	}
	variables, err := store.Bind(g)
	if err != nil {
		return nil, err
	}
	p := &program{precision: i.precision, graph: g, inputs: g.Inputs(), variables: make(map[string]*tensor.Tensor)}
	for i, n := range g.Variables() {
		p.variables[n.Name()] = variables[i]
	}
	for _, o := range g.Outputs {
		p.outputs = append(p.outputs, tensor.New(o.Node.DType(), o.Node.Shape()...))
	}
	return p, nil
}

type program struct {
	precision backend.Precision
	graph     *graph.Graph
	inputs    []*graph.Node
	variables map[string]*tensor.Tensor
	outputs   []*tensor.Tensor
}

func (p *program) Run(inputs []*tensor.Tensor) error {
	if err := backend.CheckInputs(p.graph, p.inputs, inputs); err != nil {
		return err
	}
	feeds := make(Values)
	for i, n := range p.inputs {
		feeds[n.Name()] = widen(inputs[i])
	}
	for name, v := range p.variables {
		feeds[name] = widen(v)
	}
	outputs, updates, err := evaluateAt(p.precision, p.graph, feeds)
	if err != nil {
		return err
	}
	for i, o := range p.graph.Outputs {
		narrow(p.outputs[i], outputs[o.Name])
	}
	for name, value := range updates {
		narrow(p.variables[name], value)
	}
	return nil
}

func (p *program) Output(i int) *tensor.Tensor { return p.outputs[i] }
