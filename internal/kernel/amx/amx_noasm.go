//go:build !amd64 || noasm

package amx

func available() bool { return false }

func multiply(*Args) { panic("amx: no multiply in this build") }

func roundRows(_ *uint16, _ *float32, _, _, _, _ int, _, _ uint16) {
	panic("amx: no roundRows in this build")
}

func pairTiles(_, _ *uint16, _, _, _ int) { panic("amx: no pairTiles in this build") }

func turnTiles(_, _ *uint16, _, _, _, _, _ int) { panic("amx: no turnTiles in this build") }

func columnTiles(_, _ *uint16, _, _, _, _, _ int) { panic("amx: no columnTiles in this build") }

func storeRows(_, _, _ *float32, _, _ int, _, _ uint16, _, _ bool, _ float32) {
	panic("amx: no storeRows in this build")
}
