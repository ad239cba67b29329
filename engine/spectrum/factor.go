package spectrum

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// rankTol separates signal from noise in the singular values of the data, relative to the largest: √ε. Data that passed through
// float32 carry noise near 2⁻²⁴·σ_max, which a tolerance of max(N, D)·ε would count as signal.
const rankTol = 0x1p-26

// unclearGap is the ratio σ_k/σ_(k+1) below which the numerical rank is in doubt: less than one order of magnitude.
const unclearGap = 10

const (
	badShape  = "spectrum: θ must have as many rows as the data have columns"
	badDst    = "spectrum: destination of wrong shape"
	noVectors = "spectrum: the spectrum holds neither a matrix nor vectors"
)

// Factor is a data matrix X (N×D, one example a row) factorised once, so that the spectrum of H(θ) = θᵀXᵀXθ costs O(pD²) for
// every θ, p = min(N, D), and never sees a Gram matrix. It is immutable and safe for concurrent use.
type Factor struct {
	n, d     int
	rank     int
	unclear  bool
	values   []float64  // singular values of X, descending, min(N, D) of them
	v        *mat.Dense // D×min(N, D)
	r        *mat.Dense // p×D, RᵀR = XᵀX
	nullOnce func() *mat.Dense
	gramOnce func() *mat.SymDense
}

// NewFactor factorises x, which is not kept and not modified. The rank is k = #{σ_i(X) > 2⁻²⁶·σ_max(X)}: a property of the data,
// kept for every invertible θ. A zero matrix has rank 0 and is no error; an empty one or one with an element that is not finite
// is. The cost is one QR factorisation, 2ND² operations for N > D, and one singular value decomposition with right vectors, 8D³.
func NewFactor(x *mat.Dense) (*Factor, error) { return NewFactorTol(x, rankTol) }

// NewFactorTol is NewFactor with the relative tolerance tol ≥ 0 on the singular values of x in place of 2⁻²⁶. For features that
// were computed in float32 tol is max(N, D)·2⁻²⁴.
func NewFactorTol(x *mat.Dense, tol float64) (*Factor, error) {
	if math.IsNaN(tol) || tol < 0 || tol >= 1 {
		return nil, fmt.Errorf("spectrum: rank tolerance %v is not in [0, 1)", tol)
	}
	f, err := factorise(x)
	if err != nil {
		return nil, err
	}
	f.setRank(countAbove(f.values, tol))
	return f, nil
}

// NewFactorRank is NewFactor with a given rank k, 1 ≤ k ≤ min(N, D).
func NewFactorRank(x *mat.Dense, k int) (*Factor, error) {
	f, err := factorise(x)
	if err != nil {
		return nil, err
	}
	if k < 1 || k > len(f.values) {
		return nil, fmt.Errorf("spectrum: rank %d is not between 1 and min(%d, %d)", k, f.n, f.d)
	}
	if f.values[0] == 0 {
		return nil, fmt.Errorf("spectrum: a zero matrix does not have rank %d", k)
	}
	f.setRank(k)
	return f, nil
}

func factorise(x *mat.Dense) (*Factor, error) {
	if x == nil || x.IsEmpty() {
		return nil, errors.New("spectrum: empty data matrix")
	}
	if err := finite(x, "the data"); err != nil {
		return nil, err
	}
	n, d := x.Dims()
	f := &Factor{n: n, d: d}
	if n > d {
		f.r = triangular(x)
	} else {
		f.r = mat.DenseCopyOf(x)
	}
	var ok bool
	if f.values, f.v, ok = rightVectors(f.r); !ok {
		return nil, ErrSVD
	}
	f.gramOnce = sync.OnceValue(func() *mat.SymDense {
		k := mat.NewSymDense(d, nil)
		gram(k, f.r)
		return k
	})
	f.nullOnce = sync.OnceValue(f.nullBasis)
	return f, nil
}

func (f *Factor) setRank(k int) {
	f.rank = k
	f.unclear = unclear(f.values, k)
}

// Dims returns the numbers of examples N and of columns D of the data.
func (f *Factor) Dims() (n, d int) { return f.n, f.d }

// Rank returns the numerical rank k of the data, 0 ≤ k ≤ min(N, D).
func (f *Factor) Rank() int { return f.rank }

// RankUnclear reports whether σ_k/σ_(k+1) < 10 on the singular values of the data: where the rank ends is then a matter of
// taste. It is false where there is no σ_(k+1), where that is zero, and for a zero matrix.
func (f *Factor) RankUnclear() bool { return f.unclear }

// SingularValues returns all min(N, D) singular values of the data, descending. The slice must not be modified.
func (f *Factor) SingularValues() []float64 { return f.values }

// V returns the right singular vectors of the data as columns, D×min(N, D). It must not be modified.
func (f *Factor) V() *mat.Dense { return f.v }

