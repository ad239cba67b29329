package probe

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

const (
	// newtonSteps bounds Newton's method. It takes some ten steps to a minimum, and one for each halving of the loss or so where the
	// classes are separable.
	newtonSteps = 100
	// newtonAccuracy is what may be left of the loss above its infimum, relative to the loss.
	newtonAccuracy = 1e-12
	// newtonDecrease is the share of the decrease that a step promises which it must keep, or be halved.
	newtonDecrease = 0.25
)

// bestLogistic returns the infimum of the mean logistic loss of a linear head on features with an orthonormal basis u (N×k) of their
// range, and NaN where it is not attained since the classes are separable: since then for some w every margin is positive. It is found
// by Newton's method in the coordinates of u, in which the problem is as well-conditioned as it gets; a sum of losses below ln 2 shows
// that every margin is positive. The cost is O(Nk²) a step.
func bestLogistic(u *mat.Dense, y []float64) float64 {
	n, k := u.Dims()
	l := &logistic{sign: make([]float64, n)}
	for i, label := range y {
		l.sign[i] = 2*label - 1
	}
	logits, slope := make([]float64, n), make([]float64, n)
	loss, _ := l.value(logits, slope)
	weighted := mat.NewDense(n, k, nil)
	h := blas64.Symmetric{Uplo: blas.Upper, N: k, Stride: k, Data: make([]float64, k*k)}
	for range newtonSteps {
		if float64(n)*loss < math.Ln2 {
			return math.NaN()
		}
		for i := range n {
			p := math.Abs(slope[i]) * float64(n) // of the wrong label
			c := math.Sqrt(p * (1 - p) / float64(n))
			row := weighted.RawRowView(i)
			for j, v := range u.RawRowView(i) {
				row[j] = c * v
			}
		}
		blas64.Syrk(blas.Trans, 1, weighted.RawMatrix(), 0, h)
		g := transposedTimes(u, slope)
		step, ok := solveDamped(h, g)
		if !ok {
			return math.NaN()
		}
		promise := dot(step, g) // the Newton decrement, squared
		if promise/2 <= newtonAccuracy*loss {
			return loss - promise/2
		}
		change := times(u, step)
		next := make([]float64, n)
		for length := 1.0; ; length /= 2 {
			for i := range next {
				next[i] = logits[i] - length*change[i]
			}
			trial, _ := l.value(next, slope)
			if trial <= loss-newtonDecrease*length*promise {
				loss, logits = trial, next
				break
			}
			if length < 1e-10 { // what is left to gain is rounding
				return loss
			}
		}
	}
	return loss
}

// solveDamped returns h⁻¹g, with as much added to the diagonal of h, which is positive semi-definite, as a Cholesky factorization needs.
func solveDamped(h blas64.Symmetric, g []float64) (step []float64, ok bool) {
	trace := 0.0
	for i := range h.N {
		trace += h.Data[i*h.Stride+i]
	}
	if !(trace > 0) {
		return nil, false
	}
	for damping := 0.0; ; damping = max(100*damping, eps*trace) {
		if !(damping <= trace) {
			return nil, false
		}
		damped := mat.NewSymDense(h.N, append([]float64(nil), h.Data...))
		for i := range h.N {
			damped.SetSym(i, i, damped.At(i, i)+damping)
		}
		var chol mat.Cholesky
		var out mat.VecDense
		if !chol.Factorize(damped) {
			continue
		}
		if err := chol.SolveVecTo(&out, mat.NewVecDense(len(g), g)); err != nil && math.IsInf(chol.Cond(), 1) {
			continue
		}
		return out.RawVector().Data, true
	}
}

// rangeBasis returns U_k = XV_kΣ_k⁻¹, N×k, whose columns span the range of the rank-k part of X, [X 1] where f is the factor of that. It
// is orthonormal to ε·κ(X).
func rangeBasis(f *spectrum.Factor, x *mat.Dense) *mat.Dense {
	n, d := x.Dims()
	k := f.Rank()
	columns, _ := f.V().Dims()
	z := mat.NewDense(columns, k, nil)
	for i := range columns {
		for j, sigma := range f.SingularValues()[:k] {
			z.Set(i, j, f.V().At(i, j)/sigma)
		}
	}
	var u mat.Dense
	u.Mul(x, z.Slice(0, d, 0, k))
	if columns > d {
		for i := range n {
			row := u.RawRowView(i)
			for j := range row {
				row[j] += z.At(d, j)
			}
		}
	}
	return &u
}

// optimumOf returns the infimum of the mean logistic loss on the features x, or [x 1], with the factor f; see bestLogistic.
func optimumOf(f *spectrum.Factor, x *mat.Dense, y []float64) float64 {
	if f.Rank() == 0 {
		return math.Ln2 // of w = 0: no other weights do anything
	}
	return bestLogistic(rangeBasis(f, x), y)
}
