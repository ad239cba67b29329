package probe

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// space is the coordinates in which an attacker works: min ‖Az − b‖² for its matrix A.
type space interface {
	// enter returns the coordinates of scaled weights w (D); leave is its inverse. Both return new memory.
	enter(w []float64) (z []float64)
	leave(z []float64) (w []float64)
	rows() int
	top() float64                  // σ_max of A
	residual(dst, z []float64)     // Az − b
	product(dst, s []float64)      // As
	halfGradient(dst, r []float64) // Aᵀr, for r = Az − b half the gradient of the loss
}

// basis is coordinates of the weights, and of the residuals, in which A is bidiagonal, so that a step costs O(D): those of
// spectrum.GolubKahan, or the singular ones, where A is diagonal.
//
// An orthogonal change of coordinates changes no iterate of a method that knows no coordinates. The first p of the D coordinates
// are what A acts on; the others lie in its null space, and no gradient moves them.
type basis struct {
	g     *spectrum.GolubKahan
	v     *mat.Dense // p×p: the singular coordinates are Vᵀ times those of g; nil where A is bidiagonal
	sigma float64
	alpha []float64 // p, the diagonal
	beta  []float64 // p, below it: beta[i] in column i−1; nil where A is diagonal
	b     []float64 // p
	rank  int
	star  []float64 // coordinates of w* (D)
	left  float64   // ‖Az* − b‖²
}

// newBasis returns the coordinates of g, or where the rank is below p the singular ones: there alone the singular vectors of A are
// needed, to tell apart what counts as zero, and they cost more than everything else.
func newBasis(g *spectrum.GolubKahan, sigma []float64, rank, d int) (*basis, error) {
	p := len(sigma)
	t := &basis{g: g, sigma: sigma[0], rank: rank, star: make([]float64, d)}
	if rank == p {
		t.alpha, t.beta, t.b = g.Alpha, g.Beta, make([]float64, p)
		t.b[0] = g.Beta[0]
		for i, a := range t.alpha { // forward substitution
			r := t.b[i]
			if i > 0 {
				r -= t.beta[i] * t.star[i-1]
			}
			t.star[i] = r / a
		}
		return t, nil
	}
	var err error
	if t.alpha, t.b, t.v, err = g.Decompose(); err != nil {
		return nil, err
	}
	t.sigma = t.alpha[0]
	for i := range rank {
		t.star[i] = t.b[i] / t.alpha[i]
	}
	t.left = squared(t.b[rank:])
	return t, nil
}

func (t *basis) rows() int    { return len(t.alpha) }
func (t *basis) top() float64 { return t.sigma }

func (t *basis) enter(w []float64) []float64 {
	z := make([]float64, len(w))
	t.g.Lower(z, w)
	if t.v != nil {
		p := len(t.alpha)
		copy(z, transposedTimes(t.v, z[:p]))
	}
	return z
}

func (t *basis) leave(z []float64) []float64 {
	w := append([]float64(nil), z...)
	if t.v != nil {
		p := len(t.alpha)
		copy(w, times(t.v, z[:p]))
	}
	t.g.Lift(w, w)
	return w
}

func (t *basis) product(dst, s []float64) {
	for i, a := range t.alpha {
		dst[i] = a * s[i]
	}
	if t.beta != nil {
		for i := 1; i < len(dst); i++ {
			dst[i] += t.beta[i] * s[i-1]
		}
	}
}

func (t *basis) residual(dst, z []float64) {
	t.product(dst, z)
	for i, b := range t.b {
		dst[i] -= b
	}
}

func (t *basis) halfGradient(dst, r []float64) {
	for i, a := range t.alpha {
		dst[i] = a * r[i]
	}
	if t.beta != nil {
		for i := 1; i < len(r); i++ {
			dst[i-1] += t.beta[i] * r[i]
		}
	}
	clear(dst[len(t.alpha):])
}

// excess returns ‖Az − b‖² − ‖Az* − b‖² for the residual r = Az − b.
func (t *basis) excess(r []float64) float64 {
	if t.rank < len(r) { // the coordinates are singular
		r = r[:t.rank]
	}
	return squared(r)
}

// ambient is the weights as they are, for attackers that know coordinates; a step costs O(D·min(N, D)).
type ambient struct{ t *Target }

func (a ambient) rows() int                   { return len(a.t.b) }
func (a ambient) top() float64                { return a.t.sigma[0] }
func (a ambient) enter(w []float64) []float64 { return append([]float64(nil), w...) }
func (a ambient) leave(z []float64) []float64 { return append([]float64(nil), z...) }

func (a ambient) product(dst, s []float64) {
	blas64.Gemv(blas.NoTrans, 1, a.t.f, vec(s), 0, vec(dst))
}

func (a ambient) residual(dst, z []float64) {
	copy(dst, a.t.b)
	blas64.Gemv(blas.NoTrans, 1, a.t.f, vec(z), -1, vec(dst))
}

func (a ambient) halfGradient(dst, r []float64) {
	blas64.Gemv(blas.Trans, 1, a.t.f, vec(r), 0, vec(dst))
}

// standardized is the coordinates of the problem with columns of unit norm: F·diag(1/s), weights s∘w.
type standardized struct {
	*basis
	norms []float64 // s
}

// standardize returns the space of t with the columns of F scaled to unit norm. The norm is that of the column as it is, uncentred.
// Columns that are zero up to rounding stay as they are.
func (t *Target) standardize() (space, error) {
	p, d := t.f.Rows, t.f.Cols
	s := standardized{norms: make([]float64, d)}
	column := make([]float64, p)
	scaled := dense(blas64.General{Rows: p, Cols: d, Stride: d, Data: append([]float64(nil), t.f.Data...)})
	for j := range d {
		mat.Col(column, j, scaled)
		s.norms[j] = math.Sqrt(squared(column))
		if s.norms[j] <= float64(max(t.n, t.d))*eps*t.sigma[0] {
			s.norms[j] = 1
		}
	}
	for i := range p {
		for j, c := range s.norms {
			scaled.Set(i, j, scaled.At(i, j)/c)
		}
	}
	g := spectrum.NewGolubKahan(scaled, t.b)
	sigma, err := g.Values()
	if err != nil {
		return nil, ErrSVD
	}
	if s.basis, err = newBasis(g, sigma, t.rank, d); err != nil {
		return nil, ErrSVD
	}
	return s, nil
}

func (s standardized) enter(w []float64) []float64 {
	v := append([]float64(nil), w...)
	for j, c := range s.norms {
		v[j] *= c
	}
	return s.basis.enter(v)
}

func (s standardized) leave(z []float64) []float64 {
	w := s.basis.leave(z)
	for j, c := range s.norms {
		w[j] /= c
	}
	return w
}
