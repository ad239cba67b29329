package ceiling

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// seenTolerance is the length ‖X_Hn‖ relative to σ_max(X_H) above which the harmful task uses the direction n: 2⁻²⁶, the same line
// between signal and rounding that the rank of the data is drawn with.
const seenTolerance = 0x1p-26

const badPair = "ceiling: the two tasks differ in their number of columns"

// ErrSVD is returned when a singular value decomposition does not converge, which needs numbers near the ends of the float64 range.
var ErrSVD = errors.New("ceiling: singular value decomposition did not converge")

// Result describes a pair of tasks.
type Result struct {
	// Ceiling is the supremum of RIR over all invertible θ: at least 1, +Inf if Unbounded, NaN if K_P or K_H is zero.
	Ceiling float64
	// LogCeiling is the natural logarithm of Ceiling, finite also where Ceiling overflows.
	LogCeiling float64
	// Unbounded says that Freedom > 0 and rank K_H > 1.
	Unbounded bool
	// Freedom is the number of orthogonal directions that the primary task never sees and the harmful task uses.
	Freedom int
	// Mu holds the non-zero eigenvalues of K_P⁺K_H in descending order, rank K_H of them; nil unless Freedom is 0. MuMax and MuMin
	// are the first and the last, NaN without them.
	Mu           []float64
	MuMax, MuMin float64
	// KappaPrimary and KappaHarmful are κ(K_P) and κ(K_H) over non-zero eigenvalues, NaN for a zero matrix.
	KappaPrimary, KappaHarmful float64
}

// Exact computes the ceiling of the primary task p and the harmful task h. Neither K_P⁻¹ nor a Gram matrix is formed: with X = UΣVᵀ
// over the non-zero singular values of each task, the μ are the squared singular values of Σ_H·V_Hᵀ·V_P·Σ_P⁻¹. The smallest is taken
// from the inverse problem, so that both ends of a wide spectrum keep their digits; those between have an error of about
// ε·√(μ_1/μ_i).
//
// It panics if p and h differ in their number of columns, and returns an error if a decomposition fails. The cost is a few singular
// value decompositions of order D.
func Exact(p, h *spectrum.Factor) (Result, error) {
	res, _, err := exact(p, h)
	return res, err
}

// exact is Exact that also returns the unit vector n of null(K_P) with the largest ‖X_Hn‖, nil if Freedom is 0.
func exact(p, h *spectrum.Factor) (Result, *mat.VecDense, error) {
	_, d := p.Dims()
	if _, dh := h.Dims(); dh != d {
		panic(badPair)
	}
	nan := math.NaN()
	res := Result{
		Ceiling: nan, LogCeiling: nan, MuMax: nan, MuMin: nan,
		KappaPrimary: condition(p), KappaHarmful: condition(h),
	}
	var top *mat.VecDense
	var err error
	if res.Freedom, top, err = seen(p, h); err != nil {
		return Result{}, nil, err
	}
	switch {
	case p.Rank() == 0 || h.Rank() == 0:
		return res, top, nil
	case res.Freedom > 0 && h.Rank() > 1:
		res.Unbounded = true
		res.Ceiling, res.LogCeiling = math.Inf(1), math.Inf(1)
		return res, top, nil
	case res.Freedom > 0:
		// κ(H_H) is 1 for every θ, and κ(H_P) = 1 can be had: RIR = κ(K_P)/κ(H_P) ≤ κ(K_P).
		res.Ceiling, res.LogCeiling = res.KappaPrimary, logCondition(p)
		return res, top, nil
	}
	roots, err := generalizedRoots(p, h)
	if err != nil {
		return Result{}, nil, err
	}
	res.Mu = make([]float64, len(roots))
	unit := h.SingularValues()[0] / p.SingularValues()[0]
	for i, s := range roots {
		res.Mu[i] = (s * unit) * (s * unit)
	}
	res.MuMax, res.MuMin = res.Mu[0], res.Mu[len(roots)-1]
	logRatio := 2 * (math.Log(roots[0]) - math.Log(roots[len(roots)-1]))
	// θ = I has RIR 1, so that the supremum is no less; rounding may say otherwise.
	res.LogCeiling = max(logRatio+logCondition(p)-logCondition(h), 0)
	res.Ceiling = math.Exp(res.LogCeiling)
	return res, nil, nil
}

// condition returns κ(K) = (σ_1/σ_k)² of the data's singular values; NaN for a zero matrix.
func condition(f *spectrum.Factor) float64 {
	if f.Rank() == 0 {
		return math.NaN()
	}
	s := f.SingularValues()
	root := s[0] / s[f.Rank()-1]
	return root * root
}

// logCondition returns ln κ(K), for a matrix that is not zero.
func logCondition(f *spectrum.Factor) float64 {
	s := f.SingularValues()
	return 2 * (math.Log(s[0]) - math.Log(s[f.Rank()-1]))
}

