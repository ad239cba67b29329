package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// ImageTask is a data set read as images, in two parts.
type ImageTask struct {
	Train, Test *Images
	ClassNames  []string // of the labels 0, 1, …
	Digest      string   // see [DigestImages]; "" of a folder, for which it takes a pass over all pictures
	// Warnings are sentences about what the files made doubtful; empty if nothing did.
	Warnings []string
}

// Images are labelled images of one size. They can be read by several goroutines at once.
type Images struct {
	pixels                  pixels
	labels                  []int32
	classes                 int
	channels, height, width int
	slow                    bool // an image is worth a goroutine
}

// pixels are where images come from.
type pixels interface {
	// read writes image i, preprocessed, to dst, which is exactly C×H×W long.
	read(dst []float32, i int) error
}

// Len returns the number of images.
func (m *Images) Len() int { return len(m.labels) }

// Dims returns the size of every image.
func (m *Images) Dims() (channels, height, width int) { return m.channels, m.height, m.width }

// Classes returns the number of classes, of which some may have no image; labels are 0 … Classes−1.
func (m *Images) Classes() int { return m.classes }

// Label returns the class of image i.
func (m *Images) Label(i int) int { return int(m.labels[i]) }

// Batch writes the images rows, preprocessed, one after another to dst, each C×H×W (channels, lines, pixels of a line). It panics
// where dst is shorter than that or a row is none of the images. The error says which file could not be read; images known by name
// are in memory and give none. Pictures of a folder are decoded by as many goroutines as there are cores.
func (m *Images) Batch(dst []float32, rows []int) error {
	if len(dst) < len(rows)*m.channels*m.height*m.width {
		panic("dataset: Batch: dst is too short")
	}
	if workers := min(len(rows), runtime.GOMAXPROCS(0)); m.slow && workers > 1 {
		return inParallel(workers, len(rows), func(k int) error { return m.read(dst, k, rows[k]) })
	}
	for k, i := range rows {
		if err := m.read(dst, k, i); err != nil {
			return err
		}
	}
	return nil
}

// read writes image i to the k-th place of dst.
func (m *Images) read(dst []float32, k, i int) error {
	size := m.channels * m.height * m.width
	return m.pixels.read(dst[k*size:][:size:size], i)
}

// inParallel calls do(0) … do(n−1) and returns the error of the smallest number that has one. A panic in one becomes the caller's, who may
// recover from it.
func inParallel(workers, n int, do func(k int) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, n)
	var panicked atomic.Pointer[any]
	for range workers {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					panicked.Store(&p)
				}
			}()
			for k := int(next.Add(1)) - 1; k < n; k = int(next.Add(1)) - 1 {
				errs[k] = do(k)
			}
		})
	}
	wg.Wait()
	if p := panicked.Load(); p != nil {
		panic(*p)
	}
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}

// read writes image i as 32-bit numbers; those of values are such.
func (m *bitmaps) read(dst []float32, i int) error {
	plane := m.d / len(m.values)
	image := m.pixels[i*m.d:][:m.d]
	for c := range m.values {
		value := &m.values[c]
		out := dst[c*plane:][:plane]
		for j, b := range image[c*plane:][:plane] {
			out[j] = float32(value[b])
		}
	}
	return nil
}

// parts are what the readers of images known by name return.
type parts struct {
	train, test *table // with images
	side        int    // lines of an image, and pixels of a line
	digest      string
}

func (p *parts) task() *ImageTask {
	task := &ImageTask{Digest: p.digest}
	for class := range imageClasses {
		task.ClassNames = append(task.ClassNames, fmt.Sprint(class))
	}
	part := func(t *table) *Images {
		m := &Images{pixels: t.images, labels: make([]int32, len(t.y)), classes: imageClasses, channels: len(t.images.values), height: p.side, width: p.side}
		for i, y := range t.y {
			m.labels[i] = int32(y)
		}
		task.Warnings = append(task.Warnings, t.warnings...)
		return m
	}
	task.Train = part(p.train)
	task.Test = part(p.test)
	return task
}

