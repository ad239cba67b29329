package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVersion holds what this version of the rendering makes of two fixed databases: the golden files of the reports, manifests apart,
// which name the version themselves; and of the kinds of figures that the two have not.
func TestVersion(t *testing.T) {
	h := sha256.New()
	for _, name := range []string{"bar-groups", "bar-long-names", "histogram-groups", "histogram-log-counts"} {
		data, err := os.ReadFile(filepath.Join("internal", "figure", "testdata", name+".svg"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(data), data)
	}
	for _, folder := range []string{"small", "panel"} {
		err := fs.WalkDir(os.DirFS("testdata"), folder, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Base(path) == manifestName {
				return err
			}
			data, err := os.ReadFile(filepath.Join("testdata", path))
			fmt.Fprintf(h, "%s %d\n%s", path, len(data), data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	line := fmt.Sprintf("%d %s", Version, hex.EncodeToString(h.Sum(nil)))
	const file = "testdata/versions.txt"
	data, err := os.ReadFile(file)
	if err != nil && !*update {
		t.Fatal(err)
	}
	known := strings.Split(strings.TrimSpace(string(data)), "\n")
	of := slices.IndexFunc(known, func(s string) bool { return strings.HasPrefix(s, fmt.Sprintf("%d ", Version)) })
	switch {
	case of < 0 && *update:
		if err := os.WriteFile(file, []byte(strings.TrimSpace(string(data)+line)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	case of < 0:
		t.Errorf("version %d is not in %s: go test -update adds it", Version, file)
	case known[of] != line:
		t.Errorf("the same rows make other bytes than version %d made of them: raise reports.Version, then go test -update", Version)
	}
}

func TestRanges(t *testing.T) {
	for _, tc := range []struct {
		numbers []int
		want    string
	}{
		{nil, ""},
		{[]int{7}, "7"},
		{[]int{0, 1}, "0-1"},
		{[]int{0, 2}, "0,2"},
		{[]int{0, 1, 2, 5, 7, 9, 10}, "0-2,5-9/2,10"},
		{[]int{3, 13, 23, 24, 25}, "3-23/10,24-25"},
		{[]int{1, 10, 19, 28}, "1-28/9"},
	} {
		if got := ranges(tc.numbers); got != tc.want {
			t.Errorf("ranges(%v) = %q, want %q", tc.numbers, got, tc.want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var n []int
		for i := range 60 {
			if r.IntN(3) == 0 {
				n = append(n, i)
			}
		}
		if diff := cmp.Diff(n, places(ranges(n), 60)); diff != "" {
			t.Fatalf("places(ranges(%v)): %s", n, diff)
		}
	}
	if got := places("0-9,x,-3,4-2,5-9/0,3/x,7-12", 10); fmt.Sprint(got) != "[0 1 2 3 4 5 6 7 8 9 7 8 9]" {
		t.Errorf("places of what ranges did not write: %v", got)
	}
}

// TestManifestRoundTrip: what is written on lines of its own is ordinary JSON, and small.
func TestManifestRoundTrip(t *testing.T) {
	d := built(t)
	m := d.manifest.with(d.Markdown(true), "ab")
	data := m.encode()
	if !json.Valid(data) {
		t.Fatalf("not JSON:\n%s", data)
	}
	back, err := decodeManifest(data)
	if err != nil || !bytes.Equal(back.encode(), data) {
		t.Errorf("read and written again it is\n%s\n%v, want\n%s", back.encode(), err, data)
	}
	if len(m.Written.Figures) != figureDigits*len(m.Runs) {
		t.Errorf("figures %q of %d runs", m.Written.Figures, len(m.Runs))
	}
	for i, it := range m.Items {
		if keys := it.keys(m.Runs); len(keys) != it.Count {
			t.Errorf("item %d names %d runs, and says %d", i, len(keys), it.Count)
		}
		if it.At < 1 || it.Kind != numberItem && it.To < it.At {
			t.Errorf("item %d stands at lines %d to %d", i, it.At, it.To)
		}
	}
}

// TestManifestSize: sixty items over ninety runs, none a plain range.
func TestManifestSize(t *testing.T) {
	m := manifest{MadeBy: "kappa", Format: manifestFormat, Renderer: Version}
	for i := range 90 {
		m.Runs = append(m.Runs, key(i))
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 60 {
		var at []int
		for n := range 90 {
			if r.IntN(2) == 0 {
				at = append(at, n)
			}
		}
		m.Items = append(m.Items, manifestItem{item: item{Kind: tableItem, ID: fmt.Sprint("t", i)}, Count: len(at), Runs: ranges(at)})
	}
	if n := len(m.encode()); n > 30_000 {
		t.Errorf("%d bytes", n)
	}
}

// TestFirstEdited finds the line that somebody has edited without the text as it was.
func TestFirstEdited(t *testing.T) {
	text := "# A\n\nfirst\nsecond\nthird\n"
	m := manifest{}.with([]byte(text), "")
	for edited, want := range map[string]int{
		text:                              0,
		"# A\n\nfirst\nsecond!\nthird\n":  4,
		"# A\n\nfirst\nthird\n":           4,
		"# A\n\nfirst\nsecond\nthird":     6, // the last line's end
		text + "more\n":                   6,
		"":                                1,
		"# A\n\nfirst\nsecond\nthird\n\n": 7,
	} {
		if got := m.firstEdited([]byte(edited)); got != want {
			t.Errorf("first edited line of %q: %d, want %d", edited, got, want)
		}
	}
	if (manifest{}).firstEdited([]byte("x")) != 0 {
		t.Error("a manifest without sums knows no line")
	}
}

// TestManifestSum: whatever somebody changes in a manifest is seen, without the database being asked; and so is a writing that was cut short.
func TestManifestSum(t *testing.T) {
	for name, edit := range map[string]func([]byte) []byte{
		"a number":   func(b []byte) []byte { return bytes.Replace(b, []byte(`"356`), []byte(`"357`), 1) },
		"the format": func(b []byte) []byte { return bytes.Replace(b, []byte(`"format": 4`), []byte(`"format": 3`), 1) },
		"no sum":     func(b []byte) []byte { return append(b[:bytes.LastIndex(b, []byte(sumField))], "\n}\n"...) },
		"a field after": func(b []byte) []byte {
			return bytes.Replace(b, []byte("\n}\n"), []byte(",\n  \"replaces\": \"0\"\n}\n"), 1)
		},
		"an empty line": func(b []byte) []byte { return append(b, '\n') },
	} {
		b := newBench(t)
		was := readFile(t, b.dir, smallManifest)
		edited := edit(bytes.Clone(was))
		if bytes.Equal(was, edited) {
			t.Fatalf("%s: nothing was edited", name)
		}
		putFile(t, b.dir, smallManifest, edited)
		s := b.judge(func(f *Facts) { f.Document = nil })
		if s.State != Altered || !slices.ContainsFunc(s.Reasons, func(r Reason) bool {
			return r.Kind == BecauseEdited && r.File == smallManifest && strings.HasPrefix(r.Text, smallManifest+" was edited by hand")
		}) {
			t.Errorf("%s: %s, %v", name, s.State, s.Reasons)
		}
		write(t, b.dir, b.build(), WriteOptions{})
		if !bytes.Equal(was, readFile(t, b.dir, smallManifest)) {
			t.Errorf("%s: the next report does not write it anew", name)
		}
	}
	b := newBench(t)
	putFile(t, b.dir, smallManifest, bytes.ReplaceAll(readFile(t, b.dir, smallManifest), []byte("\n"), []byte("\r\n")))
	if s := b.judge(func(f *Facts) { f.Document = nil }); s.State != Current {
		t.Errorf("the ends of Windows: %s, %v", s.State, s.Reasons)
	}
	old := readFile(t, b.dir, "small.md")
	b.otherManifest(func(m *manifest) { *m = m.with(append(old, "more\n"...), digestOf("", old).SHA256) })
	if s := b.judge(func(f *Facts) { f.Document = nil }); s.State != Stale || !strings.HasPrefix(s.Reasons[0].Text, "the writing of the report was cut short") {
		t.Errorf("cut short: %s, %v", s.State, s.Reasons)
	}
}

// TestManifestConflict: a manifest that cannot be read is not said to be somebody else's.
func TestManifestConflict(t *testing.T) {
	b := newBench(t)
	b.edit(smallManifest, `  "format"`, "<<<<<<< HEAD\n  \"format\"")
	err := Guard(b.dir, "small")
	if err == nil || !strings.Contains(err.Error(), "cannot be read (a merge conflict?): invalid character '<'") || !strings.Contains(err.Error(), "kappa report --force") {
		t.Errorf("Guard: %v", err)
	}
	if s := b.judge(nil); s.State != Foreign || !strings.Contains(s.Reasons[0].Text, smallManifest+" cannot be read (a merge conflict?): invalid character") {
		t.Errorf("%s, %v", s.State, s.Reasons)
	}
	write(t, b.dir, b.build(), WriteOptions{Force: true})
	if s := b.judge(nil); s.State != Current {
		t.Errorf("forced: %s, %v", s.State, s.Reasons)
	}
}
