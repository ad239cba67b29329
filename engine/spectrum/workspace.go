package spectrum

import (
	"math"

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
	// F is Rθ, p×Size, H = FᵀF; nil where H was taken from the part of R that belongs to the k non-zero singular values of the data,
	// as it is for large matrices with k below p and Size. MulH needs no F.
	F *mat.Dense
	// Residual bounds the relative error of Sigma1/SigmaK that comes of ending an iteration, from the residuals of its vectors and
	// the gaps between its values; 0 where there was no iteration. It cannot know of an eigenvalue that no vector has shown: see
	// the method Extremes. What rounding adds is KappaError.
	Residual float64

	resolve float64
	w       *Workspace
	formed  bool // the iteration has formed FᵀF or FFᵀ
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
	tauP           []float64
	work           []float64
	panel          panel
	b              bidiagonal
	first, last, z []float64
	svd            mat.SVD
	fallbacks      int

	ranged  rangeFactor
	gram    gramian
	upper   end
	lower   end
	hessian hessian
}

// Extremes returns both ends of the spectrum of H(θ) = θᵀKθ, the same figures as f.Spectrum(theta, true) at a fraction of the
// cost.
//
// Where the smaller of k and m is below 128, Rθ is brought to bidiagonal form B by reflections, the four singular values of B are
// found by multisection and the two vectors by twisted factorisations, and the reflections are applied to these two alone. Where a
// vector's residual says that this failed, the full decomposition is used instead.
//
// Beyond, a preconditioned subspace iteration finds each end by itself, starting from the vectors of the last call; where its
// residuals do not fall to rounding the bidiagonal form is used, as it is where k is below N and m and the singular values of the
// data that count as zero are too large to be left out beside σ_k. To rounding, and only to rounding, the result of an iteration
// depends on the calls made on w before.
//
// That nothing lies beyond an end is shown by the Cholesky factor of ±(H − μI), μ just outside: for σ_1 to 10⁻¹⁰, for σ_k to 64·ε·κ(H),
// since H is formed for it. Within that, and for σ_2 and σ_(k−1), it rests on a fixed pseudo-random vector that takes part in every
// call: where all vectors of the last call are exact and another eigenvalue jumps next to an end in one step, it can be passed
// over. σ_2 and σ_(k−1) serve the steps' intervals and the question whether an end is repeated.
//
// The result belongs to w and is overwritten by the next call. θ is D×m and not modified. An error is returned if Rθ has an element
// that is not finite. For N ≥ D = m the cost is a product and 8/3·D³ operations below order 128, a product and 5/3·D³ beyond.
func (w *Workspace) Extremes(f *Factor, theta *mat.Dense) (*Extremes, error) {
	d, m := theta.Dims()
	if d != f.d {
		panic(badShape)
	}
	r := f.r.RawMatrix()
	if f.rank < min(r.Rows, m) && f.rank > 0 && min(r.Rows, m) >= largeOrder {
		x, err := w.through(f, w.ranged.of(f), theta, false)
		if err != nil {
			return nil, err
		}
		if dropped(f, theta) <= dropTol*x.SigmaK {
			x.F = nil
			return x, nil
		}
	}
	return w.through(f, r, theta, f.n > f.d)
}

// through is Extremes by way of Rθ for the given R.
func (w *Workspace) through(f *Factor, r blas64.General, theta *mat.Dense, triangular bool) (*Extremes, error) {
	p, m := r.Rows, theta.RawMatrix().Cols
	w.feature = grown(w.feature, p*m)
	w.first, w.last = grown(w.first, m), grown(w.last, m)
	product := blas64.General{Rows: p, Cols: m, Stride: m, Data: w.feature}
	multiply(product, r, theta.RawMatrix(), triangular)
	w.f.SetRawMatrix(product)
	largest := magnitude(w.feature)
	if largest-largest != 0 {
		return nil, finite(&w.f, "Rθ")
	}
	x := &w.extremes
	*x = Extremes{Size: m, F: &w.f, V1: w.first, VK: w.last, resolve: f.resolve(), w: w}
	w.hessian.known = false
	if largest == 0 {
		clear(w.first)
		clear(w.last)
		return x, nil
	}
	x.Rank = min(f.rank, p, m)
	return x, w.find(x, p, m, largest)
}

// find fills the figures of x from F, p×m and of magnitude largest > 0.
func (w *Workspace) find(x *Extremes, p, m int, largest float64) error {
	if x.Rank == min(p, m) && x.Rank >= largeOrder {
		if w.iterate(x, largest) {
			return nil
		}
		w.fallbacks++
		x.Residual = 0
	}
	w.reserve(p, m)
	scale := w.bidiagonalise(p, m)
	if !w.ends(x, p, m, scale) {
		return w.decompose(x)
	}
	return nil
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
	w.feature, w.reduced = grown(w.feature, p*m), grown(w.reduced, p*m)
	w.first, w.last, w.z = grown(w.first, m), grown(w.last, m), grown(w.z, m)
	w.tauP = grown(w.tauP, min(p, m))
}
