package numtest

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// RelError returns |got − want|/|want|, and |got| where want is 0. Equal infinities, and two NaN, have error 0; anything else
// that is not finite has error +Inf.
func RelError(got, want float64) float64 {
	switch {
	case got == want || math.IsNaN(got) && math.IsNaN(want):
		return 0
	case math.IsNaN(got) || math.IsNaN(want) || math.IsInf(got, 0) || math.IsInf(want, 0):
		return math.Inf(1)
	case want == 0:
		return math.Abs(got)
	}
	return math.Abs(got-want) / math.Abs(want)
}

// MaxRelError returns max|got − want|/max|want| over the elements of two matrices, the absolute error where want is 0, and +Inf
// where the shapes differ or an element is not finite. A vector is a matrix with one column.
func MaxRelError(got, want mat.Matrix) float64 {
	m, n := want.Dims()
	if gm, gn := got.Dims(); gm != m || gn != n {
		return math.Inf(1)
	}
	var worst, scale float64
	for i := range m {
		for j := range n {
			g, w := got.At(i, j), want.At(i, j)
			if g-g != 0 || w-w != 0 {
				return math.Inf(1)
			}
			worst = max(worst, math.Abs(g-w))
			scale = max(scale, math.Abs(w))
		}
	}
	if scale == 0 {
		return worst
	}
	return worst / scale
}

// Rows returns the matrix with the given rows.
func Rows(rows [][]float64) *mat.Dense {
	a := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		a.SetRow(i, row)
	}
	return a
}

// gradientStep is the relative step of the central differences. With one Richardson extrapolation the truncation error is of
// order h⁴ and the rounding error of order ε/h: both are near 10⁻¹² where the function's scale is that of its argument.
const gradientStep = 1e-3

// GradientError returns max|∂f/∂x_ij − grad_ij|/max|grad|, the derivatives being extrapolated central differences of f at the
// matrix at, which f may see changed during the call and which is restored. scale is the length over which f varies; 0 stands for
// the largest |x_ij|. Expect about 10⁻⁹ for a smooth function; a wrong gradient gives 10⁻² and more.
func GradientError(f func(*mat.Dense) float64, grad mat.Matrix, at *mat.Dense, scale float64) float64 {
	m, n := at.Dims()
	if scale == 0 {
		scale = max(mat.Max(at), -mat.Min(at))
		if scale == 0 {
			scale = 1
		}
	}
	numeric := mat.NewDense(m, n, nil)
	for i := range m {
		for j := range n {
			x := at.At(i, j)
			central := func(h float64) float64 {
				at.Set(i, j, x+h)
				up, right := f(at), x+h
				at.Set(i, j, x-h)
				down, left := f(at), x-h
				at.Set(i, j, x)
				return (up - down) / (right - left)
			}
			h := gradientStep * scale
			numeric.Set(i, j, (4*central(h/2)-central(h))/3)
		}
	}
	return MaxRelError(grad, numeric)
}
