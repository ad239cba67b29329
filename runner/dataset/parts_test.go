package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
)

// fakeParts are 12 training and 7 test images in the form of MNIST. Image i of the tests has label (i+3) mod 10 and pixels 100+i.
func fakeParts() fstest.MapFS {
	images, labels := fakeMNIST(12)
	var testPixels, testLabels []byte
	for i := range 7 {
		testPixels = append(testPixels, bytes.Repeat([]byte{byte(100 + i)}, 28*28)...)
		testLabels = append(testLabels, byte(i+3))
	}
	return filesOf(
		"mnist/train-images-idx3-ubyte", images, "mnist/train-labels-idx1-ubyte", labels,
		"mnist/t10k-images-idx3-ubyte", idx([]int{7, 28, 28}, testPixels...), "mnist/t10k-labels-idx1-ubyte", idx([]int{7}, testLabels...),
	)
}

func TestPartsOfMNIST(t *testing.T) {
	files := fakeParts()
	task, err := LoadImages(files, Source{Name: "mnist"})
	if err != nil {
		t.Fatal(err)
	}
	if task.Train.Len() != 12 || task.Test.Len() != 7 || task.Train.Classes() != 10 || len(task.ClassNames) != 10 || len(task.Warnings) != 4 {
		t.Errorf("%d and %d images, %d classes %q, warnings %q", task.Train.Len(), task.Test.Len(), task.Train.Classes(), task.ClassNames, task.Warnings)
	}
	if c, h, w := task.Test.Dims(); c != 1 || h != 28 || w != 28 {
		t.Errorf("images are %d×%d×%d", c, h, w)
	}
	dst := make([]float32, 3*784)
	rows := []int{6, 0, 6}
	if err := task.Test.Batch(dst, rows); err != nil {
		t.Fatal(err)
	}
	for k, i := range rows {
		want := (float32(100+i)/255 - 0.1307) / 0.3081 // in float32, as torchvision does it
		for j, v := range dst[k*784:][:784] {
			if math.Abs(float64(v-want)) > 1e-6 {
				t.Fatalf("image %d, pixel %d: %v, want %v", i, j, v, want)
			}
		}
		if task.Test.Label(i) != i+3 {
			t.Errorf("label of image %d is %d", i, task.Test.Label(i))
		}
	}

	src := Source{Name: "mnist", Split: true}
	digest, err := DigestImages(t.Context(), files, Source{Name: "mnist"})
	if err != nil || digest != task.Digest {
		t.Errorf("digest %q, error %v; loaded %q", digest, err, task.Digest)
	}
	train, err := Digest(t.Context(), files, Source{Name: "mnist"})
	if err != nil || train == digest || src.Key() == (Source{Name: "mnist"}).Key() {
		t.Errorf("both parts have the digest (%s) or the key (%s) of the training part", digest, src.Key())
	}
	// Another test image is another data set.
	files["mnist/t10k-images-idx3-ubyte"].Data[20]++
	if other, err := DigestImages(t.Context(), files, src); err != nil || other == digest {
		t.Errorf("a test image changed and the digest did not (error %v)", err)
	}
}

func TestPartsOfCIFAR(t *testing.T) {
	files := fstest.MapFS{}
	record := func(label, pixel int) []byte {
		b := []byte{byte(label)}
		for c := range 3 {
			b = append(b, bytes.Repeat([]byte{byte(pixel + c)}, 1024)...)
		}
		return b
	}
	for k := range 5 {
		files[fmt.Sprintf("cifar-10/data_batch_%d.bin", k+1)] = &fstest.MapFile{Data: slices.Concat(record(k, 10*k), record(9-k, 10*k+5))}
	}
	files["cifar-10/test_batch.bin"] = &fstest.MapFile{Data: record(7, 200)}
	task, err := LoadImages(files, Source{Name: "cifar-10"})
	if err != nil {
		t.Fatal(err)
	}
	if task.Train.Len() != 10 || task.Test.Len() != 1 || task.Test.Label(0) != 7 || task.Train.Label(3) != 8 {
		t.Errorf("%d and %d images", task.Train.Len(), task.Test.Len())
	}
	dst := make([]float32, 3072)
	if err := task.Test.Batch(dst, []int{0}); err != nil {
		t.Fatal(err)
	}
	mean, dev := []float32{0.4914, 0.4822, 0.4465}, []float32{0.2470, 0.2435, 0.2616}
	for j, v := range dst {
		c := j / 1024
		if want := (float32(200+c)/255 - mean[c]) / dev[c]; math.Abs(float64(v-want)) > 1e-6 {
			t.Fatalf("number %d: %v, want %v", j, v, want)
		}
	}
}

