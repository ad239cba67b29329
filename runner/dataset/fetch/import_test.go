package fetch

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"kappa/runner/dataset"
)

// twoSets are a data set of two files whose names another one shares, and one in an archive.
func twoSets(t *testing.T) (sets []dataset.Publication, images, labels, clothes, one, two, archive []byte) {
	t.Helper()
	images, labels, clothes = noise(9000, 1), noise(900, 2), noise(9000, 3)
	one, two = noise(5000, 4), noise(5000, 5)
	taped, archive := archived(t, one, two)
	taped.Name = "taped"
	for i := range taped.Files {
		taped.Files[i].Path = "taped/" + taped.Files[i].Path[len("set/"):]
	}
	file := func(path string, content []byte) dataset.File {
		return dataset.File{Path: path, Bytes: int64(len(content)), SHA256: digest(content), Gzip: true}
	}
	return []dataset.Publication{
		{Name: "digits", Files: []dataset.File{file("digits/train-images-idx3-ubyte", images), file("digits/train-labels-idx1-ubyte", labels)}},
		{Name: "clothes", Files: []dataset.File{file("clothes/train-images-idx3-ubyte", clothes)}},
		taped,
	}, images, labels, clothes, one, two, archive
}

func mapFS(files map[string][]byte) fs.FS {
	out := make(fstest.MapFS)
	for name, content := range files {
		out[name] = &fstest.MapFile{Data: content, Mode: 0o644}
	}
	return out
}

func TestImportKnowsFilesByTheirContent(t *testing.T) {
	sets, images, labels, clothes, one, two, archive := twoSets(t)
	packed := zipped(t, images)
	tests := []struct {
		name  string
		from  map[string][]byte
		want  map[string][]byte
		found []Finding // without sizes and errors
	}{
		{
			"the names of the data folder",
			map[string][]byte{"digits/train-images-idx3-ubyte.gz": packed, "digits/train-labels-idx1-ubyte": labels},
			map[string][]byte{"digits/train-images-idx3-ubyte.gz": packed, "digits/train-labels-idx1-ubyte": labels},
			[]Finding{
				{Set: "digits", File: "digits/train-images-idx3-ubyte.gz", From: "digits/train-images-idx3-ubyte.gz", State: Taken},
				{Set: "digits", File: "digits/train-labels-idx1-ubyte", From: "digits/train-labels-idx1-ubyte", State: Taken},
			},
		},
		{
			"other names, and two data sets in one folder",
			map[string][]byte{"a/train-images.idx3-ubyte": images, "b.gz": zipped(t, clothes), "deep/er/c": labels},
			map[string][]byte{"digits/train-images-idx3-ubyte": images, "clothes/train-images-idx3-ubyte.gz": nil, "digits/train-labels-idx1-ubyte": labels},
			[]Finding{
				{Set: "digits", File: "digits/train-images-idx3-ubyte", From: "a/train-images.idx3-ubyte", State: Taken},
				{Set: "clothes", File: "clothes/train-images-idx3-ubyte.gz", From: "b.gz", State: Taken},
				{Set: "digits", File: "digits/train-labels-idx1-ubyte", From: "deep/er/c", State: Taken},
			},
		},
		{
			"twice the same, something else, and one that lacks",
			map[string][]byte{"1": images, "2.gz": packed, "notes.txt": []byte("hello"), "other": noise(9000, 9)},
			map[string][]byte{"digits/train-images-idx3-ubyte": images},
			[]Finding{
				{Set: "digits", File: "digits/train-images-idx3-ubyte", From: "1", State: Taken},
				{Set: "digits", File: "digits/train-images-idx3-ubyte", From: "2.gz", State: Right},
				{From: "notes.txt", State: Ignored},
				{From: "other", State: Ignored},
				{Set: "digits", File: "digits/train-labels-idx1-ubyte", State: Missing},
			},
		},
		{
			"names that promise something else",
			map[string][]byte{
				"train-images-idx3-ubyte": noise(9000, 10), "x/train-labels-idx1-ubyte": labels[:10], "x/train-labels.idx1-ubyte.gz": packed[:50],
				"set.tar.gz": archive[:100], "y/train-labels-idx1-ubyte.gz": zipped(t, make([]byte, 1_000_000)),
			},
			map[string][]byte{},
			[]Finding{
				{From: "set.tar.gz", State: Wrong},
				{From: "train-images-idx3-ubyte", State: Wrong},
				{From: "x/train-labels-idx1-ubyte", State: Wrong},
				{From: "x/train-labels.idx1-ubyte.gz", State: Wrong},
				{From: "y/train-labels-idx1-ubyte.gz", State: Wrong},
			},
		},
		{
			"an archive under any name",
			map[string][]byte{"download (3)": archive},
			map[string][]byte{"taped/one.bin": one, "taped/two.bin": two, "taped/SHA256SUMS": nil},
			[]Finding{{Set: "taped", File: "taped", From: "download (3)", State: Taken}},
		},
		{
			"an unpacked archive",
			map[string][]byte{"batches/one.bin": one, "batches/two.bin": two, "batches/readme.html": []byte("<html>")},
			map[string][]byte{"taped/one.bin": one, "taped/two.bin": two, "taped/SHA256SUMS": nil},
			[]Finding{
				{Set: "taped", File: "taped/one.bin", From: "batches/one.bin", State: Taken},
				{From: "batches/readme.html", State: Ignored},
				{Set: "taped", File: "taped/two.bin", From: "batches/two.bin", State: Taken},
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := folder(t)
			found, err := f.Import(t.Context(), mapFS(test.from), ".", sets, nil)
			if err != nil {
				t.Fatal(err)
			}
			holds(t, f, test.want)
			same := slices.EqualFunc(found, test.found, func(a, b Finding) bool {
				return a.Set == b.Set && a.File == b.File && a.From == b.From && a.State == b.State
			})
			if !same {
				t.Errorf("findings\n%+v\nwant\n%+v", found, test.found)
			}
			for _, x := range found {
				if (x.State == Ignored || x.State == Wrong) != (x.Err != nil) {
					t.Errorf("%s is %s: the reason is %v", x.From, x.State, x.Err)
				}
			}
			again, err := f.Import(t.Context(), mapFS(test.from), ".", sets, nil)
			if err != nil || slices.ContainsFunc(again, func(x Finding) bool { return x.State == Taken }) {
				t.Errorf("again: %+v, %v", again, err)
			}
		})
	}
}

