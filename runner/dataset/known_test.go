package dataset

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// idx makes an IDX file of bytes: its dimensions and its data.
func idx(dims []int, data ...byte) string {
	b := []byte{0, 0, idxBytes, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return string(append(b, data...))
}

// fakeMNIST are n images, image i with label i mod 10 and all its pixels i mod 256.
func fakeMNIST(n int) (imageFile, labelFile string) {
	var pixels, labels []byte
	for i := range n {
		labels = append(labels, byte(i%10))
		for range 28 * 28 {
			pixels = append(pixels, byte(i))
		}
	}
	return idx([]int{n, 28, 28}, pixels...), idx([]int{n}, labels...)
}

func TestMNISTForms(t *testing.T) {
	images, labels := fakeMNIST(300)
	for name, files := range map[string]fstest.MapFS{
		"plain": filesOf("mnist/train-images-idx3-ubyte", images, "mnist/train-labels-idx1-ubyte", labels),
		"gzip":  filesOf("mnist/train-images-idx3-ubyte.gz", zipped(t, images), "mnist/train-labels-idx1-ubyte.gz", zipped(t, labels)),
	} {
		t.Run(name, func(t *testing.T) {
			src := Source{Name: "mnist"}
			set, err := Load(files, src)
			if err != nil {
				t.Fatal(err)
			}
			if n, d := set.Dims(); n != 300 || d != 784 || set.X != nil || len(set.Y) != 300 {
				t.Fatalf("%d×%d, X %v, %d labels", n, d, set.X != nil, len(set.Y))
			}
			for i := range 300 {
				// The road of torchvision: float32 in every step.
				want := (float32(byte(i))/255 - 0.1307) / 0.3081
				for _, v := range set.Row(nil, i) {
					if math.Abs(v-float64(want)) > 1e-6 || v != float64(float32(v)) {
						t.Fatalf("image %d: %v, want %v", i, v, want)
					}
				}
			}
			if digest, err := Digest(t.Context(), files, src); err != nil || digest != set.Digest {
				t.Errorf("digest %s, error %v; loaded %s", digest, err, set.Digest)
			}
			if len(set.Warnings) != 2 || !strings.Contains(set.Warnings[0], "not the published file") {
				t.Errorf("warnings %q; want one for each file that is not the published one", set.Warnings)
			}

			one, rest := Ref{Source: src, Class: new(int64(3)), N: 4}, Ref{Source: src, Class: new(int64(3)), Task: OneVsRest, N: 6}
			p, h, err := Form(set, one, set, rest)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Rows, []int{3, 13, 23, 33}) || !slices.Equal(p.Y, []float64{0, 0, 0, 0}) || !slices.Equal(p.Probe, []float64{1, 1, 1, 1}) {
				t.Errorf("one-class: rows %v, Y %v, Probe %v", p.Rows, p.Y, p.Probe)
			}
			if !slices.Equal(h.Rows, []int{0, 1, 2, 3, 13, 23}) || !slices.Equal(h.Y, []float64{0, 0, 0, 1, 1, 1}) || !slices.Equal(h.Probe, h.Y) {
				t.Errorf("one-vs-rest: rows %v, Y %v, Probe %v", h.Rows, h.Y, h.Probe)
			}
			if got := p.X.RawRowView(1); !slices.Equal(got, set.Row(nil, 13)) {
				t.Errorf("row 1 of the task is not image 13")
			}
		})
	}
}

func TestCIFARForms(t *testing.T) {
	files := fstest.MapFS{}
	for k := range 5 {
		var data []byte
		for i := range 2 {
			data = append(data, byte(2*k+i))
			for c := range 3 {
				data = append(data, bytes.Repeat([]byte{byte(100*k + 10*i + c)}, 1024)...)
			}
		}
		files["cifar-10/data_batch_"+string(rune('1'+k))+".bin"] = &fstest.MapFile{Data: data}
	}
	set, err := Load(files, Source{Name: "cifar-10"})
	if err != nil {
		t.Fatal(err)
	}
	if n, d := set.Dims(); n != 10 || d != 3072 || !slices.Equal(set.Y, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
		t.Fatalf("%d×%d, labels %v, warnings %q", n, d, set.Y, set.Warnings)
	}
	sum := md5.Sum(files["cifar-10/data_batch_5.bin"].Data)
	if len(set.Warnings) != 5 || !strings.Contains(set.Warnings[4], "data_batch_5.bin is not the published file (MD5 "+hex.EncodeToString(sum[:6])+"…, published 53f37980c15c…)") {
		t.Errorf("warnings %q; want one for each file that is not the published one", set.Warnings)
	}
	mean, dev := []float64{0.4914, 0.4822, 0.4465}, []float64{0.2470, 0.2435, 0.2616}
	for i := range 10 {
		row := set.Row(nil, i)
		for j, v := range row {
			c := j / 1024
			want := (float64(byte(100*(i/2)+10*(i%2)+c))/255 - mean[c]) / dev[c]
			if math.Abs(v-want) > 1e-6 {
				t.Fatalf("image %d, number %d: %v, want %v", i, j, v, want)
			}
		}
	}
}

