package run

import "math"

// Counts compares how many images there can be with how many a code can name,
// as powers of ten.
type Counts struct {
	Images float64 `json:"images_log10"` // 256^d
	Names  float64 `json:"names_log10"`  // 11^k: 11 levels of each number are told apart
}

// CountsOf returns the counts for images of d numbers and codes of k.
func CountsOf(d, k int) Counts {
	return Counts{Images: float64(d) * math.Log10(256), Names: float64(k) * math.Log10(11)}
}
