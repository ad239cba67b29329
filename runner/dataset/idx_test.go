package dataset

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/fstest"
)

func TestDecodeIDX(t *testing.T) {
	text := idx([]int{2, 2, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	for _, size := range []int64{-1, int64(len(text))} {
		got, err := decodeIDX(strings.NewReader(text), size, 2, 3)
		if err != nil || string(got) != text[16:] {
			t.Errorf("size %d: %v, error %v", size, got, err)
		}
	}
	labels, err := decodeIDX(strings.NewReader(idx([]int{3}, 9, 0, 255)), 11)
	if err != nil || string(labels) != "\x09\x00\xff" {
		t.Errorf("labels %v, error %v", labels, err)
	}
}

// TestBadIDX: what is wrong is said with the file, the offset, the value and what would be accepted, whether the file's size is
// known beforehand or not.
func TestBadIDX(t *testing.T) {
	images, labels := fakeMNIST(20)
	with := func(text string, at int, b ...byte) string { return text[:at] + string(b) + text[at+len(b):] }
	const imagesPath, labelsPath = "mnist/train-images-idx3-ubyte", "mnist/train-labels-idx1-ubyte"
	for _, c := range []struct {
		name, images, labels string
		words                []string
	}{
		{"empty", "", labels, []string{imagesPath, "offset 0", "accepted: an IDX file of images"}},
		{"header cut off", images[:9], labels, []string{imagesPath, "offset 9", "header of 16 bytes"}},
		{"page of a server", "<!DOCTYPE html>" + images, labels, []string{imagesPath, "offset 0", "HTML page", "two zero bytes"}},
		{"text", "1,2,3\n", labels, []string{imagesPath, "offset 0", `"1,2,"`, "two zero bytes"}},
		{"gzip without its name", string(zipped(t, images)), labels, []string{imagesPath, "gzip", ".gz at the end of its name", "IDX"}},
		{"labels given as images", labels, labels, []string{imagesPath, "offset 3", "1 dimensions, as labels have", "accepted: 3"}},
		{"images given as labels", images, images, []string{labelsPath, "offset 3", "3 dimensions, as images have", "accepted: 1"}},
		{"floats", with(images, 2, 0x0d), labels, []string{imagesPath, "offset 2", "0x0d", "0x08"}},
		{"another shape", with(images, 11, 27), labels, []string{imagesPath, "offset 8", "dimension 2 is 27", "28"}},
		{"columns", with(images, 15, 29), labels, []string{imagesPath, "offset 12", "dimension 3 is 29", "28"}},
		{"no images", with(images, 7, 0), labels, []string{imagesPath, "offset 4", "promises 0 images"}},
		{"hostile count", with(images, 4, 255, 255, 255, 255), labels, []string{imagesPath, "offset 4", "promises 4294967295 images", "171196"}},
		{"hostile count of labels", images, with(labels, 4, 127, 255, 255, 255), []string{labelsPath, "offset 4", "2147483647 labels"}},
		{"more promised than there is", with(images, 4, 0, 2), labels, []string{imagesPath, "promises", "131092 images"}},
		{"truncated", images[:len(images)-1], labels, []string{imagesPath, "promises 15680 bytes (20 images of 784)"}},
		{"truncated labels", images, labels[:len(labels)-3], []string{labelsPath, "promises 20 bytes"}},
		{"oversized", images + "x", labels, []string{imagesPath, "20 images", "accepted: exactly as many"}},
		{"labels of other images", images, idx([]int{3}, 1, 2, 3), []string{imagesPath, "20 images", labelsPath, "3 labels"}},
		{"a label that is none", images, with(labels, 8+7, 10), []string{labelsPath, "offset 15, row 8", "the label is 10", "0 to 9"}},
	} {
		for _, packed := range []bool{false, true} {
			files := filesOf(imagesPath, c.images, labelsPath, c.labels)
			if packed {
				if c.name == "gzip without its name" {
					continue
				}
				files = fstest.MapFS{}
				for path, text := range map[string]string{imagesPath: c.images, labelsPath: c.labels} {
					files[path+".gz"] = &fstest.MapFile{Data: []byte(zipped(t, text))}
				}
			}
			set, err := Load(files, Source{Name: "mnist"})
			if set != nil {
				t.Errorf("%s: a set in spite of %v", c.name, err)
			}
			wantError(t, err, append(c.words, `data set "mnist"`)...)
		}
	}
}

// TestBrokenGzip: a stream cut off, or with a wrong checksum, is told from a good one.
func TestBrokenGzip(t *testing.T) {
	images, labels := fakeMNIST(20)
	z := []byte(zipped(t, images))
	wrong := bytes.Clone(z)
	wrong[len(wrong)-6] ^= 1
	for name, c := range map[string]struct {
		data  []byte
		words []string
	}{
		"not gzip":       {[]byte(images), []string{"not a gzip file"}},
		"cut off":        {z[:len(z)-20], []string{"ends early"}},
		"wrong checksum": {wrong, []string{"checksum"}},
	} {
		files := filesOf("mnist/train-labels-idx1-ubyte", labels)
		files["mnist/train-images-idx3-ubyte.gz"] = &fstest.MapFile{Data: c.data}
		for _, f := range []func() error{
			func() error { _, err := Load(files, Source{Name: "mnist"}); return err },
			func() error { _, err := Digest(t.Context(), files, Source{Name: "mnist"}); return err },
		} {
			t.Run(name, func(t *testing.T) {
				wantError(t, f(), append(c.words, "mnist/train-images-idx3-ubyte.gz")...)
			})
		}
	}
}

// TestPromiseAllocatesNothing: a header that promises what is not there costs what is there.
func TestPromiseAllocatesNothing(t *testing.T) {
	data, err := readBytes(io.LimitReader(zeros{}, 5000), 1<<40, false)
	if err != nil || len(data) != 5000 || cap(data) > 4<<20 {
		t.Errorf("%d bytes in %d, error %v", len(data), cap(data), err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestBadCIFAR(t *testing.T) {
	good := strings.Repeat("\x03"+strings.Repeat("p", cifarRecord-1), 3)
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"empty":              {"", []string{"accepted: ", "3073"}},
		"truncated":          {good[:len(good)-1], []string{"3073"}},
		"oversized":          {good + "ab", []string{"3073"}},
		"label that is none": {good[:cifarRecord] + "\x0a" + good[cifarRecord+1:], []string{"offset 3073, row 2", "the label is 10", "0 to 9"}},
		"CIFAR-100":          {strings.Repeat("\x13\x31"+strings.Repeat("p", cifarRecord-1), 3), []string{"accepted: "}},
		"page of a server":   {"<html>" + strings.Repeat(" ", cifarRecord-6), []string{"offset 0, row 1", "the label is 60"}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, packed := range []bool{false, true} {
				files := fstest.MapFS{}
				for k := range 5 {
					files["cifar-10/data_batch_"+numbers(5)[k]+".bin"] = &fstest.MapFile{Data: []byte(good)}
				}
				delete(files, "cifar-10/data_batch_3.bin")
				path, data := "cifar-10/data_batch_3.bin", []byte(c.text)
				if packed {
					path, data = path+".gz", []byte(zipped(t, c.text))
				}
				files[path] = &fstest.MapFile{Data: data}
				set, err := Load(files, Source{Name: "cifar-10"})
				if set != nil {
					t.Error("a set in spite of the error")
				}
				wantError(t, err, append(c.words, path)...)
			}
		})
	}
}