func TestImportSaysWhyANameIsWrong(t *testing.T) {
	sets, images, labels, _, _, _, archive := twoSets(t)
	for name, test := range map[string]struct {
		content []byte
		says    string
	}{
		"train-images-idx3-ubyte":    {noise(9000, 10), "its name is that of a file of digits and of clothes, its content is not: its SHA-256 is "},
		"train-labels-idx1-ubyte":    {labels[:10], "its name is that of a file of digits, its content is not: it has 10 bytes, 900 are expected"},
		"train-labels-idx1-ubyte.gz": {zipped(t, labels)[:50], "its gzip stream ends in the middle"},
		"TRAIN-LABELS.IDX1-UBYTE":    {append(slices.Clone(images), 1), "more than the 900 bytes"},
		"set.tar.gz":                 {archive[:100], "it is not the published archive"},
	} {
		found, err := folder(t).Import(t.Context(), mapFS(map[string][]byte{name: test.content}), ".", sets, nil)
		if err != nil || len(found) != 1 || found[0].State != Wrong {
			t.Errorf("%s: %+v, %v", name, found, err)
			continue
		}
		says(t, found[0].Err, test.says)
	}
}

func TestImportTakesOneFileAndFollowsLinks(t *testing.T) {
	sets, images, _, _, _, _, _ := twoSets(t)
	dir, f := t.TempDir(), folder(t)
	elsewhere := filepath.Join(t.TempDir(), "blob")
	if err := os.WriteFile(elsewhere, images, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(dir, "link")); err != nil {
		t.Skip(err)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	found, err := f.Import(t.Context(), os.DirFS(dir), "link", sets, nil)
	if err != nil || found[0].State != Taken {
		t.Fatalf("%+v, %v", found, err)
	}
	found, err = f.Import(t.Context(), os.DirFS(dir), ".", sets, nil)
	if err != nil || found[0].State != Ignored || !errors.Is(found[0].Err, fs.ErrNotExist) || found[1].State != Right {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err = f.Import(t.Context(), os.DirFS(dir), "absent", sets, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestImportOntoAFullDisk(t *testing.T) {
	sets, images, _, _, _, _, archive := twoSets(t)
	for name, content := range map[string][]byte{"images": images, "archive": archive} {
		f, left := folder(t), 4000
		f.wrap = func(w io.Writer) io.Writer { return smallDisk{w, &left} }
		_, err := f.Import(t.Context(), mapFS(map[string][]byte{name: content}), ".", sets, nil)
		says(t, err, map[string]string{"images": "train-images-idx3-ubyte: the disk is full: 9.0 kB more are needed, ", "archive": ".bin: the disk is full: 10.0 kB more are needed, "}[name])
		holds(t, f, map[string][]byte{})
	}
}

func TestImportCleansUp(t *testing.T) {
	sets, images, _, _, _, _, _ := twoSets(t)
	f := folder(t)
	put(t, f, "digits/train-images-idx3-ubyte.gz.part", images[:100])
	put(t, f, "digits/train-images-idx3-ubyte.gz.part.from", []byte("{}"))
	put(t, f, "digits/train-labels-idx1-ubyte.new", images[:100]) // of a process that was killed
	put(t, f, "digits/mine.new", []byte("mine"))
	if _, err := f.Import(t.Context(), mapFS(map[string][]byte{"x": images}), ".", sets, nil); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"digits/train-images-idx3-ubyte": images, "digits/mine.new": nil})
}

func TestImportReplacesWhatIsWrongAndStopsWhenAsked(t *testing.T) {
	sets, images, _, _, _, _, _ := twoSets(t)
	f := folder(t)
	put(t, f, "digits/train-images-idx3-ubyte.gz", []byte("no"))
	from := mapFS(map[string][]byte{"x": images})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Import(ctx, from, ".", sets, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	if _, err := f.Import(t.Context(), from, ".", sets, nil); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"digits/train-images-idx3-ubyte": images})
}
