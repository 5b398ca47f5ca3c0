package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/spf13/cobra"

	"hourglass/engine"
	"hourglass/task/autoencode"
	"hourglass/task/classify"
	"hourglass/task/generate"
	"hourglass/task/restore"
	"hourglass/task/segment"
	"hourglass/train/run"
)

func (a *app) resume() *cobra.Command {
	c := &cobra.Command{
		Use:   "resume RUN",
		Short: "go on with a run that was interrupted",
		Long: `Resume goes on from the last checkpoint of the run in the folder RUN. The outcome
is the same, bit by bit, as if the run had not been interrupted. A run that was
finished is judged again.`,
		Example: `  hourglass resume runs/photos`,
		Args:    takes(1, 1, "RUN"),
	}
	ro := addResumeFlags(c)
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		t := a.tracker()
		defer t.close()
		err = a.goOn(c.Context(), e, args[0], ro.options(a), t)
		// Before the run has begun, an error is about reading.
		if a.runDir != "" && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)) {
			return advised{err, "make the run's folder one that can be written, or copy it to such a place and resume it there"}
		}
		return err
	})
	return c
}

// goOn goes on with a run of whatever task, and finishes it.
func (a *app) goOn(ctx context.Context, e *engine.Engine, dir string, o run.Options, t *tracker) error {
	task, err := run.TaskOf(dir)
	if err != nil {
		return err
	}
	switch task {
	case autoencode.Task:
		out, err := autoencode.Resume(ctx, e, dir, o, t.hooks())
		if err != nil {
			return err
		}
		return a.finishLearn(out, t)
	case classify.Task:
		out, err := classify.Resume(ctx, e, dir, o, t.hooks())
		if err != nil {
			return err
		}
		return a.finishClassify(out, t)
	case segment.Task:
		out, err := segment.Resume(ctx, e, dir, o, t.hooks())
		if err != nil {
			return err
		}
		return a.finishSegment(out, t)
	case generate.Task:
		out, err := generate.Resume(ctx, e, dir, o, t.hooks())
		if err != nil {
			return err
		}
		return a.finishGenerate(out, t)
	case restore.Denoise, restore.Inpaint:
		out, err := besideProjection(ctx, e)(restore.Resume(ctx, e, dir, task, o, t.hooks()))
		if err != nil {
			return err
		}
		return a.finishRestore(out, t)
	}
	return fmt.Errorf("the run in %s is of the task %q, which this program does not know: update hourglass", dir, task)
}
