package fetch

import (
	"os"
	"slices"
	"strings"
	"testing"

	"kappa/runner/dataset"
)

func TestVerifyFindsWhatIsWrong(t *testing.T) {
	content := noise(5000, 3)
	packed := zipped(t, content)
	tests := []struct {
		name  string
		files map[string][]byte
		want  []Finding
		says  string
	}{
		{"plain", map[string][]byte{"set/file": content}, []Finding{{File: "set/file", State: Right, Bytes: 5000}}, ""},
		{"compressed", map[string][]byte{"set/file.gz": packed}, []Finding{{File: "set/file.gz", State: Right, Bytes: int64(len(packed))}}, ""},
		{"nothing", nil, []Finding{{File: "set/file", State: Missing}}, ""},
		{"a part", map[string][]byte{"set/file.part": content}, []Finding{{File: "set/file", State: Missing}}, ""},
		{"shorter", map[string][]byte{"set/file": content[:4000]}, []Finding{{File: "set/file", State: Wrong, Bytes: 4000}}, "it has 4000 bytes, 5000 are expected"},
		{"longer", map[string][]byte{"set/file": append(slices.Clone(content), 0)}, []Finding{{File: "set/file", State: Wrong, Bytes: 5001}}, "more than the 5000 bytes that are expected"},
		{"empty", map[string][]byte{"set/file": {}}, []Finding{{File: "set/file", State: Wrong}}, "it has 0 bytes"},
		{"other", map[string][]byte{"set/file": noise(5000, 4)}, []Finding{{File: "set/file", State: Wrong, Bytes: 5000}}, "its SHA-256 is "},
		{"compressed in the place of plain", map[string][]byte{"set/file": packed}, []Finding{{File: "set/file", State: Wrong, Bytes: int64(len(packed))}}, "5000"},
		{"plain in the place of compressed", map[string][]byte{"set/file.gz": content}, []Finding{{File: "set/file.gz", State: Wrong, Bytes: 5000}}, "gzip stream is damaged"},
		{"an empty gzip file", map[string][]byte{"set/file.gz": {}}, []Finding{{File: "set/file.gz", State: Wrong}}, "gzip stream ends in the middle"},
		{"a gzip bomb", map[string][]byte{"set/file.gz": zipped(t, make([]byte, 1_000_000))}, []Finding{{File: "set/file.gz", State: Wrong}}, "more than the 5000 bytes, uncompressed,"},
		{
			"right beside wrong",
			map[string][]byte{"set/file": content[:10], "set/file.gz": packed},
			[]Finding{{File: "set/file", State: Wrong, Bytes: 10}, {File: "set/file.gz", State: Right, Bytes: int64(len(packed))}},
			"it has 10 bytes",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := folder(t)
			for name, content := range test.files {
				put(t, f, name, content)
			}
			got, err := f.Verify(t.Context(), published(content, true))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(test.want) {
				t.Fatalf("findings %+v, want %+v", got, test.want)
			}
			for i, w := range test.want {
				g := got[i]
				if g.Set != "set" || g.File != w.File || g.State != w.State || w.Bytes != 0 && g.Bytes != w.Bytes {
					t.Errorf("finding %+v, want %+v", g, w)
				}
				if g.State == Wrong {
					says(t, g.Err, test.says)
				}
			}
		})
	}
}

func TestVerifyReadsTheManifest(t *testing.T) {
	one, two := noise(5000, 1), noise(5000, 2)
	p, _ := archived(t, one, two)
	f := folder(t)
	put(t, f, "set/one.bin", one)
	put(t, f, "set/two.bin", two)
	states := func() (out []State) {
		t.Helper()
		found, err := f.Verify(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range found {
			out = append(out, x.State)
		}
		return out
	}
	if got := states(); !slices.Equal(got, []State{Right, Right}) {
		t.Errorf("without a manifest: %v", got)
	}
	put(t, f, "set/SHA256SUMS", []byte(digest(one)+"  one.bin\n"+digest(one)+"  two.bin\n"))
	if got := states(); !slices.Equal(got, []State{Right, Wrong}) {
		t.Errorf("with another digest: %v", got)
	}
	for _, bad := range []string{"x", digest(one) + " one.bin", strings.ToUpper(digest(one)) + "  one.bin", strings.Repeat("# filler\n", maxManifest/8)} {
		put(t, f, "set/SHA256SUMS", []byte(bad))
		if got := states(); !slices.Equal(got, []State{Right, Right, Wrong}) {
			t.Errorf("with the manifest %.20q: %v", bad, got)
		}
	}
}

// TestVerifyPublishedFiles reads the real files where they are at hand.
func TestVerifyPublishedFiles(t *testing.T) {
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: the published files are not at hand")
	}
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range dataset.Published() {
		found, err := f.Verify(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name == "cifar-10" && !slices.ContainsFunc(found, func(x Finding) bool { return x.State != Missing }) {
			t.Log("cifar-10 is not at hand")
			continue
		}
		for _, x := range found {
			if x.State != Right {
				t.Errorf("%s: %s, %v", x.File, x.State, x.Err)
			}
		}
	}
}
