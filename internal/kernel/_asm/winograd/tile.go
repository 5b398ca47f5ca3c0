package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// begin starts a function and loads its numbers.
func (m *machine) begin(what string, size int, signature, doc string) {
	name := fmt.Sprintf("%s%d%s", what, size, m.suffix())
	TEXT(name, 4, signature) // NOSPLIT
	Doc(name + " " + doc)
	Pragma("noescape")
	m.load(numbersOf(what, size))
}

func bytesOf(param string) reg.Register {
	r := Load(Param(param), GP64())
	SHLQ(Imm(2), r)
	return r
}

// gather writes a transform of a tile of from·from pixels, each of which has a
// pointer of its own, to side·side frequencies.
func (m *machine) gather(what string, size, from, side int, f transform) {
	m.begin(what, size, "func(dst *float32, stride int, src **float32, n int, tmp *float32, run, jump int)",
		"transforms n channels of the pixels that src points to, and jumps in dst after each run of them.")
	dst := Load(Param("dst"), GP64())
	to := newStrided(dst, bytesOf("stride"))
	src := Load(Param("src"), GP64())
	n := Load(Param("n"), GP64())
	m.tmp = Load(Param("tmp"), GP64())
	run, jump := Load(Param("run"), GP64()), bytesOf("jump")
	DECQ(run) // a power of two: the bits that say where in a run a channel is
	i := GP64()
	XORQ(i, i)
	m.each(n, func() {
		ADDQ(U32(m.bytes()), dst)
		ADDQ(U32(m.lanes()), i)
		TESTQ(run, i)
		JNZ(LabelRef("within"))
		ADDQ(jump, dst)
		Label("within")
	}, func() {
		for c := range from {
			var in []vec
			for r := range from {
				p := GP64()
				MOVQ(Mem{Base: src, Disp: 8 * (r*from + c)}, p)
				in = append(in, m.read(Mem{Base: p, Index: i, Scale: 4}))
			}
			f(m, in, func(r int, v vec) { VMOVUPS(v, m.slot(r*from+c)) })
		}
		p := GP64()
		MOVQ(dst, p)
		for r := range side {
			f(m, m.row(r, from), func(c int, v vec) { VMOVUPS(v, to.at(p, c)) })
			to.next(p, side)
		}
	})
}

// row loads a row of the tile between the passes.
func (m *machine) row(r, length int) []vec {
	var in []vec
	for c := range length {
		v := m.vector()
		VMOVUPS(m.slot(r*length+c), v)
		in = append(in, v)
	}
	return in
}

// column loads a column of the tile between the passes.
func (m *machine) column(c, rows, length int) []vec {
	var in []vec
	for r := range rows {
		v := m.vector()
		VMOVUPS(m.slot(r*length+c), v)
		in = append(in, v)
	}
	return in
}

// filter writes the transform of a filter's 3·3 taps to side·side frequencies.
func (m *machine) filter(size, side int, f transform) {
	m.begin("filter", size, "func(dst *float32, stride int, src *float32, taps, n int, tmp *float32)",
		"transforms n weights of each tap, which lie taps apart.")
	dst := Load(Param("dst"), GP64())
	to := newStrided(dst, bytesOf("stride"))
	src := Load(Param("src"), GP64())
	taps := bytesOf("taps")
	n := Load(Param("n"), GP64())
	m.tmp = Load(Param("tmp"), GP64())
	three := GP64()
	LEAQ(Mem{Base: taps, Index: taps, Scale: 2}, three)
	m.each(n, func() {
		ADDQ(U32(m.bytes()), dst)
		ADDQ(U32(m.bytes()), src)
	}, func() {
		p := GP64()
		MOVQ(src, p)
		for c := range 3 {
			var in []vec
			for r := range 3 {
				at := Mem{Base: p}
				if r > 0 {
					at.Index, at.Scale = three, uint8(r)
				}
				in = append(in, m.read(at))
			}
			f(m, in, func(r int, v vec) { VMOVUPS(v, m.slot(r*3+c)) })
			ADDQ(taps, p)
		}
		q := GP64()
		MOVQ(dst, q)
		for r := range side {
			f(m, m.row(r, 3), func(c int, v vec) { VMOVUPS(v, to.at(q, c)) })
			to.next(q, side)
		}
	})
}

