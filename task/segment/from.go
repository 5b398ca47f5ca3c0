package segment

import (
	"fmt"
	"path/filepath"

	"hourglass/engine/backend"
	"hourglass/nn"
	"hourglass/train/model"
)

// origin returns the full path of a model that a run is to begin with, and the
// SHA-256 of its file.
func origin(path string) (full, sum string, err error) {
	f, err := model.Open(path)
	if err != nil {
		return "", "", err
	}
	defer f.Close()
	if err := f.CheckTask(Task); err != nil {
		return "", "", err
	}
	if full, err = filepath.Abs(path); err != nil {
		return "", "", err
	}
	sum, err = model.Sum(full)
	return full, sum, err
}

// begin gives parameters the values that the run begins with, of the model that
// its config names.
func (c Config) begin(params []nn.Param, store *backend.Store) error {
	sum, err := model.Sum(c.From)
	if err != nil {
		return fmt.Errorf("the model that the run begins with is not to be had: %w", err)
	}
	if sum != c.FromSum {
		return fmt.Errorf("%s is not the model that the run began with: put that back, or begin a new run", c.From)
	}
	f, err := model.Open(c.From)
	if err != nil {
		return err
	}
	defer f.Close()
	taken, all, err := f.Take(params, store)
	if err == nil && taken < all/2 {
		err = f.Fail("only %d of the network's %d numbers are to be had from it: choose --net and --width as it has them", taken, all)
	}
	return err
}
