package dataset

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
)

func TestSourceCheck(t *testing.T) {
	for name, c := range map[string]struct {
		src   Source
		words []string
	}{
		"nothing":           {Source{}, []string{"exactly one", "digits", "csv =", "0 are given"}},
		"two":               {Source{Name: "digits", CSV: "a.csv"}, []string{"2 are given"}},
		"unknown name":      {Source{Name: "digit"}, []string{`"digit"`, `did you mean "digits"?`, "synthetic"}},
		"far from any name": {Source{Name: "imagenet"}, []string{`"imagenet" is not known;`}},
		"options of files":  {Source{Name: "digits", Target: "65"}, []string{"your own files"}},
		"labels of a CSV":   {Source{CSV: "a.csv", LabelsNPY: "b.npy"}, []string{"b.npy", "target"}},
		"labels and target": {Source{NPY: "a.npy", LabelsNPY: "b.npy", Target: "3"}, []string{"b.npy", `"3"`, "both"}},
		"categorical .npy":  {Source{NPY: "a.npy", Categorical: CategoricalSortedIndex}, []string{"a.npy", "CSV"}},
		"dropped target":    {Source{CSV: "a.csv", Target: "y", Drop: []string{"y"}}, []string{`"y"`, "both"}},
		"categorical":       {Source{CSV: "a.csv", Categorical: "one-hot"}, []string{`"one-hot"`, CategoricalSortedIndex}},
		"missing":           {Source{CSV: "a.csv", Missing: new(math.NaN())}, []string{"missing is NaN"}},
		"scale":             {Source{CSV: "a.csv", Scale: math.Inf(1)}, []string{"scale is +Inf"}},
		"drive":             {Source{CSV: `C:\data.csv`}, []string{`write it as "C:/data.csv"`}},
		"a folder above":    {Source{NPY: "a/../.."}, []string{"names no file"}},
		"escaping inside":   {Source{NPY: "a/../../b.npy"}, []string{`write it as "../b.npy"`}},
		"not clean":         {Source{NPY: "./a//b.npy"}, []string{`write it as "a/b.npy"`}},
		"backslashes":       {Source{CSV: `a\b.csv`}, []string{`write it as "a/b.csv"`}},
		"labels, not clean": {Source{NPY: "a.npy", LabelsNPY: "./b.npy"}, []string{`write it as "b.npy"`}},
		"not UTF-8":         {Source{CSV: "\xff.csv"}, []string{"UTF-8"}},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, c.src.Check(), c.words...)
			_, err := Load(fstest.MapFS{}, c.src)
			wantError(t, err, c.words...)
			_, err = Digest(t.Context(), fstest.MapFS{}, c.src)
			wantError(t, err, c.words...)
		})
	}
	wantError(t, CheckPath("."), "no file")
	wantError(t, CheckPath(""), "no file")
}

// TestKey: equal meaning, equal key; each option changes it.
func TestKey(t *testing.T) {
	a := Source{CSV: "a.csv", Drop: []string{"x", "y"}, Categorical: CategoricalError, Scale: 1}
	b := Source{CSV: "a.csv", Drop: []string{"y", "x", "y"}}
	if a.Key() != b.Key() {
		t.Errorf("keys %q and %q, want equal ones", a.Key(), b.Key())
	}
	if a.Drop[0] != "x" || b.Drop[0] != "y" {
		t.Error("Key sorted the caller's Drop")
	}
	full := Source{CSV: "a \"b\".csv", Target: "y", Drop: []string{"x", "a\nb"}, NoHeader: true, Missing: new(-.5), Categorical: CategoricalSortedIndex, Shift: 1, Scale: 2, Standardize: true, Float32: true}
	const want = `csv="a \"b\".csv" target="y" drop="a\nb" drop="x" no-header=true missing=-0.5 categorical="sorted-index" shift=1 scale=2 standardize=true float32=true`
	if got := full.Key(); got != want {
		t.Errorf("key %s\nwant %s", got, want)
	}
	seen := map[string]bool{}
	for _, s := range []Source{
		{Name: "digits"},
		{CSV: "digits"},
		{NPY: "digits"},
		{NPY: "digits", LabelsNPY: "y"},
		{CSV: "digits", Missing: new(0.)},
		{CSV: "digits", Scale: 16},
		{CSV: "digits", Shift: 16},
		{CSV: "digits", Drop: []string{""}},
	} {
		if seen[s.Key()] {
			t.Errorf("two sources have the key %q", s.Key())
		}
		seen[s.Key()] = true
	}
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompressed(t *testing.T) {
	const text = "a\n1\n2\n"
	z := zipped(t, text)
	fsys := filesOf("a.csv", text, "a.csv.gz", z, "cut.csv.gz", z[:len(z)-6], "not.csv.gz", text)
	plain, err := Load(fsys, Source{CSV: "a.csv"})
	if err != nil {
		t.Fatal(err)
	}
	packed, err := Load(fsys, Source{CSV: "a.csv.gz"})
	if err != nil {
		t.Fatal(err)
	}
	if plain.Digest != packed.Digest {
		t.Errorf("digests %s and %s, want the same", plain.Digest, packed.Digest)
	}
	_, err = Load(fsys, Source{CSV: "cut.csv.gz"})
	wantError(t, err, "cut.csv.gz", "unexpected EOF")
	_, err = Load(fsys, Source{CSV: "not.csv.gz"})
	wantError(t, err, "not.csv.gz", "not a gzip file")
}

func TestOpenRefusals(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "folder.csv"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, src := range []Source{{CSV: "none.csv"}, {NPY: "none.npy"}} {
		_, err := Load(os.DirFS(dir), src)
		wantError(t, err, "none.")
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v is not fs.ErrNotExist", err)
		}
		_, err = Digest(t.Context(), os.DirFS(dir), src)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v is not fs.ErrNotExist", err)
		}
	}
	_, err := Load(os.DirFS(dir), Source{CSV: "folder.csv"})
	wantError(t, err, "folder.csv", "not a regular file")
	_, err = Load(nil, Source{CSV: "a.csv"})
	wantError(t, err, "a.csv", "no folder")
}