// LoadImages reads both parts of src as images: a data set known by name, or a folder of photographs. Src.Split is taken as set.
//
// Of mnist and fashion-mnist the part to train on are the 60 000 images of the train files and the part to test on the 10 000 of
// the t10k files, of cifar-10 the five training batches and the test batch. They stay bytes (784 or 3072 an image) and become (x/255 −
// mean)/deviation in 32-bit arithmetic when a batch is read. Of digits the first 1437 images are to train on and the last 360 to test;
// they become x/16. A folder is read as [Source.Images] says.
//
// Errors are as [Load]'s.
func LoadImages(fsys fs.FS, src Source) (*ImageTask, error) {
	src.Split = true
	if err := src.Check(); err != nil {
		return nil, err
	}
	if src.Images != "" {
		return loadFolder(fsys, src)
	}
	n, err := find(src.Name)
	if err != nil {
		return nil, err
	}
	p, err := n.parts(fsys)
	if err != nil {
		return nil, err
	}
	return p.task(), nil
}

// DigestImages is the digest of what [LoadImages] would read for src: [Digest] of the source with Split set.
func DigestImages(ctx context.Context, fsys fs.FS, src Source) (string, error) {
	src.Split = true
	return Digest(ctx, fsys, src)
}

// ImageCounts returns the numbers of images of the two parts of the published data set of that name, so that work can be predicted
// before anything is read; zeros if it cannot be read as images.
func ImageCounts(name string) (train, test int) {
	n, err := find(name)
	switch {
	case err != nil || n.parts == nil:
		return 0, 0
	case n.reads == nil: // one file
		return n.Rows - n.TestRows, n.TestRows
	}
	return n.Rows, n.TestRows
}

// checkImages reports what is wrong with s as a source of images.
func (s Source) checkImages() []error {
	errs := s.checkPhotos()
	if !s.Split {
		if s.Images != "" {
			errs = append(errs, fmt.Errorf("%s: a folder of photographs is for nets; accepted here: a data set known by name, csv = \"FILE\" or npy = \"FILE\"", s.Images))
		}
		return errs
	}
	n, err := find(s.Name)
	if s.Images == "" && (s.Name == "" || err == nil && n.parts == nil) {
		var list []string
		for _, n := range registry() {
			if n.parts != nil {
				list = append(list, n.Name)
			}
		}
		errs = append(errs, fmt.Errorf("%s: it does not consist of images, which a net needs; accepted: %s, or a folder of photographs as images = \"FOLDER\"", s.label(), strings.Join(list, ", ")))
	}
	return errs
}

// testImages is the number of images to test on of the published data sets of images.
const testImages = 10000

// test is where the part to test on lies.
func (s imageSet) test() imageSet {
	if s.batches != nil {
		s.batches = []string{s.testBatch}
		return s
	}
	s.images, s.labels = s.testImages, s.testLabels
	return s
}

// parts reads both parts of the data set n.
func (s imageSet) parts(n named, fsys fs.FS) (*parts, error) {
	src := Source{Name: n.Name, Split: true}
	p := &parts{side: s.side}
	var errs [2]error
	p.train, errs[0] = s.load(n, fsys, src)
	if errs[0] == nil {
		p.test, errs[1] = s.test().load(n, fsys, src)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	p.digest = combine(append(p.train.sums, p.test.sums...)...)
	return p, nil
}

// digitsTest is the number of the last images of digits, which are to test on: a fifth.
const digitsTest = 360

// digitsParts reads digits as images of 8×8 pixels.
func digitsParts(fs.FS) (*parts, error) {
	t, err := loadDigits()
	if err != nil {
		return nil, err
	}
	const side = 8
	all := &bitmaps{d: side * side, values: make([][256]float64, 1)}
	for x := range all.values[0] {
		all.values[0][x] = float64(float32(x) / digitsMax)
	}
	for _, v := range t.x.RawMatrix().Data {
		all.pixels = append(all.pixels, byte(v*digitsMax))
	}
	const train = digitsRows - digitsTest
	part := func(lo, hi int) *table {
		return &table{y: t.y[lo:hi], images: &bitmaps{d: all.d, values: all.values, pixels: all.pixels[lo*all.d : hi*all.d]}}
	}
	return &parts{train: part(0, train), test: part(train, digitsRows), side: side, digest: t.digest}, nil
}

// Bytes is the memory that the images take; of photographs, which are read when they are needed, it is that of their names.
func (m *Images) Bytes() int64 {
	n := int64(4 * len(m.labels))
	switch p := m.pixels.(type) {
	case *bitmaps:
		n += int64(len(p.pixels))
	case *photos:
		for _, name := range p.paths {
			n += int64(len(name)) + 64
		}
	}
	return n
}
