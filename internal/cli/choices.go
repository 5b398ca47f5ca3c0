package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"hourglass/data"
	"hourglass/optim"
	"hourglass/task/autoencode"
	"hourglass/train/run"
)

// Names of flags which the code below needs to know.
const (
	flagEpochs  = "epochs"
	flagMinutes = "minutes"
	flagSeed    = "seed"
)

// Names of the flags which, with the images, determine the model. The command
// that makes a run again has those of them that were given, in this order.
var (
	shapeFlags  = []string{"size", "gray", "augment"}
	courseFlags = []string{flagEpochs, flagMinutes, "batch", "optimizer", "lr", "schedule", "patience", flagSeed, "precision"}
	learnFlags  = slices.Concat(shapeFlags, []string{"arch", "latent", "decoder", "loss"}, courseFlags)
)

// addLearnFlags defines the flags of o. What is left out is chosen to suit the
// images.
func addLearnFlags(f *pflag.FlagSet, o *autoencode.Options) {
	f.StringVar(&o.Arch, "arch", "", "network: conv, dense, spatial (the waist keeps a grid) or wide (no bottleneck)")
	f.IntVar(&o.Latent, "latent", 0, "k, the length of the code")
	f.StringVar(&o.Decoder, "decoder", "", "decoder: mirror (of the encoder), light, heavy, dense or linear")
	f.StringVar(&o.Loss, "loss", "", "reconstruction error to lower: "+list(autoencode.Losses())+" (default bce)")
	addCourseFlags(f, &o.Course, "adamw", "onecycle", "flip from 64 pixels a side on, none below")
	addShapeFlags(f, &o.Size, &o.Gray)
}

// neverImpatient says of a task that it does not end early unless told to.
func neverImpatient(f *pflag.FlagSet) {
	f.Lookup("patience").Usage = "stop after so many epochs without improvement (default: never)"
}

// addCourseFlags defines the flags about training, which every task has. The
// defaults are those of the task, in words; no changes are those of a task that
// has no choice of them.
func addCourseFlags(f *pflag.FlagSet, c *run.Course, optimizer, schedule, changes string) {
	f.IntVar(&c.Epochs, flagEpochs, 0, "how often every image is seen")
	f.Float64Var(&c.Minutes, flagMinutes, 0, "train for about this long instead")
	f.IntVar(&c.Batch, "batch", 0, "images in a step")
	f.StringVar(&c.Optimizer, "optimizer", "", list(optim.Names())+" (default "+optimizer+")")
	f.Float64Var(&c.LR, "lr", 0, "greatest learning rate")
	f.StringVar(&c.Schedule, "schedule", "", "course of the learning rate: constant, step, cosine, onecycle, triangle, or warmup+ one of them (default "+schedule+")")
	f.IntVar(&c.Patience, "patience", 0, "stop after so many epochs without improvement (-1: never; default 10)")
	f.Uint64Var(&c.Seed, flagSeed, 1, "seed of everything random")
	f.StringVar(&c.Precision, "precision", "", "of products in training: float32, or bf16, which is fast on processors with AMX and emulated on others (default float32)")
	if changes == "" {
		return
	}
	f.StringVar(&c.Augment, "augment", "", "what is done at random to the images in training: none, or a list such as flip,shift=2,rotate=15 (default "+changes+")")
}

// addShapeFlags defines the flags about what images are brought to.
func addShapeFlags(f *pflag.FlagSet, size *int, gray *bool) {
	f.IntVar(size, "size", 0, "side in pixels that the images are brought to (default: their own, if all agree)")
	f.BoolVar(gray, "gray", false, "learn from grey levels only")
}

// list writes "a, b or c".
func list(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// checkChoices refuses what would otherwise be taken for "not given", which
// is written as zero, and sizes that no image can have.
func checkChoices(f *pflag.FlagSet, determining []string) error {
	for _, name := range determining {
		flag := f.Lookup(name)
		if !flag.Changed || name == flagSeed || flag.Value.Type() == "bool" || slices.Contains(zeroFlags, name) {
			continue
		}
		value := flag.Value.String()
		if n, err := strconv.ParseFloat(value, 64); value == "" || (err == nil && n == 0) {
			return usageError{fmt.Errorf("--%s %s: choose another value, or leave the flag out", name, quote(value))}
		}
	}
	return checkSize(f)
}

// checkSize refuses sizes that no image can have.
func checkSize(f *pflag.FlagSet) error {
	if size, err := f.GetInt("size"); err == nil && (size < 0 || size > data.MaxSide) {
		return usageError{fmt.Errorf("--size %d: choose 1 to %d pixels", size, data.MaxSide)}
	}
	return nil
}

// commandLine returns the command that makes a run again: its name, the
// source, the flags given that determine the model, and always the seed.
func commandLine(command, source string, f *pflag.FlagSet, determining []string) string {
	var b strings.Builder
	b.WriteString(command + " " + quote(noFlag(source)))
	for _, name := range determining {
		switch flag := f.Lookup(name); {
		case !flag.Changed && name != flagSeed:
		case name == flagMinutes:
			n, _ := f.GetFloat64(name) // it is defined as such
			b.WriteString(minutesFlag(n))
		case flag.Value.Type() == "bool" && flag.Value.String() == "true":
			b.WriteString(" --" + name)
		case flag.Value.Type() == "bool":
			b.WriteString(" --" + name + "=false")
		case flag.Value.Type() == "intSlice":
			b.WriteString(" --" + name + " " + strings.Trim(flag.Value.String(), "[]"))
		default:
			b.WriteString(" --" + name + " " + quote(flag.Value.String()))
		}
	}
	return b.String()
}

func minutesFlag(n float64) string {
	return " --" + flagMinutes + " " + strconv.FormatFloat(n, 'g', -1, 64)
}

// exactCommand replaces a duration by the number of epochs that it came to:
// another machine, or another day, would come to another number.
func exactCommand(command string, c run.Course) string {
	if c.Minutes == 0 {
		return command
	}
	return strings.Replace(command, minutesFlag(c.Minutes), fmt.Sprintf(" --%s %d", flagEpochs, c.Epochs), 1)
}

// noFlag returns a path as an argument that is not taken for a flag.
func noFlag(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}

// quote writes a word so that a POSIX shell reads it back.
func quote(word string) string {
	safe := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_./:@%+=,-", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !safe(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