// seen counts the directions of null(K_P) that the harmful task uses, and returns the one it uses most; nil if there is none.
func seen(p, h *spectrum.Factor) (freedom int, top *mat.VecDense, err error) {
	null := p.NullBasis()
	if null == nil || h.Rank() == 0 {
		return 0, nil, nil
	}
	var on mat.Dense
	on.Mul(h.R(), null)
	var svd mat.SVD
	if !svd.Factorize(&on, mat.SVDThinV) {
		return 0, nil, ErrSVD
	}
	line := seenTolerance * h.SingularValues()[0]
	for _, s := range svd.Values(nil) {
		if s > line {
			freedom++
		}
	}
	if freedom == 0 {
		return 0, nil, nil
	}
	var v mat.Dense
	svd.VTo(&v)
	top = &mat.VecDense{}
	top.MulVec(null, v.ColView(0))
	return freedom, top, nil
}

// generalizedRoots returns the square roots of the non-zero eigenvalues of K_P⁺K_H in descending order, where null(K_P) lies in
// null(K_H), for tasks scaled to σ_max = 1: what matters is their ratio, and that does not depend on the units of the data.
func generalizedRoots(p, h *spectrum.Factor) ([]float64, error) {
	// Singular values of Σ_H·V_Hᵀ·V_P·Σ_P⁻¹, which has those of X_H·(K_P⁺)^½.
	var g mat.Dense
	g.Mul(vectors(h).T(), vectors(p))
	scale(&g, h, p)
	var svd mat.SVD
	if !svd.Factorize(&g, mat.SVDNone) {
		return nil, ErrSVD
	}
	// null(K_P) in null(K_H) means rank K_H ≤ rank K_P; ranks that were given from outside may disagree.
	roots := svd.Values(nil)
	last := len(roots) - 1

	smallest, err := smallestRoot(p, h)
	if err != nil {
		return nil, err
	}
	// What rounding has left below the smallest is lifted to it, to keep the order.
	for i := range roots {
		roots[i] = max(roots[i], smallest)
	}
	if last > 0 {
		roots[last] = smallest
	}
	return roots, nil
}

// smallestRoot returns the root of the smallest non-zero eigenvalue μ_r of K_P⁺K_H. The decomposition in generalizedRoots knows it
// only to ε·√μ_1, which is nothing when μ_1/μ_r exceeds 1/ε². Its inverse is the largest singular value of another matrix:
//
//	1/μ_r = max over z of min over n in null(K_H) of (z+n)ᵀK_P(z+n) / zᵀK_Hz = σ_max²((I − Π)·Σ_P·V_Pᵀ·V_H·Σ_H⁻¹)
//
// with Π the projector on the range of Σ_P·V_Pᵀ·N_H; where K_H is invertible there is no Π.
func smallestRoot(p, h *spectrum.Factor) (float64, error) {
	var s mat.Dense
	s.Mul(vectors(p).T(), vectors(h))
	scale(&s, p, h)
	basis, err := hidden(p, h)
	if err != nil {
		return 0, err
	}
	if basis != nil {
		// Twice, because one projection leaves rounding in proportion to what it removes.
		for range 2 {
			var c, along mat.Dense
			c.Mul(basis.T(), &s)
			along.Mul(basis, &c)
			s.Sub(&s, &along)
		}
	}
	var svd mat.SVD
	if !svd.Factorize(&s, mat.SVDNone) {
		return 0, ErrSVD
	}
	return 1 / svd.Values(nil)[0], nil
}

// hidden returns an orthonormal basis of the range of Σ_P·V_Pᵀ·N_H, N_H a basis of null(K_H); nil if that is zero. With null(K_P)
// in null(K_H) its dimension is rank K_P − rank K_H.
func hidden(p, h *spectrum.Factor) (*mat.Dense, error) {
	null, rank := h.NullBasis(), p.Rank()-h.Rank()
	if null == nil || rank <= 0 {
		return nil, nil
	}
	var on mat.Dense
	on.Mul(vectors(p).T(), null)
	scale(&on, p, nil)
	var svd mat.SVD
	if !svd.Factorize(&on, mat.SVDThinU) {
		return nil, ErrSVD
	}
	var u mat.Dense
	svd.UTo(&u)
	rows, _ := u.Dims()
	return mat.DenseCopyOf(u.Slice(0, rows, 0, rank)), nil
}

// vectors returns the right singular vectors of f to its k non-zero singular values, D×k.
func vectors(f *spectrum.Factor) mat.Matrix {
	d, _ := f.V().Dims()
	return f.V().Slice(0, d, 0, f.Rank())
}

// scale multiplies row i of a by σ_i/σ_1 of rows and divides column j by σ_j/σ_1 of cols, if not nil.
func scale(a *mat.Dense, rows, cols *spectrum.Factor) {
	up := rows.SingularValues()
	m, _ := a.Dims()
	for i := range m {
		row := a.RawRowView(i)
		for j := range row {
			row[j] *= up[i] / up[0]
			if cols != nil {
				row[j] /= cols.SingularValues()[j] / cols.SingularValues()[0]
			}
		}
	}
}
