// Package neighbors finds the nearest neighbours of vectors by comparing every
// query with every vector of a base, and lets neighbours vote on a label.
//
// The search is exact. Products of blocks of vectors in float32 leave a few
// candidates for each query, and no vector that rounding could have put behind
// another is dropped; the candidates' distances are then computed anew, from
// the differences of their elements in float64, and ordered. Equal distances
// are ordered by index. The result does not depend on the number of threads.
package neighbors
