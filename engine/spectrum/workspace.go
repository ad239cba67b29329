package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Extremes is what one gradient step needs of the spectrum of H(θ): both ends and the norm. The σ are singular values of H,
// σ_1 ≥ σ_2 ≥ … ≥ σ_k > 0.
type Extremes struct {
	Rank int // k; 0 where Rθ = 0, and then all figures are 0
	Size int // order of H
	// Sigma1, Sigma2 are the two largest, SigmaBefore and SigmaK the two smallest non-zero singular values: σ_1, σ_2, σ_(k−1) and
	// σ_k. For k = 1 Sigma2 and SigmaBefore are 0.
	Sigma1, Sigma2, SigmaBefore, SigmaK float64
	// Frobenius is ‖H‖_F².
	Frobenius float64
	// V1 and VK are the unit eigenvectors of σ_1 and σ_k, of length Size. Like F they belong to the workspace and are overwritten
	// by its next use.
	V1, VK []float64
	// F is Rθ, p×Size, H = FᵀF.
	F *mat.Dense

	resolve float64
}

// Kappa returns σ_1/σ_k; NaN where k = 0 or σ_k is not resolved.
func (x *Extremes) Kappa() float64 {
	if x.Rank == 0 || x.Unresolved() {
		return math.NaN()
	}
	return x.Sigma1 / x.SigmaK
}

// KappaError bounds the relative error that rounding leaves in Kappa: 16·max(N, D)·ε·√κ, since σ_k comes from singular values that
// are known to 8·max(N, D)·ε of the largest. NaN where Kappa is.
func (x *Extremes) KappaError() float64 { return 2 * x.resolve * math.Sqrt(x.Kappa()) }

// Unresolved reports whether the square root of σ_k is below 8·max(N, D)·ε times that of σ_1; see Condition.
func (x *Extremes) Unresolved() bool {
	return x.Rank > 0 && math.Sqrt(x.SigmaK) < x.resolve*math.Sqrt(x.Sigma1)
}

// TopRepeated reports whether σ_1 = σ_2 to working precision; see Spectrum.TopRepeated.
func (x *Extremes) TopRepeated() bool { return x.Rank > 1 && !x.apart(x.Sigma1, x.Sigma2) }

// BottomRepeated reports whether σ_k = σ_(k−1) to working precision; see Spectrum.BottomRepeated.
func (x *Extremes) BottomRepeated() bool { return x.Rank > 1 && !x.apart(x.SigmaBefore, x.SigmaK) }

// Flat reports whether κ = 1 to working precision; see Spectrum.Flat.
func (x *Extremes) Flat() bool { return x.Rank > 0 && !x.apart(x.Sigma1, x.SigmaK) }

func (x *Extremes) apart(a, b float64) bool {
	return math.Sqrt(a)-math.Sqrt(b) > x.resolve*math.Sqrt(x.Sigma1)
}

// Workspace holds the memory of a step loop, so that Extremes allocates only when the shapes grow. The zero value is ready for
// use. It must not be used by two goroutines at once.
type Workspace struct {
	extremes       Extremes
	feature        []float64
	f              mat.Dense
	reduced        []float64 // Rθ on the way to bidiagonal form
	tauQ, tauP     []float64
	work           []float64
	b              bidiagonal
	first, last, z []float64
	svd            mat.SVD
	fallbacks      int
}

// Extremes returns both ends of the spectrum of H(θ) = θᵀKθ, the same figures as f.Spectrum(theta, true) at about a quarter of
// the cost: Rθ is brought to bidiagonal form B by reflections, the four singular values of B are found by multisection and
// the two vectors by twisted factorisations, and the reflections are applied to these two alone. Where a vector's residual says
// that this failed, the full decomposition is used instead. The result belongs to w and is overwritten by the next call.
//
// θ is D×m and not modified. An error is returned if Rθ has an element that is not finite. The cost is a product and 8/3·D³
// operations for N ≥ D = m.
func (w *Workspace) Extremes(f *Factor, theta *mat.Dense) (*Extremes, error) {
	rows, m := theta.Dims()
	if rows != f.d {
		panic(badShape)
	}
	p := len(f.values)
	w.reserve(p, m)
	w.f.SetRawMatrix(blas64.General{Rows: p, Cols: m, Stride: m, Data: w.feature})
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, f.r.RawMatrix(), theta.RawMatrix(), 0, w.f.RawMatrix())
	if err := finite(&w.f, "Rθ"); err != nil {
		return nil, err
	}
	x := &w.extremes
	*x = Extremes{Size: m, F: &w.f, V1: w.first, VK: w.last, resolve: f.resolve()}
	scale := w.bidiagonalise(p, m)
	if scale == 0 {
		clear(w.first)
		clear(w.last)
		return x, nil
	}
	x.Rank = min(f.rank, w.b.n)
	if !w.ends(x, p, m, scale) {
		return x, w.decompose(x)
	}
	return x, nil
}

// decompose fills the figures of x from the full decomposition.
func (w *Workspace) decompose(x *Extremes) error {
	w.fallbacks++
	if !w.svd.Factorize(&w.f, mat.SVDThinV) {
		return ErrSVD
	}
	var v mat.Dense
	w.svd.VTo(&v)
	roots := w.svd.Values(nil)
	square := func(j int) float64 { return roots[j-1] * roots[j-1] }
	x.Sigma1, x.SigmaK = square(1), square(x.Rank)
	if x.Rank > 1 {
		x.Sigma2, x.SigmaBefore = square(2), square(x.Rank-1)
	}
	mat.Col(x.V1, 0, &v)
	mat.Col(x.VK, x.Rank-1, &v)
	return nil
}

// reserve makes room for a p×m matrix Rθ.
func (w *Workspace) reserve(p, m int) {
	grow := func(v *[]float64, n int) {
		if cap(*v) < n {
			*v = make([]float64, n)
		}
		*v = (*v)[:n]
	}
	grow(&w.feature, p*m)
	grow(&w.reduced, p*m)
	grow(&w.first, m)
	grow(&w.last, m)
	grow(&w.z, m)
	grow(&w.tauQ, min(p, m))
	grow(&w.tauP, min(p, m))
	grow(&w.work, blockSize*(p+m))
	w.f.Reset()
}

// blockSize is the number of columns that the blocked reduction to bidiagonal form takes at once.
const blockSize = 32
