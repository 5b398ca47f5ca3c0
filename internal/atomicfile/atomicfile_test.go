package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func write(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func TestWriteReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	for _, want := range []string{"first", "second, longer", ""} {
		if err := Write(path, write(want)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil || string(got) != want {
			t.Fatalf("read %q, %v; want %q", got, err, want)
		}
	}
	onlyFile(t, path)
}

// Of many who create a file, one does, and nobody sees a part of it.
func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	const whole = "the whole of it"
	var begun, done sync.WaitGroup
	var created atomic.Int32
	begun.Add(1)
	for range 16 {
		done.Go(func() {
			begun.Wait()
			err := Create(path, func(w io.Writer) error {
				for i := range whole {
					if err := write(whole[i : i+1])(w); err != nil {
						return err
					}
				}
				return nil
			})
			switch {
			case err == nil:
				created.Add(1)
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != whole {
				t.Errorf("read %q, %v", got, err)
			}
		})
	}
	begun.Done()
	done.Wait()
	if n := created.Load(); n != 1 {
		t.Errorf("%d have created it", n)
	}
	onlyFile(t, path)
}

// So too where the file system has no second names.
func TestMoveClaimed(t *testing.T) {
	dir := t.TempDir()
	first, second, to := filepath.Join(dir, "first"), filepath.Join(dir, "second"), filepath.Join(dir, "to")
	for _, name := range []string{first, second} {
		if err := os.WriteFile(name, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := moveClaimed(filepath.Join(dir, "none"), to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing was moved: %v", err)
	}
	if err := moveClaimed(first, to); err != nil {
		t.Error(err)
	}
	if err := moveClaimed(second, to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another: %v", err)
	}
	if got, err := os.ReadFile(to); err != nil || string(got) != first {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestFailureKeepsOldContents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	if err := Write(path, write("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	err := Write(path, func(w io.Writer) error {
		if err := write("half of the n")(w); err != nil {
			return err
		}
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), path) {
		t.Fatalf("error %v does not wrap the cause and name the path", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Fatalf("after a failure the file holds %q", got)
	}
	onlyFile(t, path)
}

func TestPanicLeavesNoTemporaryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	if err := Write(path, write("old")); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = Write(path, func(io.Writer) error { panic("bug") })
	}()
	onlyFile(t, path)
}

func TestMissingFolder(t *testing.T) {
	err := Write(filepath.Join(t.TempDir(), "none", "model"), write("x"))
	if !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("error is %v, want not exist", err)
	}
}

func TestTargetIsFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model")
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, put := range []func(string, func(io.Writer) error) error{Write, WriteSoon} {
		if err := put(path, write("x")); !errors.Is(err, errNotFile) {
			t.Fatalf("a folder in place of a file: %v", err)
		}
	}
	onlyFile(t, path)
}

func TestProtectedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model")
	if err := os.WriteFile(path, []byte("old"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, write("new")); !errors.Is(err, os.ErrPermission) {
		t.Fatalf("a protected file: %v", err)
	}
	onlyFile(t, path)
}

func TestModeIsKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes are a matter of Unix")
	}
	path := filepath.Join(t.TempDir(), strings.Repeat("long", 60))
	if err := Write(path, write("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, write("new")); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o640 {
		t.Fatalf("mode is %v, %v; want 0640", st.Mode(), err)
	}
}

// onlyFile checks that path is the only entry of its folder.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Fatalf("the folder holds %v, want only %s", entries, filepath.Base(path))
	}
}
