package cli

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/data"
	"hourglass/internal/report"
	"hourglass/task/lab"
	"hourglass/train/run"
)

// labResult is the result of lab: the figures of every experiment, and where
// the report is.
type labResult struct {
	*lab.Summary
	Out    string `json:"out"`
	Report string `json:"report"`
}

func (a *app) lab() *cobra.Command {
	var o lab.Options
	var full, tiny, noCache bool
	var size int
	var about strings.Builder
	for _, x := range lab.Experiments() {
		fmt.Fprintf(&about, "\n  %-13s %s", x.Name, x.Claim)
	}
	c := &cobra.Command{
		Use:   "lab [NAME...]",
		Short: "show by experiment what the tricks of the trade are worth",
		Long: `Lab tests claims: it trains small networks with and without a trick, measures
them on images that it held out, and says in one report whether what is claimed
is what comes out. Without a NAME it runs all experiments; that takes minutes, or
with --full an hour or more:
` + about.String() + `

Finished experiments are kept in the session's folder, and the same command goes
on with those that are missing.`,
		Example: `  hourglass lab
  hourglass lab dropout batchnorm
  hourglass lab --full --source cifar-10-binary.tar.gz --out runs/lab-cifar`,
		Args:      cobra.ArbitraryArgs,
		ValidArgs: lab.Names(),
	}
	flags := c.Flags()
	flags.SortFlags = false
	flags.BoolVar(&full, "full", false, "the sizes that a paper would use")
	flags.StringVar(&o.Source, "source", defaultSource, "images with labels: whatever learn reads")
	flags.IntVar(&size, "size", 0, "side in pixels that the images are brought to (default: their own, if all agree)")
	flags.Uint64Var(&o.Seed, flagSeed, 1, "seed of everything random")
	flags.StringVar(&o.Dir, "out", "", "the session's folder (default runs/lab, or runs/lab-full)")
	flags.BoolVar(&o.Fresh, "fresh", false, "run again what the folder holds of the experiments asked for")
	flags.BoolVar(&noCache, "no-cache", false, "neither read nor keep decoded images in the user's cache folder")
	flags.BoolVar(&tiny, "tiny", false, "a second's worth, to try the program")
	if err := flags.MarkHidden("tiny"); err != nil {
		panic(err) // the flag is defined one line above
	}
	c.MarkFlagsMutuallyExclusive("full", "tiny")
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		if err := checkSize(flags); err != nil {
			return err
		}
		o.Names = args
		if o.Dir == "" {
			o.Dir = filepath.Join("runs", "lab")
			if full {
				o.Dir += "-full"
			}
		}
		switch {
		case full:
			o.Scale = lab.Full
		case tiny:
			o.Scale = lab.Tiny
		}
		o.Data = data.Options{Size: size, NoCache: noCache, Threads: a.threads}
		again := func() string { return labCommand(o, full, size) }
		a.again = again()
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		t := a.tracker()
		defer t.close()
		t.begin("reading")
		hooks := t.labHooks()
		begin := hooks.Begin
		hooks.Begin = func(x lab.Experiment, at, of int) {
			// What was to be run anew has been removed by now.
			o.Fresh = false
			a.again = again()
			begin(x, at, of)
		}
		out, err := lab.Run(c.Context(), e, o, hooks)
		var unknown *lab.UnknownError
		var other *lab.SettingError
		switch {
		case errors.As(err, &unknown):
			return usageError{err}
		case errors.As(err, &other):
			return advised{err, "choose another folder with --out, or run all of them anew with --fresh and without a NAME"}
		case err != nil:
			return unwritable(err)
		}
		// The command that makes the report again names all that is in it.
		o.Names, o.Fresh = nil, false
		if len(out.Summary.Missing) > 0 {
			for _, r := range out.Summary.Experiments {
				o.Names = append(o.Names, r.Name)
			}
		}
		out.Summary.Command = again()
		if err := run.WriteJSON(filepath.Join(o.Dir, lab.SummaryFile), out.Summary); err != nil {
			return unwritable(err)
		}
		path := filepath.Join(o.Dir, lab.ReportFile)
		if err := report.Lab(out.Summary, out.Results).WriteFile(path); err != nil {
			return fmt.Errorf("cannot write the report: %w", err)
		}
		t.conclude(true)
		return a.result(labResult{out.Summary.Brief(), o.Dir, path}, func(w io.Writer) { labText(w, out.Summary, path) })
	})
	return c
}

// labCommand is what goes on with a session, or makes it again.
func labCommand(o lab.Options, full bool, size int) string {
	var b strings.Builder
	b.WriteString("hourglass lab")
	for _, name := range o.Names {
		b.WriteString(" " + quote(name))
	}
	if full {
		b.WriteString(" --full")
	}
	if o.Source != defaultSource {
		b.WriteString(" --source " + quote(noFlag(o.Source)))
	}
	if size != 0 {
		fmt.Fprintf(&b, " --size %d", size)
	}
	fmt.Fprintf(&b, " --%s %d --out %s", flagSeed, o.Seed, quote(noFlag(o.Dir)))
	if o.Fresh {
		b.WriteString(" --fresh")
	}
	return b.String()
}

// labHooks shows each experiment as a piece of work.
func (t *tracker) labHooks() lab.Hooks {
	const whole = 1000
	return lab.Hooks{
		Read: t.read,
		Begin: func(x lab.Experiment, at, of int) {
			t.begin(fmt.Sprintf("%s (%d of %d)", x.Name, at, of))
		},
		Progress: func(p lab.Progress) {
			t.advance(int(p.Share*whole), whole, func() string { return p.Doing + ", " + duration(p.Left) + " left" })
		},
		Warn: t.warn,
		Kept: func(r *lab.Result) { t.note(r.Name + " was finished earlier") },
		Done: func(r *lab.Result) { t.note(r.Name + ": " + r.Verdict) },
	}
}

// labText writes the verdicts.
func labText(w io.Writer, s *lab.Summary, path string) {
	for _, r := range s.Experiments {
		fmt.Fprintf(w, "%s\n%s\n\n", r.Name, wrapped(r.Verdict, 78, "  "))
	}
	holding, all := s.Claimed()
	fmt.Fprintf(w, "%s of %s as claimed, %.0f s\n\n", number(holding), count(all, "experiment"), s.Seconds)
	columns(w, [][]string{{"report", path}, {"again", s.Command}})
}

// wrapped breaks a text into lines of at most width, each indented.
func wrapped(text string, width int, indent string) string {
	var lines []string
	line := indent
	for _, word := range strings.Fields(text) {
		if len([]rune(line))+1+len([]rune(word)) > width && line != indent {
			lines, line = append(lines, line), indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
