package dataset

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
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
	rows, _ := s.Dims()
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
