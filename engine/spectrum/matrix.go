package spectrum

import (
	"fmt"
	"math"
	"sort"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// finite returns an error that names the first element of a that is NaN or infinite, counting rows and columns from 0.
func finite(a mat.Matrix, what string) error {
	m, n := a.Dims()
	if d, ok := a.(*mat.Dense); ok {
		if raw := d.RawMatrix(); raw.Stride == n {
			if squares := inner(raw.Data[:m*n], raw.Data[:m*n]); squares-squares == 0 {
				return nil
			}
		}
		for i := range m {
			for j, v := range d.RawRowView(i) {
				if v-v != 0 { // true for NaN and ±Inf alone
					return fmt.Errorf("spectrum: element of %s in row %d, column %d is %v", what, i, j, v)
				}
			}
		}
		return nil
	}
	for i := range m {
		for j := range n {
			if v := a.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("spectrum: element of %s in row %d, column %d is %v", what, i, j, v)
			}
		}
	}
	return nil
}

// countAbove returns #{i : values_i > tol·values_0} for descending values.
func countAbove(values []float64, tol float64) int {
	k := 0
	for k < len(values) && values[k] > tol*values[0] {
		k++
	}
	return k
}

// unclear reports whether the values do not fall tenfold from the k-th to the next.
func unclear(values []float64, k int) bool {
	return k > 0 && k < len(values) && values[k] > 0 && values[k-1] < unclearGap*values[k]
}

// sortByMagnitude sorts the indices so that |values| descends.
func sortByMagnitude(order []int, values []float64) {
	sort.SliceStable(order, func(i, j int) bool { return math.Abs(values[order[i]]) > math.Abs(values[order[j]]) })
}

// gram stores aᵀa in dst.
func gram(dst *mat.SymDense, a *mat.Dense) {
	blas64.Syrk(blas.Trans, 1, a.RawMatrix(), 0, dst.RawSymmetric())
}

// symmetrize stores (a + aᵀ)/2 in dst.
func symmetrize(dst *mat.SymDense, a *mat.Dense) {
	n, _ := a.Dims()
	for i := range n {
		for j := i; j < n; j++ {
			dst.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
}

// exponent returns 0 where the squares of the elements of x and their sum are within range, else the exponent of its largest element.
func exponent(x *mat.Dense) int {
	n, _ := x.Dims()
	sum := 0.0
	for i := range n {
		row := x.RawRowView(i)
		sum += inner(row, row)
	}
	if safe(sum) {
		return 0
	}
	largest := 0.0
	for i := range n {
		for _, v := range x.RawRowView(i) {
			largest = max(largest, math.Abs(v))
		}
	}
	if largest == 0 {
		return 0
	}
	return math.Ilogb(largest)
}

// safe reports whether a sum of squares is far from both ends of the range.
func safe(squares float64) bool { return 0x1p-200 < squares && squares < 0x1p+200 }

// copyScaled stores src·2^exp in dst.
func copyScaled(dst, src []float64, exp int) {
	if exp == 0 {
		copy(dst, src)
		return
	}
	for i, v := range src {
		dst[i] = math.Ldexp(v, exp)
	}
}
