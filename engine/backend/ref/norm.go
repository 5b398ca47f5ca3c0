package ref

import (
	"math"

	"hourglass/engine/graph"
)

func softmax(n *graph.Node, in []array) []float64 {
	out := logSoftmax(n, in)
	for i, v := range out {
		out[i] = math.Exp(v)
	}
	return out
}

func logSoftmax(_ *graph.Node, in []array) []float64 {
	out := make([]float64, 0, len(in[0].data))
	for _, row := range rows(in[0]) {
		highest := math.Inf(-1)
		for _, v := range row {
			highest = max(highest, v)
		}
		sum := 0.0
		for _, v := range row {
			sum += math.Exp(v - highest)
		}
		for _, v := range row {
			out = append(out, v-highest-math.Log(sum))
		}
	}
	return out
}

// The operations below see a value as rows of channels: a channel's elements
// are those at its place of every row.

func moments(_ *graph.Node, in []array) []float64 {
	x := rows(in[0])
	channels := len(x[0])
	out := make([]float64, 2*channels)
	mean, variance := out[:channels], out[channels:]
	for _, row := range x {
		for c, v := range row {
			mean[c] += v / float64(len(x))
		}
	}
	for _, row := range x {
		for c, v := range row {
			variance[c] += (v - mean[c]) * (v - mean[c]) / float64(len(x))
		}
	}
	return out
}

// channelNorm holds the moments of a batch normalisation.
type channelNorm struct {
	moments  []float64 // [2,C]
	channels int
	epsilon  float64
}

func normOf(n *graph.Node, moments array) channelNorm {
	return channelNorm{moments.data, moments.shape[1], n.Attrs().(graph.NormAttrs).Epsilon}
}

// rstd returns the factor 1/sqrt(variance+epsilon) of a channel.
func (m channelNorm) rstd(c int) float64 {
	return 1 / math.Sqrt(m.moments[m.channels+c]+m.epsilon)
}

// normalised returns (x-mean)/sqrt(variance+epsilon) of a channel's element.
func (m channelNorm) normalised(x float64, c int) float64 {
	return (x - m.moments[c]) * m.rstd(c)
}

// batchNorm has the operands x, moments [2,C], gamma [C] and beta [C].
func batchNorm(n *graph.Node, in []array) []float64 {
	m, gamma, beta := normOf(n, in[1]), in[2].data, in[3].data
	out := make([]float64, len(in[0].data))
	for i, x := range in[0].data {
		c := i % m.channels
		out[i] = gamma[c]*m.normalised(x, c) + beta[c]
	}
	return out
}

// batchNormGradReduce has the operands x, moments and dy. Row 0 is the
// gradient of gamma, row 1 that of beta.
func batchNormGradReduce(n *graph.Node, in []array) []float64 {
	m, dy := normOf(n, in[1]), in[2].data
	out := make([]float64, 2*m.channels)
	for i, x := range in[0].data {
		c := i % m.channels
		out[c] += dy[i] * m.normalised(x, c)
		out[m.channels+c] += dy[i]
	}
	return out
}

// batchNormGradInput has the operands x, moments, gamma, dy and the result of
// batchNormGradReduce. It is the total derivative, through the moments as
// well (Ioffe & Szegedy 2015, section 3).
func batchNormGradInput(n *graph.Node, in []array) []float64 {
	m, gamma, dy, sums := normOf(n, in[1]), in[2].data, in[3].data, in[4].data
	perChannel := float64(len(in[0].data) / m.channels)
	out := make([]float64, len(in[0].data))
	for i, x := range in[0].data {
		c := i % m.channels
		dgamma, dbeta := sums[c], sums[m.channels+c]
		out[i] = gamma[c] * m.rstd(c) * (dy[i] - dbeta/perChannel - m.normalised(x, c)*dgamma/perChannel)
	}
	return out
}
