package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hourglass/train"
	"hourglass/train/run"
)

// program builds hourglass and returns the path of the binary.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hourglass")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	build := exec.Command("go", "build", "-o", path, "hourglass/cmd/hourglass")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// whole runs the program to its end.
func whole(t *testing.T, env []string, program string, args ...string) {
	t.Helper()
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("hourglass %v: %v\n%s", args, err, out)
	}
}

// killed runs the program and kills it after a while, and tells whether it
// had ended well before.
func killed(t *testing.T, after time.Duration, program string, args ...string) bool {
	t.Helper()
	var out bytes.Buffer
	c := exec.Command(program, args...)
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = c.Process.Kill() }) // it may have ended
	defer timer.Stop()
	err := c.Wait()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if exit.Exited() && runtime.GOOS != "windows" {
			t.Fatalf("hourglass %v: %v\n%s", args, err, out.Bytes())
		}
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	return true
}

// same fails the test unless two runs gave the same model, byte by byte, and
// the same figures.
func same(t *testing.T, a, b string) {
	t.Helper()
	if !bytes.Equal(readModel(t, a), readModel(t, b)) {
		t.Errorf("the models in %s and %s differ", a, b)
	}
	if x, y := lasting(t, a), lasting(t, b); x != y {
		t.Errorf("the figures differ:\n%s\n%s", x, y)
	}
}

// lasting writes the figures of a run's summary, of whatever task, apart from
// times and memory.
func lasting(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, run.SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	decodeOne(t, string(text), &v)
	withoutTimes(v)
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// withoutTimes removes from a value all that differs between equal runs.
func withoutTimes(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			withoutTimes(e)
		}
	case map[string]any:
		for key, e := range v {
			switch {
			case strings.HasSuffix(key, "_per_second"), slices.Contains([]string{"seconds", "stages", "peak_bytes", "warnings", "command"}, key):
				delete(v, key)
			default:
				withoutTimes(e)
			}
		}
	}
}

// TestProgram does what takes a process of its own.
func TestProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("building the program and killing it many times takes long")
	}
	hourglass := program(t)
	t.Run("kill and resume", func(t *testing.T) {
		images := folder(t, 48, true)
		testKillAndResume(t, hourglass, func(out string) []string { return small(images, out, "--epochs", "12") })
	})
	t.Run("kill and resume a classifier", func(t *testing.T) {
		images := classes(t, 260) // enough for some to be validated on
		testKillAndResume(t, hourglass, func(out string) []string {
			return smallClassify(images, out, "--batch", "24", "--ema", "0.9", "--mixup", "0.2")
		})
	})
	t.Run("kill and resume a segmentation", func(t *testing.T) {
		source := scenes(t, 20)
		testKillAndResume(t, hourglass, func(out string) []string {
			return []string{"train", "segment", source, "--width", "4", "--epochs", "8", "--batch", "4", "--no-cache", "--out", out}
		})
	})
	t.Run("kill and resume a denoiser without clean images", func(t *testing.T) {
		source := photos(t, 6)
		testKillAndResume(t, hourglass, func(out string) []string {
			return []string{"train", "denoise", source, "--self-supervised", "--widths", "8,8", "--blocks", "1", "--crop", "16",
				"--batch", "4", "--epochs", "4", "--out", out}
		})
	})
	t.Run("kill and resume a generator", func(t *testing.T) {
		source := folder(t, 60, true)
		testKillAndResume(t, hourglass, func(out string) []string {
			return []string{"train", "generate", source, "--arch", "dense", "--latent", "2", "--epochs", "8", "--batch", "8",
				"--prior-steps", "60", "--no-cache", "--out", out}
		})
	})
	t.Run("signals", func(t *testing.T) { testSignals(t, hourglass) })
	t.Run("processors", func(t *testing.T) { testProcessors(t, hourglass) })
}

// A run that is killed again and again, at any moment, and resumed each time,
// gives what a run gives that was left alone.
func testKillAndResume(t *testing.T, hourglass string, begin func(out string) []string) {
	dir := t.TempDir()
	learn := func(out string) []string {
		// A checkpoint after each step, and epochs that end between kills.
		return append(begin(out), "--quiet", "--checkpoint-seconds", "-1")
	}
	alone := filepath.Join(dir, "alone")
	begun := time.Now()
	whole(t, nil, hourglass, learn(alone)...)
	length := time.Since(begun)

	moments := rand.New(rand.NewPCG(1, 2))
	for i := range killedRuns(t) {
		out := filepath.Join(dir, fmt.Sprint("killed", i))
		kills := 0
		for done := false; !done; {
			args := []string{"resume", out, "--no-cache", "--quiet", "--checkpoint-seconds", "-1"}
			if _, err := os.Stat(filepath.Join(out, run.ConfigFile)); err != nil {
				args = learn(out) // it was killed before there was anything to resume
			}
			// The bound grows, so that the run ends even where starting takes
			// nearly all of the time.
			after := time.Duration((0.05 + moments.Float64()) * float64(length) * (0.6 + 0.1*float64(kills)))
			if done = killed(t, after, hourglass, args...); !done {
				kills++
			}
			if kills > 40 {
				t.Fatal("the run makes no progress between kills")
			}
		}
		t.Logf("run %d was killed %d times", i, kills)
		same(t, alone, out)
	}
}

// killsEnv asks for more runs that are killed than a test makes by itself.
const killsEnv = "HOURGLASS_KILLED_RUNS"

func killedRuns(t *testing.T) int {
	const runs = 3
	text := os.Getenv(killsEnv)
	if text == "" {
		return runs
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s: give a number of runs", killsEnv, text)
	}
	return n
}

// The signal of Ctrl-C, or that of a system that shuts down, ends a run in good
// order.
func testSignals(t *testing.T, hourglass string) {
	if runtime.GOOS == "windows" {
		t.Skip("there a process cannot be sent an interrupt")
	}
	images := folder(t, 48, false)
	for i, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		out := filepath.Join(t.TempDir(), fmt.Sprint("run", i))
		c := exec.Command(hourglass, small(images, out, "--epochs", "100000", "--patience", "-1")...)
		stderr, err := c.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			text.WriteString(lines.Text() + "\n")
			if lines.Text() == "training" {
				if err := c.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
		}
		err = c.Wait()
		if code := c.ProcessState.ExitCode(); code != exitInterrupted {
			t.Errorf("after %v: exit code %d (%v)\n%s", signal, code, err, text.String())
		}
		if want := "hourglass: interrupted; go on with: hourglass resume " + out + "\n"; !strings.HasSuffix(text.String(), want) {
			t.Errorf("after %v the last words are not %q:\n%s", signal, want, text.String())
		}
		if !train.HasCheckpoint(filepath.Join(out, run.CheckpointDir)) {
			t.Errorf("after %v there is no checkpoint", signal)
		}
	}
}

// Neither the model nor any figure depends on the number of processors.
func testProcessors(t *testing.T, hourglass string) {
	images, dir := folder(t, 60, true), t.TempDir()
	for _, arch := range []string{"dense", "conv"} {
		var runs []string
		for _, processors := range []string{"1", "2"} {
			out := filepath.Join(dir, arch+processors)
			whole(t, []string{"GOMAXPROCS=" + processors}, hourglass, small(images, out, "--arch", arch, "--quiet")...)
			runs = append(runs, out)
		}
		same(t, runs[0], runs[1])
	}
}