// TestKnownMissing: what is not there is named, with its folder and the way to get it.
func TestKnownMissing(t *testing.T) {
	images, labels := fakeMNIST(10)
	for _, c := range []struct {
		src   Source
		files fstest.MapFS
		words []string
	}{
		{Source{Name: "mnist"}, nil, []string{"mnist/train-images-idx3-ubyte, mnist/train-labels-idx1-ubyte are not in the data folder", "`kappa data fetch mnist`", "`kappa data import`"}},
		{Source{Name: "mnist"}, filesOf("mnist/train-images-idx3-ubyte", images), []string{"mnist/train-labels-idx1-ubyte is not in"}},
		{Source{Name: "fashion-mnist"}, filesOf("fashion-mnist/train-labels-idx1-ubyte", labels), []string{"fashion-mnist/train-images-idx3-ubyte is not in"}},
		{Source{Name: "cifar-10"}, nil, []string{"cifar-10/data_batch_1.bin, ", "cifar-10/data_batch_5.bin are not in"}},
		{Source{Name: "house-prices", Side: "harmful"}, filesOf("house-prices/D1.csv", "a\n1\n"), []string{"house-prices/D2.csv is not in"}},
	} {
		var fsys fs.FS
		if c.files != nil {
			fsys = c.files
		}
		_, err := Load(fsys, c.src)
		wantError(t, err, c.words...)
		_, digestErr := Digest(t.Context(), fsys, c.src)
		wantError(t, digestErr, c.words...)
		if !errors.Is(err, fs.ErrNotExist) || !errors.Is(digestErr, fs.ErrNotExist) {
			t.Errorf("%v: not fs.ErrNotExist", c.src)
		}
	}
}

// TestKnownRefusesSettings: what brings its own preprocessing takes no other, and only sided data sets have sides.
func TestKnownRefusesSettings(t *testing.T) {
	for _, src := range []Source{
		{Name: "mnist", Scale: 2},
		{Name: "mnist", Standardize: true},
		{Name: "house-prices"},
		{Name: "house-prices", Side: "left"},
		{Name: "house-prices", Side: "primary", Drop: []string{"Id"}},
		{Name: "mnist", Side: "primary"},
		{CSV: "a.csv", Side: "primary"},
	} {
		if err := src.Check(); err == nil {
			t.Errorf("%+v passes", src)
		}
	}
}

// TestPublished holds the files of the data folder to what is pinned for them.
func TestPublished(t *testing.T) {
	dir := realData(t)
	for _, src := range []Source{{Name: "house-prices", Side: "primary"}, {Name: "house-prices", Side: "harmful"}, {Name: "mnist"}} {
		if digest, err := Digest(t.Context(), os.DirFS(dir), src); err != nil || digest != Pinned(src) || len(digest) != 64 {
			t.Errorf("%s: digest %q, error %v; want %q", src.Key(), digest, err, Pinned(src))
		}
	}
}

// TestHousePricesByName: the name stands for the files and the preprocessing written out.
func TestHousePricesByName(t *testing.T) {
	dir := os.DirFS(realData(t))
	p, h, err := Pair(dir, Ref{N: 200, Source: Source{Name: "house-prices", Side: "primary"}}, Ref{N: 200, Source: Source{Name: "house-prices", Side: "harmful"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pr, hr := housePrices{}.refs()
	wantP, wantH, err := Pair(dir, pr, hr, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]*Task{{p, wantP}, {h, wantH}} {
		got, want := c[0], c[1]
		if !same(got.X, want.X) || !slices.Equal(got.Y, want.Y) || !slices.Equal(got.Probe, want.Probe) || got.Digest != want.Digest || !slices.Equal(got.Warnings, want.Warnings) {
			t.Errorf("by name it is not what the settings written out give (digests %s, %s; warnings %q, %q)", got.Digest, want.Digest, got.Warnings, want.Warnings)
		}
	}
}
