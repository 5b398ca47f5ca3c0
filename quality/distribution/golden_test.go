package distribution

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// TestAgainstScipy compares with the figures of testdata/golden.py.
func TestAgainstScipy(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Cases []struct {
			Name                       string
			Dim, K                     int
			Real, Made                 []float32
			Frechet, Precision, Recall float64
		}
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	if len(golden.Cases) < 3 {
		t.Fatalf("there are %d cases", len(golden.Cases))
	}
	for _, c := range golden.Cases {
		// A set of fewer vectors than dimensions has a singular covariance, of
		// which scipy's root is good to about 1e-6.
		if got := frechet(t, c.Real, c.Made, c.Dim); math.Abs(got-c.Frechet) > 1e-5*c.Frechet {
			t.Errorf("%s: a distance of %v, scipy's %v", c.Name, got, c.Frechet)
		}
		precision, recall, err := PrecisionRecall(c.Real, c.Made, c.Dim, Options{K: c.K})
		if err != nil || math.Abs(precision-c.Precision) > 1e-12 || math.Abs(recall-c.Recall) > 1e-12 {
			t.Errorf("%s: precision %v and recall %v (%v), by sorted distances %v and %v", c.Name, precision, recall, err, c.Precision, c.Recall)
		}
	}
}
