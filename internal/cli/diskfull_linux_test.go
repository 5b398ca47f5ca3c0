package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"hourglass/format/safetensors"
	"hourglass/train"
	"hourglass/train/run"
)

// A full disk ends a run with an error that names the file, leaves the last
// checkpoint as it was, and does no harm to the run once there is space.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a small file system takes root")
	}
	images, disk := folder(t, 48, true), t.TempDir()
	alone := filepath.Join(t.TempDir(), "alone")
	learn := func(out string) []string { return small(images, out, "--checkpoint-seconds", "-1") }
	succeed(t, learn(alone)...)
	model := int64(len(readModel(t, alone)))

	// A checkpoint of AdamW is three times the model, and a new one is written
	// before the old one goes: the first fits, the second does not.
	size := 16 * model
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("mounting a small file system: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Errorf("unmounting %s: %v", disk, err)
		}
	})
	ballast := filepath.Join(disk, "ballast")
	write(t, ballast, make([]byte, size-5*model))

	out := filepath.Join(disk, "run")
	e := invoke(t, learn(out)...)
	e.want(t, exitFailed, filepath.Join(out, run.CheckpointDir), "no space left on device")
	if want := "\nfree some space, then go on with: hourglass resume " + out + "\n"; !strings.Contains(e.stderr, want) {
		t.Errorf("no advice in %q", e.stderr)
	}
	checkpoints := filepath.Join(out, run.CheckpointDir)
	if !train.HasCheckpoint(checkpoints) {
		t.Fatal("the first checkpoint is gone")
	}
	entries, err := os.ReadDir(checkpoints)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		f, err := safetensors.Open(filepath.Join(checkpoints, entry.Name()))
		if err != nil {
			t.Errorf("what the failure left: %v", err)
			continue
		}
		f.Close()
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	succeed(t, "resume", out, "--no-cache")
	if !bytes.Equal(readModel(t, alone), readModel(t, out)) {
		t.Error("the resumed run's model is another one")
	}
	if got, want := figures(t, readSummary(t, out)), figures(t, readSummary(t, alone)); got != want {
		t.Errorf("the figures differ:\n%s\n%s", got, want)
	}
}

// A result that cannot be written is a failure, not a success in silence.
func TestFullStandardOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("there is no device that is always full: %v", err)
	}
	defer full.Close()
	var stderr bytes.Buffer
	if code := Main(t.Context(), []string{"version"}, full, &stderr); code != exitFailed {
		t.Errorf("exit code %d, want %d", code, exitFailed)
	}
	if !strings.Contains(stderr.String(), "cannot write the result: ") {
		t.Errorf("the message is %q", stderr.String())
	}
}
