package dataset

import (
	"crypto/md5"
	"fmt"
	"io/fs"
	"slices"
)

// bitmaps are N images of d bytes each. They stay bytes, an eighth of the room of numbers, until a task takes its rows.
type bitmaps struct {
	pixels []byte // N×d
	d      int
	// values says for each channel what a byte stands for; the channels of an image follow one another.
	values [][256]float64
}

func (m *bitmaps) rows() int { return len(m.pixels) / m.d }

// row appends image i to dst.
func (m *bitmaps) row(dst []float64, i int) []float64 {
	dst = slices.Grow(dst, m.d)
	plane := m.d / len(m.values)
	image := m.pixels[i*m.d:][:m.d]
	for c := range m.values {
		value := &m.values[c]
		for _, b := range image[c*plane:][:plane] {
			dst = append(dst, value[b])
		}
	}
	return dst
}

// imageSet is a data set of images known by name: where its files lie and how they are preprocessed.
type imageSet struct {
	images, labels string   // IDX files
	batches        []string // or CIFAR-10 files
	// likewise, of the part to test on
	testImages, testLabels, testBatch string

	side      int       // pixels in a line and lines of an image
	mean, dev []float32 // of each channel
}

// values is x ↦ (x/255 − mean)/dev of each channel for every byte x, each operation rounded to float32, as torchvision's ToTensor and
// Normalize do.
func (s imageSet) values() [][256]float64 {
	out := make([][256]float64, len(s.mean))
	for c := range out {
		for x := range out[c] {
			v := float32(x) / 255
			v -= s.mean[c]
			v /= s.dev[c]
			out[c][x] = float64(v)
		}
	}
	return out
}

func (s imageSet) files() []string {
	if s.batches != nil {
		return s.batches
	}
	return []string{s.images, s.labels}
}

// load reads the files of the data set n that s names; messages about missing ones name all that src reads.
func (s imageSet) load(n named, fsys fs.FS, src Source) (*table, error) {
	d := s.columns()
	t := &table{columns: numbers(d), images: &bitmaps{d: d, values: s.values()}}
	var sums []string
	read := func(path string, decode func(f *file) error) error {
		f, err := n.openKnown(fsys, src, path)
		if err != nil {
			return err
		}
		defer f.Close()
		if p, ok := publishedFile(path); ok && p.SHA256 == "" {
			f.md5 = md5.New()
		}
		if err := decode(f); err != nil {
			return fmt.Errorf("data set %q: %s: %w", n.Name, f.path, err)
		}
		sum, err := f.digest()
		if err != nil {
			return err
		}
		sums = append(sums, sum)
		if w := n.verdict(path, sum, f); w != "" {
			t.warnings = append(t.warnings, w)
		}
		return nil
	}
	var err error
	if s.batches != nil {
		t.images.pixels = make([]byte, 0, len(s.batches)*cifarBatchBytes)
		for _, path := range s.batches {
			if err = read(path, func(f *file) error { return decodeCIFAR(f, f.size, t) }); err != nil {
				return nil, err
			}
		}
	} else {
		var labels []byte
		if err = read(s.images, func(f *file) (err error) {
			t.images.pixels, err = decodeIDX(f, f.size, s.side, s.side)
			return err
		}); err != nil {
			return nil, err
		}
		if err = read(s.labels, func(f *file) (err error) {
			labels, err = decodeIDX(f, f.size)
			return err
		}); err != nil {
			return nil, err
		}
		if len(labels) != t.images.rows() {
			return nil, fmt.Errorf("data set %q: %s has %d images and %s %d labels; accepted: as many", n.Name, s.images, t.images.rows(), s.labels, len(labels))
		}
		t.y = make([]float64, len(labels))
		for i, y := range labels {
			if y >= imageClasses {
				return nil, fmt.Errorf("data set %q: %s: offset %d, row %d: the label is %d; accepted: 0 to %d", n.Name, s.labels, idxHeader(1)+i, i+1, y, imageClasses-1)
			}
			t.y[i] = float64(y)
		}
	}
	t.sums, t.digest = sums, combine(sums...)
	return t, nil
}

// imageClasses is the number of classes of every data set of images.
const imageClasses = 10

// imageSets are the data sets of images known by name.
func imageSets() []named {
	idx := func(folder string, mean, dev float32) imageSet {
		return imageSet{
			images: folder + "/train-images-idx3-ubyte", labels: folder + "/train-labels-idx1-ubyte",
			testImages: folder + "/t10k-images-idx3-ubyte", testLabels: folder + "/t10k-labels-idx1-ubyte", side: 28,
			mean: []float32{mean}, dev: []float32{dev},
		}
	}
	cifar := imageSet{testBatch: "cifar-10/test_batch.bin", side: 32, mean: []float32{0.4914, 0.4822, 0.4465}, dev: []float32{0.2470, 0.2435, 0.2616}}
	for i := range 5 {
		cifar.batches = append(cifar.batches, fmt.Sprintf("cifar-10/data_batch_%d.bin", i+1))
	}
	var out []named
	for _, l := range []struct {
		name, doc string
		rows      int
		imageSet
	}{
		{"mnist", "Handwritten digits of 28×28 pixels, training part; pixels become (x/255 − 0.1307)/0.3081 in float32.", 60000, idx("mnist", 0.1307, 0.3081)},
		{"fashion-mnist", "Clothes of 28×28 pixels, training part; pixels become (x/255 − 0.2860)/0.3530 in float32.", 60000, idx("fashion-mnist", 0.2860, 0.3530)},
		{"cifar-10", "Photographs of 32×32 pixels in three colours, training part; each channel becomes (x/255 − mean)/deviation in float32.", 50000, cifar},
	} {
		test := l.test()
		n := named{
			Info: externalInfo(l.name, l.doc),
			reads: func(s Source) []string {
				if s.Split {
					return slices.Concat(l.files(), test.files())
				}
				return l.files()
			},
			fixed: true,
		}
		n.Rows, n.TestRows, n.Columns, n.Classes = l.rows, testImages, l.columns(), []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
		n.Digest = pin(l.files()...)
		n.load = func(fsys fs.FS) (*table, error) { return l.load(n, fsys, Source{Name: n.Name}) }
		n.parts = func(fsys fs.FS) (*parts, error) { return l.parts(n, fsys) }
		out = append(out, n)
	}
	return out
}

// columns is the number of pixels of an image, all channels counted.
func (s imageSet) columns() int { return s.side * s.side * len(s.mean) }
