package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// largeOrder is the order from which on the ends are found by iteration: below, bringing Rθ to bidiagonal form costs less.
const largeOrder = 128

// dropTol bounds what is left out with the singular values of the data that count as zero, relative to σ_k(H).
const dropTol = 1e-11

// strip is the number of rows of a triangular R that are multiplied at once.
const strip = 112

// rangeFactor is R_k = Σ_kV_kᵀ, k×D, the part of R that belongs to the k non-zero singular values of the data.
type rangeFactor struct {
	f *Factor
	r blas64.General
}

// of returns R_k, which is formed anew when the factor changes.
func (c *rangeFactor) of(f *Factor) blas64.General {
	if c.f == f {
		return c.r
	}
	k, d := f.rank, f.d
	c.f, c.r = f, blas64.General{Rows: k, Cols: d, Stride: d, Data: grown(c.r.Data, k*d)}
	v := f.v.RawMatrix()
	for j := range d {
		for i := range k {
			c.r.Data[i*d+j] = f.values[i] * v.Data[j*v.Stride+i]
		}
	}
	return c.r
}

// dropped bounds the change of an eigenvalue of H(θ) that comes of R_k in place of R: σ_(k+1)(X)²·‖θ‖².
func dropped(f *Factor, theta *mat.Dense) float64 {
	raw := theta.RawMatrix()
	sum := 0.0
	for i := range raw.Rows {
		row := raw.Data[i*raw.Stride : i*raw.Stride+raw.Cols]
		sum += dot(row, row)
	}
	next := f.values[f.rank]
	return next * next * sum
}

// multiply stores aθ in dst; for an upper triangular a the zeros are left out.
func multiply(dst, a, theta blas64.General, triangular bool) {
	if !triangular {
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, a, theta, 0, dst)
		return
	}
	for lo := 0; lo < a.Rows; lo += strip {
		hi := min(lo+strip, a.Rows)
		part := blas64.General{Rows: hi - lo, Cols: a.Cols - lo, Stride: a.Stride, Data: a.Data[lo*a.Stride+lo : (hi-1)*a.Stride+a.Cols]}
		below := blas64.General{Rows: theta.Rows - lo, Cols: theta.Cols, Stride: theta.Stride, Data: theta.Data[lo*theta.Stride:]}
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, part, below, 0,
			blas64.General{Rows: hi - lo, Cols: dst.Cols, Stride: dst.Stride, Data: dst.Data[lo*dst.Stride:]})
	}
}

// magnitude returns a number between the largest |element| and the root of the sum of all squares, NaN or Inf where an element is not
// finite.
func magnitude(a []float64) float64 {
	v := blas64.Vector{N: len(a), Inc: 1, Data: a}
	if sum := blas64.Dot(v, v); sum > 1e-200 && sum < 1e200 {
		return math.Sqrt(sum)
	}
	largest := 0.0
	for _, v := range a {
		if v-v != 0 {
			return math.NaN()
		}
		largest = max(largest, math.Abs(v))
	}
	return largest
}
