package embedding

import (
	"cmp"
	"math"
	"slices"
)

// edge is an attraction of a point to another.
type edge struct {
	to int32
	p  float32
}

// graph is the symmetric matrix of attractions, without its zeros: the edges
// of point i are edges[first[i]:first[i+1]], in the order of their ends. All
// attractions together sum to 1.
type graph struct {
	first []int
	edges []edge
}

// affinities turns the k nearest neighbours of n points into attractions. The
// attraction of a neighbour falls with its distance as a Gaussian does, whose
// width is such that the neighbours' entropy is the logarithm of the
// perplexity; then those of i to j and of j to i are averaged (van der Maaten
// and Hinton 2008, equations 1 and 3.1).
func affinities(indices []int32, distances []float32, n, k int, perplexity float64) graph {
	g := graph{first: make([]int, n+1)}
	all := make([][]edge, n)
	p := make([]float64, k)
	for i := range n {
		conditional(p, distances[i*k:(i+1)*k], perplexity)
		for c, j := range indices[i*k : (i+1)*k] {
			half := float32(p[c] / (2 * float64(n)))
			all[i] = append(all[i], edge{j, half})
			all[j] = append(all[j], edge{int32(i), half})
		}
	}
	for i, list := range all {
		// An end occurs at most twice, and the sum of two numbers does not
		// depend on their order.
		slices.SortFunc(list, func(a, b edge) int { return cmp.Compare(a.to, b.to) })
		for _, e := range list {
			if last := len(g.edges) - 1; last >= g.first[i] && g.edges[last].to == e.to {
				g.edges[last].p += e.p
			} else {
				g.edges = append(g.edges, e)
			}
		}
		g.first[i+1] = len(g.edges)
	}
	return g
}

// conditional sets p to the probabilities of neighbours at the given
// distances, nearest first, that have the given perplexity. Where many are at
// the same smallest distance, the entropy cannot fall below theirs, and they
// share equally.
func conditional(p []float64, distances []float32, perplexity float64) {
	// In units of the furthest neighbour, whatever the scale of the vectors.
	unit := float64(distances[len(distances)-1])
	if unit == 0 {
		unit = 1
	}
	nearest := float64(distances[0]) / unit
	target := math.Log(perplexity)
	low, high := 0.0, math.Inf(1)
	beta := 1.0
	for range 100 {
		total, weighted := 0.0, 0.0
		for c, d := range distances {
			r := float64(d) / unit
			excess := r*r - nearest*nearest // at least one term stays 1
			p[c] = math.Exp(-beta * excess)
			total += p[c]
			weighted += p[c] * excess
		}
		for c := range p {
			p[c] /= total
		}
		entropy := math.Log(total) + beta*weighted/total
		if math.Abs(entropy-target) < 1e-6 || beta > 1e15 {
			return
		}
		if entropy > target {
			low = beta
		} else {
			high = beta
		}
		if math.IsInf(high, 1) {
			beta *= 2
		} else {
			beta = (low + high) / 2
		}
	}
}
