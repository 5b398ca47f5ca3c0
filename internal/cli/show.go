package cli

import (
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"hourglass/nn"
	"hourglass/task/autoencode"
	"hourglass/train"
)

// shown is the result of show.
type shown struct {
	Model      string            `json:"model"`
	Config     autoencode.Config `json:"config"`
	Latent     int               `json:"latent"`
	Parameters int               `json:"parameters"`
	MACs       int64             `json:"macs"` // multiply-adds of one image
	Encoder    []shownLayer      `json:"encoder"`
	Decoder    []shownLayer      `json:"decoder"`
	Training   train.Record      `json:"training"`
}

type shownLayer struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	Output     []int  `json:"output"` // of one image
	Parameters int    `json:"parameters"`
	MACs       int64  `json:"macs"`
}

func (a *app) show() *cobra.Command {
	return &cobra.Command{
		Use:     "show MODEL",
		Short:   "show a model's layers, choices and training record",
		Example: `  hourglass show runs/photos/model.safetensors`,
		Args:    takes(1, 1, "MODEL"),
		RunE: a.run(func(c *cobra.Command, args []string) error {
			e, err := a.engine()
			if err != nil {
				return err
			}
			defer e.Close()
			m, err := load(e, args[0])
			if err != nil {
				return err
			}
			s := shown{Model: args[0], Config: m.Config(), Latent: m.CodeLength(), Training: m.Record()}
			encoder, decoder := m.Rows()
			s.Encoder, s.Decoder = s.layers(encoder), s.layers(decoder)
			return a.result(s, s.text)
		}),
	}
}

// layers turns rows into what is shown, and adds them to the totals.
func (s *shown) layers(rows []nn.Row) []shownLayer {
	layers := make([]shownLayer, len(rows))
	for i, r := range rows {
		s.Parameters += r.Parameters
		s.MACs += r.MACs
		layers[i] = shownLayer{r.Name, r.Kind, r.Output[1:], r.Parameters, r.MACs}
	}
	return layers
}

func (s *shown) text(w io.Writer) {
	c := s.Config
	rows := [][]string{{"layer", "kind", "output", "parameters", "multiply-adds"}}
	rows = append(rows, []string{"images", "", fmt.Sprint([]int{c.Height, c.Width, c.Channels}), "", ""})
	for _, layers := range [][]shownLayer{s.Encoder, s.Decoder} {
		for _, l := range layers {
			rows = append(rows, []string{l.Name, l.Kind, fmt.Sprint(l.Output), nonZero(int64(l.Parameters)), nonZero(l.MACs)})
		}
	}
	rows = append(rows, []string{"total", "", "", number(s.Parameters), number(s.MACs)})
	columns(w, rows)
	fmt.Fprintln(w)
	columns(w, s.choices())
	fmt.Fprintln(w)
	s.record(w)
}

// nonZero writes a number, and nothing for zero.
func nonZero(n int64) string {
	if n == 0 {
		return ""
	}
	return number(n)
}

// choices lists what the run was made with.
func (s *shown) choices() [][]string {
	c := s.Config
	float := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	decoder := c.Decoder
	if decoder == "" {
		decoder = "mirror"
	}
	return [][]string{
		{"source", oneLine(c.Source)},
		{"images", fmt.Sprintf("%s of %s to learn from, %s to choose the epoch, %s held out",
			number(c.Train), shape(c.Height, c.Width, c.Channels), number(c.Validation), number(c.HeldOut))},
		{"network", fmt.Sprintf("%s, %s decoder, d = %s to k = %s", c.Arch, decoder, number(c.Height*c.Width*c.Channels), number(s.Latent))},
		{"loss", c.Loss},
		{"optimizer", fmt.Sprintf("%s, lr %s, %s, batches of %d", c.Optimizer, float(c.LR), c.Schedule, c.Batch)},
		{"augment", c.Augment},
		{"seed", strconv.FormatUint(c.Seed, 10)},
		{"instructions", c.ISA},
	}
}

// showEpochs is the number of epochs that the training record is thinned to.
const showEpochs = 12

// record writes the training record: the first and last epochs, the best, and
// some between.
func (s *shown) record(w io.Writer) {
	epochs := s.Training.Epochs
	rows := [][]string{{"epoch", "loss", "validation", "lr", ""}}
	every := max(1, (len(epochs)+showEpochs-1)/showEpochs)
	for i, e := range epochs {
		best := e.Epoch == s.Training.BestEpoch
		if i%every != 0 && i != len(epochs)-1 && !best {
			continue
		}
		mark := ""
		if best {
			mark = "best"
		}
		rows = append(rows, []string{
			strconv.Itoa(e.Epoch), fmt.Sprintf("%.6f", e.Loss), fmt.Sprintf("%.6f", e.Validation), fmt.Sprintf("%.3g", e.LR), mark,
		})
	}
	columns(w, rows)
	why := "all epochs were done"
	if s.Training.Stopped == "patience" {
		why = "it no longer improved"
	}
	fmt.Fprintf(w, "ended after %s: %s\n", count(len(epochs), "epoch"), why)
}
