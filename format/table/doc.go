// Package table writes and reads a matrix of float32 whose rows have names, as
// a CSV, Parquet or NumPy file.
package table
