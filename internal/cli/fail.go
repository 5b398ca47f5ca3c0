package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"unicode"

	"github.com/spf13/cobra"

	"hourglass/train/run"
)

// Exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

// usageError is about how the command was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// advised is an error together with what the user can do about it.
type advised struct {
	error
	advice string
}

func (e advised) Unwrap() error { return e.error }

// suggestions is what cobra writes before the names that a wrong one is near.
const suggestions = "Did you mean this?"

// takes returns a check of the number of a command's arguments; names are
// those in its usage.
func takes(least, most int, names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < least {
			missing, verb := names[len(args):least], "is"
			if len(missing) > 1 {
				verb = "are"
			}
			return fmt.Errorf("%s %s missing", strings.Join(missing, " and "), verb)
		}
		if most >= 0 && len(args) > most {
			return fmt.Errorf("%s: one argument too many", quote(args[most]))
		}
		return nil
	}
}

// conclude reports how a command ended and returns the exit code.
func (a *app) conclude(ctx context.Context, c *cobra.Command, err error) int {
	if err == nil {
		return exitDone
	}
	if text, ok := a.interruption(ctx, err); ok {
		fmt.Fprintf(a.stderr, "hourglass: %s\n", text)
		return exitInterrupted
	}
	code, advice := exitFailed, a.advice(err)
	var usage usageError
	if !a.begun || errors.As(err, &usage) || errors.Is(err, run.ErrChoice) {
		code, advice = exitUsage, "see "+c.CommandPath()+" --help"
		if _, near, ok := strings.Cut(err.Error(), suggestions); ok {
			advice = "did you mean " + strings.Join(strings.Fields(near), " or ") + "? " + advice
		}
	}
	fmt.Fprintf(a.stderr, "hourglass: %s\n", oneLine(plain(err.Error())))
	if advice != "" {
		fmt.Fprintln(a.stderr, advice)
	}
	return code
}

// interruption tells whether err comes from the end of ctx, and what to say.
func (a *app) interruption(ctx context.Context, err error) (string, bool) {
	dir := a.runDir
	if i := (*run.Interrupted)(nil); errors.As(err, &i) {
		dir = i.Dir
	} else if ctx.Err() == nil || !errors.Is(err, context.Canceled) {
		return "", false
	}
	if a.again != "" {
		return "interrupted; go on with: " + a.again, true
	}
	if dir == "" {
		return "interrupted", true
	}
	return "interrupted; go on with: " + resumeCommand(dir), true
}

// advice says what can be done about an error, if anything is known.
func (a *app) advice(err error) string {
	var with advised
	switch {
	case errors.As(err, &with):
		return with.advice
	case diskFull(err) && a.runDir != "":
		return "free some space, then go on with: " + resumeCommand(a.runDir)
	case diskFull(err):
		return "free some space, or choose a folder on another disk with --out"
	}
	return ""
}

// resumeCommand is what goes on with the run in dir.
func resumeCommand(dir string) string { return "hourglass resume " + quote(noFlag(dir)) }

// unwritable adds to an error about a folder for results what to do about it.
func unwritable(err error) error {
	if known := (advised{}); errors.As(err, &known) {
		return err
	}
	// What cannot be read is told without the system's words for it.
	var path *fs.PathError
	var link *os.LinkError
	if (errors.As(err, &path) || errors.As(err, &link)) && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOTDIR) ||
		errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrExist)) {
		return advised{err, "choose a folder that can be written with --out"}
	}
	return err
}

func diskFull(err error) bool {
	const windowsDiskFull = syscall.Errno(112)
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		(runtime.GOOS == "windows" && errors.Is(err, windowsDiskFull))
}

// parsing is how package strconv tells that a flag's value is none.
var parsing = regexp.MustCompile(`strconv\.Parse(\w+): parsing "(?:[^"\\]|\\.)*": (?:(invalid syntax)|value out of range)$`)

// plain says in words what is wrong with the value of a flag.
func plain(text string) string {
	at := parsing.FindStringSubmatchIndex(text)
	if at == nil {
		return text
	}
	what := "it is out of range"
	if at[4] >= 0 {
		what = "give a whole number"
		switch text[at[2]:at[3]] {
		case "Uint":
			what = "give a whole number from 0 on"
		case "Float":
			what = "give a number"
		case "Bool":
			what = "give true or false"
		}
	}
	return text[:at[0]] + what
}

// oneLine puts a message on one line, without the suggestions that cobra writes below:
// a name may hold anything.
func oneLine(text string) string {
	text, _, _ = strings.Cut(text, suggestions)
	return printable(strings.TrimSpace(text))
}

// printable replaces what steers a terminal or ends a line.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r):
			return '?'
		}
		return r
	}, text)
}
