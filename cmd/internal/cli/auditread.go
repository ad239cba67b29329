package cli

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/audit"
	"kappa/engine/spectrum"
	"kappa/runner/dataset"
)

// auditFile is a matrix that audit reads: the flag that names the file, and what is in it.
type auditFile struct {
	flag, path string
	x          *mat.Dense // nil until it is read
	single     bool       // stored as 32-bit floats
}

// String names the file and says its shape.
func (f auditFile) String() string {
	rows, cols := f.x.Dims()
	return fmt.Sprintf("--%s %s is %d×%d", f.flag, f.path, rows, cols)
}

// auditFiles are the files of one audit; those that were not asked for have no path.
type auditFiles struct {
	primary, harmful, theta, basePrimary, baseHarmful, yPrimary auditFile
}

// readFiles reads all files that the flags name and compares their shapes. Everything that is wrong is said at once.
func (a *app) readFiles(o auditFlags) (*auditFiles, error) {
	f := &auditFiles{
		auditFile{flag: "primary", path: o.primary},
		auditFile{flag: "harmful", path: o.harmful},
		auditFile{flag: "theta", path: o.theta},
		auditFile{flag: "base-primary", path: o.basePrimary},
		auditFile{flag: "base-harmful", path: o.baseHarmful},
		auditFile{flag: "y-primary", path: o.yPrimary},
	}
	var errs []error
	for _, file := range []*auditFile{&f.primary, &f.harmful, &f.theta, &f.basePrimary, &f.baseHarmful, &f.yPrimary} {
		if file.path != "" {
			errs = append(errs, a.readMatrix(file, o.header))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return f, f.fit()
}

// fit compares the shapes.
func (f *auditFiles) fit() error {
	rows := func(f auditFile) int { n, _ := f.x.Dims(); return n }
	cols := func(f auditFile) int { _, d := f.x.Dims(); return d }
	var errs []error
	bad := func(a, b auditFile, accepted string) {
		errs = append(errs, usagef("", "%v and %v; accepted: %s", a, b, accepted))
	}
	if cols(f.primary) != cols(f.harmful) {
		bad(f.primary, f.harmful, "one example a row, and the same columns in both")
	}
	if f.theta.x != nil && rows(f.theta) != cols(f.primary) {
		accepted := fmt.Sprintf("a θ of %d rows, one for each column of the inputs (features are X·θ)", cols(f.primary))
		if cols(f.theta) == cols(f.primary) {
			accepted += "; the weight of a torch.nn.Linear is θ transposed: save weight.T"
		}
		bad(f.theta, f.primary, accepted)
	}
	if f.basePrimary.x != nil {
		const same = "the features of the same examples, in the same order, from both models"
		if rows(f.basePrimary) != rows(f.primary) {
			bad(f.basePrimary, f.primary, same)
		}
		if rows(f.baseHarmful) != rows(f.harmful) {
			bad(f.baseHarmful, f.harmful, same)
		}
		if cols(f.basePrimary) != cols(f.baseHarmful) {
			bad(f.basePrimary, f.baseHarmful, "the same columns in both")
		}
	}
	if y := f.yPrimary; y.x != nil && (rows(y) != rows(f.primary) || cols(y) != 1) {
		bad(y, f.primary, fmt.Sprintf("one column with one target for each of the %d examples", rows(f.primary)))
	}
	return errors.Join(errs...)
}

// input factorises the matrices with the rank rule that the flags and the files ask for.
func (f *auditFiles) input(o auditFlags) (audit.Input, error) {
	in := audit.Input{Theta: f.theta.x}
	var errs []error
	for _, m := range []struct {
		file auditFile
		into **spectrum.Factor
	}{{f.primary, &in.Primary}, {f.harmful, &in.Harmful}, {f.basePrimary, &in.BasePrimary}, {f.baseHarmful, &in.BaseHarmful}} {
		if m.file.x == nil {
			continue
		}
		var err error
		if *m.into, err = o.factor(m.file); err != nil {
			errs = append(errs, usagef("", "--%s %s: %w", m.file.flag, m.file.path, err))
		}
	}
	if f.yPrimary.x != nil {
		in.Y, in.XPrimary, in.XBasePrimary = mat.Col(nil, 0, f.yPrimary.x), f.primary.x, f.basePrimary.x
	}
	return in, errors.Join(errs...)
}

// factor factorises one matrix.
func (o auditFlags) factor(f auditFile) (*spectrum.Factor, error) {
	const single = 1.0 / (1 << 24) // rounding of float32
	rows, cols := f.x.Dims()
	switch {
	case o.rankSet:
		if o.rank > min(rows, cols) {
			return nil, fmt.Errorf("--rank %d: a matrix of %d×%d has at most rank %d", o.rank, rows, cols, min(rows, cols))
		}
		return spectrum.NewFactorRank(f.x, o.rank)
	case o.tolSet:
		return spectrum.NewFactorTol(f.x, o.tol)
	case f.single && o.theta == "":
		return spectrum.NewFactorTol(f.x, float64(max(rows, cols))*single)
	}
	return spectrum.NewFactor(f.x)
}

// specAdvice is advice about keys of a spec, which audit does not have.
var specAdvice = regexp.MustCompile(` \(or (missing|categorical|header) = [^)]*\)`)

// readMatrix reads a .npy or CSV file of numbers.
func (a *app) readMatrix(f *auditFile, header string) error {
	full := onDisk(a.cwd, f.path)
	dir, base := filepath.Split(full)
	src := dataset.Source{NPY: base}
	switch name := strings.TrimSuffix(strings.ToLower(base), ".gz"); filepath.Ext(name) {
	case ".npy":
	case ".csv":
		src = dataset.Source{CSV: base, NoHeader: header == headerNo}
		if header == headerAuto {
			var err error
			if src.NoHeader, err = startsWithNumbers(firstLine(full)); err != nil {
				return usagef("", "--%s %s: %v", f.flag, f.path, err)
			}
		}
	case ".npz", ".pt", ".pth":
		return usagef("", "--%s %s: a .npy or a .csv file is accepted: one array a file, as numpy.save writes it", f.flag, f.path)
	default:
		return usagef("", "--%s %s: a .npy or a .csv file is accepted", f.flag, f.path)
	}
	set, err := dataset.Load(os.DirFS(dir), src)
	if err != nil {
		return usagef("", "--%s: %s", f.flag, specAdvice.ReplaceAllString(err.Error(), ""))
	}
	f.x, f.single = set.X, set.Float32
	return nil
}

// What --header accepts.
const (
	headerAuto = "auto"
	headerYes  = "yes"
	headerNo   = "no"
)

// startsWithNumbers says whether the first line of a CSV file holds numbers alone, so that it is no header. Where that cannot be
// told, or a column is no feature, it refuses.
func startsWithNumbers(line string) (bool, error) {
	cells := strings.Split(line, ",")
	for i, cell := range cells {
		cells[i] = strings.Trim(strings.TrimSpace(cell), `"`)
	}
	numbers, counting := areNumbers(cells), len(cells) > 1
	for i, cell := range cells {
		counting = counting && cell == strconv.Itoa(i)
	}
	switch {
	case len(cells) == 1 && !numbers && otherwiseSeparated(line):
		return false, errors.New("the numbers are not separated by commas; accepted: commas, as numpy.savetxt writes them with delimiter=\",\"")
	case counting:
		return false, fmt.Errorf("the first line counts the columns, 0, 1, 2, …, as pandas names them, and could be numbers as well; --%s yes takes it as names, --%s no as the first example", headerFlag, headerFlag)
	case !numbers && len(cells) > 1 && cells[0] == "":
		return false, errors.New("the first column has no name, as where pandas writes its index, which is no feature; accepted: a file written with index=False")
	}
	return numbers, nil
}

// otherwiseSeparated says whether a line holds numbers with something else than commas between them.
func otherwiseSeparated(line string) bool {
	cells := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == ';' })
	return len(cells) > 1 && areNumbers(cells)
}

func areNumbers(cells []string) bool {
	for _, cell := range cells {
		if _, err := strconv.ParseFloat(cell, 64); err != nil {
			return false
		}
	}
	return true
}

// headerFlag is the name of the flag about headers.
const headerFlag = "header"

// maxFirstLine is how much of a CSV file is looked at for its first line: a header of 60,000 columns has less.
const maxFirstLine = 1 << 20

// firstLine is the first line of a CSV file that is not empty, without a byte order mark; of a long one the beginning. What is wrong
// with the file is left to whoever reads all of it.
func firstLine(path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	var plain io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if plain, err = gzip.NewReader(f); err != nil {
			return ""
		}
	}
	in := bufio.NewReader(io.LimitReader(plain, maxFirstLine))
	for mark := "\ufeff"; ; mark = "" {
		line, err := in.ReadString('\n')
		line = strings.TrimRight(strings.TrimPrefix(line, mark), "\r\n")
		if line != "" || err != nil {
			return line
		}
	}
}
