// Package pca finds the principal components of images, or of any vectors:
// the linear code of k numbers from which they are restored with the least
// squared error. It is the yardstick of an autoencoder with a waist of k.
//
// Vectors are read in blocks from a [Rows], so that they need not lie in
// memory as float32 all at once. Three methods give the components:
//
//   - [Covariance] builds the d×d covariance matrix and takes its
//     eigenvectors. Exact; good for small d.
//   - [Gram] takes the eigenvectors of the n×n matrix of products of
//     vectors. Exact; good for few long vectors.
//   - [Randomized] multiplies a random basis by the covariance matrix, which
//     it never builds, and takes the components from what comes out (N. Halko,
//     P. Martinsson and J. Tropp, "Finding structure with randomness", SIAM
//     Review 53, 2011, algorithms 4.4 and 5.5). Approximate; good for the
//     rest.
//
// [Auto] estimates what each would cost, as [Choose] tells.
//
// Products run in float32, sums over vectors and eigenproblems in float64.
// The result depends on the vectors, the options and the instruction-set
// level alone, not on the number of threads.
package pca
