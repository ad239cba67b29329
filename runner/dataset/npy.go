package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// ReadNPY reads a NumPy array of one or two dimensions (one dimension is one column) from fsys: formats 1.0 to 3.0, float64, float32,
// integers and booleans, both byte orders, C and Fortran order. single says that the file stores 32-bit floats.
//
// NaN and infinities are refused, as are integers beyond ±2⁵³, which float64 would round; errors name the file, row, column and
// value. A header is checked against the limits and the file's size before anything is allocated.
func ReadNPY(fsys fs.FS, path string) (m *mat.Dense, single bool, err error) {
	a, err := readNPYFile(fsys, path, nil)
	if err != nil {
		return nil, false, err
	}
	return a.m, a.single(), nil
}

// DecodeNPY reads the array that takes up all of r, with the rules of [ReadNPY]. Errors name no file. Memory grows with what is
// really read, whatever the header says.
func DecodeNPY(r io.Reader) (*mat.Dense, error) {
	a, err := decodeNPY(r, -1, nil)
	if err != nil {
		return nil, err
	}
	return a.m, nil
}

// npyArray is an array read from a file.
type npyArray struct {
	npyHeader
	m      *mat.Dense // rows×cols
	digest string
	filled int // NaN replaced
}

func (a *npyArray) single() bool { return a.kind == 'f' && a.width == 4 }

// readNPYFile reads the file at path; NaN becomes *missing unless that is nil.
func readNPYFile(fsys fs.FS, path string, missing *float64) (*npyArray, error) {
	f, err := openFile(fsys, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	a, err := decodeNPY(f, f.size, missing)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a.digest, err = f.digest()
	return a, err
}

// decodeNPY reads an array that takes up all of r, of size bytes (−1: not known; then memory grows with what is really read).
func decodeNPY(r io.Reader, size int64, missing *float64) (*npyArray, error) {
	in := bufio.NewReaderSize(r, 1<<16)
	h, err := parseNPYHeader(in)
	if err != nil {
		return nil, err
	}
	if have := size - int64(h.length); size >= 0 && have != h.bytes() {
		return nil, fmt.Errorf("an array of shape %d×%d and %d bytes a number takes %d bytes, and %d follow the header; accepted: exactly as many", h.rows, h.cols, h.width, h.bytes(), have)
	}
	total := h.rows * h.cols
	reserve := total
	if size < 0 {
		reserve = min(total, 1<<16)
	}
	a := &npyArray{npyHeader: h}
	data, buf := make([]float64, 0, reserve), make([]byte, h.width)
	for k := range total {
		if _, err := io.ReadFull(in, buf); err != nil {
			return nil, short(err, fmt.Sprintf("the file ends after %d of %d numbers", k, total))
		}
		v, exact := h.value(buf)
		if math.IsNaN(v) && missing != nil {
			v = *missing
			a.filled++
		}
		if !exact || !finite(v) {
			i, j := h.place(k)
			if !exact {
				return nil, fmt.Errorf("row %d, column %d: the integer near %.17g cannot be held exactly; accepted: integers within ±2⁵³", i+1, j+1, v)
			}
			return nil, fmt.Errorf("row %d, column %d: the value is %v; accepted: finite numbers (or missing = 0 to fill NaN)", i+1, j+1, v)
		}
		data = append(data, v)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		if err == nil {
			err = errors.New("more bytes follow the array; accepted: one array a file")
		}
		return nil, err
	}
	if h.fortran && !h.flat {
		a.m = mat.DenseCopyOf(mat.NewDense(h.cols, h.rows, data).T())
	} else {
		a.m = mat.NewDense(h.rows, h.cols, data)
	}
	return a, nil
}

// place is the row and column of the k-th number in the file.
func (h *npyHeader) place(k int) (i, j int) {
	if h.fortran {
		return k % h.rows, k / h.rows
	}
	return k / h.cols, k % h.cols
}

// readNPYTable reads the features and, if src names them, the labels.
func readNPYTable(fsys fs.FS, src Source) (*table, error) {
	a, err := readNPYFile(fsys, src.NPY, src.Missing)
	if err != nil {
		return nil, err
	}
	t := &table{x: a.m, columns: numbers(a.cols), single: a.single(), digest: a.digest}
	if a.filled > 0 {
		t.warnings = append(t.warnings, fmt.Sprintf("%s: %d of %d numbers were NaN and became %s", src.NPY, a.filled, a.rows*a.cols, shortest(*src.Missing)))
	}
	if src.LabelsNPY == "" {
		return t, nil
	}
	labels, err := readNPYFile(fsys, src.LabelsNPY, src.Missing)
	if err != nil {
		return nil, err
	}
	if labels.rows != a.rows || labels.cols != 1 {
		return nil, fmt.Errorf("%s: the labels have shape %d×%d; accepted: %d×1 or a list of %d, one for each row of %s", src.LabelsNPY, labels.rows, labels.cols, a.rows, a.rows, src.NPY)
	}
	if labels.filled > 0 {
		t.warnings = append(t.warnings, fmt.Sprintf("%s: %d of %d labels were NaN and became %s", src.LabelsNPY, labels.filled, labels.rows, shortest(*src.Missing)))
	}
	t.y = mat.Col(nil, 0, labels.m)
	t.digest = combine(a.digest, labels.digest)
	return t, nil
}

// WriteNPY writes m as a NumPy array: format 1.0, little-endian float64, C order, two dimensions. numpy.load reads it, and so
// do [ReadNPY] and [DecodeNPY] unless m holds a NaN or an infinity, which are written as they are. The bytes depend on m alone.
func WriteNPY(w io.Writer, m mat.Matrix) error {
	rows, cols := m.Dims()
	dict := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", rows, cols)
	// The data begin at a multiple of 64 bytes; the header ends with a newline.
	const fixed, align = len(npyMagic) + 4, 64
	dict += strings.Repeat(" ", (align-(fixed+len(dict)+1)%align)%align) + "\n"

	out := bufio.NewWriter(w)
	buf := []byte(npyMagic + "\x01\x00")
	buf = binary.LittleEndian.AppendUint16(buf, uint16(len(dict)))
	if _, err := out.Write(append(buf, dict...)); err != nil {
		return fmt.Errorf("write .npy: %w", err)
	}
	for i := range rows {
		for j := range cols {
			buf = binary.LittleEndian.AppendUint64(buf[:0], math.Float64bits(m.At(i, j)))
			if _, err := out.Write(buf); err != nil {
				return fmt.Errorf("write .npy: %w", err)
			}
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write .npy: %w", err)
	}
	return nil
}
