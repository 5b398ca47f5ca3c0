//go:build !amd64 || noasm

package isa

func detect() Level { return Generic }

func cores() string { return "" }

func streams() bool { return false }
