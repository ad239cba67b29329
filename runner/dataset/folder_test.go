package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// plain is a PNG or, if the name says so, a JPEG of one grey.
func plain(t *testing.T, name string, width, height int, grey byte) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = grey
	}
	var b bytes.Buffer
	encode := func() error { return png.Encode(&b, m) }
	if !strings.HasSuffix(name, "png") {
		encode = func() error { return jpeg.Encode(&b, m, nil) }
	}
	if err := encode(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// album makes a folder "cars" of pictures; those of its k-th name have the grey 10k.
func album(t *testing.T, names ...string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for k, name := range names {
		files["cars/"+name] = &fstest.MapFile{Data: plain(t, name, 20+k, 30, byte(10*k))}
	}
	return files
}

var cars = Source{Images: "cars", Crop: 7, Mean: []float64{0, 0, 0}, Dev: []float64{1, 1, 1}}

func TestFolderWithParts(t *testing.T) {
	files := album(t,
		"train/b/2.jpg", "train/b/1.JPEG", "train/a/x.png", "train/a/w.jpeg", "train/B/0.PNG",
		"val/a/9.jpg", "val/b/8.jpg", "val/B/7.png", "test/a/ignored.jpg")
	files["cars/train/a/.hidden.jpg"] = &fstest.MapFile{Data: []byte("no picture")}
	files["cars/train/a/notes.txt"] = &fstest.MapFile{Data: []byte("no picture")}
	files["cars/.cache/a/1.jpg"] = &fstest.MapFile{Data: []byte("no picture")}
	task, err := LoadImages(files, cars)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"B", "a", "b"}; !slices.Equal(task.ClassNames, want) || task.Train.Classes() != 3 || len(task.Warnings) != 0 {
		t.Errorf("classes %q, want %q; warnings %q", task.ClassNames, want, task.Warnings)
	}
	if c, h, w := task.Train.Dims(); c != 3 || h != 7 || w != 7 {
		t.Errorf("pictures are %d×%d×%d", c, h, w)
	}
	for _, part := range []struct {
		name   string
		images *Images
		greys  []int // by row
		labels []int
	}{
		{"train", task.Train, []int{40, 30, 10, 20, 0}, []int{0, 1, 2, 1, 2}},
		{"test", task.Test, []int{70, 50, 60}, []int{0, 1, 2}},
	} {
		n := part.images.Len()
		if n != len(part.greys) {
			t.Fatalf("%s: %d pictures, want %d", part.name, n, len(part.greys))
		}
		dst := make([]float32, n*3*49)
		if err := part.images.Batch(dst, numbered(n)); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if part.images.Label(i) != part.labels[i] {
				t.Errorf("%s: picture %d has label %d, want %d", part.name, i, part.images.Label(i), part.labels[i])
			}
			for _, v := range dst[i*3*49:][:3*49] {
				if int(v*255+0.5) != part.greys[i] {
					t.Fatalf("%s: picture %d has a pixel %v, want %d/255", part.name, i, v, part.greys[i])
				}
			}
		}
	}
	first := cars
	first.PerClass = 1
	if task, err := LoadImages(files, first); err != nil || task.Train.Len() != 3 || task.Test.Len() != 3 {
		t.Errorf("one picture of each class: %v, error %v", task, err)
	}
}

func TestFolderWithoutParts(t *testing.T) {
	var names []string
	for i := range 11 {
		names = append(names, fmt.Sprintf("a/%02d.jpg", i))
	}
	for i := range 6 {
		names = append(names, fmt.Sprintf("b/%02d.jpg", i))
	}
	task, err := LoadImages(album(t, names...), cars)
	if err != nil {
		t.Fatal(err)
	}
	if task.Train.Len() != 14 || task.Test.Len() != 3 {
		t.Fatalf("%d and %d pictures, want 14 and 3", task.Train.Len(), task.Test.Len())
	}
	dst := make([]float32, 3*3*49)
	if err := task.Test.Batch(dst, numbered(3)); err != nil {
		t.Fatal(err)
	}
	for k, want := range []int{40, 150, 90} { // the fifth of a and of b, the tenth of a
		if got := int(dst[k*3*49]*255 + 0.5); got != want {
			t.Errorf("picture %d to test on has the grey %d, want %d", k, got, want)
		}
	}
}

