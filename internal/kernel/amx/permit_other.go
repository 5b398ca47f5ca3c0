//go:build amd64 && !noasm && !linux

package amx

// permitted reports that nobody has tried the tile registers on this system.
func permitted() bool { return false }