// shrink emits the first pass of a transform from side·side frequencies: rows
// of them become rows of size values.
func (m *machine) shrink(from strided, side, size int, f transform) {
	p := GP64()
	MOVQ(from.base, p)
	for r := range side {
		var in []vec
		for c := range side {
			v := m.vector()
			VMOVUPS(from.at(p, c), v)
			in = append(in, v)
		}
		f(m, in, func(c int, v vec) { VMOVUPS(v, m.slot(r*size+c)) })
		from.next(p, side)
	}
}

// output writes the transform of side·side frequencies to size·size pixels,
// each of which has a pointer of its own.
func (m *machine) output(size, side int, f transform) {
	m.begin("output", size, "func(dst **float32, src *float32, stride int, n int, tmp *float32, bias *float32, add, relu bool, most float32)",
		"transforms n channels, and adds the bias, if any, and what dst points to, if add is set, before a ReLU that stores most at most.")
	dst := Load(Param("dst"), GP64())
	src := Load(Param("src"), GP64())
	from := newStrided(src, bytesOf("stride"))
	n := Load(Param("n"), GP64())
	m.tmp = Load(Param("tmp"), GP64())
	bias := Load(Param("bias"), GP64())
	add, relu := Load(Param("add"), GP8()), Load(Param("relu"), GP8())
	i := GP64()
	XORQ(i, i)
	m.each(n, func() {
		ADDQ(U32(m.bytes()), src)
		ADDQ(U32(m.lanes()), i)
	}, func() {
		m.shrink(from, side, size, f)
		label := func(name string, c int) string {
			if m.masked {
				name += "rest"
			}
			return fmt.Sprintf("%s%d", name, c)
		}
		for c := range size {
			out := make([]vec, size)
			f(m, m.column(c, side, size), func(r int, v vec) { out[r] = v })
			to := make([]Mem, size)
			for r := range size {
				p := GP64()
				MOVQ(Mem{Base: dst, Disp: 8 * (r*size + c)}, p)
				to[r] = Mem{Base: p, Index: i, Scale: 4}
			}
			TESTQ(bias, bias)
			JZ(LabelRef(label("add", c)))
			v := m.read(Mem{Base: bias, Index: i, Scale: 4})
			for r := range size {
				VADDPS(v, out[r], out[r])
			}
			Label(label("add", c))
			TESTB(add, add)
			JZ(LabelRef(label("relu", c)))
			for r := range size {
				VADDPS(m.read(to[r]), out[r], out[r])
			}
			Label(label("relu", c))
			TESTB(relu, relu)
			JZ(LabelRef(label("write", c)))
			zero := m.vector()
			VXORPS(zero, zero, zero)
			for r := range size {
				VMAXPS(out[r], zero, out[r]) // a NaN is the second operand, and stays
			}
			most, err := Param("most").Resolve()
			if err != nil {
				panic(err)
			}
			VBROADCASTSS(most.Addr, zero)
			for r := range size {
				VMINPS(out[r], zero, out[r])
			}
			Label(label("write", c))
			for r := range size {
				m.write(out[r], to[r])
			}
		}
	})
}

// unfilter writes the transform of side·side frequencies to the 3·3 taps of a
// filter's gradient.
func (m *machine) unfilter(size, side int, f transform) {
	m.begin("unfilter", size, "func(dst *float32, taps int, src *float32, stride, n int, tmp *float32)",
		"transforms n weights to taps that lie taps apart.")
	dst := Load(Param("dst"), GP64())
	taps := bytesOf("taps")
	src := Load(Param("src"), GP64())
	from := newStrided(src, bytesOf("stride"))
	n := Load(Param("n"), GP64())
	m.tmp = Load(Param("tmp"), GP64())
	three := GP64()
	LEAQ(Mem{Base: taps, Index: taps, Scale: 2}, three)
	m.each(n, func() {
		ADDQ(U32(m.bytes()), dst)
		ADDQ(U32(m.bytes()), src)
	}, func() {
		m.shrink(from, side, 3, f)
		p := GP64()
		MOVQ(dst, p)
		for c := range 3 {
			f(m, m.column(c, side, 3), func(r int, v vec) {
				at := Mem{Base: p}
				if r > 0 {
					at.Index, at.Scale = three, uint8(r)
				}
				m.write(v, at)
			})
			ADDQ(taps, p)
		}
	})
}