// TestFolderDigest: it changes with a byte, a name, a class and what is asked for, and with nothing else.
func TestFolderDigest(t *testing.T) {
	names := []string{"train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg"}
	base, err := DigestImages(t.Context(), album(t, names...), cars)
	if err != nil || len(base) != 64 {
		t.Fatal(base, err)
	}
	same := album(t, names...)
	same["cars/train/a/notes.txt"] = &fstest.MapFile{Data: []byte("x")}
	if got, err := DigestImages(t.Context(), same, cars); err != nil || got != base {
		t.Errorf("a file that is not read changes the digest: %s, error %v", got, err)
	}
	for what, change := range map[string]func(f fstest.MapFS){
		"a byte":          func(f fstest.MapFS) { f["cars/val/b/1.jpg"].Data[50]++ },
		"a name":          func(f fstest.MapFS) { f["cars/val/b/2.jpg"] = f["cars/val/b/1.jpg"]; delete(f, "cars/val/b/1.jpg") },
		"one more":        func(f fstest.MapFS) { f["cars/val/b/2.jpg"] = f["cars/val/b/1.jpg"] },
		"another folder":  func(f fstest.MapFS) { f["cars/train/b/2.jpg"] = f["cars/val/b/1.jpg"] },
		"another's bytes": func(f fstest.MapFS) { f["cars/val/b/1.jpg"] = f["cars/val/a/1.jpg"] },
	} {
		files := album(t, names...)
		change(files)
		if got, err := DigestImages(t.Context(), files, cars); err != nil || got == base {
			t.Errorf("%s: the digest is the same (error %v)", what, err)
		}
	}
}

// opened is a file system that tells of each file before it is opened.
type opened struct {
	files fs.FS
	tell  func(name string)
}

func (o opened) Open(name string) (fs.File, error) {
	o.tell(name)
	return o.files.Open(name)
}

// TestFolderDigestEnds: where the context ends, no other class is listed and no other picture opened.
func TestFolderDigestEnds(t *testing.T) {
	names := []string{"train/a/1.jpg", "train/a/2.jpg", "train/b/1.jpg", "val/a/1.jpg"}
	for _, last := range []string{"cars/train/a", "cars/train/a/1.jpg", "cars/val/a/1.jpg"} {
		ctx, cancel := context.WithCancel(t.Context())
		var after []string
		files := opened{album(t, names...), func(name string) {
			if ctx.Err() != nil {
				after = append(after, name)
			}
			if name == last {
				cancel()
			}
		}}
		digest, err := DigestImages(ctx, files, cars)
		if last == "cars/val/a/1.jpg" { // the last one
			if err != nil {
				t.Errorf("%s: %v", last, err)
			}
		} else if digest != "" || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: digest %q, error %v; want it cancelled", last, digest, err)
		}
		for _, name := range after {
			if name != last {
				t.Errorf("%s: %s was opened afterwards", last, name)
			}
		}
	}
}

// header is a PNG that promises width×height pixels and holds none.
func header(width, height uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, width)
	chunk = binary.BigEndian.AppendUint32(chunk, height)
	chunk = append(chunk, 8, 0, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = append(b, chunk...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(chunk))
}

