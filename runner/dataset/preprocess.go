package dataset

import (
	"fmt"
	"math"
	"slices"
)

// choose splits the columns of a file into those kept as features, in file order, and the target (−1 if src has none).
func (s Source) choose(columns []string) (keep []int, target int, err error) {
	place := func(what, name string) (int, error) {
		if i := slices.Index(columns, name); i >= 0 {
			return i, nil
		}
		hint := fmt.Sprintf("columns %q to %q", columns[0], columns[len(columns)-1])
		if len(columns) == 1 {
			hint = fmt.Sprintf("%q", columns[0])
		}
		return -1, fmt.Errorf("%s: %s names column %q, which is not there%s; accepted: one of its %d columns (%s)",
			s.label(), what, name, didYouMean(name, columns), len(columns), hint)
	}
	target = -1
	if s.Target != "" {
		if target, err = place("target", s.Target); err != nil {
			return nil, -1, err
		}
	}
	out := make(map[int]bool)
	for _, d := range s.Drop {
		i, err := place("drop", d)
		if err != nil {
			return nil, -1, err
		}
		out[i] = true
	}
	for j := range columns {
		if j != target && !out[j] {
			keep = append(keep, j)
		}
	}
	if len(keep) == 0 {
		return nil, -1, fmt.Errorf("%s: no column is left as a feature after target and drop; accepted: at least one", s.label())
	}
	return keep, target, nil
}

// transform applies what src asks for to one column, in place: affine, standardise, float32. It returns the first row that is
// not finite afterwards, or −1.
func (s Source) transform(x []float64) int {
	if s.Shift != 0 || s.Scale != 0 && s.Scale != 1 {
		scale := s.Scale
		if scale == 0 {
			scale = 1
		}
		for i, v := range x {
			x[i] = (v - s.Shift) / scale
		}
	}
	return s.finish(x)
}

// finish standardises and rounds as src asks for: the part of transform that applies to the targets of a regression too.
func (s Source) finish(x []float64) int {
	if s.Standardize {
		standardize(x)
	}
	if s.Float32 {
		for i, v := range x {
			x[i] = float64(float32(v))
		}
	}
	return slices.IndexFunc(x, func(v float64) bool { return !finite(v) })
}

// standardize subtracts the mean and divides by the standard deviation with n−1 in the denominator. A constant column becomes
// exactly 0, and so does the only row of a one-row data set: a deviation of 0 counts as 1.
func standardize(x []float64) {
	n := float64(len(x))
	mean := sum(x, 0, false) / n
	if slices.Min(x) == slices.Max(x) {
		mean = x[0] // n·x/n may round
	}
	deviation := 0.0
	if len(x) > 1 {
		deviation = math.Sqrt(sum(x, mean, true) / (n - 1))
	}
	if deviation == 0 {
		deviation = 1
	}
	for i, v := range x {
		x[i] = (v - mean) / deviation
	}
}

// sum is Σ(x_i − c), or Σ(x_i − c)² if squared, by Neumaier's compensated summation (A. Neumaier, "Rundungsfehleranalyse einiger
// Verfahren zur Summation endlicher Summen", ZAMM 54, 1974): its error does not grow with len(x), so that the float32 rounding
// that follows falls as it does after any other careful sum.
func sum(x []float64, c float64, squared bool) float64 {
	total, lost := 0.0, 0.0
	for _, v := range x {
		v -= c
		if squared {
			v *= v
		}
		t := total + v
		if math.Abs(total) >= math.Abs(v) {
			lost += (total - t) + v
		} else {
			lost += (v - t) + total
		}
		total = t
	}
	return total + lost
}
