package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"hourglass/data"
	"hourglass/task/autoencode"
)

// Names of learn's flags which, with the images, determine the model. The
// command that makes a run again has those of them that were given, in this
// order.
const (
	flagEpochs  = "epochs"
	flagMinutes = "minutes"
	flagSeed    = "seed"
)

var determining = [...]string{
	"size", "gray", "augment", "arch", "latent", "decoder", "loss", flagEpochs, flagMinutes, "batch",
	"optimizer", "lr", "schedule", "patience", flagSeed,
}

// addChoices defines the flags of o. What is left out is chosen to suit the
// images.
func addChoices(f *pflag.FlagSet, o *autoencode.Options) {
	f.StringVar(&o.Arch, "arch", "", "network: conv, dense, spatial (the waist keeps a grid) or wide (no bottleneck)")
	f.IntVar(&o.Latent, "latent", 0, "k, the length of the code")
	f.StringVar(&o.Decoder, "decoder", "", "decoder: mirror (of the encoder), light, heavy, dense or linear")
	f.StringVar(&o.Loss, "loss", "", "reconstruction error to lower: "+list(autoencode.Losses())+" (default bce)")
	f.IntVar(&o.Epochs, flagEpochs, 0, "how often every image is seen")
	f.Float64Var(&o.Minutes, flagMinutes, 0, "train for about this long instead")
	f.IntVar(&o.Batch, "batch", 0, "images in a step")
	f.StringVar(&o.Optimizer, "optimizer", "", "sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw (default adamw)")
	f.Float64Var(&o.LR, "lr", 0, "greatest learning rate")
	f.StringVar(&o.Schedule, "schedule", "", "course of the learning rate: constant, step, cosine, onecycle, or warmup+ one of them (default onecycle)")
	f.IntVar(&o.Patience, "patience", 0, "stop after so many epochs without improvement (-1: never; default 10)")
	f.Uint64Var(&o.Seed, flagSeed, 1, "seed of everything random")
	f.IntVar(&o.Size, "size", 0, "side in pixels that the images are brought to (default: their own, if all agree)")
	f.BoolVar(&o.Gray, "gray", false, "learn from grey levels only")
	f.StringVar(&o.Augment, "augment", "", "what is done to the images in training: "+list(autoencode.Augments()))
}

// list writes "a, b or c".
func list(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// checkChoices refuses what would otherwise be taken for "not given", which
// is written as zero, and sizes that no image can have.
func checkChoices(f *pflag.FlagSet) error {
	for _, name := range determining {
		flag := f.Lookup(name)
		if !flag.Changed || name == flagSeed || flag.Value.Type() == "bool" {
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

// commandLine returns the command that makes a run again: the source, the
// flags given that determine the model, and always the seed.
func commandLine(source string, f *pflag.FlagSet) string {
	var b strings.Builder
	b.WriteString("hourglass learn " + quote(noFlag(source)))
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
func exactCommand(command string, c autoencode.Config) string {
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
