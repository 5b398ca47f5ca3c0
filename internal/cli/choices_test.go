package cli

import (
	"testing"

	"github.com/spf13/pflag"

	"hourglass/task/autoencode"
	"hourglass/train/run"
)

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		source string
		args   []string
		want   string
	}{
		{"fashion", nil, "hourglass learn fashion --seed 1"},
		{"fashion", []string{"--seed", "7"}, "hourglass learn fashion --seed 7"},
		{"my photos/a=true", []string{"--gray", "--latent=12", "--lr", "1e-3"}, "hourglass learn 'my photos/a=true' --gray --latent 12 --lr 0.001 --seed 1"},
		{"it's", []string{"--gray=false"}, `hourglass learn 'it'\''s' --gray=false --seed 1`},
		{"-x", []string{"--minutes", "2.50", "--schedule", "warmup:steps=5+cosine"}, "hourglass learn ./-x --minutes 2.5 --schedule warmup:steps=5+cosine --seed 1"},
	} {
		var o autoencode.Options
		f := pflag.NewFlagSet("learn", pflag.ContinueOnError)
		addLearnFlags(f, &o)
		if err := f.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		if got := commandLine("hourglass learn", c.source, f, learnFlags); got != c.want {
			t.Errorf("%s %v gives\n%s, want\n%s", c.source, c.args, got, c.want)
		}
	}
}

func TestExactCommand(t *testing.T) {
	const command = "hourglass learn a --minutes 2.5 --seed 1"
	got := exactCommand(command, run.Course{Minutes: 2.5, Epochs: 31})
	if want := "hourglass learn a --epochs 31 --seed 1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := exactCommand(command, run.Course{Epochs: 31}); got != command {
		t.Errorf("got %q without minutes", got)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 49152: "49,152", -1234567: "-1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}
