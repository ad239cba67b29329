package probe

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// ErrSVD is returned when the singular value decomposition of the features does not converge.
var ErrSVD = errors.New("probe: singular value decomposition of the features did not converge")

var errEmpty = errors.New("probe: empty feature matrix")

const (
	// eps is the distance from 1 to the next float64.
	eps = 0x1p-52
	// rankTolerance separates the singular values of data from the rounding of float32 data, relative to the largest: √eps.
	rankTolerance = 0x1p-26
)

const (
	badTargets = "probe: one target a row of features is needed"
	badRank    = "probe: negative rank"
	badWeights = "probe: one weight a column of features is needed"
	badSteps   = "probe: negative number of steps"
	badTarget  = "probe: the target was prepared from other features"
)

// Target is a least-squares problem made ready for attackers: reduced, scaled and solved. It is not changed by its use and may be
// shared between goroutines.
type Target struct {
	x *mat.Dense // as given, for the accuracy
	y []float64

	// The reduced problem min ‖Fw − b‖² + rest: F (p×D, p = min(N, D)) is the triangular factor of x·2^−ef (x itself where N ≤ D),
	// b (p) holds Qᵀy·2^−ey, and rest is the squared length of the part of y that Q leaves out. Its weights are those of the given
	// problem times 2^(ef−ey).
	f      blas64.General
	b      []float64
	rest   float64
	ef, ey int

	sigma    []float64 // all p singular values of F, descending
	rank     int
	u        blas64.General // orthonormal columns that span the left singular vectors of the k non-zero ones, p×k; empty for k = p
	wStar    []float64      // minimum-norm solution, scaled
	lossStar float64        // its loss, scaled
}

// Prepare reduces and solves the problem of fitting y (N) with the features x (N×D). rank is that of Options. x and y are kept and
// must not be changed while the Target is in use. It panics if the sizes do not match or rank is negative. The cost is a few QR
// factorizations and the singular values, without vectors, of a matrix of order min(N, D).
func Prepare(x *mat.Dense, y []float64, rank int) (*Target, error) {
	if x == nil || x.IsEmpty() {
		return nil, errEmpty
	}
	n, d := x.Dims()
	switch {
	case len(y) != n:
		panic(badTargets)
	case rank < 0:
		panic(badRank)
	}
	t := &Target{x: x, y: y}
	if err := t.scale(); err != nil {
		return nil, err
	}
	if n > d {
		t.reduce()
	}

	var svd mat.SVD
	if !svd.Factorize(dense(t.f), mat.SVDNone) {
		return nil, ErrSVD
	}
	t.sigma = svd.Values(nil)
	t.rank = numericalRank(t.sigma, max(n, d), rank)
	if err := t.solve(); err != nil {
		return nil, err
	}
	return t, nil
}

// numericalRank counts the singular values that are not zero: at most rank of them if rank is given.
func numericalRank(sigma []float64, size, rank int) int {
	tolerance, limit := rankTolerance, len(sigma)
	rounding := float64(size) * eps
	if rank > 0 {
		tolerance, limit = rounding, min(rank, len(sigma))
	}
	tolerance = max(tolerance, rounding)
	k := 0
	for k < limit && sigma[k] > tolerance*sigma[0] {
		k++
	}
	return k
}

// scale fills f and b with copies of x and y whose largest magnitude is in [½, 1).
func (t *Target) scale() error {
	n, d := t.x.Dims()
	t.f = blas64.General{Rows: n, Cols: d, Stride: d, Data: make([]float64, n*d)}
	for i := range n {
		row := t.f.Data[i*d : (i+1)*d]
		copy(row, t.x.RawRowView(i))
		if j := notFinite(row); j >= 0 {
			return fmt.Errorf("probe: feature in row %d, column %d is %v", i, j, row[j])
		}
	}
	if i := notFinite(t.y); i >= 0 {
		return fmt.Errorf("probe: target %d is %v", i, t.y[i])
	}
	t.b = append([]float64(nil), t.y...)
	t.ef = normalise(t.f.Data)
	t.ey = normalise(t.b)
	return nil
}

// normalise divides v by the power of two 2^e that brings its largest magnitude into [½, 1), and returns e; 0 for a zero v.
func normalise(v []float64) int {
	_, e := math.Frexp(largest(v))
	if e != 0 {
		for i, a := range v {
			v[i] = math.Ldexp(a, -e)
		}
	}
	return e
}

