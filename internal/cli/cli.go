// Package cli is the command line: a command a file, which turns flags into a
// call of the packages below and shows what comes back.
//
// Standard output has nothing but the result: one JSON object with --json, a
// few lines of text without. Progress, warnings and errors go to standard
// error.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/internal/isa"
)

// app is one invocation of the program.
type app struct {
	stdout, stderr io.Writer

	json    bool
	quiet   bool
	threads int

	begun    bool     // a command has begun: what fails now is no wrong usage
	runDir   string   // of the run in progress, once it has a folder
	warnings []string // about images, for the result
	again    string   // command that goes on with what was interrupted, where it is not resume
}

// Main runs the command that args names, without the name of the program,
// and returns the exit code: 0 for success, 1 for failure, 2 for wrong usage,
// 130 after an interrupt (SIGINT, SIGTERM or the end of ctx). The first
// interrupt lets the command save its work; a second one ends the process.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	a := &app{stdout: stdout, stderr: stderr}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.InitDefaultCompletionCmd("completion")
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = oneOfItsCommands, func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
	command, err := root.ExecuteContextC(ctx)
	return a.conclude(ctx, command, err)
}

// root builds the tree of commands.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "hourglass",
		Short: "learn from images without labels",
		Long: `Hourglass learns from images without labels: it trains networks whose waist is
narrower than their ends, shows what they have learnt beside PCA, and puts it to
use.

Results go to standard output, progress to standard error. The environment
variable ` + isa.EnvVar + ` (avx512, avx2, generic) selects the instructions to use.`,
		Example: `  hourglass learn                          # from a set that is built in
  hourglass learn photos/ --latent 32      # from a folder of images
  hourglass reconstruct runs/photos/model.safetensors photos/a.jpg --out both/`,
		Version:           versionText(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		RunE:              a.run(func(c *cobra.Command, _ []string) error { return c.Help() }),
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]",
		Short: "say what a command does and which flags it has",
		RunE: a.run(func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return usageError{fmt.Errorf("there is no command %s: hourglass --help lists them", quote(strings.Join(args, " ")))}
			}
			c.InitDefaultHelpFlag()
			return c.Help()
		}),
	})
	flags := root.PersistentFlags()
	flags.SortFlags = false
	flags.BoolVar(&a.json, "json", false, "print the result as one JSON object")
	flags.BoolVar(&a.quiet, "quiet", false, "show no progress and no warnings")
	flags.IntVar(&a.threads, "threads", 0, "processor threads to use (default: all); results do not depend on it")
	root.AddCommand(a.learn(), a.train(), a.resume(), a.classify(), a.evaluate(), a.denoise(), a.inpaint(), a.restore(), a.encode(), a.decode(), a.reconstruct(), a.segment(), a.generate(), a.show(), a.augment(), a.lab(), a.bench(), a.version())
	return root
}

// run marks the point from which an error is no longer about usage.
func (a *app) run(f func(c *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		if a.threads < 0 {
			return fmt.Errorf("--threads %d: choose at least 1, or leave it out to use all", a.threads)
		}
		a.begun = true
		return f(c, args)
	}
}

// engine returns an engine for the threads and instructions asked for.
func (a *app) engine() (*engine.Engine, error) { return a.engineAt(engine.Float32) }

// engineAt returns the engine that the common flags ask for, at a precision of
// products.
func (a *app) engineAt(p engine.Precision) (*engine.Engine, error) {
	if _, err := isa.Select(os.Getenv(isa.EnvVar)); err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", isa.EnvVar, err)}
	}
	e, err := engine.New(engine.Options{Threads: a.threads, Precision: p})
	if err != nil {
		return nil, usageError{fmt.Errorf("--threads: %w", err)}
	}
	return e, nil
}

// result prints what a command found: v as JSON, with what was warned of, or what human
// writes.
func (a *app) result(v any, human func(w io.Writer)) error {
	var b bytes.Buffer
	if a.json {
		if err := encodeJSON(&b, "", v); err != nil {
			return fmt.Errorf("cannot write the result as JSON: %w", err)
		}
		if len(a.warnings) > 0 {
			b.Truncate(len(bytes.TrimSuffix(b.Bytes(), []byte("\n}\n"))))
			b.WriteString(",\n  \"warnings\": ")
			if err := encodeJSON(&b, "  ", a.warnings); err != nil {
				return fmt.Errorf("cannot write the result as JSON: %w", err)
			}
			b.WriteString("}\n")
		}
	} else {
		human(&b)
	}
	if _, err := a.stdout.Write(b.Bytes()); err != nil {
		return fmt.Errorf("cannot write the result: %w", err)
	}
	return nil
}

// encodeJSON writes a value in lines, those after the first behind a prefix.
func encodeJSON(b *bytes.Buffer, prefix string, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	e.SetIndent(prefix, "  ")
	return e.Encode(v)
}
