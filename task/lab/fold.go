package lab

import (
	"fmt"
	"math"
	"strconv"

	"hourglass/tensor"
)

// reportExpressive compares the outputs of networks that should be the same
// function: a normalised one whose normalisation is folded into the weights
// before it, and a plain one that is given the normalisation which undoes
// itself (Ioffe & Szegedy 2015, section 3).
func reportExpressive(b *Bench, r *Result, body normBody, best [2]*normTrial, heldOut pool) error {
	folded := b.newNetwork(body.network(b.Classes(), false))
	if err := fold(folded, best[1].network, body); err != nil {
		return err
	}
	there, err := difference(best[1].network, folded, heldOut)
	if err != nil {
		return err
	}
	given := b.newNetwork(body.network(b.Classes(), true))
	if err := undo(given, best[0].network, body, b.pool(some(b.Parts.Train, 1000))); err != nil {
		return err
	}
	back, err := difference(best[0].network, given, heldOut)
	if err != nil {
		return err
	}
	r.Set(body.name+"_folded_difference", there, "", "greatest difference of an output over all held-out images, by the greatest output, once the normalisation is folded into the weights")
	r.Set(body.name+"_given_difference", back, "", "the same between the plain network and itself with normalisations that undo themselves")
	return nil
}

// epsilon is what nn.BatchNorm adds to a variance by default.
const epsilon = 1e-5

// variable returns a variable of a layer, made if it is not there yet.
func (n *network) variable(layer int, name string, like *tensor.Tensor) (*tensor.Tensor, error) {
	return n.store.Variable(scope+"."+strconv.Itoa(layer)+"."+name, tensor.Float32, like.Shape())
}

// copyLayer copies the weights and the bias of a layer, multiplied by a factor
// for each output; nil is 1.
func copyLayer(to, from *network, layer int, factor []float64) error {
	for _, name := range []string{"weight", "bias"} {
		source := from.store.Get(scope + "." + strconv.Itoa(layer) + "." + name)
		if source == nil {
			return fmt.Errorf("lab: layer %d has no %s", layer, name)
		}
		target, err := to.variable(layer, name, source)
		if err != nil {
			return err
		}
		for i, v := range source.Float32() {
			f := 1.0
			if factor != nil {
				f = factor[i%len(factor)]
			}
			target.Float32()[i] = float32(float64(v) * f)
		}
	}
	return nil
}

// fold gives a plain network the weights that make it the normalised one in
// use: w·γ/σ, and (b−μ)·γ/σ+β.
func fold(plain, normalised *network, body normBody) error {
	for _, layer := range body.linear() {
		norm := func(name string) []float32 {
			return normalised.store.Get(scope + "." + strconv.Itoa(layer+1) + "." + name).Float32()
		}
		gamma, beta, mean, variance := norm("weight"), norm("bias"), norm("running_mean"), norm("running_var")
		factor := make([]float64, len(gamma))
		for i := range factor {
			factor[i] = float64(gamma[i]) / math.Sqrt(float64(variance[i])+epsilon)
		}
		if err := copyLayer(plain, normalised, layer, factor); err != nil {
			return err
		}
		bias := plain.store.Get(scope + "." + strconv.Itoa(layer) + ".bias").Float32()
		for i := range bias {
			bias[i] = float32(float64(bias[i]) - float64(mean[i])*factor[i] + float64(beta[i]))
		}
	}
	return copyLayer(plain, normalised, body.lastLayer(), nil)
}

// lastLayer is the place of the layer of classes.
func (body normBody) lastLayer() int { return len(body.network(1, false)) - 1 }

// undo gives a normalised network the weights of a plain one, and
// normalisations that return what they get: γ is the deviation and β the mean
// of what goes in, measured on some images.
func undo(normalised, plain *network, body normBody, images pool) error {
	net := body.network(plain.bench.Classes(), false)
	for _, layer := range body.linear() {
		if err := copyLayer(normalised, plain, layer, nil); err != nil {
			return err
		}
		like := plain.store.Get(scope + "." + strconv.Itoa(layer) + ".bias")
		values, err := plain.run(plain.function("inputs", net[:layer+1]), images)
		if err != nil {
			return err
		}
		var norm [4][]float32
		for k, name := range []string{"weight", "bias", "running_mean", "running_var"} {
			v, err := normalised.variable(layer+1, name, like)
			if err != nil {
				return err
			}
			norm[k] = v.Float32()
		}
		units := like.Shape().Elements()
		for unit := range units {
			mean, variance := moments(values, unit, units)
			norm[2][unit], norm[3][unit] = float32(mean), float32(variance)
			norm[0][unit], norm[1][unit] = float32(math.Sqrt(float64(norm[3][unit])+epsilon)), norm[2][unit]
		}
	}
	return copyLayer(normalised, plain, body.lastLayer(), nil)
}

// moments returns the mean and the variance of a column of values [N,columns].
func moments(values []float32, column, columns int) (mean, variance float64) {
	n := float64(len(values) / columns)
	for i := column; i < len(values); i += columns {
		mean += float64(values[i]) / n
	}
	for i := column; i < len(values); i += columns {
		d := float64(values[i]) - mean
		variance += d * d / n
	}
	return mean, variance
}

// difference is the greatest difference of two networks' outputs by the
// greatest output of the first.
func difference(a, b *network, images pool) (float64, error) {
	x, err := a.run(a.infer, images)
	if err != nil {
		return 0, err
	}
	y, err := b.run(b.infer, images)
	if err != nil {
		return 0, err
	}
	most, apart := 0.0, 0.0
	for i := range x {
		most = max(most, math.Abs(float64(x[i])))
		apart = max(apart, math.Abs(float64(x[i])-float64(y[i])))
	}
	return apart / most, nil
}
