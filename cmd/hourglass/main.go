// Command hourglass learns from images without labels and puts what it has
// learnt to use. See hourglass --help.
package main

import (
	"context"
	"os"

	"hourglass/internal/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
