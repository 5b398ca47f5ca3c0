package restore

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"hourglass/engine"
	"hourglass/train/model"
)

//go:embed models
var shipped embed.FS

// maxShipped bounds what a model adds to the program, in bytes.
const maxShipped = 4_000_000

// ErrNotShipped is in the chain of the error that [Shipped] returns for a task
// that this build has no model for.
var ErrNotShipped = errors.New("no model is built in")

// Shipped returns the model of a task that is part of the program.
func Shipped(e *engine.Engine, task string) (*Model, error) {
	return fromFS(e, shipped, task)
}

func fromFS(e *engine.Engine, files fs.FS, task string) (*Model, error) {
	content, err := fs.ReadFile(files, "models/"+task+".safetensors")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w for the task %q", ErrNotShipped, task)
	}
	if err != nil {
		return nil, err
	}
	f, err := model.Read("the built-in model for "+task, content)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return load(e, f, task)
}
