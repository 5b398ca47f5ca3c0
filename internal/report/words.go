package report

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nbsp keeps what stands around it on one line.
const nbsp = "\u00a0"

// number reads a score that may not have been measured: NaN then.
func number(p *float64) float64 {
	if p == nil {
		return math.NaN()
	}
	return *p
}

// rounded keeps the given number of significant digits.
func rounded(v float64, digits int) float64 {
	if v == 0 || !finite(v) {
		return v
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', max(digits, 1)-1, 64), 64)
	if err != nil {
		return v
	}
	return r
}

// fixed writes a number with so many decimals, or a dash.
func fixed(v float64, decimals int) string { return Num(v, decimals).text }

// percent writes a share from 0 to 1 as a percentage, without the sign.
func percent(v float64) string { return fixed(100*v, 1) }

// whole and wholeLong write a count with commas between the thousands.
func whole(n int) string       { return wholeLong(int64(n)) }
func wholeLong(n int64) string { return Int(n).text }

// counted writes a count with what it counts.
func counted(n int, what string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(what, "s"):
		what += "es"
	default:
		what += "s"
	}
	return whole(n) + " " + what
}

func wereCounted(n int) string {
	if n == 1 {
		return "1 was"
	}
	return whole(n) + " were"
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return whole(n) + " times"
}

func ratioOf(a, b int) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}

// powerOfTen writes the power of ten that is nearest to the number with the
// given logarithm.
func powerOfTen(log10 float64) string {
	if !finite(log10) || math.Abs(log10) > 1e15 {
		return dash
	}
	return "10" + superscript(int(math.Round(log10)))
}

// duration writes seconds in the unit that suits them, with two or three
// digits.
func duration(seconds float64) (value, unit string) {
	switch {
	case !finite(seconds) || seconds < 0:
		return dash, "s"
	case seconds >= 2*3600:
		return significant(rounded(seconds/3600, 3)), "h"
	case seconds >= 600:
		return significant(rounded(seconds/60, 3)), "min"
	case seconds >= 10:
		return significant(rounded(seconds, 3)), "s"
	}
	return significant(math.Round(seconds*100) / 100), "s"
}

// byteSize writes a number of bytes in decimal units.
func byteSize(n int64) string {
	v, unit := float64(n), "bytes"
	for _, next := range []string{"kB", "MB", "GB", "TB"} {
		if v < 1000 {
			break
		}
		v, unit = v/1000, next
	}
	if n == 1 {
		unit = "byte"
	}
	return significant(rounded(v, 3)) + " " + unit
}

// sentence makes a remark one: a capital at its head, unless that is the name of a file,
// and a full stop at its end.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if word, _, _ := strings.Cut(s, " "); strings.ContainsAny(strings.TrimRight(word, ".,:;"), "./\\") {
		return strings.TrimSuffix(s, ".") + "."
	}
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 || first == utf8.RuneError {
		return s
	}
	s = string(unicode.ToUpper(first)) + s[n:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
