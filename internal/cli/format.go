package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hourglass/train/run"
)

// number writes an integer with commas between thousands.
func number[T int | int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(n) + " " + thing + "s"
}

// shape writes the size of an image.
func shape(height, width, channels int) string {
	return fmt.Sprintf("%d×%d×%d", height, width, channels)
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

// duration writes a time to the second.
func duration(d time.Duration) string { return d.Round(time.Second).String() }

// missing stands for a measurement that was not made.
const missing = "-"

// decibels and share write measurements.
func decibels(v *float64) string { return optional(v, "%.2f dB") }

func share(v *float64) string {
	if v == nil {
		return missing
	}
	percent := *v * 100
	return optional(&percent, "%.1f%%")
}

func optional(v *float64, format string) string {
	if v == nil {
		return missing
	}
	return fmt.Sprintf(format, *v)
}

// divided says what the images are for.
func divided(d run.Division) string {
	text := number(d.Train) + " learnt from, "
	if d.Validation > 0 {
		text += number(d.Validation) + " to choose the epoch, "
	}
	return text + number(d.HeldOut) + " held out"
}

// columns aligns rows of cells, the first of which is the head: numbers to the
// right, texts to the left. Cells come from files too: each is kept to its line.
func columns(w io.Writer, rows [][]string) {
	var widths []int
	var right []bool // every cell below the head begins with a digit, or is empty
	for i, row := range rows {
		for j, cell := range row {
			cell = printable(cell)
			row[j] = cell
			if j == len(widths) {
				widths, right = append(widths, 0), append(right, true)
			}
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
			text := cell != "" && cell != missing && (cell[0] < '0' || cell[0] > '9')
			right[j] = right[j] && (i == 0 || !text)
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for j, cell := range row {
			space := strings.Repeat(" ", widths[j]-utf8.RuneCountInString(cell))
			if right[j] {
				line.WriteString(space + cell + "  ")
			} else {
				line.WriteString(cell + space + "  ")
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}
