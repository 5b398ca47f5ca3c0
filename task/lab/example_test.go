package lab_test

import (
	"context"
	"fmt"
	"os"

	"hourglass/engine"
	"hourglass/task/lab"
)

// Test one claim on the built-in images.
func Example() {
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	e, err := engine.New(engine.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	out, err := lab.Run(context.Background(), e, lab.Options{Names: []string{"dropout"}, Seed: 1, Source: "fashion", Dir: dir}, lab.Hooks{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range out.Results {
		fmt.Println(r.Claim, r.Holds, r.Verdict)
	}
}
