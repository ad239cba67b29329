package spectrum

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// ErrSVD is returned when the iteration behind a singular value decomposition does not converge. It does not happen for
// finite matrices of ordinary size; it is an error and not a panic because only the data can cause it.
var ErrSVD = errors.New("spectrum: singular value decomposition did not converge")

// resolveFactor times max(m, n)·ε is the relative size below which a singular value, or a difference of two, is rounding: the
// backward error of a Householder SVD of an m×n matrix is a modest multiple of ε·‖A‖₂, and 8·max(m, n) bounds that multiple with
// room to spare at every size kappa meets.
const resolveFactor = 8

// eps is the distance from 1 to the next double, 2⁻⁵².
const eps = 0x1p-52

// Spectrum is the spectrum of a symmetric positive semi-definite matrix S of order Size, usually the Hessian H(θ) = θᵀKθ.
//
// A Spectrum made by this package remembers what it was computed from, so that Condition and Gram can go back to it. One put
// together by hand from the exported fields works as well: its Gram matrix is then VΣVᵀ, and it has no noise information.
type Spectrum struct {
	// Sigma holds the singular values of S in descending order, all of them but exact zeros known from the shape: their number is
	// min(p, Size) for S = (Rθ)ᵀ(Rθ) with R p×D, and Size for a matrix given as such.
	Sigma []float64
	// Rank is the number k of singular values that count as non-zero. It is 0 if and only if S = 0.
	Rank int
	// V holds the eigenvectors as columns, Size×len(Sigma), in the order of Sigma; nil if vectors were not asked for.
	V *mat.Dense
	// Size is the order of S: the number of columns of θ, D where θ is square.
	Size int

	roots   []float64     // singular values of Rθ, Sigma = roots²; nil where only S was at hand
	feature *mat.Dense    // Rθ, S = featureᵀ·feature; nil where only S was at hand
	matrix  mat.Symmetric // S itself; nil where feature is set
	resolve float64       // relative size of rounding: on roots where there are roots, else on Sigma
	unclear bool          // no clear gap after the k-th singular value of the data
}

// Symmetric returns the spectrum of a symmetric matrix s where nothing but the matrix is at hand. The singular values are the
// absolute values of the eigenvalues, and k = #{σ_i > n·ε·σ_1}: half the digits of whatever s was the Gram matrix of are already
// lost, so use Factor where the data are known. An error is returned if s is empty or has an element that is not finite. s must
// not be modified while the result is used. The cost is one symmetric eigenvalue problem, O(n³).
func Symmetric(s mat.Symmetric, vectors bool) (*Spectrum, error) {
	n := s.SymmetricDim()
	if n == 0 {
		return nil, errors.New("spectrum: empty matrix")
	}
	for i := range n {
		for j := i; j < n; j++ {
			if v := s.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("spectrum: element (%d, %d) of the matrix is %v", i, j, v)
			}
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(s, vectors) {
		return nil, ErrSVD
	}
	values := eig.Values(nil)
	out := &Spectrum{Sigma: make([]float64, n), Size: n, matrix: s, resolve: resolveFactor * float64(n) * eps}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	sortByMagnitude(order, values)
	for i, j := range order {
		out.Sigma[i] = math.Abs(values[j])
	}
	if vectors {
		var q mat.Dense
		eig.VectorsTo(&q)
		out.V = mat.NewDense(n, n, nil)
		col := make([]float64, n)
		for i, j := range order {
			out.V.SetCol(i, mat.Col(col, j, &q))
		}
	}
	out.Rank = countAbove(out.Sigma, float64(n)*eps)
	out.unclear = unclear(out.Sigma, out.Rank)
	return out, nil
}

// Gram stores S in dst, which must be empty or of order s.Size, and returns it. For the spectrum of H(θ) it is formed as
// (Rθ)ᵀ(Rθ).
func (s *Spectrum) Gram(dst *mat.SymDense) *mat.SymDense {
	if dst == nil {
		dst = &mat.SymDense{}
	}
	if dst.IsEmpty() {
		dst.ReuseAsSym(s.Size)
	} else if dst.SymmetricDim() != s.Size {
		panic(badDst)
	}
	switch {
	case s.matrix != nil:
		dst.CopySym(s.matrix)
	case s.feature != nil:
		gram(dst, s.feature)
	case s.V != nil:
		scaled := mat.DenseCopyOf(s.V)
		for j, v := range s.Sigma {
			for i := range s.Size {
				scaled.Set(i, j, scaled.At(i, j)*v)
			}
		}
		var full mat.Dense
		full.Mul(scaled, s.V.T())
		symmetrize(dst, &full)
	default:
		panic(noVectors)
	}
	return dst
}

// Resolution is the size, relative to σ_1, below which a difference of two singular values of S is rounding: 8·n·ε for a matrix of
// order n at hand, 16·max(N, D)·ε for the square of what an N×D matrix gave (there the smaller differences of the singular values
// of Xθ themselves are resolved: to 8·max(N, D)·ε of the largest).
func (s *Spectrum) Resolution() float64 {
	switch {
	case s.resolve == 0:
		return resolveFactor * float64(max(s.Size, 1)) * eps
	case s.roots != nil:
		return 2 * s.resolve
	}
	return s.resolve
}

// TopRepeated reports whether σ_1 is repeated to working precision: σ_1 − σ_2 ≤ Resolution·σ_1. Its eigenvector is then any
// unit vector of its eigenspace.
func (s *Spectrum) TopRepeated() bool { return s.Rank > 1 && !s.apart(0, 1) }

// BottomRepeated reports whether σ_k, the smallest non-zero singular value, is repeated to working precision: its distance to
// σ_(k−1) is not resolved. A zero singular value after it does not count.
func (s *Spectrum) BottomRepeated() bool { return s.Rank > 1 && !s.apart(s.Rank-2, s.Rank-1) }

// Flat reports whether all non-zero singular values are equal to working precision, so that κ = 1.
func (s *Spectrum) Flat() bool { return s.Rank > 0 && !s.apart(0, s.Rank-1) }

// apart reports whether two singular values differ by more than rounding, judged on those of Rθ where they are known.
func (s *Spectrum) apart(i, j int) bool {
	if s.roots != nil {
		return s.roots[i]-s.roots[j] > s.resolve*s.roots[0]
	}
	return s.Sigma[i]-s.Sigma[j] > s.Resolution()*s.Sigma[0]
}
