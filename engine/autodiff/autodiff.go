// Package autodiff turns a traced computation into its gradient: reverse-mode
// automatic differentiation over one table of vector-Jacobian products.
package autodiff

import (
	"fmt"

	"hourglass/engine/graph"
	"hourglass/tensor"
)

// Gradients extends the builder of loss, a value with one element, by the
// gradient of loss with respect to each node of wrt, in order. A node that
// the loss does not depend on gets zeros. It fails if the loss depends on a
// wrt node through an operation that has no derivative.
func Gradients(loss *graph.Node, wrt []*graph.Node) ([]*graph.Node, error) {
	b := loss.Builder()
	if err := b.Err(); err != nil {
		return nil, err
	}
	if loss.Shape().Elements() != 1 || loss.DType() != tensor.Float32 {
		return nil, fmt.Errorf("autodiff: the loss is %v%v; it must be one f32 (reduce it)", loss.DType(), loss.Shape())
	}
	order := ancestors(loss)
	// depends marks the nodes between wrt and the loss: only they need a
	// gradient.
	depends := make(map[*graph.Node]bool)
	for _, w := range wrt {
		depends[w] = true
	}
	for _, n := range order {
		for _, in := range n.Inputs() {
			if depends[in] {
				depends[n] = true
			}
		}
	}

	grads := map[*graph.Node]*graph.Node{}
	if depends[loss] {
		grads[loss] = b.BroadcastTo(b.Scalar(1), loss.Shape()...)
	}
	for i := len(order) - 1; i >= 0; i-- {
		n := order[i]
		dy := grads[n]
		if dy == nil || len(n.Inputs()) == 0 {
			continue
		}
		r := table[n.Op()]
		if r.vjp == nil {
			if needsOperand(n, depends) {
				return nil, fmt.Errorf("autodiff: the loss depends on a parameter through %v, which has no derivative: %s", n.Op(), r.reason)
			}
			continue
		}
		if finished(n) {
			return nil, fmt.Errorf("autodiff: %v has a sum or an activation inside, made by compilation; differentiate before it", n.Op())
		}
		need := make([]bool, len(n.Inputs()))
		for j, in := range n.Inputs() {
			need[j] = depends[in] && in.DType() == tensor.Float32
		}
		for j, g := range r.vjp(context{b, n, dy, need}) {
			if g == nil || !need[j] {
				continue
			}
			in := n.Input(j)
			if sum := grads[in]; sum != nil {
				g = b.Add(sum, g)
			}
			grads[in] = g
		}
	}
	result := make([]*graph.Node, len(wrt))
	for i, w := range wrt {
		if result[i] = grads[w]; result[i] == nil {
			result[i] = b.BroadcastTo(b.Scalar(0), w.Shape()...)
		}
	}
	return result, b.Err()
}

// Differentiable reports whether gradients flow through an operation, and
// why not if they do not.
func Differentiable(op graph.Op) (ok bool, reason string) {
	r := table[op]
	return r.vjp != nil, r.reason
}

func needsOperand(n *graph.Node, depends map[*graph.Node]bool) bool {
	for _, in := range n.Inputs() {
		if depends[in] {
			return true
		}
	}
	return false
}

// finished reports whether compilation has moved a sum or an activation into
// a dense operation; the table knows neither.
func finished(n *graph.Node) bool {
	switch a := n.Attrs().(type) {
	case graph.MatMulAttrs:
		return len(n.Inputs()) > 2 || a.Act != graph.ActNone
	case graph.ConvAttrs:
		return len(n.Inputs()) > 2 || a.Act != graph.ActNone
	}
	return false
}

// ancestors returns loss and everything it is computed from, operands first.
func ancestors(loss *graph.Node) []*graph.Node {
	var order []*graph.Node
	state := map[*graph.Node]bool{}
	type frame struct {
		n    *graph.Node
		next int
	}
	stack := []frame{{n: loss}}
	state[loss] = true
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == len(top.n.Inputs()) {
			order = append(order, top.n)
			stack = stack[:len(stack)-1]
			continue
		}
		in := top.n.Input(top.next)
		top.next++
		if !state[in] {
			state[in] = true
			stack = append(stack, frame{n: in})
		}
	}
	return order
}
