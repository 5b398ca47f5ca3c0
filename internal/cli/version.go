package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"hourglass/internal/isa"
)

// release is the version of the source tree; CHANGELOG.md says what is in it.
const release = "0.1.0"

// build describes the program.
type build struct {
	Version  string   `json:"version"`
	Revision string   `json:"revision,omitempty"` // of the source, if it was built in a checkout
	Modified bool     `json:"modified,omitempty"` // the checkout had changes
	Go       string   `json:"go"`
	OS       string   `json:"os"`
	Arch     string   `json:"arch"`
	ISA      []string `json:"isa"` // instruction-set levels of this machine, lowest first
}

func readBuild() build {
	b := build{Version: release, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	for _, l := range isa.Available() {
		b.ISA = append(b.ISA, l.String())
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// versionText is what hourglass --version prints.
func versionText() string {
	b := readBuild()
	text := "hourglass " + b.Version
	if b.Revision != "" {
		text += " (" + b.Revision
		if b.Modified {
			text += ", modified"
		}
		text += ")"
	}
	return text
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version, and what it runs on",
		Example: `  hourglass version --json`,
		Args:    cobra.NoArgs,
		RunE: a.run(func(*cobra.Command, []string) error {
			b := readBuild()
			return a.result(b, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n%s %s/%s, instructions: %s\n", versionText(), b.Go, b.OS, b.Arch, strings.Join(b.ISA, ", "))
			})
		}),
	}
}
