package amx

import (
	"math"

	"hourglass/internal/kernel/bfloat"
)

// round rounds as the processor does: what is too small for a normal number
// becomes zero.
func round(v float32) uint16 {
	bits := math.Float32bits(v)
	if bits&0x7f800000 == 0 {
		bits &= 0x80000000
	}
	return uint16(math.Float32bits(bfloat.Round(math.Float32frombits(bits))) >> 16)
}

// number returns a bfloat16 number, or zero for one that is not normal.
func number(bits uint16) float32 {
	if bits&0x7f80 == 0 {
		bits &= 0x8000
	}
	return math.Float32frombits(uint32(bits) << 16)
}

func multiplyPortable(t *Args, tiles int) {
	for _, block := range t.Blocks {
		for r := range Rows {
			for c := range 16 * tiles {
				sum := float32(0)
				at := c/16*TileLen + c%16*2
				for _, tap := range t.Taps {
					a := t.A[block.A+r*t.LDA+tap:]
					for s := range t.Steps {
						for i, v := range a[s*Depth : (s+1)*Depth] {
							sum += number(v) * number(t.B[at+i/2*Depth+i%2])
						}
						at += tiles * TileLen
					}
				}
				t.C[block.C+r*t.LDC+c] = sum
			}
		}
	}
}

func correlatePortable(t *Shifted) {
	for i, tap := range t.Taps {
		block := t.C[i*Rows*Columns:][:Rows*Columns]
		if !t.FromC {
			clear(block)
		}
		for r := range Rows {
			a := t.A[r*t.LDA:][:t.Steps*Depth]
			for c := range Columns {
				b := t.B[tap+c/16*t.Half+c%16*2:]
				sum := block[r*Columns+c]
				for j, v := range a {
					sum += number(v) * number(b[j/2*Depth+j%2])
				}
				block[r*Columns+c] = sum
			}
		}
	}
}
