package summary

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile returns the p-quantile of the finite values of x, which need not be sorted: with the values in ascending order
// x₀ ≤ … ≤ x_{n−1} and h = (n−1)p, it is the linear interpolation between x_⌊h⌋ and x_⌈h⌉. That is type 7 of Hyndman and Fan, the
// default of R and NumPy. It returns NaN if there are no finite values and for a p that is NaN or outside [0, 1], and costs
// O(n log n).
//
// R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996), 361–365.
func Quantile(x []float64, p float64) float64 {
	return quantileSorted(sortedCopy(finite(x)), p)
}

// Median returns the median of the finite values of x, the mean of the middle two if their number is even, NaN if there are none.
func Median(x []float64) float64 {
	return Quantile(x, 0.5)
}

// quantileSorted is Quantile for finite values in ascending order.
func quantileSorted(v []float64, p float64) float64 {
	if len(v) == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	h := float64(len(v)-1) * p
	i := int(h)
	if i >= len(v)-1 {
		return v[len(v)-1]
	}
	a, b, f := v[i], v[i+1], h-float64(i)
	if d := b - a; !math.IsInf(d, 0) {
		return a + f*d
	}
	return (1-f)*a + f*b // b − a overflows
}

// sortedCopy returns the values of v in ascending order and leaves v as it is.
func sortedCopy(v []float64) []float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v
}

// manyFreedom is the number of degrees of freedom from which TQuantile expands around the normal distribution: there the
// neglected term, of order ν⁻², is below rounding, while the inverse incomplete beta function loses digits.
const manyFreedom = 1e6

// TQuantile returns the p-quantile of Student's t distribution with ν degrees of freedom, ν > 0 and not necessarily an integer:
// −Inf for p = 0, +Inf for p = 1, NaN for p outside [0, 1] and for a ν that is not positive. Its relative error is below 1e-11 for
// 0.6 ≤ p ≤ 0.9999 and, mirrored, for the lower tail.
func TQuantile(p, nu float64) float64 {
	switch {
	case !(p >= 0 && p <= 1) || !(nu > 0):
		return math.NaN()
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	case nu > manyFreedom:
		z := distuv.UnitNormal.Quantile(p)
		return z + (z*z*z+z)/(4*nu)
	}
	return distuv.StudentsT{Sigma: 1, Nu: nu}.Quantile(p)
}
