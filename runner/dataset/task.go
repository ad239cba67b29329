package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// The kinds of tasks.
const (
	OneClass   = "one-class"   // the rows of one class
	OneVsRest  = "one-vs-rest" // balanced: rows of one class against as many of the others
	Regression = "regression"  // all rows, real targets
)

// Ref is one side of a problem: which rows of which data set, and what is to be learnt from them.
type Ref struct {
	Source
	// Task is OneClass, OneVsRest or Regression; "" means OneClass if a class is given, else Regression.
	Task string
	// Class is the label of OneClass and OneVsRest; nil for Regression.
	Class *int64
	// N is the number of rows, the first in file order (even for OneVsRest). 0 means as many as the smaller side of the problem
	// offers, so that both sides have the same number.
	N int
}

// Kind is Task with its default filled in.
func (r Ref) Kind() string {
	switch {
	case r.Task != "":
		return r.Task
	case r.Class != nil:
		return OneClass
	default:
		return Regression
	}
}

// Check reports all that is wrong with r by itself, without reading anything, joined into one error; nil if nothing is.
func (r Ref) Check() error {
	errs := []error{r.Source.Check()}
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch kind := r.Kind(); kind {
	case OneClass, OneVsRest:
		if r.Class == nil {
			bad("%s: task %q needs a class", r.label(), kind)
		}
		if kind == OneVsRest && r.N%2 != 0 {
			bad("%s: n is %d; accepted: an even number, half of it rows of the class", r.label(), r.N)
		}
	case Regression:
		if r.Class != nil {
			bad("%s: class %d is given for a regression; accepted: no class, or task %q or %q", r.label(), *r.Class, OneClass, OneVsRest)
		}
	default:
		bad("%s: task is %q; accepted: %q, %q, %q", r.label(), kind, OneClass, OneVsRest, Regression)
	}
	if r.N < 0 {
		bad("%s: n is %d; accepted: 0 (as many rows as the smaller side offers) or more", r.label(), r.N)
	}
	if r.Name == syntheticName {
		if r.Kind() != Regression {
			bad("%s: it has no classes; accepted: task %q", r.label(), Regression)
		}
		if r.N != 0 {
			bad("%s: n is %d; its number of rows is set for both sides together, with n of [synthetic]", r.label(), r.N)
		}
		if len(r.Drop) > 0 || r.Shift != 0 || r.Scale != 0 && r.Scale != 1 || r.Standardize || r.Float32 {
			bad("%s: it takes no preprocessing, which would change its spectra", r.label())
		}
	}
	return errors.Join(errs...)
}

// Task is one side of a problem as matrices.
type Task struct {
	X *mat.Dense // N×D
	// Y are the N targets that training sees: all 0 for OneClass (the paper's code labels every image of a task alike), 1 for the
	// class and 0 for the rest for OneVsRest, the preprocessed targets for Regression.
	Y []float64
	// Probe are the N targets that an attacker fits: all 1 for OneClass, where fitting Y would be solved by w = 0; else equal to Y.
	Probe    []float64
	Kind     string   // OneClass, OneVsRest or Regression
	Rows     []int    // N row numbers of the data set, from 0, ascending
	Float32  bool     // the file itself stores 32-bit floats
	Digest   string   // of the data set, see [Digest]
	Warnings []string // of the data set, and of the pair (on the primary task)
}

// Pair loads what both refs name and forms their tasks. syn is used when both are "synthetic", and may be nil otherwise. A
// caller who forms many pairs from the same data sets calls [Load] once for each [Source] and [Form] for each pair.
func Pair(fsys fs.FS, primary, harmful Ref, syn *Synthetic) (p, h *Task, err error) {
	if err := errors.Join(within("primary", primary.Check()), within("harmful", harmful.Check())); err != nil {
		return nil, nil, err
	}
	if (primary.Name == syntheticName) != (harmful.Name == syntheticName) {
		return nil, nil, fmt.Errorf("data set %q is on one side only; accepted: on both sides, or on none", syntheticName)
	}
	if primary.Name == syntheticName {
		if syn == nil {
			return nil, nil, fmt.Errorf("data set %q needs its settings (d, spectra, angle)", syntheticName)
		}
		return syn.Draw()
	}
	ps, err := Load(fsys, primary.Source)
	if err != nil {
		return nil, nil, within("primary", err)
	}
	hs := ps
	if harmful.Source.Key() != primary.Source.Key() {
		if hs, err = Load(fsys, harmful.Source); err != nil {
			return nil, nil, within("harmful", err)
		}
	}
	return Form(ps, primary, hs, harmful)
}

func within(side string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", side, err)
}

