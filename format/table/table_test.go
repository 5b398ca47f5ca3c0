package table

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"hourglass/internal/random"
)

var formats = []Format{CSV, Parquet, NPY}

// genTable draws a table of at least one row.
func genTable(t *rapid.T) *Table {
	n := rapid.IntRange(1, 12).Draw(t, "n")
	table := &Table{Dim: rapid.IntRange(1, 5).Draw(t, "dim")}
	table.Values = rapid.SliceOfN(rapid.Float32(), n*table.Dim, n*table.Dim).Draw(t, "values")
	for i := range table.Values {
		switch rapid.IntRange(0, 20).Draw(t, "special") {
		case 0:
			table.Values[i] = float32(math.NaN())
		case 1:
			table.Values[i] = float32(math.Inf(1))
		case 2:
			table.Values[i] = float32(math.Copysign(0, -1))
		}
	}
	text := rapid.StringMatching(`[a-z,;"'ü \n=.<>]{0,6}`)
	if rapid.Bool().Draw(t, "named") {
		table.Names = rapid.SliceOfN(text, n, n).Draw(t, "names")
	}
	if rapid.Bool().Draw(t, "labelled") {
		table.Labels = rapid.SliceOfN(text, n, n).Draw(t, "labels")
	}
	return table
}

func encode(t rapid.TB, f Format, table *Table) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, f, table); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(f Format, b []byte, limits Limits) (*Table, error) {
	return Read(bytes.NewReader(b), int64(len(b)), f, limits)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := genTable(t)
		for _, f := range formats {
			b := encode(t, f, table)
			if !bytes.Equal(b, encode(t, f, table)) {
				t.Fatalf("%v: the same table gives other bytes", f)
			}
			got, err := decode(f, b, Limits{})
			if err != nil {
				t.Fatalf("%v: %v", f, err)
			}
			want := *table
			if f == NPY {
				want.Names, want.Labels = nil, nil
			}
			if diff := cmp.Diff(&want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Fatalf("%v: %s", f, diff)
			}
		}
	})
}