// TestBadPictures: each gives a sentence with its path, when it is digested or else when it is decoded.
func TestBadPictures(t *testing.T) {
	good := plain(t, "jpg", 40, 30, 9)
	const at = "cars/train/a/1.jpg"
	for name, c := range map[string]struct {
		data  []byte
		late  bool // found when it is decoded
		words []string
	}{
		"empty":           {nil, false, []string{"the file is empty"}},
		"text":            {[]byte("no picture at all"), false, []string{`begins with "no p"`, "the file is no picture", "accepted: a JPEG or PNG picture"}},
		"short text":      {[]byte("x"), false, []string{"the file is no picture"}},
		"web page":        {[]byte("<!DOCTYPE html>"), false, []string{"the file is an HTML page"}},
		"GIF":             {[]byte("GIF89a\x01\x00\x01\x00"), false, []string{"a picture in another format"}},
		"header cut":      {good[:10], false, []string{"the JPEG picture ends early: the file is truncated"}},
		"PNG header cut":  {header(3, 3)[:20], false, []string{"the PNG picture ends early"}},
		"zero wide":       {header(0, 5), false, []string{"the PNG picture cannot be decoded"}},
		"gigantic":        {header(1<<16, 1<<16), false, []string{"65536×65536 pixels; accepted: 1 to 201326592 in all"}},
		"a line":          {header(1<<26, 1), false, []string{"67108864×1 pixels; accepted: sides of at most 32768"}},
		"a column":        {header(1, 1<<15+1), false, []string{"1×32769 pixels; accepted: sides of at most 32768"}},
		"much to decode":  {header(16384, 12288), false, []string{"the PNG picture of 16384×12288 pixels takes 805306368 bytes to decode; accepted: at most 671088640"}},
		"body cut":        {good[:len(good)-20], true, []string{"the JPEG picture ends early: the file is truncated"}},
		"PNG without any": {header(3, 3), true, []string{"the PNG picture ends early"}},
	} {
		t.Run(name, func(t *testing.T) {
			files := album(t, "train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg")
			files[at].Data = c.data
			_, err := DigestImages(t.Context(), files, cars)
			if c.late {
				if err != nil {
					t.Fatal(err)
				}
			} else {
				wantError(t, err, append(c.words, at+": ")...)
			}
			task, err := LoadImages(files, cars)
			if err != nil {
				t.Fatal(err)
			}
			err = task.Train.Batch(make([]float32, 2*3*49), []int{1, 0})
			wantError(t, err, append(c.words, at+": ")...)
		})
	}

	files := album(t, "train/b/1.jpg", "val/a/1.jpg", "val/b/1.jpg")
	for i := range 13 {
		files[fmt.Sprintf("cars/train/a/%02d.jpg", i)] = &fstest.MapFile{Data: []byte("no picture")}
	}
	_, err := DigestImages(t.Context(), files, cars)
	wantError(t, err, "cars/train/a/00.jpg: ", "cars/train/a/09.jpg: ", `folder of photographs "cars": `, "; 3 more of its pictures cannot be used")
	if strings.Contains(err.Error(), "10.jpg") {
		t.Errorf("more than ten pictures are named: %v", err)
	}
}

func TestBadFolders(t *testing.T) {
	for name, c := range map[string]struct {
		files fstest.MapFS
		words []string
	}{
		"none":            {fstest.MapFS{"else": &fstest.MapFile{}}, []string{`folder of photographs "cars" is not there`, "train/CLASS/*.jpg"}},
		"a file":          {filesOf("cars", "x"), []string{"cars: it is a file; accepted: a folder"}},
		"nothing to test": {album(t, "train/a/1.jpg", "train/b/1.jpg"), []string{`there is a folder "train" and none to test on`, "val, valid, test"}},
		"no train":        {album(t, "a/1.jpg", "test/a/1.jpg"), []string{`there is a folder "test" and none called "train"`}},
		"one class":       {album(t, "train/a/1.jpg", "val/a/1.jpg"), []string{"it has 1 folders of classes; accepted: 2 or more"}},
		"no class":        {album(t, "1.jpg"), []string{"it has 0 folders of classes"}},
		"new class":       {album(t, "train/aa/1.jpg", "train/b/1.jpg", "val/ab/1.jpg"), []string{"cars/val/ab: the class is not in cars/train", `did you mean "aa"?`}},
		"empty class":     {filesOf("cars/train/a/1.txt", "x", "cars/train/b/1.jpg", "x", "cars/val/a/1.jpg", "x"), []string{"cars/train/a: the class has no picture"}},
		"nested":          {album(t, "train/a/1.jpg", "train/a/deep/2.jpg", "val/a/1.jpg"), []string{"cars/train/a/deep: there is a folder among the pictures"}},
		"few":             {album(t, "a/1.jpg", "b/1.jpg"), []string{"every 5th picture is to test on, and no class has so many"}},
		"a pipe": {fstest.MapFS{
			"cars/train/a/1.jpg": {Mode: fs.ModeNamedPipe}, "cars/train/b/1.jpg": {}, "cars/val/a/1.jpg": {},
		}, []string{"cars/train/a/1.jpg: it is not a regular file"}},
		"unreadable name": {fstest.MapFS{"cars/train/a\xff/1.jpg": {}, "cars/val/a/1.jpg": {}}, []string{`cars/train: the name "a\xff" is not valid UTF-8`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadImages(c.files, cars)
			wantError(t, err, c.words...)
			_, digestErr := DigestImages(t.Context(), c.files, cars)
			wantError(t, digestErr, c.words...)
			if missing := name == "none"; errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("%v: is fs.ErrNotExist: %v", err, !missing)
			}
		})
	}
	if _, err := LoadImages(nil, cars); err == nil {
		t.Error("no file system and no error")
	}
	task, err := LoadImages(album(t, "train/a/1.jpg", "train/b/1.jpg", "val/a/1.jpg"), cars)
	if err != nil || len(task.Warnings) != 1 || !strings.Contains(task.Warnings[0], "cars/val has no folder for 1 of the 2 classes") {
		t.Errorf("%v, error %v; want a warning that a class is not tested", task, err)
	}
}

