package summary

import (
	"fmt"
	"math"
)

// Level is the confidence level of every interval in this package.
const Level = 0.95

// Few is the number of values below which an interval carries a warning: with fewer than 5 values its half-width is more than
// 2.78 standard errors, where many values would need 1.96.
const Few = 5

// Summary describes a sample of finite numbers, in the unit of the numbers. A figure that the sample is too small for is NaN.
type Summary struct {
	N        int // finite values, the sample
	Excluded int // non-finite values left out

	Mean   float64 // NaN for N = 0
	Median float64 // NaN for N = 0
	SD     float64 // standard deviation with N−1 in the denominator; NaN for N < 2
	Min    float64 // NaN for N = 0
	Max    float64 // NaN for N = 0

	// Low and High bound the two-sided Student-t interval of the mean at confidence Level; NaN for N < 2. The interval supposes
	// independent values from a normal distribution.
	Low, High float64

	// Warnings says in whole phrases, in a fixed order, what weakens the numbers above; empty if nothing does.
	Warnings []string
}

// Summarize describes x. It never fails: for an empty x, or one without finite values, N is 0 and every figure NaN. The mean and
// the deviation are computed in two passes with compensated sums on numbers scaled by a power of two, so that neither a large
// common offset nor values near the ends of the float64 range spoil them. It costs O(n log n).
func Summarize(x []float64) Summary {
	v := finite(x)
	s := Summary{
		N: len(v), Excluded: len(x) - len(v),
		Mean: math.NaN(), Median: math.NaN(), SD: math.NaN(), Min: math.NaN(), Max: math.NaN(), Low: math.NaN(), High: math.NaN(),
	}
	if len(v) > 0 {
		sorted := sortedCopy(v)
		s.Median = quantileSorted(sorted, 0.5)
		s.Min, s.Max = sorted[0], sorted[len(sorted)-1]
		s.Mean, s.SD = meanSD(v)
	}
	if len(v) > 1 {
		half := halfWidth(s.SD, len(v))
		s.Low, s.High = s.Mean-half, s.Mean+half
	}
	s.Warnings = warnings(s)
	return s
}

// warnings lists what weakens the figures of s.
func warnings(s Summary) []string {
	var w []string
	switch s.Excluded {
	case 0:
	case 1:
		w = append(w, "1 non-finite value left out")
	default:
		w = append(w, fmt.Sprintf("%d non-finite values left out", s.Excluded))
	}
	switch {
	case s.N == 0:
		return append(w, "n = 0: no finite values")
	case s.N == 1:
		return append(w, "n = 1: no spread and no interval")
	case s.Min == s.Max:
		return append(w, fmt.Sprintf("n = %d: all values are equal, the interval has no width", s.N))
	case s.N < Few:
		w = append(w, fmt.Sprintf("n = %d: the interval is wide, ±%.3g standard errors", s.N, TQuantile((1+Level)/2, float64(s.N-1))))
	}
	if s.Min > 0 && s.Low <= 0 {
		w = append(w, "the interval reaches 0 though every value is positive: the sample is too small or too skewed for it")
	}
	return w
}

// Mean returns the arithmetic mean of the finite values of x, NaN if there are none.
func Mean(x []float64) float64 {
	m, _ := meanSD(finite(x))
	return m
}

// StdDev returns the standard deviation of the finite values of x with n−1 in the denominator, NaN for fewer than two values.
func StdDev(x []float64) float64 {
	_, sd := meanSD(finite(x))
	return sd
}

// CI95 returns the half-width of the two-sided Student-t interval of the mean of the finite values of x at confidence [Level]:
// t·sd/√n with n−1 degrees of freedom. It is NaN for fewer than two values.
func CI95(x []float64) float64 {
	v := finite(x)
	_, sd := meanSD(v)
	return halfWidth(sd, len(v))
}

// halfWidth returns t·sd/√n, NaN for n < 2.
func halfWidth(sd float64, n int) float64 {
	if n < 2 {
		return math.NaN()
	}
	return TQuantile((1+Level)/2, float64(n-1)) * (sd / math.Sqrt(float64(n)))
}

// finite returns a copy of x without NaN and ±Inf.
func finite(x []float64) []float64 {
	v := make([]float64, 0, len(x))
	for _, a := range x {
		if !math.IsNaN(a) && !math.IsInf(a, 0) {
			v = append(v, a)
		}
	}
	return v
}

// meanSD returns the mean and the standard deviation (n−1) of finite values; NaN where there are too few.
func meanSD(v []float64) (mean, sd float64) {
	n := float64(len(v))
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	// Scaled to a largest magnitude in [½, 1): sums cannot overflow, and scaling by a power of two is exact, except for values
	// some 300 orders of magnitude below the largest.
	largest := 0.0
	for _, a := range v {
		largest = max(largest, math.Abs(a))
	}
	_, e := math.Frexp(largest)
	scaled := make([]float64, len(v))
	for i, a := range v {
		scaled[i] = math.Ldexp(a, -e)
	}

	m := sum(scaled) / n
	// The second pass mends the last digit, so that n equal values have exactly that mean and deviation 0. A larger correction is
	// the rounding of the deviations themselves, in samples that cancel.
	dev := make([]float64, len(v))
	spread := 0.0
	for i, a := range scaled {
		dev[i] = a - m
	}
	if c := sum(dev) / n; math.Abs(c) <= 0x1p-51*math.Abs(m) {
		m += c
	}
	for i, a := range scaled {
		dev[i] = a - m
		spread = max(spread, math.Abs(dev[i]))
	}
	mean = math.Ldexp(m, e)
	switch {
	case len(v) < 2:
		return mean, math.NaN()
	case spread == 0:
		return mean, 0
	}
	residue := sum(dev) // what the mean's own rounding leaves
	for i := range dev {
		d := dev[i] / spread
		dev[i] = d * d
	}
	residue /= spread
	ss := max(sum(dev)-residue*residue/n, 0)
	return mean, math.Ldexp(spread*math.Sqrt(ss/(n-1)), e)
}

// sum returns the sum of v with Neumaier's compensation.
//
// A. Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", ZAMM 54 (1974), 39–51.
func sum(v []float64) float64 {
	s, c := 0.0, 0.0
	for _, a := range v {
		t := s + a
		if math.Abs(s) >= math.Abs(a) {
			c += (s - t) + a
		} else {
			c += (a - t) + s
		}
		s = t
	}
	return s + c
}
