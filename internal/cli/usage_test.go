package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"hourglass/nn/arch"
	"hourglass/optim"
)

func TestWrongUsage(t *testing.T) {
	images := folder(t, 12, false)
	out := filepath.Join(t.TempDir(), "run")
	cases := []struct {
		args []string
		want string
	}{
		{[]string{"learn", "--bogus"}, "unknown flag: --bogus"},
		{[]string{"learn", images, "--epochs", "many"}, `invalid argument "many" for "--epochs"`},
		{[]string{"learn", images, "--epochs", "1.5"}, `invalid argument "1.5" for "--epochs" flag: give a whole number`},
		{[]string{"learn", images, "--lr", "much"}, "flag: give a number"},
		{[]string{"learn", images, "--seed", "-1"}, "flag: give a whole number from 0 on"},
		{[]string{"learn", images, "--seed", "99999999999999999999"}, "flag: it is out of range"},
		{small(images, out, "--batch", "9223372036854775807"), "--batch 9223372036854775807: choose 1 to"},
		{[]string{"learn", "a", "b"}, "b: one argument too many"},
		{[]string{"lern"}, `unknown command "lern"`},
		{[]string{"resume"}, "RUN is missing"},
		{[]string{"encode"}, "MODEL and IMAGES are missing"},
		{[]string{"encode", "m.safetensors"}, "IMAGES is missing"},
		{[]string{"encode", "m.safetensors", "a.png"}, "--out is missing"},
		{[]string{"encode", "m.safetensors", "a.png", "--out", "z.doc"}, "--out z.doc: name a file that ends in"},
		{[]string{"decode", "m.safetensors", "z.npy"}, "--out is missing"},
		{[]string{"reconstruct", "m.safetensors", "a.png"}, "--out is missing"},
		{[]string{"learn", "--threads", "-1"}, "--threads -1"},
		{[]string{"learn", "--threads", "100000"}, "hourglass: --threads: "},
		{[]string{"learn", "--size", "-3"}, "--size -3"},
		{[]string{"learn", "--latent", "0"}, "--latent 0"},
		{[]string{"learn", "--arch", ""}, "--arch ''"},
		{[]string{"learn", "--name", "../up"}, "--name ../up"},
		{[]string{"learn", "--name", "a", "--out", "b"}, "--name and --out"},
		{[]string{"learn", "--epochs", "1", "--minutes", "1"}, "--epochs and --minutes"},
		{small(images, out, "--latent", "101"), "--latent 101 is larger than the image, which has d = 10×10×1 = 100"},
		{small(images, out, "--latent", "-1"), "--latent -1"},
		{small(images, out, "--arch", "cubist"), "--arch cubist: choose one of"},
		{small(images, out, "--decoder", "none"), "--decoder none: choose one of"},
		{small(images, out, "--loss", "grief"), "--loss grief: choose one of"},
		{small(images, out, "--optimizer", "hope"), "--optimizer hope: choose one of"},
		{small(images, out, "--augment", "all"), "--augment: wrong list of transformations: all: choose from"},
		{small(images, out, "--schedule", "lunar"), "--schedule"},
		{small(images, out, "--lr", "-1"), "--lr -1"},
		{small(images, out, "--lr", "NaN"), "--lr NaN"},
		{small(images, out, "--batch", "-8"), "--batch -8"},
		{[]string{"learn", images, "--arch", "conv", "--size", "4096", "--no-cache", "--out", out}, "--size: images of 4096×4096 are too large for the network"},
		{[]string{"train", "classify", classes(t, 12), "--size", "4096", "--no-cache", "--out", out}, "--size: images of 4096×4096 are too large for the network"},
	}
	for _, c := range cases {
		e := invoke(t, c.args...)
		e.want(t, exitUsage, c.want)
		if !strings.Contains(e.stderr, "--help") {
			t.Errorf("%v: nothing points to the help:\n%s", c.args, e.stderr)
		}
	}
	if e := invoke(t, "lern"); !strings.Contains(e.stderr, "did you mean learn?") {
		t.Errorf("no suggestion in %q", e.stderr)
	}
	t.Setenv("HOURGLASS_ISA", "mmx")
	invoke(t, small(images, out)...).want(t, exitUsage, "HOURGLASS_ISA", "mmx")
}

// The help lists choices that live in packages this one does not import.
func TestHelpListsChoices(t *testing.T) {
	help := succeed(t, "learn", "--help").stdout
	for _, names := range [][]string{arch.Kinds(), arch.Decoders(), optim.Names(), optim.ScheduleNames()} {
		for _, name := range names {
			if !strings.Contains(help, name) {
				t.Errorf("the help of learn does not name %q", name)
			}
		}
	}
	for _, name := range learnFlags {
		if !strings.Contains(help, "--"+name) {
			t.Errorf("the help of learn lacks --%s", name)
		}
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	for _, name := range []string{"", "learn", "resume", "encode", "decode", "reconstruct", "show", "augment", "lab", "train generate", "generate", "version"} {
		args := append(strings.Fields(name), "--help")
		e := succeed(t, args...)
		if !strings.Contains(e.stdout, "Examples:\n  hourglass "+name) {
			t.Errorf("%q has no example:\n%s", name, e.stdout)
		}
		if e.stderr != "" {
			t.Errorf("%q writes to standard error: %s", name, e.stderr)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if script := succeed(t, "completion", shell).stdout; !strings.Contains(script, "hourglass") || len(script) < 1000 {
			t.Errorf("completion %s prints %d bytes", shell, len(script))
		}
	}
	invoke(t, "completion", "tcsh").want(t, exitUsage, "knows no tcsh", "bash, fish")
	invoke(t, "train", "nothere").want(t, exitUsage, "knows no nothere", "classify, denoise")
}

func TestVersion(t *testing.T) {
	if text := succeed(t, "--version").stdout; !strings.HasPrefix(text, "hourglass "+release) {
		t.Errorf("--version prints %q", text)
	}
	var b build
	decodeOne(t, succeed(t, "version", "--json").stdout, &b)
	if b.Version != release || len(b.ISA) == 0 || b.Go == "" {
		t.Errorf("version --json gives %+v", b)
	}
}