// TestFolderLinks: links inside of what may be read are followed, others are refused with their path.
func TestFolderLinks(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.WriteFile(file, plain(t, name, 9, 9, 30), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o777), os.Symlink(to, file)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	write("in/cars/a/1.png")
	write("in/pictures/b/1.png")
	write("in/pictures/b/2.png")
	write("out/1.png")
	write("out/c/1.png")
	for i := range 4 {
		write(fmt.Sprintf("in/cars/a/%d.png", i+2))
	}
	link("../pictures/b", "in/cars/b")
	root, err := os.OpenRoot(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	load := func() error {
		task, err := LoadImages(root.FS(), cars)
		if err != nil {
			return err
		}
		n := task.Train.Len()
		return task.Train.Batch(make([]float32, n*3*49), numbered(n))
	}
	if err := load(); err != nil {
		t.Fatal(err)
	}
	link("../../../out/1.png", "in/cars/a/0.png")
	wantError(t, load(), "cars/a/0.png", "escapes")
	_ = os.Remove(filepath.Join(dir, "in/cars/a/0.png"))
	link("../../out/c", "in/cars/c")
	wantError(t, load(), "cars/c", "escapes")
	_ = os.Remove(filepath.Join(dir, "in/cars/c"))
	link("nowhere", "in/cars/d")
	wantError(t, load(), "cars/d")
	_ = os.Remove(filepath.Join(dir, "in/cars/d"))
	link(".", "in/cars/e") // a folder in itself
	wantError(t, load(), "cars/e/a", "there is a folder among the pictures")
}

func TestFolderSettings(t *testing.T) {
	good := Source{Images: "a", Split: true}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, same := range []Source{
		{Images: "a", Split: true, Crop: 224},
		{Images: "a", Split: true, Resize: 256, Interpolation: Bilinear},
		{Images: "a", Split: true, Mean: []float64{0.485, 0.456, 0.406}, Dev: []float64{0.229, 0.224, 0.225}},
	} {
		if same.Key() != good.Key() {
			t.Errorf("%+v has the key %s, the default %s", same, same.Key(), good.Key())
		}
	}
	keys := map[string]bool{good.Key(): true}
	for _, other := range []Source{
		{Images: "a", Split: true, Crop: 192},
		{Images: "a", Split: true, Resize: 232},
		{Images: "a", Split: true, Squash: true},
		{Images: "a", Split: true, Interpolation: Bicubic},
		{Images: "a", Split: true, Mean: []float64{0.5, 0.5, 0.5}},
		{Images: "a", Split: true, Dev: []float64{0.5, 0.5, 0.5}},
		{Images: "a", Split: true, PerClass: 7},
		{Images: "b", Split: true},
	} {
		if err := other.Check(); err != nil {
			t.Error(err)
		}
		if keys[other.Key()] {
			t.Errorf("%+v has the key of another: %s", other, other.Key())
		}
		keys[other.Key()] = true
	}
	for _, bad := range []struct {
		src   Source
		words []string
	}{
		{Source{Images: "a", Crop: -1}, []string{"a: crop is -1"}},
		{Source{Images: "a", Crop: 5000}, []string{"a: crop is 5000; accepted: 1 to 4096"}},
		{Source{Images: "a", Resize: 100}, []string{"a: resize is 100 and crop is 224"}},
		{Source{Images: "a", Resize: 300, Squash: true}, []string{"give one of them"}},
		{Source{Images: "a", Interpolation: "lanczos"}, []string{`interpolation is "lanczos"; accepted: "bilinear", "bicubic"`}},
		{Source{Images: "a", Mean: []float64{1}}, []string{"a: mean has 1 numbers; accepted: 3"}},
		{Source{Images: "a", Dev: []float64{1, 0, 1}}, []string{"a: dev has 0; accepted: positive numbers"}},
		{Source{Images: "a", PerClass: -1}, []string{"per_class is -1"}},
		{Source{Images: "../..", Crop: 3}, []string{"data path"}},
		{Source{Images: "a", CSV: "b.csv"}, []string{"2 are given"}},
		{Source{Name: "mnist", Crop: 3}, []string{"are for a folder of photographs"}},
		{Source{Images: "a", Target: "y"}, []string{"a: of the settings of tables"}},
		{Source{Images: "a", Standardize: true}, []string{"a: of the settings of tables"}},
	} {
		bad.src.Split = true
		wantError(t, bad.src.Check(), bad.words...)
		_ = bad.src.Key() // no panic
	}
}

// TestGeometry holds the cropping to torchvision's arithmetic, also where a picture is a line.
func TestGeometry(t *testing.T) {
	p := Source{}.preparation()
	for _, c := range []struct {
		width, height, toWidth, toHeight int
		left, top                        int
	}{
		{500, 375, 341, 256, 58, 16}, // (341−224)/2 = 58.5: to the even number
		{375, 500, 256, 341, 16, 58},
		{256, 256, 256, 256, 16, 16},
		{100, 99, 258, 256, 17, 16},
		{1, 60000, 256, 15360000, 16, 7679888},
	} {
		w, h, win := p.geometry(c.width, c.height)
		if w != c.toWidth || h != c.toHeight || win != (window{c.left, c.top, 224, 224}) {
			t.Errorf("%d×%d: resized to %d×%d, window %+v; want %d×%d from %d, %d", c.width, c.height, w, h, win, c.toWidth, c.toHeight, c.left, c.top)
		}
	}
	line := &picture{1, 60000, func(int, []byte) {}}
	w, h, win := p.geometry(1, 60000)
	if out := line.resize(filters[Bicubic], w, h, win); len(out.pix) != 3*224*224 {
		t.Errorf("%d bytes", len(out.pix))
	}
}

// TestDeepPictures: of 16 bits the upper 8 remain, and transparency is dropped without blending.
func TestDeepPictures(t *testing.T) {
	r := image.Rect(0, 0, 1, 1)
	deep, grey, clear := image.NewRGBA64(r), image.NewGray16(r), image.NewNRGBA64(r)
	deep.SetRGBA64(0, 0, color.RGBA64{0x12ff, 0x3400, 0x5680, 0xffff})
	grey.SetGray16(0, 0, color.Gray16{0xab99})
	clear.SetNRGBA64(0, 0, color.NRGBA64{0x12ff, 0x3400, 0x5680, 0})
	for _, c := range []struct {
		m    image.Image
		want string
	}{{deep, "\x12\x34\x56"}, {grey, "\xab\xab\xab"}, {clear, "\x12\x34\x56"}} {
		var b bytes.Buffer
		if err := png.Encode(&b, c.m); err != nil {
			t.Fatal(err)
		}
		got, err := decoded(b.Bytes())
		if err != nil || string(got.pix) != c.want {
			t.Errorf("%T: %x, error %v; want %x", c.m, got, err, c.want)
		}
	}
}
