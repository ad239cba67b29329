package fetch

import (
	"os"
	"path/filepath"
	"slices"
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
