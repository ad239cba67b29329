package spectrum

import (
	"slices"

	"gonum.org/v1/gonum/blas/blas64"
	lapack "gonum.org/v1/gonum/lapack/gonum"
)

// bidiagonalise brings Rθ to the upper bidiagonal form w.b, divided by the power of two that is returned; 0 where Rθ = 0.
func (w *Workspace) bidiagonalise(p, m int) (scale float64) {
	copy(w.reduced, w.feature)
	n := min(p, m)
	w.b.reset(n)
	lapack.Implementation{}.Dgebrd(p, m, w.reduced, m, w.b.d, w.b.e[:n-1], w.tauQ, w.tauP, w.work, len(w.work))
	if p < m {
		// The form is lower bidiagonal; read from its last element to its first it is an upper one.
		slices.Reverse(w.b.d)
		slices.Reverse(w.b.e[:n-1])
	}
	return w.b.scale()
}

// ends fills the figures of x from the bidiagonal form, and reports whether both vectors are good.
func (w *Workspace) ends(x *Extremes, p, m int, scale float64) (ok bool) {
	k := x.Rank
	first, last := w.b.eigenvalue(1), w.b.eigenvalue(k)
	square := scale * scale
	x.Sigma1, x.SigmaK = first*square, last*square
	x.Frobenius = w.b.frobenius() * square * square
	if k > 1 {
		x.Sigma2, x.SigmaBefore = w.b.eigenvalue(2)*square, w.b.eigenvalue(k-1)*square
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
	offset := 1 // the i-th reflection starts at element i+1 of an upper form, i of a lower one
	if p < m {
		offset = 0
	}
	for i := min(p, m) - 1; i >= 0; i-- {
		start := i + offset
		if start >= m || w.tauP[i] == 0 {
			continue
		}
		tail := blas64.Vector{N: m - start - 1, Inc: 1, Data: w.reduced[i*m+start+1:]}
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
