package dataset

import (
	"context"
	"fmt"
	"io/fs"

	"gonum.org/v1/gonum/mat"
)

// Set is a whole data set after preprocessing. Its owner may share it between goroutines that only read it.
type Set struct {
	X       *mat.Dense // N×D, finite, N and D at least 1; nil for images, whose rows are made when a task takes them
	Y       []float64  // N targets or class labels as the file has them (finite, not standardised); nil if the source has none
	Columns []string   // D names of the columns of X
	Headed  bool       // the names come from the file; otherwise they are numbers from "1"
	Float32 bool       // the file itself stores 32-bit floats, as features computed in single precision are
	Digest  string     // SHA-256 of the uncompressed bytes read, 64 hex digits; see [Digest]
	// Warnings are sentences about what the data made doubtful; empty if nothing did.
	Warnings []string

	images *bitmaps // in the place of X, or nil
}

// Dims returns the numbers of rows and columns.
func (s *Set) Dims() (rows, cols int) {
	if s.images != nil {
		return s.images.rows(), s.images.d
	}
	return s.X.Dims()
}

// Row appends row i to dst and returns it.
func (s *Set) Row(dst []float64, i int) []float64 {
	if s.images != nil {
		return s.images.row(dst, i)
	}
	return append(dst, s.X.RawRowView(i)...)
}

// Load reads the whole data set src from fsys (which may be nil for data sets in the binary) and preprocesses it.
//
// Errors name the file, the line or row, the column, the value and what is accepted. A file that is missing gives an error
// that [errors.Is] fs.ErrNotExist.
func Load(fsys fs.FS, src Source) (*Set, error) {
	if err := src.Check(); err != nil {
		return nil, err
	}
	if src.Split {
		return nil, fmt.Errorf("%s: it is to be read as images; accepted here: a table", src.label())
	}
	if n, err := find(src.Name); err == nil && n.as != nil {
		return n.loadAs(fsys, src)
	}
	t, err := read(fsys, src)
	if err != nil {
		return nil, err
	}
	if t.images != nil {
		return &Set{images: t.images, Y: t.y, Columns: t.columns, Digest: t.digest, Warnings: t.warnings}, nil
	}
	if err := t.drop(src); err != nil {
		return nil, err
	}
	if _, cols := t.x.Dims(); cols > MaxColumns {
		return nil, fmt.Errorf("%s: it has %d features; accepted: at most %d", src.label(), cols, MaxColumns)
	}
	set := &Set{X: t.x, Y: t.y, Columns: t.columns, Headed: t.headed, Float32: t.single, Digest: t.digest, Warnings: t.warnings}
	rows, cols := t.x.Dims()
	column := make([]float64, rows)
	for j := range cols {
		mat.Col(column, j, t.x)
		if i := src.transform(column); i >= 0 {
			return nil, fmt.Errorf("%s: row %d, column %s: the value %v does not stay finite under the preprocessing asked for", src.label(), i+1, t.name(j), t.x.At(i, j))
		}
		t.x.SetCol(j, column)
	}
	return set, nil
}

// Digest is the digest of what [Load] would read for src, found without parsing it: the SHA-256 of the uncompressed bytes of
// its file in 64 hex digits; of several files (features and labels), the SHA-256 of their digests; of a data set in the binary,
// its pinned digest. Cost: one pass over the files. Where ctx ends between two pictures of a folder, the error is its.
func Digest(ctx context.Context, fsys fs.FS, src Source) (string, error) {
	if err := src.Check(); err != nil {
		return "", err
	}
	if src.Name != "" {
		n, err := find(src.Name)
		if err == nil && n.reads != nil {
			return n.digestKnown(fsys, src)
		}
		return n.Digest, err
	}
	if src.Images != "" {
		return digestFolder(ctx, fsys, src)
	}
	return digestOf(src.files(), func(path string) (*file, error) { return openFile(fsys, path) })
}

// digestOf is the digest of several files, in their order.
func digestOf(paths []string, open func(path string) (*file, error)) (string, error) {
	var sums []string
	for _, path := range paths {
		f, err := open(path)
		if err != nil {
			return "", err
		}
		sum, err := f.recalled()
		f.Close()
		if err != nil {
			return "", err
		}
		sums = append(sums, sum)
	}
	return combine(sums...), nil
}

// drop takes the columns that src drops out of t, for the readers that have not done so themselves.
func (t *table) drop(src Source) error {
	if src.CSV != "" || len(src.Drop) == 0 && (src.Target == "" || t.y != nil) {
		return nil
	}
	keep, target, err := src.choose(t.columns)
	if err != nil {
		return err
	}
	rows, _ := t.x.Dims()
	if target >= 0 {
		t.y = mat.Col(nil, target, t.x)
	}
	x, columns := mat.NewDense(rows, len(keep), nil), make([]string, len(keep))
	column := make([]float64, rows)
	for k, j := range keep {
		columns[k] = t.columns[j]
		x.SetCol(k, mat.Col(column, j, t.x))
	}
	t.x, t.columns = x, columns
	return nil
}

// name is how messages call column j of t.x.
func (t *table) name(j int) string {
	if t.headed {
		return fmt.Sprintf("%q", t.columns[j])
	}
	return t.columns[j]
}

// Bytes is the memory that the set takes.
func (s *Set) Bytes() int64 {
	n := int64(8 * len(s.Y))
	if s.images != nil {
		return n + int64(len(s.images.pixels))
	}
	rows, cols := s.X.Dims()
	return n + 8*int64(rows)*int64(cols)
}
