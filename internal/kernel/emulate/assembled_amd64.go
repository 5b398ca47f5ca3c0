//go:build amd64 && !noasm

package emulate

// assembled says that the build has the assembly.
const assembled = true
