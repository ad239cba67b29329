package spectrum

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	lapack "gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// GolubKahan is a least-squares problem min ‖Fw − b‖ in the coordinates in which F is bidiagonal and b is a multiple of the first unit
// vector: [b F] = Q·[βe_1 B]·diag(1, Pᵀ) with orthogonal Q and P, and
//
//	    α_1
//	B = β_2 α_2
//	        β_3 …
//
// of the shape of F. The first t columns of P span the Krylov space of FᵀF and Fᵀb, in which the t-th iterate of a gradient method
// from w = 0 lies. F and B have the same singular values. (G. Golub, W. Kahan, Calculating the singular values and pseudo-inverse
// of a matrix, SIAM J. Numer. Anal. B 2, 1965, 205–224; C. C. Paige, M. A. Saunders, LSQR, ACM Trans. Math. Softw. 8, 1982, 43–71,
// section 3. Here by reflections, so that Q and P are orthogonal to working precision.) It is immutable and safe for concurrent
// use.
type GolubKahan struct {
	Alpha []float64 // p: α_1 … α_p
	Beta  []float64 // p: β, β_2, …, β_p

	n, stride int // columns of [b F]
	a, tau    []float64
}

const badProblem = "spectrum: a least-squares problem needs as many targets as rows, and no more rows than columns"

// NewGolubKahan brings f, p×D with p ≤ D, and b, of length p, to that form. Neither is modified. It panics if the shapes do not fit.
// Elements must be finite, and the largest of f and of b, if not 0, between 2⁻¹⁰⁰ and 2¹⁰⁰. The cost is 4p²(D − p/3) operations.
func NewGolubKahan(f *mat.Dense, b []float64) *GolubKahan {
	p, d := f.Dims()
	if len(b) != p || p > d {
		panic(badProblem)
	}
	stride := roundUp(d + 1)
	g := &GolubKahan{
		Alpha: make([]float64, p), Beta: make([]float64, p), n: d + 1, stride: stride, a: make([]float64, p*stride), tau: make([]float64, p),
	}
	for i := range p {
		row := g.a[i*stride : i*stride+d+1]
		row[0] = b[i]
		copy(row[1:], f.RawRowView(i))
	}
	r := reduction{m: p, n: d + 1, stride: stride, work: make([]float64, workSize(p, stride)), panel: &panel{}}
	r.upper(g.a, p, g.Beta, g.Alpha, g.tau)
	return g
}

// Lower stores Pᵀw in dst, both of length D: the first p are the coordinates that B acts on. dst may be w.
func (g *GolubKahan) Lower(dst, w []float64) {
	copy(dst, w)
	for i := range g.tau {
		g.reflect(i, dst)
	}
}

// Lift stores Pz in dst, both of length D. dst may be z.
func (g *GolubKahan) Lift(dst, z []float64) {
	copy(dst, z)
	for i := len(g.tau) - 1; i >= 0; i-- {
		g.reflect(i, dst)
	}
}

// reflect applies the i-th reflection from the right, whose vector begins with a 1 at element i, to v.
func (g *GolubKahan) reflect(i int, v []float64) {
	if g.tau[i] == 0 {
		return
	}
	tail, rest := vectorOf(g.a[i*g.stride+i+2:i*g.stride+g.n]), vectorOf(v[i+1:])
	sum := v[i]
	if tail.N > 0 {
		sum += blas64.Dot(tail, rest)
	}
	sum *= g.tau[i]
	v[i] -= sum
	if tail.N > 0 {
		blas64.Axpy(-sum, tail, rest)
	}
}

// Values returns the p singular values of F, descending, each to a modest multiple of D·ε of the largest.
func (g *GolubKahan) Values() ([]float64, error) {
	p := len(g.Alpha)
	d, e := append([]float64(nil), g.Alpha...), append([]float64(nil), g.Beta[1:]...)
	if !(lapack.Implementation{}.Dbdsqr(blas.Upper, p, 0, 0, 0, d, e, nil, 1, nil, 1, nil, 1, make([]float64, 4*p))) {
		return nil, ErrSVD
	}
	return d, nil
}

// Decompose returns the singular value decomposition B = U·diag(σ)·Vᵀ as far as the problem needs it: σ, descending, Uᵀβe_1, and V,
// p×p. The cost is about 6p³ operations, most of them rotations.
func (g *GolubKahan) Decompose() (sigma, utb []float64, v *mat.Dense, err error) {
	p := len(g.Alpha)
	sigma, e := append([]float64(nil), g.Alpha...), append([]float64(nil), g.Beta[1:]...)
	v = mat.NewDense(p, p, nil)
	for i := range p {
		v.Set(i, i, 1)
	}
	utb = make([]float64, p)
	utb[0] = g.Beta[0]
	// Bᵀ, upper bidiagonal, is V·diag(σ)·Uᵀ.
	if !(lapack.Implementation{}.Dbdsqr(blas.Upper, p, 1, p, 0, sigma, e, utb, 1, v.RawMatrix().Data, p, nil, 1, make([]float64, 4*p))) {
		return nil, nil, nil, ErrSVD
	}
	return sigma, utb, v, nil
}
