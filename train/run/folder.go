package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hourglass/data"
	"hourglass/internal/atomicfile"
)

// The files of a run's folder.
const (
	ConfigFile    = "config.json"
	MetricsFile   = "metrics.jsonl"
	CheckpointDir = "checkpoint"
	ModelFile     = "model.safetensors"
	SummaryFile   = "summary.json"
	ReportFile    = "report.html"
	// ExperimentDir is the folder of a session of hourglass lab, which has no run.
	ExperimentDir = "experiments"
)

// maxConfig bounds what is read of a config.json: the names of very many
// classes make the longest.
const maxConfig = 16 << 20

// file is config.json.
type file struct {
	Task       string          `json:"task"`
	Config     json.RawMessage `json:"config"`
	SourcePath string          `json:"source_path"` // absolute, or the name of a built-in set
	Command    string          `json:"command"`
}

// firstTask is the task of runs that were begun before there were others and
// their name was written down.
const firstTask = "autoencode"

func (f file) task() string {
	if f.Task == "" {
		return firstTask
	}
	return f.Task
}

// decode reads the configuration.
func (f file) decode(dir string, into any) error {
	if err := json.Unmarshal(f.Config, into); err != nil {
		return fmt.Errorf("%s cannot be read: %w; begin a new run", filepath.Join(dir, ConfigFile), err)
	}
	return nil
}

// TaskOf returns the name of the task of the run in the folder dir.
func TaskOf(dir string) (string, error) {
	f, err := readFile(dir)
	return f.task(), err
}

func readFile(dir string) (f file, err error) {
	path := filepath.Join(dir, ConfigFile)
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, fmt.Errorf("%s is no run: it has no %s", dir, ConfigFile)
	}
	if err != nil {
		return f, err
	}
	defer in.Close()
	d := json.NewDecoder(io.LimitReader(in, maxConfig))
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("%s cannot be read: %w; begin a new run", path, err)
	}
	if f.SourcePath == "" || f.Config == nil {
		return f, fmt.Errorf("%s is not that of a run: it names no source; begin a new run", path)
	}
	return f, nil
}

// Found makes the folder of a new run and writes its task's choices there, from
// which it can be resumed: config, a pointer to the task's own struct. Where
// the run is to take some minutes, chooseEpochs first turns them into a number
// of epochs in it.
func (r *Run) Found(task string, config any, minutes float64, chooseEpochs func() error) error {
	if err := r.makeDir(); err != nil {
		return err
	}
	if minutes > 0 {
		if err := chooseEpochs(); err != nil {
			return err
		}
	}
	return r.record(task, config)
}

func errTaken(dir string) error {
	return fmt.Errorf("%s holds a run already; resume it, or choose another folder", dir)
}

// record writes config.json, if no other run has written one.
func (r *Run) record(task string, config any) error {
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	err = putJSON(atomicfile.Create, r.Path(ConfigFile), file{task, text, sourcePath(r.source), r.Command})
	if errors.Is(err, fs.ErrExist) {
		return errTaken(r.Dir)
	}
	return err
}

// sourcePath makes the path of a source independent of the working folder;
// what is no path is the name of a built-in set.
func sourcePath(source string) string {
	if slices.Contains(data.Builtins(), source) {
		return source
	}
	if _, err := os.Stat(source); err != nil {
		return source
	}
	if abs, err := filepath.Abs(source); err == nil {
		return abs
	}
	return source
}

// SourceOf returns the source of the run in the folder dir, as it is called from any
// folder; "" if there is no run.
func SourceOf(dir string) string {
	f, err := readFile(dir)
	if err != nil {
		return ""
	}
	return f.SourcePath
}

// SameSource reports whether two sources are one, however they are spelled.
func SameSource(a, b string) bool { return sourcePath(a) == sourcePath(b) }

// checkDir reports a folder that is taken, before images are read for it.
func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err == nil {
		return errTaken(dir)
	}
	for _, name := range []string{ModelFile, SummaryFile, ReportFile, MetricsFile, CheckpointDir, ExperimentDir} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("%s holds %s of something else, such as a model given away, a judgement or a session of hourglass lab; choose another folder", dir, name)
		}
	}
	return nil
}

// makeDir creates the run's folder.
func (r *Run) makeDir() error {
	if dir := r.options.Dir; dir != "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return fmt.Errorf("cannot make the run's folder: %w", err)
		}
		r.Dir = dir
		return nil
	}
	name := r.options.Name
	if name == "" {
		name = runName(r.source)
	}
	if err := os.MkdirAll("runs", 0o777); err != nil {
		return fmt.Errorf("cannot make the folder of runs: %w", err)
	}
	for i := 1; ; i++ {
		r.Dir = filepath.Join("runs", name)
		if i > 1 {
			r.Dir += fmt.Sprintf("-%d", i)
		}
		err := os.Mkdir(r.Dir, 0o777)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
}

// runName is the last element of a source's path without its extensions.
func runName(source string) string {
	name := filepath.Base(sourcePath(source))
	for _, ext := range []string{".zst", ".gz", ".tgz", ".tar", ".zip", ".npy", ".bin", ".csv"} {
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

// WriteJSON writes v to a file, whole or not at all.
func WriteJSON(path string, v any) error { return putJSON(atomicfile.Write, path, v) }

func putJSON(put func(string, func(io.Writer) error) error, path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	err = put(path, func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	return nil
}