// reduce divides the orthogonal factor out of a tall problem.
func (t *Target) reduce() {
	n, d := t.f.Rows, t.f.Cols
	tau := make([]float64, d)
	withWork(func(work []float64, lwork int) { lapack64.Geqrf(t.f, tau, work, lwork) })
	qty := blas64.General{Rows: n, Cols: 1, Stride: 1, Data: t.b}
	withWork(func(work []float64, lwork int) { lapack64.Ormqr(blas.Left, blas.Trans, t.f, tau, qty, work, lwork) })

	r := blas64.General{Rows: d, Cols: d, Stride: d, Data: make([]float64, d*d)}
	for i := range d {
		copy(r.Data[i*d+i:(i+1)*d], t.f.Data[i*d+i:(i+1)*d])
	}
	t.f = r
	t.rest = squared(t.b[d:])
	t.b = t.b[:d:d]
}

// solve finds the minimum-norm solution of the rank-k problem and its loss.
func (t *Target) solve() error {
	p, d, k := t.f.Rows, t.f.Cols, t.rank
	t.wStar = make([]float64, d)
	if k == 0 {
		t.lossStar = t.rest + squared(t.b)
		return nil
	}
	rows, c := t.f, t.b // Uᵀ·F and Uᵀ·b
	t.lossStar = t.rest
	if k < p {
		var err error
		if t.u, err = dominant(t.f, t.sigma, k); err != nil {
			return err
		}
		rows = blas64.General{Rows: k, Cols: d, Stride: d, Data: make([]float64, k*d)}
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, t.u, t.f, 0, rows)
		c = make([]float64, k)
		blas64.Gemv(blas.Trans, 1, t.u, vec(t.b), 0, vec(c))
		left := append([]float64(nil), t.b...)
		blas64.Gemv(blas.NoTrans, -1, t.u, vec(c), 1, vec(left))
		t.lossStar += squared(left)
	}
	// (UᵀF)ᵀ = QR, and w* = Q·R⁻ᵀ·c solves UᵀFw = c with the least norm.
	q := transposed(rows)
	r := orthonormalise(q)
	w := append([]float64(nil), c...)
	blas64.Trsv(blas.Trans, r, vec(w))
	blas64.Gemv(blas.NoTrans, 1, q, vec(w), 0, vec(t.wStar))
	return nil
}

// Rank returns the numerical rank k of the features that w* and L* rest on.
func (t *Target) Rank() int { return t.rank }

// BestWeights returns w*, the minimum-norm least-squares solution (D).
func (t *Target) BestWeights() []float64 { return t.unscaled(t.wStar) }

// BestLoss returns L* = ‖Xw* − y‖², a sum over the examples.
func (t *Target) BestLoss() float64 { return t.loss(t.lossStar) }

// loss returns a loss of the scaled problem in the given one's unit.
func (t *Target) loss(l float64) float64 { return math.Ldexp(l, 2*t.ey) }

// unscaled returns weights of the scaled problem as weights of the given one.
func (t *Target) unscaled(w []float64) []float64 {
	out := make([]float64, len(w))
	for i, a := range w {
		out[i] = math.Ldexp(a, t.ey-t.ef)
	}
	return out
}

// residual stores Fw − b in dst (p).
func (t *Target) residual(dst, w []float64) {
	copy(dst, t.b)
	blas64.Gemv(blas.NoTrans, 1, t.f, vec(w), -1, vec(dst))
}

// halfGradient stores Fᵀr in dst (D), for the residual r = Fw − b half the gradient of the loss.
func (t *Target) halfGradient(dst, r []float64) {
	blas64.Gemv(blas.Trans, 1, t.f, vec(r), 0, vec(dst))
}

// product stores Fs in dst (p).
func (t *Target) product(dst, s []float64) {
	blas64.Gemv(blas.NoTrans, 1, t.f, vec(s), 0, vec(dst))
}

// excess returns L − L* of the scaled problem for the residual r, through c, a scratch of length k.
func (t *Target) excess(r, c []float64) float64 {
	switch t.rank {
	case 0:
		return 0
	case t.f.Rows:
		return squared(r)
	}
	blas64.Gemv(blas.Trans, 1, t.u, vec(r), 0, vec(c))
	return squared(c)
}

func vec(v []float64) blas64.Vector { return blas64.Vector{N: len(v), Inc: 1, Data: v} }

func squared(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	return blas64.Dot(vec(v), vec(v))
}

// notFinite returns the index of the first element that is NaN or infinite, −1 if there is none.
func notFinite(v []float64) int {
	for i, a := range v {
		if math.IsNaN(a) || math.IsInf(a, 0) {
			return i
		}
	}
	return -1
}

func largest(v []float64) float64 {
	m := 0.0
	for _, a := range v {
		m = max(m, math.Abs(a))
	}
	return m
}
