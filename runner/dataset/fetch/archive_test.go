package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kappa/runner/dataset"
)

func TestFetchTakesFilesOutOfAnArchive(t *testing.T) {
	one, two := noise(50_000, 1), noise(50_000, 2)
	p, archive := archived(t, one, two)
	s, f := serve(t, cut(good(archive, `"1"`), 30_000), good(archive, `"1"`)), folder(t)
	p.Mirrors = []string{s.base()}
	var events []Event
	found, err := f.Fetch(t.Context(), p, quick(&events))
	if err != nil {
		t.Fatal(err)
	}
	manifest := "# Files of set, of set.tar.gz with the SHA-256 " + digest(archive) + ".\n" +
		digest(one) + "  one.bin\n" + digest(two) + "  two.bin\n"
	holds(t, f, map[string][]byte{"set/one.bin": one, "set/two.bin": two, "set/SHA256SUMS": []byte(manifest)})
	if got := kinds(events); !slices.Equal(got, []Kind{Started, Retried, Unpacking, Finished, Finished}) {
		t.Errorf("events %v", got)
	}
	if len(found) != 2 || found[1].File != "set/two.bin" || found[1].State != Fetched {
		t.Errorf("findings %+v", found)
	}
	if found, err = f.Fetch(t.Context(), p, quick(nil)); err != nil || found[0].State != Right || s.count() != 2 {
		t.Errorf("again: %+v, %v, %d requests", found, err, s.count())
	}
	if _, err := os.Stat(filepath.Join(f.Dir(), "../outside")); err == nil {
		t.Error("a member of the archive got out of the folder")
	}
	// One file that is gone is fetched again.
	if err := os.Remove(filepath.Join(f.Dir(), "set/one.bin")); err != nil {
		t.Fatal(err)
	}
	if _, err = f.Fetch(t.Context(), p, quick(nil)); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"set/one.bin": one, "set/two.bin": two, "set/SHA256SUMS": []byte(manifest)})
}

func TestAnArchiveThatIsNotThePublishedOneIsNotOpened(t *testing.T) {
	one, two := noise(50_000, 1), noise(50_000, 2)
	p, archive := archived(t, one, two)
	forged := slices.Clone(archive)
	forged[len(forged)/2] ^= 1
	s, f := serve(t, good(forged, "")), folder(t)
	p.Mirrors = []string{s.base()}
	_, err := f.Fetch(t.Context(), p, quick(nil))
	says(t, err, "set/set.tar.gz", "its SHA-256 is "+digest(forged))
	holds(t, f, map[string][]byte{})
}

// What is wrong inside of an archive with the right digest would be the table's fault; it has to be said all the same.
func TestUnpackRefuses(t *testing.T) {
	one, two := noise(5000, 1), noise(5000, 2)
	tests := []struct {
		name    string
		members map[string][]byte
		says    string
	}{
		{"a member that lacks", map[string][]byte{"batches/one.bin": one}, "it lacks batches/two.bin"},
		{"a member of another length", map[string][]byte{"batches/one.bin": one, "batches/two.bin": two[:4999]}, "its member batches/two.bin: it has 4999 bytes, 5000 are expected"},
		{"a longer member", map[string][]byte{"batches/one.bin": one, "batches/two.bin": append(slices.Clone(two), 1)}, "more than the 5000 bytes"},
		{"another member", map[string][]byte{"batches/one.bin": one, "batches/two.bin": one}, "its MD5 is "},
		{"too much of something else", map[string][]byte{"a": make([]byte, 3<<20)}, "cannot be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, _ := archived(t, one, two)
			archive := tape(t, test.members)
			p.Archive.Bytes, p.Archive.SHA256 = int64(len(archive)), digest(archive)
			s, f := serve(t, good(archive, "")), folder(t)
			p.Mirrors = []string{s.base()}
			_, err := f.Fetch(t.Context(), p, quick(nil))
			says(t, err, test.says)
			if _, err := os.Stat(filepath.Join(f.Dir(), "set/two.bin")); err == nil {
				t.Error("the bad member is in the folder")
			}
			for _, part := range []string{".part", ".new"} {
				if left, _ := filepath.Glob(filepath.Join(f.Dir(), "set/*"+part+"*")); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

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

func FuzzManifest(f *testing.F) {
	f.Add("# x\n" + digest(nil) + "  one.bin\n")
	f.Add(digest(nil) + "  ../../etc/passwd\r\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		d := folder(t)
		p := dataset.Publication{Name: "set", Archive: &dataset.Archive{}, Files: []dataset.File{{Path: "set/one.bin"}}}
		put(t, d, "set/SHA256SUMS", []byte(text))
		sums, err := d.readManifest(p)
		if err != nil {
			return
		}
		if err := d.writeManifest(p, nil); err != nil {
			t.Fatal(err)
		}
		again, err := d.readManifest(p)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if again["set/one.bin"] != sums["set/one.bin"] {
			t.Errorf("read %q, written and read again %q", sums["set/one.bin"], again["set/one.bin"])
		}
	})
}

func TestLockIsLeftAloneWhereItCannotBeTaken(t *testing.T) {
	f := folder(t)
	if err := os.MkdirAll(filepath.Join(f.Dir(), "set", ".lock"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := f.lock(t.Context(), published(noise(10, 1), false), func() {})
	if err == nil || errors.Is(err, errLocked) {
		t.Errorf("a folder in the place of the lock: %v", err)
	}
}
