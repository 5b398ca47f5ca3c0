package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/nn"
	"hourglass/task/autoencode"
	"hourglass/task/classify"
	"hourglass/task/generate"
	"hourglass/task/restore"
	"hourglass/task/segment"
	"hourglass/train"
	"hourglass/train/model"
	"hourglass/train/run"
)

// shown is what show says of a model of any task; the result of each task
// embeds it.
type shown struct {
	Model      string       `json:"model"`
	Task       string       `json:"task"`
	Parameters int          `json:"parameters"`
	MACs       int64        `json:"macs"` // multiply-adds of one image
	Training   train.Record `json:"training"`
}

// shownAutoencoder is the result of show for an autoencoder.
type shownAutoencoder struct {
	shown
	Config  autoencode.Config `json:"config"`
	Latent  int               `json:"latent"`
	Encoder []shownLayer      `json:"encoder"`
	Decoder []shownLayer      `json:"decoder"`
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
			task, err := model.TaskOf(modelPath(args[0]))
			if err != nil {
				return unloadable(err)
			}
			switch task {
			case autoencode.Task:
				return a.showAutoencoder(e, args[0])
			case classify.Task:
				return a.showClassifier(e, args[0])
			case generate.Task:
				return a.showGenerator(e, args[0])
			case restore.Denoise, restore.Inpaint:
				return a.showRestorer(e, args[0], task)
			case segment.Task:
				return a.showSegmenter(e, args[0])
			}
			return unloadable(fmt.Errorf("%s was trained for the task %q, which this program does not know: update hourglass", args[0], task))
		}),
	}
}

func (a *app) showAutoencoder(e *engine.Engine, path string) error {
	m, err := load(e, path)
	if err != nil {
		return err
	}
	s := shownAutoencoder{shown: shown{Model: path, Task: autoencode.Task, Training: m.Record()}, Config: m.Config(), Latent: m.CodeLength()}
	encoder, decoder := m.Rows()
	s.Encoder, s.Decoder = s.layers(encoder), s.layers(decoder)
	return a.result(s, func(w io.Writer) {
		s.text(w, s.Config.Images, s.choices(), s.Encoder, s.Decoder)
	})
}

// shownClassifier is the result of show for a classifier.
type shownClassifier struct {
	shown
	Config      classify.Config `json:"config"`
	Temperature float64         `json:"temperature"`
	Layers      []shownLayer    `json:"layers"`
}

func (a *app) showClassifier(e *engine.Engine, path string) error {
	m, err := loadClassifier(e, path)
	if err != nil {
		return err
	}
	s := shownClassifier{shown: shown{Model: path, Task: classify.Task, Training: m.Record()}, Config: m.Config(), Temperature: m.Temperature()}
	s.Layers = s.layers(m.Rows())
	c := s.Config
	tricks := fmt.Sprintf("dropout %v, label smoothing %v, mixup %v, cutmix %v, average of weights %v, smaller images first %v", c.Dropout, c.LabelSmoothing, c.Mixup, c.Cutmix, c.EMA, c.Progressive)
	if c.NoBatchNorm {
		tricks = "no batch normalisation, " + tricks
	}
	choices := slices.Concat(imageChoices(c.Images, c.Division), [][]string{
		{"classes", number(len(c.Classes)) + ": " + oneLine(someClasses(c.Classes))},
		{"recipe", c.Recipe},
		{"tricks", tricks},
		{"class weights", c.ClassWeights},
		{"views", c.TTA},
		{"temperature", fmt.Sprintf("%.3f", s.Temperature)},
	}, courseChoices(c.Course, c.ISA))
	return a.result(s, func(w io.Writer) { s.text(w, c.Images, choices, s.Layers) })
}

// shownSegmenter is the result of show for a model that segments.
type shownSegmenter struct {
	shown
	Config segment.Config `json:"config"`
	Layers []shownLayer   `json:"layers"`
}

func (a *app) showSegmenter(e *engine.Engine, path string) error {
	m, err := segment.Load(e, modelPath(path))
	if err != nil {
		return unloadable(err)
	}
	s := shownSegmenter{shown: shown{Model: path, Task: segment.Task, Training: m.Record()}, Config: m.Config()}
	s.Layers = s.layers(m.Rows())
	return a.result(s, func(w io.Writer) {
		c := s.Config
		s.text(w, c.Images, slices.Concat(imageChoices(c.Images, c.Division), [][]string{
			{"network", fmt.Sprintf("%s, %d classes: %s", c.Net, len(c.Labels.Classes), oneLine(strings.Join(c.Labels.Names(), ", ")))},
			{"loss", fmt.Sprintf("%s, classes weighed by %s, average of weights %v", c.Loss, c.Balance, c.EMA)},
			{"views", c.TTA},
			{"began with", oneLine(cmp.Or(c.From, "random weights"))},
		}, courseChoices(c.Course, c.ISA)), s.Layers)
	})
}

