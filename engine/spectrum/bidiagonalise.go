package spectrum

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/blas/blas64"
)

// bidiagonalise brings Rθ to the upper bidiagonal form w.b, divided by the power of two that is returned; 0 where Rθ = 0.
func (w *Workspace) bidiagonalise(p, m int) (scale float64) {
	n := min(p, m)
	w.b.reset(n)
	stride := roundUp(m)
	w.reduced = grown(w.reduced, p*stride)
	scale = nearOne(w.reduced, stride, w.feature, m)
	if scale == 0 {
		clear(w.b.d)
		clear(w.b.e)
		return 0
	}
	w.work = grown(w.work, workSize(p, stride))
	r := reduction{m: p, n: m, stride: stride, a: w.reduced, d: w.b.d, e: w.b.e[:n-1], tau: w.tauP, work: w.work, panel: &w.panel}
	r.run()
	if p < m {
		// The form is lower bidiagonal; read from its last element to its first it is an upper one.
		slices.Reverse(w.b.d)
		slices.Reverse(w.b.e[:n-1])
	}
	return scale * w.b.scale()
}

// roundUp returns the least multiple of lane that is not below n.
func roundUp(n int) int { return (n + lane - 1) / lane * lane }

// nearOne stores the rows of n elements of src, divided by a power of two that keeps the sum of their squares within range, in dst, whose
// rows are stride apart and filled up with zeros. It returns the power; 0 where all are zero. They must be finite.
func nearOne(dst []float64, stride int, src []float64, n int) (scale float64) {
	exp := 0
	if squares := inner(src, src); !safe(squares) {
		largest := magnitude(src)
		if largest == 0 {
			return 0
		}
		exp = math.Ilogb(largest)
	}
	for i := 0; i*n < len(src); i++ {
		row := dst[i*stride : (i+1)*stride]
		copyScaled(row[:n], src[i*n:(i+1)*n], -exp)
		clear(row[n:])
	}
	return math.Ldexp(1, exp)
}

// ends fills the figures of x from the bidiagonal form, and reports whether both vectors are good.
func (w *Workspace) ends(x *Extremes, p, m int, scale float64) (ok bool) {
	k := x.Rank
	s := [4]bracket{{j: 1}, {j: k}, {j: min(2, k)}, {j: max(1, k-1)}}
	w.b.start(s[:])
	first, last := w.b.find(s[:], 0), w.b.find(s[:], 1)
	square := scale * scale
	x.Sigma1, x.SigmaK = first*square, last*square
	x.Frobenius = w.b.frobenius() * square * square
	if k > 1 {
		x.Sigma2, x.SigmaBefore = w.b.find(s[:], 2)*square, w.b.find(s[:], 3)*square
	}
	return w.vector(x.V1, first, p, m) && w.vector(x.VK, last, p, m)
}

// vector stores the right singular vector of Rθ for the eigenvalue lambda of the bidiagonal form in v.
func (w *Workspace) vector(v []float64, lambda float64, p, m int) (ok bool) {
	z := w.z[:w.b.n]
	if lambda == 0 || !w.b.vector(z, lambda) {
		return false
	}
	if p < m {
		slices.Reverse(z)
	}
	w.lift(v, z, p, m)
	return true
}

// lift applies the right reflections to z, the vector of the bidiagonal matrix, and stores the vector of Rθ in v.
func (w *Workspace) lift(v, z []float64, p, m int) {
	copy(v, z)
	clear(v[len(z):])
	stride := roundUp(m)
	offset := 1 // the i-th reflection starts at element i+1 of an upper form, i of a lower one
	if p < m {
		offset = 0
	}
	for i := min(p, m) - 1; i >= 0; i-- {
		start := i + offset
		if start >= m || w.tauP[i] == 0 {
			continue
		}
		tail := blas64.Vector{N: m - start - 1, Inc: 1, Data: w.reduced[i*stride+start+1:]}
		rest := blas64.Vector{N: m - start - 1, Inc: 1, Data: v[start+1:]}
		sum := v[start]
		if tail.N > 0 {
			sum += blas64.Dot(tail, rest)
		}
		sum *= w.tauP[i]
		v[start] -= sum
		if tail.N > 0 {
			blas64.Axpy(-sum, tail, rest)
		}
	}
}
