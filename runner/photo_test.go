package runner

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io/fs"
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kappa/runner/dataset"
)

// photoNet is a small experiment on folders of photographs.
const photoNet = `
title = "Photographs"
[primary]
dataset = { images = "flowers", crop = 8, resize = 9 }
[harmful]
dataset = { images = "cars", crop = 8, resize = 9, per_class = 20, interpolation = "bicubic", mean = [0.5, 0.5, 0.5], dev = [0.2, 0.2, 0.2] }
[model]
kind = "mlp"
[pretrain]
epochs = 1
batch = 20
[train]
method = "immunize"
steps = 2
batch = 10
groups = 2
group_size = 30
[[attack]]
method = "linear-probe"
n = 40
batch = 20
test_n = 10
epochs = 1
`

// photos makes two folders of photographs: flowers in parts, cars without.
func photos(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	put := func(name string, class, i int) {
		m := image.NewGray(image.Rect(0, 0, 12+i%5, 11+i%3))
		for y := range m.Rect.Dy() {
			for x := range m.Rect.Dx() {
				m.Pix[m.PixOffset(x, y)] = byte(128 + 100*math.Sin(float64(x*(class+1)+i)+float64(y)))
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, nil); err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: b.Bytes()}
	}
	for i := range 25 {
		for class := range 2 {
			put(fmt.Sprintf("flowers/train/%d/%02d.jpg", class, i), class, i)
			put(fmt.Sprintf("flowers/val/%d/%02d.jpg", class, i), class, i+50)
			put(fmt.Sprintf("cars/%d/%02d.jpg", class, i), class, i)
		}
		put(fmt.Sprintf("cars/2/%02d.jpg", i), 2, i)
	}
	return files
}

func TestPhotographs(t *testing.T) {
	spec := parse(t, photoNet)
	_, err := Digests(t.Context(), fstest.MapFS{}, spec, nil, nil)
	if err == nil || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), `folder of photographs "cars" is not there`) || !strings.Contains(err.Error(), `"flowers"`) {
		t.Errorf("without the folders: %v", err)
	}

	files, db := photos(t), openDB(t)
	run := func(files fs.FS) (Summary, error) {
		t.Helper()
		digests, err := Digests(t.Context(), files, spec, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := NewPlan(spec, nil, digests)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckData(t.Context(), plan, files); err != nil {
			t.Fatal(err)
		}
		return Run(t.Context(), plan, db, Options{Jobs: 2, Now: time.Now, Data: files})
	}
	sum, err := run(files)
	if err != nil || sum.Done != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if got := count(t, db, "SELECT count(*) FROM results WHERE primary_dataset = 'flowers' AND harmful_dataset = 'cars' AND rir > 0"); got != 2 {
		t.Errorf("%d results, want 2", got)
	}
	if sum, err = run(files); err != nil || sum.Cached != 3 {
		t.Errorf("again: %+v, %v", sum, err)
	}

	// A file that is not among the first of its class changes nothing; one that is makes other runs, and these say what is wrong with it.
	files["cars/2/24.jpg"].Data = files["cars/2/24.jpg"].Data[:100]
	if sum, err = run(files); err != nil || sum.Cached != 3 {
		t.Errorf("with a change outside of what is read: %+v, %v", sum, err)
	}
	bad := files["cars/1/01.jpg"]
	bad.Data = bad.Data[:len(bad.Data)-30]
	sum, err = run(files)
	if err != nil || sum.Failed == 0 {
		t.Fatalf("with a truncated picture: %+v, %v", sum, err)
	}
	if got := count(t, db, "SELECT count(*) FROM attempts WHERE error LIKE '%cars/1/01.jpg: the JPEG picture ends early: the file is truncated%'"); got == 0 {
		t.Error("no run says which picture is truncated")
	}
}

// TestPreparationsAreMeasuredApart: θ_0 on the same files prepared otherwise is measured anew.
func TestPreparationsAreMeasuredApart(t *testing.T) {
	files, db := photos(t), openDB(t)
	text := photoNet[:strings.Index(photoNet, "[[attack]]")] + `
[sweep]
"harmful.dataset.interpolation" = ["bilinear", "bicubic"]
`
	spec := parse(t, strings.Replace(text, `, interpolation = "bicubic"`, "", 1))
	digests, err := Digests(t.Context(), files, spec, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(spec, nil, digests)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now, Data: files}); err != nil || sum.Done != 3 {
		t.Fatalf("%+v, %v", sum, err)
	}
	for task, want := range map[string]int64{"harmful": 4, "primary": 2} { // two groups
		if got := count(t, db, "SELECT count(DISTINCT value) FROM metrics WHERE name = 'group_kappa_"+task+"_before'"); got != want {
			t.Errorf("%s: %d condition numbers of θ_0, want %d", task, got, want)
		}
	}
}

// observed remembers what its pictures were when their digests were taken.
type observed struct {
	fstest.MapFS
	seen *dataset.Sightings
}

func (o observed) Sightings() *dataset.Sightings { return o.seen }

// TestPicturesThatChange: a picture that is not what it was when its digest was taken, or when the call first read it, is refused: what would
// be recorded of it would stand under the old one's digest.
func TestPicturesThatChange(t *testing.T) {
	spec := parse(t, photoNet)
	for _, tt := range []struct {
		name   string
		when   func(kind EventKind, method string) bool // nil: before the call
		change func(f *fstest.MapFile)
		want   string
	}{
		{"touched before the call", nil, func(f *fstest.MapFile) { f.ModTime = time.Unix(1e9, 0) }, "open picture flowers/train/0/03.jpg: it was modified since it was planned with, at 2001-09-09T01:46:40Z"},
		{"another size", nil, func(f *fstest.MapFile) { f.Data = append(f.Data[:len(f.Data):len(f.Data)], 0) }, "bytes when it was planned with, and now has"},
		{"touched between two runs", func(kind EventKind, method string) bool { return kind == Finished && method == pretrainMethod }, func(f *fstest.MapFile) { f.ModTime = time.Unix(1e9, 0) }, "it was modified since"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files, db := photos(t), openDB(t)
			var data fs.FS = files
			if tt.when == nil {
				data = observed{files, new(dataset.Sightings)}
			}
			digests, err := Digests(t.Context(), data, spec, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := NewPlan(spec, nil, digests)
			if err != nil {
				t.Fatal(err)
			}
			if tt.when == nil {
				tt.change(files["flowers/train/0/03.jpg"])
			}
			sum, err := Run(t.Context(), plan, db, Options{Jobs: 1, Now: time.Now, Data: data, Notify: func(e Event) {
				if tt.when != nil && tt.when(e.Kind, e.Run.Method()) {
					tt.change(files["flowers/train/0/03.jpg"])
				}
			}})
			if err != nil || sum.Failed == 0 {
				t.Fatalf("%+v, %v", sum, err)
			}
			if !strings.Contains(sum.Failures[0].Err.Error(), tt.want) {
				t.Errorf("%v, want %q", sum.Failures[0].Err, tt.want)
			}
		})
	}
}