// shownGenerator is the result of show for a model that makes images.
type shownGenerator struct {
	shown
	Config  generate.Config `json:"config"`
	Sigma   float64         `json:"sigma"`
	Encoder []shownLayer    `json:"encoder"`
	Decoder []shownLayer    `json:"decoder"`
	Prior   []shownLayer    `json:"prior"`
}

func (a *app) showGenerator(e *engine.Engine, path string) error {
	m, err := generator(e, path)
	if err != nil {
		return err
	}
	s := shownGenerator{shown: shown{Model: path, Task: generate.Task, Training: m.Record()}, Config: m.Config(), Sigma: m.Sigma()}
	encoder, decoder, prior := m.Rows()
	s.Encoder, s.Decoder, s.Prior = s.layers(encoder), s.layers(decoder), s.layers(prior)
	c := s.Config
	choices := slices.Concat(imageChoices(c.Images, c.Division), [][]string{
		{"network", fmt.Sprintf("%s, d = %s to k = %s, β %v, σ %.4f", c.Arch, number(c.Height*c.Width*c.Channels), number(c.Latent), c.Beta, s.Sigma)},
		{"second stage", secondStage(c)},
	}, courseChoices(c.Course, c.ISA))
	return a.result(s, func(w io.Writer) { s.text(w, c.Images, choices, s.Encoder, s.Decoder, s.Prior) })
}

// secondStage names how codes are drawn, and how long that was learnt.
func secondStage(c generate.Config) string {
	if !c.LearnsPrior() {
		return c.Prior
	}
	return fmt.Sprintf("%s, %s", c.Prior, count(c.PriorSteps, "step"))
}

// shownRestorer is the result of show for a model that denoises or inpaints.
type shownRestorer struct {
	shown
	Config restore.Config `json:"config"`
	Layers []shownLayer   `json:"layers"`
}

func (a *app) showRestorer(e *engine.Engine, path, task string) error {
	m, err := restorer(e, path, task)
	if err != nil {
		return err
	}
	s := shownRestorer{shown: shown{Model: path, Task: task, Training: m.Record()}, Config: m.Config()}
	s.Layers = s.layers(m.Rows())
	c := s.Config
	choices := slices.Concat(imageChoices(c.Images, c.Division), [][]string{
		{"learnt", c.Words()},
		{"loss", c.Loss},
	}, courseChoices(c.Course, c.ISA))
	return a.result(s, func(w io.Writer) { s.text(w, c.Images, choices, s.Layers) })
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

// text writes the table of layers, what the run was made with, and the
// training record.
func (s *shown) text(w io.Writer, c run.Images, choices [][]string, parts ...[]shownLayer) {
	rows := [][]string{{"layer", "kind", "output", "parameters", "multiply-adds"}}
	rows = append(rows, []string{"images", "", fmt.Sprint([]int{c.Height, c.Width, c.Channels}), "", ""})
	for _, layers := range parts {
		for _, l := range layers {
			rows = append(rows, []string{l.Name, l.Kind, fmt.Sprint(l.Output), nonZero(int64(l.Parameters)), nonZero(l.MACs)})
		}
	}
	rows = append(rows, []string{"total", "", "", number(s.Parameters), number(s.MACs)})
	columns(w, rows)
	fmt.Fprintln(w)
	columns(w, choices)
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
func (s *shownAutoencoder) choices() [][]string {
	c := s.Config
	decoder := c.Decoder
	if decoder == "" {
		decoder = "mirror"
	}
	return slices.Concat(imageChoices(c.Images, c.Division), [][]string{
		{"network", fmt.Sprintf("%s, %s decoder, d = %s to k = %s", c.Arch, decoder, number(c.Height*c.Width*c.Channels), number(s.Latent))},
		{"loss", c.Loss},
	}, courseChoices(c.Course, c.ISA))
}

// imageChoices lists what was learnt from.
func imageChoices(c run.Images, d run.Division) [][]string {
	return [][]string{
		{"source", oneLine(c.Source)},
		{"images", "of " + shape(c.Height, c.Width, c.Channels) + ": " + divided(d)},
	}
}

// courseChoices lists how training went about it.
func courseChoices(c run.Course, instructions string) [][]string {
	return [][]string{
		{"optimizer", fmt.Sprintf("%s, lr %s, %s, batches of %d", c.Optimizer, strconv.FormatFloat(c.LR, 'g', -1, 64), c.Schedule, c.Batch)},
		{"augment", c.Augment},
		{"seed", strconv.FormatUint(c.Seed, 10)},
		{"instructions", instructions},
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
