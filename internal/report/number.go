package report

import (
	"math"
	"strconv"
	"strings"
)

// dash stands where a number is missing.
const dash = "–"

// drawable bounds the values that a plot draws: far beyond any measurement,
// and small enough that the distance of two of them is still a number.
const drawable = 1e100

// finite reports whether v can be drawn and written as a number.
func finite(v float64) bool { return math.Abs(v) <= drawable }

// grouped sets commas between the thousands of a decimal number.
func grouped(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, frac, has := strings.Cut(s, ".")
	var sb strings.Builder
	sb.WriteString(sign)
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			sb.WriteByte(',')
		}
		sb.WriteByte(whole[i])
	}
	if has {
		sb.WriteByte('.')
		sb.WriteString(frac)
	}
	return sb.String()
}

// signed writes a proper minus sign.
func signed(s string) string {
	if strings.HasPrefix(s, "-") {
		return "−" + s[1:]
	}
	return s
}

// significant formats v to three significant digits where it has fewer than
// three before the point, and as a whole number otherwise; in powers of ten
// where the zeros would hide the digits.
func significant(v float64) string {
	a := math.Abs(v)
	switch {
	case !finite(v):
		return dash
	case v == 0:
		return "0"
	case a < 1e-3 || a >= 1e7:
		e := int(math.Floor(math.Log10(a)))
		return power(v/math.Pow(10, float64(e)), e, 2)
	}
	decimals := min(max(2-int(math.Floor(math.Log10(a))), 0), 5)
	return signed(grouped(trimZeros(strconv.FormatFloat(v, 'f', decimals, 64))))
}

// tickText formats the tick v on an axis whose neighbouring ticks are step
// apart: with as many decimals as the step needs, and no more.
func tickText(v, step, largest float64) string {
	if math.Abs(v) < step*1e-9 {
		return "0"
	}
	if largest >= 1e6 || step < 1e-4 {
		e := int(math.Floor(math.Log10(math.Abs(v)) + 1e-9))
		digits := max(0, e-int(math.Floor(math.Log10(step)+1e-9)))
		return power(v/math.Pow(10, float64(e)), e, min(digits, 6))
	}
	decimals := max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	return signed(grouped(strconv.FormatFloat(v, 'f', decimals, 64)))
}

// logTickText formats a tick on a logarithmic axis.
func logTickText(v float64) string {
	e := int(math.Floor(math.Log10(v) + 1e-9))
	m := v / math.Pow(10, float64(e))
	if e < -3 || e > 4 {
		return power(m, e, 2)
	}
	return grouped(trimZeros(strconv.FormatFloat(v, 'f', max(0, 2-e), 64)))
}

// power writes mantissa × 10ᵉ, the mantissa left out where it is one.
func power(mantissa float64, e, digits int) string {
	m := trimZeros(strconv.FormatFloat(mantissa, 'f', digits, 64))
	ten := "10" + superscript(e)
	if m == "1" {
		return ten
	}
	return signed(m) + "×" + ten
}

func superscript(e int) string {
	digits := []rune("⁰¹²³⁴⁵⁶⁷⁸⁹")
	var sb strings.Builder
	for _, c := range strconv.Itoa(e) {
		if c == '-' {
			sb.WriteRune('⁻')
			continue
		}
		sb.WriteRune(digits[c-'0'])
	}
	return sb.String()
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(s, "0")
		s = strings.TrimSuffix(s, ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}
