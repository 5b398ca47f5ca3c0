package cli

import (
	"errors"
	"io/fs"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"hourglass/task/autoencode"
)

func (a *app) resume() *cobra.Command {
	var ro autoencode.RunOptions
	var checkpointSeconds float64
	c := &cobra.Command{
		Use:   "resume RUN",
		Short: "go on with a run that was interrupted",
		Long: `Resume goes on from the last checkpoint of the run in the folder RUN. The outcome
is the same, bit by bit, as if the run had not been interrupted. A run that was
finished is judged again.`,
		Example: `  hourglass resume runs/photos`,
		Args:    takes(1, 1, "RUN"),
	}
	addRunFlags(c, &ro, &checkpointSeconds)
	c.RunE = a.run(func(c *cobra.Command, args []string) error {
		ro.CheckpointEvery = time.Duration(checkpointSeconds * float64(time.Second))
		ro.Data.Threads = a.threads
		e, err := a.engine()
		if err != nil {
			return err
		}
		defer e.Close()
		t := a.tracker()
		defer t.close()
		out, err := autoencode.Resume(c.Context(), e, args[0], ro, t.hooks())
		// Before the run has begun, an error is about reading.
		if a.runDir != "" && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)) {
			return advised{err, "make the run's folder one that can be written, or copy it to such a place and resume it there"}
		}
		if err != nil {
			return err
		}
		return a.finish(out, t)
	})
	return c
}
