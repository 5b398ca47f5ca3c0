package lab

import (
	"math"
	"strings"
	"testing"
)

// resultOf makes a result of figures.
func resultOf(figures map[string]float64) *Result {
	r := &Result{}
	for name, v := range figures {
		r.Set(name, v, "", "")
	}
	return r
}

// Verdicts follow from the figures, and say so when those are against the
// claim.
func TestVerdicts(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		verdict func(*Result) (string, bool)
		good    map[string]float64
		against []map[string]float64 // what is changed in the good ones
		says    []string             // of each of those
	}{
		"batchnorm": {verdictBatchnorm,
			map[string]float64{
				"convolutional_plain_accuracy": 0.8, "convolutional_plain_steps": 400, "convolutional_normalised_steps": 100, "convolutional_ratio": 0.25, "convolutional_only_normalised": 1, "convolutional_only_normalised_1": 3,
				"dense_plain_accuracy": 0.7, "dense_plain_steps": 300, "dense_normalised_steps": 150, "dense_ratio": 0.5, "dense_only_normalised": 2,
				"careful_plain_accuracy": 0.8, "careful_plain_steps": 400, "careful_normalised_steps": 390, "careful_ratio": 0.97,
				"convolutional_folded_difference": 5e-7, "convolutional_given_difference": 6e-7, "dense_folded_difference": 4e-7, "dense_given_difference": 3e-7, "careful_folded_difference": 1e-7, "careful_given_difference": 2e-7,
			},
			[]map[string]float64{
				{"dense_normalised_steps": 180, "dense_ratio": 0.6},
				{"convolutional_only_normalised": 0},
				{"dense_normalised_steps": nan, "dense_ratio": nan, "dense_normalised_accuracy": 0.65},
				{"dense_given_difference": 0.01},
			},
			[]string{"in 180 (0.60 of them)", "no higher rate is borne with it only", "never does: its best is 65.0%", "by no more than 0.01"}},
		"dropout": {verdictDropout,
			map[string]float64{"gap_without": 1, "gap_least": 0.5, "gap_least_p": 0.8, "rates_narrower": 5, "rates": 5, "whole_loss": 0.9, "averaged_loss": 0.85, "single_loss": 1.1, "averaged": 64},
			[]map[string]float64{{"rates_narrower": 4}, {"whole_loss": 1.1}},
			[]string{"4 of 5 rates narrow this gap", "loss of 1.100"}},
		"augmentation": {verdictAugmentation,
			map[string]float64{"shift_gain": 0.1, "rotate_gain": 0.2, "darken_gain": 0.01, "recolour_gain": 0.05, "darken_with": 0.5, "darken_without": 0.49},
			[]map[string]float64{{"darken_gain": -0.01}, {"recolour_gain": 0}},
			[]string{"on darkened images darken brings 49.0% to 50.0% (−1.0 points)", "(+0.0 points)"}},
		"optimizers": {verdictOptimizers,
			map[string]float64{"sgd_steps": 500, "momentum_steps": 400, "adagrad_steps": 300, "rmsprop_steps": 200, "adam_steps": 200, "small_batch_loss": 0.2, "full_batch_loss": 0.8},
			[]map[string]float64{{"momentum_steps": 500}, {"adam_steps": nan}, {"small_batch_loss": 0.9}},
			[]string{"momentum 0.9 in 500", "Adam never", "training loss of 0.900"}},
		"bottleneck": {verdictBottleneck,
			map[string]float64{"error_falls": 1, "wide_mse": 0.001, "best_mse": 0.01, "wide_neighbours": 0.8, "best_neighbours": 0.82, "best_latent": 16},
			[]map[string]float64{{"error_falls": 0}, {"wide_neighbours": 0.83}, {"wide_mse": 0.02}},
			[]string{"does not fall", "neighbours of 83.0%", "error of 0.02000"}},
		"projection": {verdictProjection,
			map[string]float64{"own": 18, "before_50": 44, "after_50": 20, "taken_50": 0.55, "before_5": 4, "after_5": 18.1, "taken_5": -3.5, "crossed": 21},
			[]map[string]float64{{"taken_50": 0.45}, {"taken_5": 0.1}, {"crossed": 30}},
			[]string{"takes off 45.0%", "noise of 5 puts", "puts images 30.0 away"}},
		"generation": {verdictGeneration,
			map[string]float64{"pixels_frechet": 300, "plain_frechet": 12, "variational_frechet": 5, "second_frechet": 2, "ratio": 0.4, "learnt_frechet": 0.1},
			[]map[string]float64{{"ratio": 0.6}, {"variational_frechet": 13}, {"pixels_frechet": 11}},
			[]string{"leaves 0.60", "13.000 for a variational", "11.0 for random pixels"}},
	} {
		if text, holds := c.verdict(resultOf(c.good)); !holds || !strings.HasSuffix(text, ".") || strings.Contains(text, "NaN") && name == "batchnorm" {
			t.Errorf("%s: figures as claimed give %v: %s", name, holds, text)
		}
		for i, change := range c.against {
			figures := map[string]float64{}
			for k, v := range c.good {
				figures[k] = v
			}
			for k, v := range change {
				figures[k] = v
			}
			if text, holds := c.verdict(resultOf(figures)); holds || !strings.Contains(text, c.says[i]) {
				t.Errorf("%s: %v gives %v: %s; it should say %q", name, change, holds, text, c.says[i])
			}
		}
		if _, holds := c.verdict(&Result{}); holds {
			t.Errorf("%s: nothing measured is taken for the claim", name)
		}
	}
	r := &Result{}
	if r.conclude("so it is.", true); r.Verdict != "As claimed: so it is." {
		t.Errorf("the verdict is %q", r.Verdict)
	}
}