// TestPartsOfDigits: the split of the data set in the binary is stated, so that it is held here.
func TestPartsOfDigits(t *testing.T) {
	task, err := LoadImages(nil, Source{Name: "digits"})
	if err != nil {
		t.Fatal(err)
	}
	if task.Train.Len() != 1437 || task.Test.Len() != 360 || task.Digest != DigitsDigest {
		t.Errorf("%d and %d images, digest %s", task.Train.Len(), task.Test.Len(), task.Digest)
	}
	set, err := Load(nil, Source{Name: "digits"})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, 64)
	seen := make([]int, 10)
	for i := range 1797 {
		part, k := task.Train, i
		if i >= 1437 {
			part, k = task.Test, i-1437
			seen[part.Label(k)]++
		}
		if err := part.Batch(dst, []int{k}); err != nil {
			t.Fatal(err)
		}
		for j, want := range set.Row(nil, i) {
			if float64(dst[j]) != want {
				t.Fatalf("row %d, pixel %d: %v, want %v", i, j, dst[j], want)
			}
		}
		if float64(part.Label(k)) != set.Y[i] {
			t.Fatalf("row %d: label %d, want %v", i, part.Label(k), set.Y[i])
		}
	}
	if slices.Min(seen) < 30 {
		t.Errorf("classes of the test part: %v; want at least 30 images of each", seen)
	}
	if train, test := ImageCounts("digits"); train != 1437 || test != 360 {
		t.Errorf("counts %d, %d", train, test)
	}
}

func TestBatchAllocatesNothing(t *testing.T) {
	task, err := LoadImages(fakeParts(), Source{Name: "mnist"})
	if err != nil {
		t.Fatal(err)
	}
	rows, dst := []int{4, 0}, make([]float32, 2*784)
	if n := testing.AllocsPerRun(10, func() { _ = task.Train.Batch(dst, rows) }); n > 0 {
		t.Errorf("a batch allocates %v times", n)
	}
}

// TestBatchFromSeveralGoroutines is for the race detector.
func TestBatchFromSeveralGoroutines(t *testing.T) {
	task, err := LoadImages(nil, Source{Name: "digits"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			dst := make([]float32, 64*32)
			if err := task.Train.Batch(dst, numbered(32)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestPanicOfAWorker: what goes wrong in another goroutine can be recovered from where it was asked for.
func TestPanicOfAWorker(t *testing.T) {
	defer func() {
		if p := recover(); p != "image 3" {
			t.Errorf("recovered %v", p)
		}
	}()
	_ = inParallel(2, 8, func(k int) error {
		if k == 3 {
			panic("image 3")
		}
		return nil
	})
	t.Error("it goes on")
}

func TestImagesRefused(t *testing.T) {
	for _, c := range []struct {
		src   Source
		files fs.FS
		words []string
	}{
		{Source{Name: "house-prices", Side: "primary"}, nil, []string{`data set "house-prices": it does not consist of images`, "digits, mnist", `images = "FOLDER"`}},
		{Source{CSV: "a.csv"}, nil, []string{"a.csv: it does not consist of images"}},
		{Source{Name: "synthetic"}, nil, []string{"does not consist of images"}},
		{Source{Name: "minst"}, nil, []string{`did you mean "mnist"?`}},
		{Source{}, nil, []string{`images = "FOLDER"`}},
		{Source{Name: "mnist"}, nil, []string{"t10k-labels-idx1-ubyte are not in the data folder", "`kappa data fetch mnist`"}},
		{Source{Name: "cifar-10"}, nil, []string{"cifar-10/test_batch.bin are not in"}},
	} {
		_, err := LoadImages(c.files, c.src)
		wantError(t, err, c.words...)
		_, digestErr := DigestImages(t.Context(), c.files, c.src)
		wantError(t, digestErr, c.words...)
	}
	if _, err := Load(nil, Source{Name: "digits", Split: true}); err == nil {
		t.Error("images can be loaded as a table")
	}
	if err := (Source{Images: "cars"}).Check(); err == nil {
		t.Error("a folder of photographs passes as a table")
	}

	files := fakeParts()
	delete(files, "mnist/t10k-labels-idx1-ubyte")
	_, err := LoadImages(files, Source{Name: "mnist"})
	wantError(t, err, "mnist/t10k-labels-idx1-ubyte is not in the data folder")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
	files = fakeParts()
	files["mnist/t10k-labels-idx1-ubyte"].Data[9] = 10
	_, err = LoadImages(files, Source{Name: "mnist"})
	wantError(t, err, "t10k-labels-idx1-ubyte: offset 9, row 2: the label is 10")
}

// TestPublishedParts holds both parts of the files of the data folder to what is pinned for them.
func TestPublishedParts(t *testing.T) {
	files := os.DirFS(realData(t))
	for _, name := range []string{"mnist", "fashion-mnist"} {
		src := Source{Name: name, Split: true}
		task, err := LoadImages(files, src)
		if err != nil {
			t.Fatal(err)
		}
		if train, test := ImageCounts(name); task.Train.Len() != train || task.Test.Len() != test || train != 60000 || test != 10000 {
			t.Errorf("%s: %d and %d images, want %d and %d", name, task.Train.Len(), task.Test.Len(), train, test)
		}
		if len(task.Warnings) > 0 || task.Digest != Pinned(src) || Pinned(src) == "" {
			t.Errorf("%s: warnings %q, digest %s, pinned %s", name, task.Warnings, task.Digest, Pinned(src))
		}
	}
}
