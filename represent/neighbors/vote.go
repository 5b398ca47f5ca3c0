package neighbors

import "fmt"

// Vote returns the label that most of each query's k neighbours have; of
// labels with equally many, the one whose first neighbour is nearest. indices
// is [m,k] as Search returns it, and labels holds the label of each base
// vector, from 0 to classes-1.
func Vote(indices, labels []int32, k, classes int) ([]int32, error) {
	if k < 1 || len(indices)%k != 0 {
		return nil, fmt.Errorf("neighbors: %d indices are no whole number of lists of %d", len(indices), k)
	}
	for i, l := range labels {
		if l < 0 || int(l) >= classes {
			return nil, fmt.Errorf("neighbors: label %d of vector %d is not one of %d classes", l, i, classes)
		}
	}
	for i, v := range indices {
		if v < 0 || int(v) >= len(labels) {
			return nil, fmt.Errorf("neighbors: neighbour %d of query %d is vector %d, and there are labels for %d", i%k, i/k, v, len(labels))
		}
	}
	winners := make([]int32, len(indices)/k)
	votes := make([]int, classes)
	for q := range winners {
		list := indices[q*k : (q+1)*k]
		clear(votes)
		most := 0
		for _, v := range list {
			votes[labels[v]]++
			most = max(most, votes[labels[v]])
		}
		for _, v := range list {
			if votes[labels[v]] == most {
				winners[q] = labels[v]
				break
			}
		}
	}
	return winners, nil
}

// Accuracy returns the share of predictions that equal the truth, 0 to 1.
func Accuracy(predicted, truth []int32) (float64, error) {
	if len(predicted) != len(truth) || len(truth) == 0 {
		return 0, fmt.Errorf("neighbors: %d predictions for %d labels", len(predicted), len(truth))
	}
	right := 0
	for i, p := range predicted {
		if p == truth[i] {
			right++
		}
	}
	return float64(right) / float64(len(truth)), nil
}