// Form takes the rows of both tasks from their loaded sets, which may be the same one and are not changed; the tasks share no
// memory with them. Both sides must have the same number of columns.
func Form(ps *Set, primary Ref, hs *Set, harmful Ref) (p, h *Task, err error) {
	if err := errors.Join(within("primary", primary.Check()), within("harmful", harmful.Check())); err != nil {
		return nil, nil, err
	}
	_, pc := ps.X.Dims()
	_, hc := hs.X.Dims()
	if pc != hc {
		return nil, nil, fmt.Errorf("primary %s has %d columns and harmful %s has %d; accepted: the same number on both sides", primary.label(), pc, harmful.label(), hc)
	}
	pr, err := primary.candidates(ps)
	if err != nil {
		return nil, nil, within("primary", err)
	}
	hr, err := harmful.candidates(hs)
	if err != nil {
		return nil, nil, within("harmful", err)
	}
	n := min(len(pr), len(hr))
	if primary.Kind() == OneVsRest || harmful.Kind() == OneVsRest {
		n -= n % 2
	}
	if p, err = primary.form(ps, pr, n); err != nil {
		return nil, nil, within("primary", err)
	}
	if h, err = harmful.form(hs, hr, n); err != nil {
		return nil, nil, within("harmful", err)
	}
	if ps.Headed && hs.Headed && !slices.Equal(ps.Columns, hs.Columns) {
		j := slices.IndexFunc(numbered(pc), func(j int) bool { return ps.Columns[j] != hs.Columns[j] })
		p.Warnings = append(p.Warnings, fmt.Sprintf("the columns of %s and %s differ in name: column %d is %q there and %q here", primary.label(), harmful.label(), j+1, ps.Columns[j], hs.Columns[j]))
	}
	return p, h, nil
}

func numbered(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// candidates are the rows that r's task can use, in file order: all of them, the rows of its class, or as many of the class as of
// the rest; at most N of them if N is given.
func (r Ref) candidates(s *Set) ([]int, error) {
	rows, _ := s.X.Dims()
	kind := r.Kind()
	if s.Y == nil {
		what := "target = \"COLUMN\""
		if r.NPY != "" {
			what += ", or labels = \"FILE.npy\""
		}
		return nil, fmt.Errorf("%s: it has no targets, which a %s task needs; accepted: %s", r.label(), kind, what)
	}
	if kind == Regression {
		if r.N > rows {
			return nil, fmt.Errorf("%s: n is %d; accepted: at most %d, the number of rows", r.label(), r.N, rows)
		}
		if r.N > 0 {
			rows = r.N
		}
		return numbered(rows), nil
	}
	var of, rest []int
	for i, y := range s.Y {
		switch {
		case y != math.Trunc(y):
			return nil, fmt.Errorf("%s: row %d: the label %v is not an integer; accepted: integers, or task %q", r.label(), i+1, y, Regression)
		case y == float64(*r.Class):
			of = append(of, i)
		default:
			rest = append(rest, i)
		}
	}
	if len(of) == 0 {
		return nil, fmt.Errorf("%s: class %d does not occur; accepted: %s", r.label(), *r.Class, classes(s.Y))
	}
	if kind == OneClass {
		if r.N > len(of) {
			return nil, fmt.Errorf("%s: n is %d; accepted: at most %d, the rows of class %d", r.label(), r.N, len(of), *r.Class)
		}
		if r.N > 0 {
			of = of[:r.N]
		}
		return of, nil
	}
	half := min(len(of), len(rest))
	if half == 0 {
		return nil, fmt.Errorf("%s: all rows are of class %d; accepted for task %q: data with other classes too", r.label(), *r.Class, OneVsRest)
	}
	if r.N > 2*half {
		return nil, fmt.Errorf("%s: n is %d; accepted: at most %d, %d rows of class %d and as many others", r.label(), r.N, 2*half, half, *r.Class)
	}
	if r.N > 0 {
		half = r.N / 2
	}
	list := slices.Concat(of[:half], rest[:half])
	slices.Sort(list)
	return list, nil
}

// classes lists the labels of y with their counts, at most twenty.
func classes(y []float64) string {
	count := make(map[float64]int)
	for _, v := range y {
		count[v]++
	}
	var list []string
	for i, v := range slices.Sorted(maps.Keys(count)) {
		if i == 20 {
			list = append(list, fmt.Sprintf("… (%d classes)", len(count)))
			break
		}
		list = append(list, fmt.Sprintf("%v (%d rows)", v, count[v]))
	}
	return strings.Join(list, ", ")
}

// form makes the task of n of the candidate rows.
func (r Ref) form(s *Set, list []int, n int) (*Task, error) {
	if r.N > 0 {
		n = r.N
	}
	kind := r.Kind()
	t := &Task{Kind: kind, Float32: s.Float32, Digest: s.Digest, Warnings: slices.Clone(s.Warnings)}
	var targets []float64
	if kind == Regression {
		targets = slices.Clone(s.Y)
		if i := r.finish(targets); i >= 0 {
			return nil, fmt.Errorf("%s: row %d: the target %v does not stay finite under the preprocessing asked for", r.label(), i+1, s.Y[i])
		}
	}
	left := map[bool]int{true: n, false: n} // rows to take yet: of the class, of the rest
	if kind == OneVsRest {
		left[true], left[false] = n/2, n/2
	}
	_, cols := s.X.Dims()
	data := make([]float64, 0, n*cols)
	for _, i := range list {
		member := kind == Regression || s.Y[i] == float64(*r.Class)
		if len(t.Rows) == n || left[member] == 0 {
			continue
		}
		left[member]--
		t.Rows = append(t.Rows, i)
		data = append(data, s.X.RawRowView(i)...)
		switch {
		case kind == Regression:
			t.Y, t.Probe = append(t.Y, targets[i]), append(t.Probe, targets[i])
		case kind == OneClass:
			t.Y, t.Probe = append(t.Y, 0), append(t.Probe, 1)
		case member:
			t.Y, t.Probe = append(t.Y, 1), append(t.Probe, 1)
		default:
			t.Y, t.Probe = append(t.Y, 0), append(t.Probe, 0)
		}
	}
	t.X = mat.NewDense(n, cols, data)
	return t, nil
}
