package autoencode

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"hourglass/data"
	"hourglass/engine"
	"hourglass/internal/atomicfile"
	"hourglass/train"
)

// Interrupted reports that a run was stopped from outside after its state was
// saved. It wraps [train.ErrInterrupted].
type Interrupted struct{ Dir string }

func (e *Interrupted) Error() string { return "interrupted; the run in " + e.Dir + " can be resumed" }

func (e *Interrupted) Unwrap() error { return train.ErrInterrupted }

// runFile is config.json.
type runFile struct {
	Config     Config `json:"config"`
	SourcePath string `json:"source_path"` // absolute, or the name of a built-in set
	Command    string `json:"command"`
}

// Learn reads a source, trains an autoencoder on it and judges it beside PCA.
// It leaves everything but the report and the summary in the run's folder.
// If ctx ends during training it returns an *Interrupted error.
func Learn(ctx context.Context, e *engine.Engine, o Options, ro RunOptions, h Hooks) (*Outcome, error) {
	begun := time.Now()
	if err := o.Check(); err != nil {
		return nil, err
	}
	if err := checkDir(ro.Dir); err != nil {
		return nil, err
	}
	set, err := open(ctx, o.Source, o.Size, o.Gray, ro, h)
	if err != nil {
		return nil, err
	}
	c, err := Resolve(o, set)
	if err != nil {
		return nil, err
	}
	c.ISA = e.Level().String()
	dir, err := makeDir(ro, o.Source)
	if err != nil {
		return nil, err
	}
	f := runFile{Config: c, SourcePath: sourcePath(o.Source), Command: ro.Command}
	r := &run{e: e, dir: dir, set: set, ro: ro, h: h, file: f, begun: begun}
	r.times.Read = time.Since(begun).Seconds()
	if c.Minutes > 0 {
		if err := r.chooseEpochs(); err != nil {
			return nil, err
		}
	}
	if err := writeJSON(filepath.Join(dir, ConfigFile), r.file); err != nil {
		return nil, err
	}
	return r.complete(ctx, false)
}

// Resume goes on with the run in dir from its last checkpoint, or from the
// beginning if it has none. The outcome is the same, bit by bit, as that of an
// uninterrupted run at the same instruction-set level. A finished run is
// judged again.
func Resume(ctx context.Context, e *engine.Engine, dir string, ro RunOptions, h Hooks) (*Outcome, error) {
	begun := time.Now()
	f, err := readRunFile(dir)
	if err != nil {
		return nil, err
	}
	ro.Command = f.Command
	set, err := open(ctx, f.SourcePath, f.Config.Size, f.Config.Gray, ro, h)
	if err != nil {
		return nil, err
	}
	if set.Fingerprint != f.Config.Fingerprint {
		return nil, fmt.Errorf("the images in %s are not those that the run in %s began with; begin a new run", f.SourcePath, dir)
	}
	if err := f.Config.fits(set); err != nil {
		// Not wrapped: what is wrong is not how the command was called.
		return nil, fmt.Errorf("%s does not fit the images of %s: %v; begin a new run", filepath.Join(dir, ConfigFile), f.SourcePath, err)
	}
	r := &run{e: e, dir: dir, set: set, ro: ro, h: h, file: f, begun: begun}
	if now := e.Level().String(); now != f.Config.ISA {
		r.warnings = append(r.warnings, fmt.Sprintf(
			"the run began on %s instructions and goes on with %s: its bits will differ from an uninterrupted run's", f.Config.ISA, now))
	}
	r.times.Read = time.Since(begun).Seconds()
	return r.complete(ctx, true)
}

func readRunFile(dir string) (f runFile, err error) {
	path := filepath.Join(dir, ConfigFile)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, fmt.Errorf("%s is no run: it has no %s", dir, ConfigFile)
	}
	if err != nil {
		return f, err
	}
	defer file.Close()
	d := json.NewDecoder(io.LimitReader(file, 1<<20))
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("%s cannot be read: %w; begin a new run", path, err)
	}
	if f.SourcePath == "" {
		return f, fmt.Errorf("%s is not that of a run: it names no source; begin a new run", path)
	}
	return f, nil
}

func open(ctx context.Context, source string, size int, gray bool, ro RunOptions, h Hooks) (*data.Set, error) {
	h.phase(PhaseRead)
	o := ro.Data
	o.Size, o.Gray = size, gray
	o.Progress = h.Read
	return data.Open(ctx, source, o)
}

func (h Hooks) phase(p Phase) {
	if h.Phase != nil {
		h.Phase(p)
	}
}

// sourcePath makes the path of a source independent of the working folder;
// what is no path is the name of a built-in set.
func sourcePath(source string) string {
	if _, err := os.Stat(source); err != nil {
		return source
	}
	if abs, err := filepath.Abs(source); err == nil {
		return abs
	}
	return source
}

// checkDir reports a folder that is taken, before images are read for it.
func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err == nil {
		return fmt.Errorf("%s holds a run already; resume it, or choose another folder", dir)
	}
	return nil
}

// makeDir creates the run's folder.
func makeDir(ro RunOptions, source string) (string, error) {
	if ro.Dir != "" {
		if err := os.MkdirAll(ro.Dir, 0o777); err != nil {
			return "", fmt.Errorf("cannot make the run's folder: %w", err)
		}
		return ro.Dir, nil
	}
	name := ro.Name
	if name == "" {
		name = runName(source)
	}
	if err := os.MkdirAll("runs", 0o777); err != nil {
		return "", fmt.Errorf("cannot make the folder of runs: %w", err)
	}
	for i := 1; ; i++ {
		dir := filepath.Join("runs", name)
		if i > 1 {
			dir += fmt.Sprintf("-%d", i)
		}
		err := os.Mkdir(dir, 0o777)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
}

// runName is the last element of a source's path without its extensions.
func runName(source string) string {
	name := filepath.Base(sourcePath(source))
	for _, ext := range []string{".zst", ".gz", ".tgz", ".tar", ".zip", ".npy", ".bin"} {
		name = strings.TrimSuffix(name, ext)
	}
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r < ' ' || r == ':' {
			return '-'
		}
		return r
	}, name)
	if strings.Trim(name, ".- ") == "" {
		return "run"
	}
	return name
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	err = atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
