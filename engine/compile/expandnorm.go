package compile

import "hourglass/engine/graph"

// ExpandNorm writes batch normalisation and its gradients as element-wise
// operations with one number per channel, and as sums over rows: what stands
// before and after it can then share its passes over memory (FuseChains). Only
// the moments stay an operation of their own.
//
// With x−mean, 1/σ = 1/sqrt(variance+ε) and R rows (Ioffe & Szegedy 2015,
// section 3):
//
//	y  = (x−mean)·(γ/σ) + β
//	dγ = 1/σ · Σ dy·(x−mean),  dβ = Σ dy
//	dx = dy·(γ/σ) + (x−mean)·(−γ/σ² · dγ/R) − γ/σ · dβ/R
func ExpandNorm(g *graph.Graph) (*graph.Graph, error) {
	sums := make(map[*graph.Node][2]*graph.Node) // dγ and dβ in the copy, [C]
	return rewrite(g, func(r *rewriter, n *graph.Node, in []*graph.Node) *graph.Node {
		switch n.Op() {
		case graph.OpBatchNorm:
			gamma, beta := in[2], in[3]
			return r.MulAdd(r.centred(in[0], in[1]), r.Mul(gamma, r.rstd(n, in[1])), beta)
		case graph.OpBatchNormGradReduce:
			image, moments, dy := in[0], in[1], in[2]
			var rows []int
			for i := range len(image.Shape()) - 1 {
				rows = append(rows, i)
			}
			channels := moments.Shape()[1]
			sum := func(x *graph.Node) *graph.Node {
				if len(rows) > 0 { // Sum without axes would add up all
					x = r.Sum(x, rows...)
				}
				return r.Reshape(x, channels)
			}
			product := sum(r.Mul(dy, r.centred(image, moments)))
			dgamma := r.Mul(product, r.rstd(n, moments))
			dbeta := sum(dy)
			sums[n] = [2]*graph.Node{dgamma, dbeta}
			return r.Concat(0, r.Reshape(dgamma, 1, channels), r.Reshape(dbeta, 1, channels))
		case graph.OpBatchNormGradInput:
			image, moments, gamma, dy := in[0], in[1], in[2], in[3]
			if image.Shape().Elements() == moments.Shape()[1] && centred(n) {
				// A channel of one row is its own mean: no gradient passes, and
				// what rounding leaves of the sum below Adam would take for one.
				return r.BroadcastTo(r.Scalar(0), image.Shape()...)
			}
			var dgamma, dbeta *graph.Node
			if s, ok := sums[n.Input(4)]; ok {
				dgamma, dbeta = s[0], s[1]
			} else {
				dgamma, dbeta = r.row(in[4], 0), r.row(in[4], 1)
			}
			perRow := -float64(moments.Shape()[1]) / float64(image.Shape().Elements())
			rstd := r.rstd(n, moments)
			scale := r.Mul(gamma, rstd)
			slope := r.Scale(r.Mul(scale, r.Mul(rstd, dgamma)), perRow)
			offset := r.Scale(r.Mul(scale, dbeta), perRow)
			return r.MulAdd(dy, scale, r.MulAdd(r.centred(image, moments), slope, offset))
		case graph.OpSlice: // of the gradients of γ and β
			if s, ok := sums[n.Input(0)]; ok {
				a, channels := n.Attrs().(graph.SliceAttrs), n.Input(0).Shape()[1]
				if n.Shape()[0] == 1 && n.Shape()[1] == channels {
					return r.Reshape(s[a.Begin[0]], 1, channels)
				}
			}
		}
		return nil
	})
}

// row returns row i of a [2,C] value as [C].
func (r *rewriter) row(x *graph.Node, i int) *graph.Node {
	channels := x.Shape()[1]
	return r.Reshape(r.Slice(x, []int{i, 0}, []int{i + 1, channels}), channels)
}

func (r *rewriter) centred(x, moments *graph.Node) *graph.Node { return r.Sub(x, r.row(moments, 0)) }

// rstd returns 1/sqrt(variance+ε) of a batch normalisation n, [C].
func (r *rewriter) rstd(n, moments *graph.Node) *graph.Node {
	return r.Rsqrt(r.AddScalar(r.row(moments, 1), n.Attrs().(graph.NormAttrs).Epsilon))
}
