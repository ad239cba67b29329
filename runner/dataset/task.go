package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"gonum.org/v1/gonum/mat"
)

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

// Fits returns the error that [Form] would return, and forms nothing. Cost: a look at every label.
func Fits(ps *Set, primary Ref, hs *Set, harmful Ref) error {
	if _, _, _, err := choose(ps, primary, hs, harmful); err != nil {
		return err
	}
	_, perr := primary.targets(ps)
	_, herr := harmful.targets(hs)
	return errors.Join(within("primary", perr), within("harmful", herr))
}

// choose lists the rows that each task can use and the number of rows of both, unless their refs say another.
func choose(ps *Set, primary Ref, hs *Set, harmful Ref) (pr, hr []int, n int, err error) {
	if err := errors.Join(within("primary", primary.Check()), within("harmful", harmful.Check())); err != nil {
		return nil, nil, 0, err
	}
	_, pc := ps.Dims()
	_, hc := hs.Dims()
	if pc != hc {
		return nil, nil, 0, fmt.Errorf("primary %s has %d columns and harmful %s has %d; accepted: the same number on both sides", primary.label(), pc, harmful.label(), hc)
	}
	if pr, err = primary.candidates(ps); err != nil {
		return nil, nil, 0, within("primary", err)
	}
	if hr, err = harmful.candidates(hs); err != nil {
		return nil, nil, 0, within("harmful", err)
	}
	n = min(len(pr), len(hr))
	if primary.Kind() == OneVsRest || harmful.Kind() == OneVsRest {
		n -= n % 2
	}
	if n == 0 {
		return nil, nil, 0, fmt.Errorf("one side has a single row, and task %q needs two; accepted: at least two rows on each side", OneVsRest)
	}
	return pr, hr, n, nil
}

// Form takes the rows of both tasks from their loaded sets, which may be the same one and are not changed; the tasks share no
// memory with them. Both sides must have the same number of columns.
func Form(ps *Set, primary Ref, hs *Set, harmful Ref) (p, h *Task, err error) {
	pr, hr, n, err := choose(ps, primary, hs, harmful)
	if err != nil {
		return nil, nil, err
	}
	if p, err = primary.form(ps, pr, n); err != nil {
		return nil, nil, within("primary", err)
	}
	if h, err = harmful.form(hs, hr, n); err != nil {
		return nil, nil, within("harmful", err)
	}
	if ps.Headed && hs.Headed && !slices.Equal(ps.Columns, hs.Columns) {
		j := slices.IndexFunc(numbered(len(ps.Columns)), func(j int) bool { return ps.Columns[j] != hs.Columns[j] })
		p.Warnings = append(p.Warnings, fmt.Sprintf("the columns of %s and %s differ in name: column %d is %q there and %q here", primary.label(), harmful.label(), j+1, ps.Columns[j], hs.Columns[j]))
	}
	return p, h, nil
}

// form makes the task of n of the candidate rows.
func (r Ref) form(s *Set, list []int, n int) (*Task, error) {
	if r.N > 0 {
		n = r.N
	}
	kind := r.Kind()
	t := &Task{Kind: kind, Float32: s.Float32, Digest: s.Digest, Warnings: slices.Clone(s.Warnings)}
	targets, err := r.targets(s)
	if err != nil {
		return nil, err
	}
	left := map[bool]int{true: n, false: n} // rows to take yet: of the class, of the rest
	if kind == OneVsRest {
		left[true], left[false] = n/2, n/2
	}
	_, cols := s.Dims()
	data := make([]float64, 0, n*cols)
	for _, i := range list {
		member := kind == Regression || s.Y[i] == float64(*r.Class)
		if len(t.Rows) == n || left[member] == 0 {
			continue
		}
		left[member]--
		t.Rows = append(t.Rows, i)
		data = s.Row(data, i)
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

// targets are the preprocessed targets of a regression; nil for the other tasks.
func (r Ref) targets(s *Set) ([]float64, error) {
	if r.Kind() != Regression {
		return nil, nil
	}
	targets := slices.Clone(s.Y)
	if i := r.readAs().finish(targets); i >= 0 {
		return nil, fmt.Errorf("%s: row %d: the target %v does not stay finite under the preprocessing asked for", r.label(), i+1, s.Y[i])
	}
	return targets, nil
}
