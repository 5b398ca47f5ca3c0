package train

import (
	"hourglass/engine/graph"
	"hourglass/nn"
	"hourglass/tensor"
)

// averageOf names the variable that holds the moving average of another.
func averageOf(name string) string { return "ema." + name }

// average adds to the step that the averages follow the new values of params.
func (t *Trainer) average(b *graph.Builder, params []nn.Param, step *graph.Node) {
	if t.options.EMA == 0 {
		return
	}
	s := b.Cast(step)
	share := b.Min(b.Scalar(t.options.EMA), b.Div(b.AddScalar(s, 1), b.AddScalar(s, 10)))
	for _, p := range params {
		a := b.Variable(averageOf(p.Name), tensor.Float32, p.Node.Shape()...)
		now := b.After(p.Node)
		b.Update(a, b.Add(now, b.Mul(b.Sub(a, now), share)))
	}
}

// beginAverage gives the averages their first values, those of the variables.
func (t *Trainer) beginAverage() error {
	if t.options.EMA == 0 {
		return nil
	}
	for _, p := range t.params {
		if err := t.store.Get(averageOf(p.Name)).CopyFrom(t.store.Get(p.Name)); err != nil {
			return err
		}
	}
	return nil
}

// swapAverage exchanges the variables with their averages, if there are any:
// what is judged and kept is then the average. A second call puts them back.
func (t *Trainer) swapAverage() error {
	if t.options.EMA == 0 {
		return nil
	}
	for _, p := range t.params {
		v, a := t.store.Get(p.Name).Float32(), t.store.Get(averageOf(p.Name)).Float32()
		for i := range v {
			v[i], a[i] = a[i], v[i]
		}
	}
	return nil
}
