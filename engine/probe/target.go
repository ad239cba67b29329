package probe

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
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
	badFactor  = "probe: the factor is neither that of the data nor that of the data with a column of ones"
	badTheta   = "probe: θ must have as many rows as the factor has columns"
)

// Target is a least-squares problem made ready for attackers: reduced, scaled, brought to coordinates in which a step is cheap, and
// solved. It is not changed by its use and may be shared between goroutines.
type Target struct {
	n, d     int                                // examples, weights
	y        []float64                          // as given
	features func(w []float64) []float64        // Xw, N long
	pulled   func(residual []float64) []float64 // Xᵀr, D long
	optimum  func() (float64, error)            // infimum of the mean logistic loss, NaN where it is not attained

	// The reduced problem min ‖Fw − b‖² + rest: F is p×D with p ≤ D, in units of 2^ef, b (p) in units of 2^ey, and rest is the squared
	// length of the part of y that no feature reaches. Its weights are those of the given problem times 2^(ef−ey).
	f      blas64.General
	b      []float64
	rest   float64
	ef, ey int

	basis    *basis
	sigma    []float64 // all p singular values of F, descending
	rank     int
	wStar    []float64 // minimum-norm solution (D)
	lossStar float64   // its loss
}

// Prepare makes the problem of fitting y (N) with the features x (N×D) ready. rank is the numerical rank k of the features where it
// is known beforehand; 0 takes the number of singular values above 2⁻²⁶·σ_max. It decides w* and L* alone: no attacker but
// LeastSquares uses it. Singular values at the level of rounding, max(N, D)·2⁻⁵²·σ_max, never count.
//
// x and y are kept and must not be changed while the Target is in use. It panics if the sizes do not match or rank is negative, and
// returns an error if x or y is empty or holds a number that is not finite, or if a decomposition fails. The cost is 2ND² operations
// for N > D and about 3p³ more, p = min(N, D). Where many extractors are attacked on the same data, [NewData] is faster.
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
	t := &Target{
		n: n, d: d, y: y,
		features: func(w []float64) []float64 { return times(x, w) },
		pulled:   func(r []float64) []float64 { return transposedTimes(x, r) },
		optimum:  optimumLater(x, y),
	}
	t.f = blas64.General{Rows: n, Cols: d, Stride: d, Data: make([]float64, n*d)}
	for i := range n {
		row := t.f.Data[i*d : (i+1)*d]
		copy(row, x.RawRowView(i))
		if j := notFinite(row); j >= 0 {
			return nil, fmt.Errorf("probe: feature in row %d, column %d is %v", i, j, row[j])
		}
	}
	if i := notFinite(y); i >= 0 {
		return nil, fmt.Errorf("probe: target %d is %v", i, y[i])
	}
	t.b = append([]float64(nil), y...)
	t.ey = normalise(t.b)
	return t, t.make(rank)
}

// optimumLater is optimumOf for features that are not factorised yet.
func optimumLater(x *mat.Dense, y []float64) func() (float64, error) {
	return sync.OnceValues(func() (float64, error) {
		f, err := spectrum.NewFactor(x)
		if err != nil {
			return math.NaN(), err
		}
		return optimumOf(f, x, y), nil
	})
}

// make scales, reduces and solves the problem in f and b, whose targets are in units of 2^ey already.
func (t *Target) make(rank int) error {
	t.ef = normalise(t.f.Data)
	if t.f.Rows > t.f.Cols {
		t.reduce()
	}
	g := spectrum.NewGolubKahan(dense(t.f), t.b)
	var err error
	if t.sigma, err = g.Values(); err != nil {
		return ErrSVD
	}
	t.rank = numericalRank(t.sigma, max(t.n, t.d), rank)
	if t.basis, err = newBasis(g, t.sigma, t.rank, t.d); err != nil {
		return ErrSVD
	}
	t.wStar = t.basis.leave(t.basis.star)
	t.lossStar = t.rest + t.basis.left
	return nil
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
	t.rest += squared(t.b[d:])
	t.b = t.b[:d:d]
}

// withWork calls a LAPACK routine twice: to ask for the length of its workspace, and to run it.
func withWork(call func(work []float64, lwork int)) {
	work := make([]float64, 1)
	call(work, -1)
	work = make([]float64, int(work[0]))
	call(work, len(work))
}

// Dims returns the numbers of examples N and of weights D.
func (t *Target) Dims() (n, d int) { return t.n, t.d }

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

// scaled is the inverse of unscaled.
func (t *Target) scaled(w []float64) []float64 {
	out := make([]float64, len(w))
	for i, a := range w {
		out[i] = math.Ldexp(a, t.ef-t.ey)
	}
	return out
}

// dense returns a, whose rows are contiguous, as a matrix that shares its memory.
func dense(a blas64.General) *mat.Dense { return mat.NewDense(a.Rows, a.Cols, a.Data) }

// times returns xw.
func times(x *mat.Dense, w []float64) []float64 {
	n, _ := x.Dims()
	out := make([]float64, n)
	blas64.Gemv(blas.NoTrans, 1, x.RawMatrix(), vec(w), 0, vec(out))
	return out
}

// transposedTimes returns xᵀr.
func transposedTimes(x *mat.Dense, r []float64) []float64 {
	_, d := x.Dims()
	out := make([]float64, d)
	blas64.Gemv(blas.Trans, 1, x.RawMatrix(), vec(r), 0, vec(out))
	return out
}

func vec(v []float64) blas64.Vector { return blas64.Vector{N: len(v), Inc: 1, Data: v} }

func squared(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	return blas64.Dot(vec(v), vec(v))
}

func dot(a, b []float64) float64 {
	if len(a) == 0 {
		return 0
	}
	return blas64.Dot(vec(a), vec(b))
}

// axpy adds c·a to dst.
func axpy(c float64, a, dst []float64) {
	if len(a) > 0 {
		blas64.Axpy(c, vec(a), vec(dst))
	}
}

// notFinite returns the index of the first element that is NaN or infinite, −1 if there is none.
func notFinite(v []float64) int {
	for i, a := range v {
		if a-a != 0 {
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
