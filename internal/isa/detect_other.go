//go:build !amd64 || noasm

package isa

func detect() Level { return Generic }

func hasBFloat16() bool { return false }