// TestLong needs several batches and row groups.
func TestLong(t *testing.T) {
	const n, dim = 700, 2*batchValues/3 + 1
	table := &Table{Dim: dim, Values: make([]float32, n*dim), Names: make([]string, n)}
	for i := range table.Values {
		table.Values[i] = float32(i)
	}
	for i := range table.Names {
		table.Names[i] = strings.Repeat("x", i%9)
	}
	got, err := decode(Parquet, encode(t, Parquet, table), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Dim != dim || !slices.Equal(got.Values, table.Values) || !slices.Equal(got.Names, table.Names) {
		t.Error("the table came back changed")
	}
}

func TestFiles(t *testing.T) {
	table := &Table{Names: []string{"a", "b"}, Labels: []string{"x", "y"}, Dim: 2, Values: []float32{1, 2, 3, 4}}
	for _, name := range []string{"t.csv", "t.parquet", "t.npy", "T.CSV"} {
		path := filepath.Join(t.TempDir(), name)
		if err := WriteFile(path, table); err != nil {
			t.Fatal(err)
		}
		got, err := ReadFile(path, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(got.Values, table.Values) || got.Dim != 2 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	path := filepath.Join(t.TempDir(), "t.xlsx")
	for _, err := range []error{
		WriteFile(path, table),
		func() error { _, err := ReadFile(path, Limits{}); return err }(),
	} {
		if err == nil || !strings.Contains(err.Error(), ".csv, .parquet, .npy") {
			t.Errorf("error is %v, want one that lists the choices", err)
		}
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a file of an unknown format was begun: %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none.csv"), Limits{}); !os.IsNotExist(err) {
		t.Errorf("a missing file gives %v", err)
	}
}

func TestCSVText(t *testing.T) {
	b := encode(t, CSV, &Table{Names: []string{"a,b", "\xff"}, Labels: []string{"", "x"}, Dim: 2, Values: []float32{0.1, -2, 1e-20, 16777216}})
	want := "name,label,z0,z1\n\"a,b\",,0.1,-2\n\uFFFD,x,1e-20,1.6777216e+07\n"
	if string(b) != want {
		t.Errorf("got  %q\nwant %q", b, want)
	}
}

func TestCSVOfOthers(t *testing.T) {
	got, err := decode(CSV, []byte(",z1,extra,z0,name\r\n0, 2,x,1.5,a\r\n1,4,y,3e0,b\r\n"), Limits{})
	if err == nil {
		t.Fatalf("a number with a space before it was read: %+v", got)
	}
	got, err = decode(CSV, []byte(",z1,extra,z0,name\r\n0,2,x,1.5,a\r\n1,4,y,3e0,b\r\n"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := &Table{Names: []string{"a", "b"}, Dim: 2, Values: []float32{1.5, 2, 3, 4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = decode(CSV, []byte("\uFEFFname,z0,z1\r\na,1.5,2\r\nb,3,4\r\n"), Limits{})
	if err != nil {
		t.Fatalf("a byte order mark before the header: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPandasFiles reads files that pandas wrote (testdata/make.py).
func TestPandasFiles(t *testing.T) {
	values := []float32{0.5, -1, 2, 3, 4.25, 1e-3}
	names := []string{"a.png", "b/ü.jpg"}
	for name, want := range map[string]*Table{
		"list.parquet":    {Names: names, Labels: []string{"cat", ""}, Dim: 3, Values: values},
		"columns.parquet": {Names: names, Dim: 3, Values: values},
	} {
		got, err := ReadFile(filepath.Join("testdata", name), Limits{})
		if err != nil {
			t.Error(err)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func parquetOf[T any](t testing.TB, rows ...T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, rows); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFaults(t *testing.T) {
	type list struct {
		Name string    `parquet:"name"`
		Z    []float32 `parquet:"z,list"`
	}
	good := parquetOf(t, list{"a", []float32{1, 2}}, list{"b", []float32{3, 4}})
	var gzipped bytes.Buffer
	if err := parquet.Write(&gzipped, []list{{"a", []float32{1, 2}}}, parquet.Compression(&parquet.Gzip)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		format Format
		input  []byte
		limits Limits
		kind   error
		want   string
	}{
		{"no header", CSV, nil, Limits{}, ErrCorrupt, "no header"},
		{"no values", CSV, []byte("name,label\n"), Limits{}, ErrCorrupt, "z0"},
		{"column twice", CSV, []byte("z0,z0\n1,2\n"), Limits{}, ErrCorrupt, "twice"},
		{"short line", CSV, []byte("z0,z1\n1,2\n3\n"), Limits{}, ErrCorrupt, "offset 10"},
		{"no number", CSV, []byte("z0,z1\n1,2\n3,four\n"), Limits{}, ErrCorrupt, `line 3: "four" in column z1`},
		{"number too large", CSV, []byte("z0\n1e39\n"), Limits{}, ErrCorrupt, "1e39"},
		{"open quote", CSV, []byte("name,z0\n\"a,1\n"), Limits{}, ErrCorrupt, "malformed"},
		{"too many values", CSV, []byte("z0\n1\n2\n3\n"), Limits{MaxBytes: 8}, ErrTooLarge, "more than"},
		{"vector", NPY, npyHeader("(3,)", 12), Limits{}, ErrUnsupported, "shape [3]"},
		{"no columns", NPY, npyHeader("(3, 0)", 0), Limits{}, ErrUnsupported, "shape [3 0]"},
		{"npy cut short", NPY, npyHeader("(3, 1)", 11), Limits{}, ErrCorrupt, "offset 139"},
		{"empty parquet", Parquet, nil, Limits{}, ErrCorrupt, "0 bytes"},
		{"text", Parquet, []byte("PAR1 this is no parquet file PAR1"), Limits{}, ErrCorrupt, ""},
		{"truncated", Parquet, good[:len(good)-9], Limits{}, ErrCorrupt, ""},
		{"footer longer than the file", Parquet, []byte("PAR1\x00\x00\x00\x00\xff\xff\xff\xffPAR1"), Limits{}, ErrCorrupt, "footer of 4294967295 bytes"},
		{"footer list longer than the file", Parquet, []byte("PAR1\x15\x02\x19\xfc\xff\xff\xff\x0f\x00\x09\x00\x00\x00PAR1"), Limits{}, ErrCorrupt, "footer is malformed"},
		{"gzip", Parquet, gzipped.Bytes(), Limits{}, ErrUnsupported, "compression GZIP"},
		{"no vectors", Parquet, parquetOf(t, struct {
			Name string `parquet:"name"`
		}{"a"}), Limits{}, ErrUnsupported, "neither a column z nor columns z0"},
		{"ragged", Parquet, parquetOf(t, list{"a", []float32{1, 2}}, list{"b", []float32{3}}), Limits{}, ErrCorrupt, "row 1 has 1 elements"},
		{"ragged inside", Parquet, parquetOf(t, list{"a", []float32{1, 2}}, list{"b", []float32{3}}, list{"c", []float32{1, 2}}), Limits{}, ErrCorrupt, "row 1 has 1 elements"},
		{"empty list", Parquet, parquetOf(t, list{"a", []float32{1, 2}}, list{"b", nil}), Limits{}, ErrUnsupported, "empty cell"},
		{"integers", Parquet, parquetOf(t, struct {
			Z []int32 `parquet:"z,list"`
		}{[]int32{1}}), Limits{}, ErrUnsupported, "not numbers"},
		{"lists of lists", Parquet, parquetOf(t, struct {
			Z [][]float32 `parquet:"z,list"`
		}{[][]float32{{1}}}), Limits{}, ErrUnsupported, "z"},
		{"name is a number", Parquet, parquetOf(t, struct {
			Name int32     `parquet:"name"`
			Z    []float32 `parquet:"z,list"`
		}{1, []float32{1}}), Limits{}, ErrUnsupported, "not strings"},
		{"over the limit", Parquet, good, Limits{MaxBytes: 8}, ErrTooLarge, "more than"},
	} {
		_, err := decode(c.format, c.input, c.limits)
		var e *Error
		if !errors.As(err, &e) || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error is %v, want a kind of %q that says %q", c.name, err, c.kind, c.want)
		}
	}
}

// npyHeader returns an array of float32 of a shape, with n bytes of elements.
func npyHeader(shape string, n int) []byte {
	dict := "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }"
	dict += strings.Repeat(" ", 117-len(dict)) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(dict)), 0)
	return append(append(b, dict...), make([]byte, n)...)
}

func TestWriteRefuses(t *testing.T) {
	for name, table := range map[string]*Table{
		"no dim":        {Values: []float32{1}},
		"ragged":        {Dim: 2, Values: []float32{1}},
		"names missing": {Dim: 1, Values: []float32{1, 2}, Names: []string{"a"}},
		"labels extra":  {Dim: 1, Values: []float32{1}, Labels: []string{"a", "b"}},
	} {
		for _, f := range formats {
			var b bytes.Buffer
			if err := Write(&b, f, table); err == nil || b.Len() != 0 {
				t.Errorf("%v, %s: error %v after %d bytes", f, name, err, b.Len())
			}
		}
	}
	if err := Write(&bytes.Buffer{}, 9, &Table{Dim: 1}); err == nil {
		t.Error("an unknown format was written")
	}
	if _, err := decode(9, nil, Limits{}); err == nil {
		t.Error("an unknown format was read")
	}
}

func TestEmpty(t *testing.T) {
	for _, f := range formats {
		got, err := decode(f, encode(t, f, &Table{Dim: 3, Names: []string{}}), Limits{})
		if err != nil || got.Len() != 0 {
			t.Errorf("%v: a table without rows came back as %+v, %v", f, got, err)
		}
	}
}

// TestDamagedParquet changes bytes of good files. Whatever comes of it, it must
// not take more memory than a file of that size may unfold to.
func TestDamagedParquet(t *testing.T) {
	files := [][]byte{encode(t, Parquet, &Table{Dim: 2, Values: []float32{1, 2, 3, 4}, Names: []string{"a", "b"}})}
	for _, name := range []string{"list.parquet", "columns.parquet"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, b)
	}
	src := random.NewSource(1, 0, 0)
	var before, after runtime.MemStats
	for i := range 3000 {
		b := slices.Clone(files[i%len(files)])
		for range 1 + src.IntN(4) {
			b[src.IntN(len(b))] = byte(src.IntN(256))
		}
		runtime.ReadMemStats(&before)
		table, err := decode(Parquet, b, Limits{})
		runtime.ReadMemStats(&after)
		if taken := after.TotalAlloc - before.TotalAlloc; taken > 4*smallExpansion {
			t.Fatalf("damage %d: a file of %d bytes took %d MB", i, len(b), taken>>20)
		}
		if err == nil && table.check() != nil {
			t.Fatalf("damage %d: %v", i, table.check())
		}
	}
}

// fuzz checks that no input panics or gives parts that do not fit together.
func fuzz(f *testing.F, format Format) {
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := decode(format, b, Limits{MaxBytes: 1 << 20})
		if err != nil {
			return
		}
		if err := table.check(); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("name,label,z0,z1\na,b,1,2\n"))
	f.Add([]byte("z0\r\n\"1\"\r\nNaN\r\n"))
	fuzz(f, CSV)
}

func FuzzParquet(f *testing.F) {
	for _, name := range []string{"list.parquet", "columns.parquet"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(encode(f, Parquet, &Table{Dim: 2, Values: []float32{1, 2, 3, 4}, Names: []string{"a", "b"}}))
	fuzz(f, Parquet)
}