// R returns the p×D matrix, p = min(N, D), with RᵀR = XᵀX through which everything goes: the triangular factor of X where
// N > D, else X itself. It must not be modified.
func (f *Factor) R() *mat.Dense { return f.r }

// K returns K = XᵀX, D×D, the uncentred second-moment matrix. It is formed on the first call and must not be modified.
func (f *Factor) K() *mat.SymDense { return f.gramOnce() }

// NullBasis returns an orthonormal basis of the numerical null space of the data as columns, D×(D−k), or nil where k = D. It is
// formed on the first call and must not be modified.
func (f *Factor) NullBasis() *mat.Dense { return f.nullOnce() }

func (f *Factor) nullBasis() *mat.Dense {
	d, k, p := f.d, f.rank, len(f.values)
	if k == d {
		return nil
	}
	out := mat.NewDense(d, d-k, nil)
	for j := k; j < p; j++ {
		for i := range d {
			out.Set(i, j-k, f.v.At(i, j))
		}
	}
	if p < d {
		// The last D−p columns of Q in V = QR are orthogonal to the columns of V.
		var qr mat.QR
		qr.Factorize(f.v)
		var q mat.Dense
		qr.QTo(&q)
		out.Slice(0, d, p-k, d-k).(*mat.Dense).Copy(q.Slice(0, d, p, d))
	}
	return out
}

// ProjectRange stores Π_K·a in dst, Π_K the orthogonal projector onto the range of K (the pseudo-inverse form K⁺K·a). a is D×m;
// dst is empty or D×m and may be a itself. The cost is O(D·m·min(k, D−k)).
func (f *Factor) ProjectRange(dst, a *mat.Dense) {
	r, c := a.Dims()
	if r != f.d {
		panic(badShape)
	}
	if dst.IsEmpty() {
		dst.ReuseAs(r, c)
	} else if dr, dc := dst.Dims(); dr != r || dc != c {
		panic(badDst)
	}
	if f.rank == f.d {
		dst.Copy(a)
		return
	}
	var inner, outer mat.Dense
	if f.rank == 0 {
		dst.Zero()
		return
	}
	if f.rank <= f.d-f.rank {
		vk := f.v.Slice(0, f.d, 0, f.rank)
		inner.Mul(vk.T(), a)
		dst.Mul(vk, &inner)
		return
	}
	null := f.NullBasis()
	inner.Mul(null.T(), a)
	outer.Mul(null, &inner)
	dst.Sub(a, &outer)
}

// Spectrum returns the spectrum of H(θ) = θᵀKθ from the singular values of Rθ, squared; the Gram matrix is never formed. θ is
// D×m; nil stands for the identity and costs nothing. The rank is min(k, m), or 0 where Rθ = 0. An error is returned if θ has an
// element that is not finite. The cost is one product and one singular value decomposition of a p×m matrix, p = min(N, D).
func (f *Factor) Spectrum(theta mat.Matrix, vectors bool) (*Spectrum, error) {
	if dense, ok := theta.(*mat.Dense); theta == nil || ok && dense == nil {
		out := f.spectrum(f.values, f.r)
		if vectors {
			out.V = f.v
		}
		return out, nil
	}
	r, m := theta.Dims()
	if r != f.d {
		panic(badShape)
	}
	if err := finite(theta, "θ"); err != nil {
		return nil, err
	}
	dense, ok := theta.(*mat.Dense)
	if !ok {
		dense = mat.DenseCopyOf(theta)
	}
	product := mat.NewDense(len(f.values), m, nil)
	multiply(product.RawMatrix(), f.r.RawMatrix(), dense.RawMatrix(), f.n > f.d)
	if err := finite(product, "Rθ"); err != nil {
		return nil, err
	}
	if !vectors {
		values, ok := singularValues(product)
		if !ok {
			return nil, ErrSVD
		}
		return f.spectrum(values, product), nil
	}
	values, v, ok := rightVectors(product)
	if !ok {
		return nil, ErrSVD
	}
	out := f.spectrum(values, product)
	out.V = v
	return out, nil
}

func (f *Factor) spectrum(roots []float64, feature *mat.Dense) *Spectrum {
	_, m := feature.Dims()
	out := &Spectrum{
		Sigma: make([]float64, len(roots)), Rank: min(f.rank, len(roots)), Size: m,
		roots: roots, feature: feature, unclear: f.unclear, resolve: f.resolve(),
	}
	for i, s := range roots {
		out.Sigma[i] = s * s
	}
	if roots[0] == 0 {
		out.Rank = 0
	}
	return out
}

// resolve is the relative size below which a singular value of Xθ is rounding.
func (f *Factor) resolve() float64 { return resolveFactor * float64(max(f.n, f.d)) * eps }
