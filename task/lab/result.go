package lab

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Number is a float64 whose JSON is null where it is not finite.
type Number float64

// MarshalJSON implements [json.Marshaler].
func (n Number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// numbers converts a slice.
func numbers[T int | float64](values []T) []Number {
	n := make([]Number, len(values))
	for i, v := range values {
		n[i] = Number(v)
	}
	return n
}

// Result is what an experiment found.
type Result struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Claim   string `json:"claim"`
	Recipe  []Fact `json:"recipe"`
	Verdict string `json:"verdict"`
	Holds   bool   `json:"holds"` // whether the data bear the claim out
	// Headline is the number that says most.
	Headline Headline `json:"headline"`

	Figures  []Figure   `json:"figures"`
	Plots    []Plot     `json:"plots,omitempty"`
	Tables   []Table    `json:"tables,omitempty"`
	Pictures []Pictures `json:"pictures,omitempty"` // not in the summary
	Seconds  float64    `json:"seconds"`            // that it took
}

// Headline is one number for the head of a report, as it is shown.
type Headline struct {
	Label string `json:"label"`
	Value string `json:"value"`
	Unit  string `json:"unit,omitempty"`
	Note  string `json:"note"` // what to compare it with
}

// Beginnings of a verdict.
const (
	asClaimed    = "As claimed: "
	notAsClaimed = "Not all as claimed: "
)

// conclude sets the verdict.
func (r *Result) conclude(text string, holds bool) {
	r.Verdict, r.Holds = notAsClaimed+text, holds
	if holds {
		r.Verdict = asClaimed + text
	}
}

// Finding returns what a verdict begins with, and what it goes on to say.
func (r *Result) Finding() (title, text string) {
	title, text, _ = strings.Cut(r.Verdict, ": ")
	return title, text
}

// Fact is a name with a value.
type Fact struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Figure is one number that was measured or that follows from some that were.
type Figure struct {
	Name  string `json:"name"` // unique in a result, such as "plain_steps"
	Value Number `json:"value"`
	Unit  string `json:"unit,omitempty"`
	About string `json:"about"`
	Time  bool   `json:"time,omitempty"` // depends on the machine and on what else it does
}

// Set adds a figure.
func (r *Result) Set(name string, value float64, unit, about string) {
	r.Figures = append(r.Figures, Figure{Name: name, Value: Number(value), Unit: unit, About: about})
}

// Value returns the figure of a name, NaN if there is none.
func (r *Result) Value(name string) float64 {
	for _, f := range r.Figures {
		if f.Name == name {
			return float64(f.Value)
		}
	}
	return math.NaN()
}

// Plot is lines over a common axis.
type Plot struct {
	Title  string    `json:"title"`
	Note   string    `json:"note,omitempty"`
	X      Axis      `json:"x"`
	Y      Axis      `json:"y"`
	Series []Series  `json:"series"`
	Lines  []RefLine `json:"lines,omitempty"`
	Time   bool      `json:"time,omitempty"` // an axis is one of time
}

// Axis is one of a plot's axes; Lo and Hi fix its range if Lo < Hi.
type Axis struct {
	Label string  `json:"label"`
	Log   bool    `json:"log,omitempty"`
	Lo    float64 `json:"lo,omitempty"`
	Hi    float64 `json:"hi,omitempty"`
}

// Series is one line of a plot. Colour tells lines apart that Dashed pairs: 1
// to 10, or 0 for the series' own turn.
type Series struct {
	Name   string   `json:"name"`
	X      []Number `json:"x"`
	Y      []Number `json:"y"`
	Dashed bool     `json:"dashed,omitempty"`
	Points bool     `json:"points,omitempty"` // markers without a line
	Color  int      `json:"color,omitempty"`
}

// RefLine is a horizontal line to compare with.
type RefLine struct {
	Name string `json:"name"`
	Y    Number `json:"y"`
}

// Table has a row for each thing measured and a column for each measure.
type Table struct {
	Title   string   `json:"title"`
	Note    string   `json:"note,omitempty"`
	Head    string   `json:"head"` // of the rows' names
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
}

// Column describes the numbers of a column.
type Column struct {
	Head     string `json:"head"`
	Decimals int    `json:"decimals"`
	Best     string `json:"best,omitempty"` // "highest" or "lowest" is set off
	Time     bool   `json:"time,omitempty"`
}

// Row is a row of a table, a number for each column.
type Row struct {
	Name   string   `json:"name"`
	Values []Number `json:"values"`
}

// Pictures are rows of images [H,W,C] of bytes below the heads of columns.
type Pictures struct {
	Title   string       `json:"title"`
	Note    string       `json:"note,omitempty"`
	Columns []string     `json:"columns"`
	Rows    []PictureRow `json:"rows"`
}

// PictureRow is a row of pictures of one size.
type PictureRow struct {
	Name     string   `json:"name,omitempty"`
	Height   int      `json:"height"`
	Width    int      `json:"width"`
	Channels int      `json:"channels"`
	Images   [][]byte `json:"images"`
}

// percent writes a share as it stands in sentences.
func percent(share float64) string { return fmt.Sprintf("%.1f%%", 100*share) }

// points writes a difference of two shares in percentage points.
func points(difference float64) string {
	return strings.Replace(fmt.Sprintf("%+.1f points", 100*difference), "-", "−", 1)
}

// repetitions writes how often something was done.
func repetitions(n int) string {
	if n == 1 {
		return "one repetition"
	}
	return fmt.Sprintf("mean of %d repetitions", n)
}
