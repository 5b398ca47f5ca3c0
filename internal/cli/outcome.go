package cli

import (
	"fmt"
	"io"

	"hourglass/task/autoencode"
	"hourglass/train/run"
)

// outcomeText writes what was learnt, in a few lines.
func outcomeText(out *autoencode.Outcome) func(io.Writer) {
	return func(w io.Writer) {
		s, c := out.Summary, out.Summary.Config
		fmt.Fprintf(w, "%s: %s of %s, %s\n", oneLine(c.Source),
			count(s.Found-len(s.Skipped), "image"), shape(c.Height, c.Width, c.Channels), divided(c.Division))
		writeSkipped(w, s.Skipped)
		fmt.Fprintf(w, "%s network, d = %s to k = %s, %s parameters, %s, %.1f s\n\n", c.Arch,
			number(s.Dimensions), number(c.Latent), number(s.Parameters), count(len(s.Training.Epochs), "epoch"), s.Seconds.Total)
		scores(w, s)
		fmt.Fprintln(w)
		writePlaces(w, &out.Judged, s.Command)
	}
}

// scores writes the table of held-out figures; columns without any are left
// out.
func scores(w io.Writer, s *autoencode.Summary) {
	h := s.HeldOut
	rows := [][]string{{"held out", "MSE", "PSNR"}}
	for _, r := range []struct {
		name string
		autoencode.Score
	}{
		{"autoencoder", h.Autoencoder}, {"PCA", h.PCA}, {"pixels", h.Pixels},
	} {
		rows = append(rows, []string{r.name, optional(r.MSE, "%.5f"), decibels(r.PSNR), share(r.KNNAccuracy)})
	}
	if h.Pixels.KNNAccuracy == nil {
		// Without labels there is no vote, and pixels have no other figure.
		rows = rows[:3]
		for i := range rows {
			rows[i] = rows[i][:3]
		}
	} else {
		rows[0] = append(rows[0], "5-NN accuracy")
	}
	columns(w, rows)
}

// showSkipped is the number of skipped files that are named.
const showSkipped = 5

func writeSkipped(w io.Writer, skipped []run.Skipped) {
	for i, s := range skipped {
		if i == showSkipped {
			fmt.Fprintf(w, "skipped %s more\n", number(len(skipped)-showSkipped))
			break
		}
		fmt.Fprintf(w, "skipped %s: %s\n", oneLine(s.Name), oneLine(s.Reason))
	}
}
