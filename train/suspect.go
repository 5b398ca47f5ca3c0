package train

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// NonFiniteError reports a loss, of a step or of the validation after an epoch,
// that is NaN or infinite, or a parameter that a step has left so.
type NonFiniteError struct {
	Epoch, Step int // from 0, Step over all epochs; the message counts both from 1
	Loss        float64
	Validation  bool   // the loss is that of the validation
	Parameter   bool   // the loss was finite, but what Layer names is not
	Saved       bool   // a checkpoint from before exists
	Layer       string // the first whose result, or else whose parameter, was not finite; "" if none was found
}

func (e *NonFiniteError) Error() string {
	what := "loss"
	if e.Validation {
		what = "validation loss"
	}
	s := fmt.Sprintf("train: the %s became %v at step %d (epoch %d)", what, e.Loss, e.Step+1, e.Epoch+1)
	switch {
	case e.Parameter:
		s = fmt.Sprintf("train: after step %d (epoch %d) a number of %s is NaN or infinite, though the loss was not", e.Step+1, e.Epoch+1, e.Layer)
	case e.Layer != "":
		s += ", first in " + e.Layer
	}
	s += "; try a lower learning rate"
	if e.Saved {
		s += "; the checkpoint from before is kept"
	}
	return s
}

// suspect names the first layer whose result is not finite on the inputs of a
// step, with the variables as they are: it runs the forward pass again and
// looks at each. A parameter that is broken already comes before any.
func (t *Trainer) suspect(inputs []*tensor.Tensor) (string, error) {
	if bad := t.broken(); bad != "" {
		return bad, nil
	}
	b := graph.NewBuilder(t.problem.Name + " (looking for what is not finite)")
	step := b.Input("step", tensor.Int32)
	b.Input("lr", tensor.Float32)
	var layers []string
	c := nn.NewContext(b, nn.Options{Training: true, Step: step, Seed: t.options.Seed, Observe: func(path string, y *graph.Node) {
		if y.DType() != tensor.Float32 {
			return
		}
		layers = append(layers, path)
		// No sum of finite numbers made so small leaves the range of float32.
		const small = 1e-20
		b.Output(fmt.Sprintf("layer %d", len(layers)), b.ToScalar(b.Sum(b.Abs(b.Scale(y, small)))))
	}})
	b.Output("loss", t.problem.traceOf(t.form)(c))
	b.Guard(b.Scalar(0)) // running statistics stay as they are
	g, err := b.Graph()
	if err != nil {
		return "", err
	}
	p, err := t.engine.Compile(g, t.store)
	if err != nil {
		return "", err
	}
	if err := p.Run(inputs); err != nil {
		return "", err
	}
	for i, path := range layers {
		if !finite(float64(p.Output(i).Float32()[0])) {
			return "layer " + path, nil
		}
	}
	return "", nil
}

// sound returns an error that names the first parameter or state that is not
// finite: a step whose loss is a number can leave one behind, by a gradient that
// is none.
func (t *Trainer) sound() error {
	bad := t.broken()
	if bad == "" {
		return nil
	}
	last := max(0, t.state.Step-1)
	return &NonFiniteError{Epoch: last / t.problem.Steps, Step: last, Parameter: true, Saved: t.hasCheckpoint(), Layer: bad}
}

// broken names the first parameter or state that is not finite, "" if all are.
func (t *Trainer) broken() string {
	for _, p := range t.params {
		for _, v := range t.store.Get(p.Name).Float32() {
			if !finite(float64(v)) {
				return "parameter " + p.Name
			}
		}
	}
	return ""
}
