package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"hourglass/engine/backend"
	"hourglass/format/safetensors"
	"hourglass/tensor"
)

const (
	lastFile = "last.safetensors" // every variable and the state
	bestFile = "best.safetensors" // the parameters of the best epoch

	stateKey      = "state"
	formatKey     = "format"
	checkpointFmt = "hourglass checkpoint 1"
)

// keepBest remembers the parameters as the best so far.
func (t *Trainer) keepBest() error {
	if err := t.sound(); err != nil {
		return err
	}
	if t.best == nil {
		t.best = make(map[string]*tensor.Tensor)
		for _, p := range t.params {
			t.best[p.Name] = t.store.Get(p.Name).Clone()
		}
	} else {
		for name, v := range t.best {
			if err := v.CopyFrom(t.store.Get(name)); err != nil {
				return err
			}
		}
	}
	t.bestUnsaved = true
	return nil
}

func (t *Trainer) restoreBest() error {
	for name, v := range t.best {
		if err := t.store.Get(name).CopyFrom(v); err != nil {
			return err
		}
	}
	return nil
}

// save writes the checkpoint: the best parameters first, if they are new, so
// that the state never speaks of an epoch whose parameters are not there. A
// crash in between leaves an older state, from which the run reaches the same
// best epoch again.
func (t *Trainer) save() error {
	dir := t.options.Checkpoint
	if dir == "" {
		return nil
	}
	if err := t.sound(); err != nil {
		return err // the checkpoint from before is worth more
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("cannot make the folder of checkpoints: %w", err)
	}
	if t.bestUnsaved {
		var tensors []safetensors.Tensor
		for _, p := range t.params {
			tensors = append(tensors, encode(p.Name, t.best[p.Name]))
		}
		if err := write(filepath.Join(dir, bestFile), tensors, nil); err != nil {
			return err
		}
		t.bestUnsaved = false
	}
	text, err := json.Marshal(t.state)
	if err != nil {
		return err
	}
	var tensors []safetensors.Tensor
	for _, name := range t.store.Names() {
		tensors = append(tensors, encode(name, t.store.Get(name)))
	}
	return write(filepath.Join(dir, lastFile), tensors, map[string]string{stateKey: string(text), formatKey: checkpointFmt})
}

func write(path string, tensors []safetensors.Tensor, metadata map[string]string) error {
	if err := safetensors.WriteFile(path, tensors, metadata); err != nil {
		return fmt.Errorf("cannot write the checkpoint %s; the one before, if any, is intact: %w", path, err)
	}
	return nil
}

func encode(name string, v *tensor.Tensor) safetensors.Tensor {
	switch v.DType() {
	case tensor.Int32:
		return safetensors.New(name, v.Shape(), v.Int32())
	case tensor.Uint8:
		return safetensors.New(name, v.Shape(), v.Uint8())
	}
	return safetensors.New(name, v.Shape(), v.Float32())
}

// HasCheckpoint reports whether dir holds a checkpoint.
func HasCheckpoint(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, lastFile))
	return err == nil
}

func (t *Trainer) hasCheckpoint() bool {
	return t.options.Checkpoint != "" && HasCheckpoint(t.options.Checkpoint)
}

// Restore goes back to the checkpoint in the options' folder, if there is one,
// and returns the epochs that it had finished; Run then goes on from there. It
// fails if the checkpoint is of another architecture, of steps of another number,
// damaged, or that of a run which ended after other epochs than this one's. Seed,
// learning rate, schedule and rule are the caller's to give again: only with the
// same ones is the result that of a run without interruption.
func (t *Trainer) Restore() ([]Epoch, error) {
	if t.options.Checkpoint == "" {
		return nil, nil
	}
	path := filepath.Join(t.options.Checkpoint, lastFile)
	f, err := safetensors.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Metadata[formatKey] != checkpointFmt {
		return nil, fmt.Errorf("%s: its format is %q; this program reads %q", path, f.Metadata[formatKey], checkpointFmt)
	}
	var s state
	if err := json.Unmarshal([]byte(f.Metadata[stateKey]), &s); err != nil {
		return nil, fmt.Errorf("%s: its state cannot be read: %w", path, err)
	}
	if s.Step < 0 || s.Step > t.options.Epochs*t.problem.Steps {
		return nil, fmt.Errorf("%s: it stands at step %d of a run of %d", path, s.Step, t.options.Epochs*t.problem.Steps)
	}
	finished := s.Step / t.problem.Steps
	if s.Ended == "epochs" && s.Step == finished*t.problem.Steps && len(s.History) == finished && finished != t.options.Epochs {
		return nil, fmt.Errorf("%s: it is that of a run which ended after %d epochs, and this one has %d: take the file away to begin anew", path, finished, t.options.Epochs)
	}
	if n := len(s.History); n > 0 && n != finished {
		return nil, fmt.Errorf("%s: it has finished %d epochs in %d steps, and this run has %d steps in an epoch: take the file away to begin anew", path, n, s.Step, t.problem.Steps)
	}
	if !s.sound(t.problem.Steps, t.options.Epochs) {
		return nil, fmt.Errorf("%s: its state contradicts itself: take the file away to begin anew", path)
	}
	var best map[string]*tensor.Tensor
	if s.BestAt > 0 {
		if best, err = t.readBest(); err != nil {
			return nil, err
		}
	}
	if err := readInto(f, path, t.store, t.store.Names()); err != nil {
		return nil, err
	}
	t.state, t.best = s, best
	return s.History, nil
}

// readBest reads the parameters of the best epoch.
func (t *Trainer) readBest() (map[string]*tensor.Tensor, error) {
	store := backend.NewStore()
	var names []string
	for _, p := range t.params {
		if _, err := store.Variable(p.Name, tensor.Float32, p.Node.Shape()); err != nil {
			return nil, err
		}
		names = append(names, p.Name)
	}
	path := filepath.Join(t.options.Checkpoint, bestFile)
	f, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := readInto(f, path, store, names); err != nil {
		return nil, err
	}
	best := make(map[string]*tensor.Tensor)
	for _, name := range names {
		best[name] = store.Get(name)
	}
	return best, nil
}

// sound reports whether a state is one that a run comes through.
func (s *state) sound(steps, epochs int) bool {
	finished := s.Step / steps
	switch {
	case len(s.History) != finished || s.BestAt < 0 || s.BestAt > finished || (s.BestAt > 0) != (finished > 0):
		return false
	case s.Ended == "patience":
		return finished > 0 && s.Step%steps == 0
	case s.Ended == "epochs":
		return finished == epochs
	}
	return s.Ended == ""
}

// readInto reads the named variables of a store from a file, which must hold
// each of them in its shape; otherwise it reads none.
func readInto(f *safetensors.File, path string, store *backend.Store, names []string) error {
	for _, name := range names {
		v := store.Get(name)
		info, ok := f.Lookup(name)
		if !ok || !tensor.Shape(info.Shape).Equal(v.Shape()) {
			return fmt.Errorf("%s: it is of another architecture: it has no %s of shape %v", path, name, v.Shape())
		}
	}
	for _, name := range names {
		var err error
		switch v := store.Get(name); v.DType() {
		case tensor.Int32:
			err = safetensors.ReadInto(f, name, v.Int32())
		case tensor.Uint8:
			err = safetensors.ReadInto(f, name, v.Uint8())
		default:
			err = safetensors.ReadInto(f, name, v.Float32())
		}
		if err != nil {
			return err
		}
	}
	return nil
}
