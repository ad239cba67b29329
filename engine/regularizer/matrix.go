package regularizer

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// matrixForm is the singular value decomposition of a general matrix, reduced to what the regularizers need.
type matrixForm struct {
	s    *mat.Dense
	spec spectrum.Spectrum // Sigma and Rank; Size is min(rows, cols)
	u, v mat.Dense
}

func decompose(s *mat.Dense) (*matrixForm, error) {
	if s == nil || s.IsEmpty() {
		return nil, errors.New("regularizer: empty matrix")
	}
	m, n := s.Dims()
	for i := range m {
		for j := range n {
			if v := s.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("regularizer: element (%d, %d) of the matrix is %v", i, j, v)
			}
		}
	}
	var svd mat.SVD
	if !svd.Factorize(s, mat.SVDThin) {
		return nil, spectrum.ErrSVD
	}
	out := &matrixForm{s: s}
	svd.UTo(&out.u)
	svd.VTo(&out.v)
	out.spec = spectrum.Spectrum{Sigma: svd.Values(nil), Size: min(m, n)}
	tol := float64(max(m, n)) * 0x1p-52
	for _, v := range out.spec.Sigma {
		if v > tol*out.spec.Sigma[0] {
			out.spec.Rank++
		}
	}
	return out, nil
}

// addOuter adds c·u_i·v_iᵀ to dst.
func (f *matrixForm) addOuter(dst *mat.Dense, i int, c float64) {
	dst.RankOne(dst, c, f.u.ColView(i), f.v.ColView(i))
}

// WellMatrix returns R_well(S) = ½σ_1² − ‖S‖_F²/(2p), p = min(rows, cols), and ∇_S = σ_1u_1v_1ᵀ − S/p of a general matrix. An
// error is returned if S is empty or has an element that is not finite.
func WellMatrix(s *mat.Dense) (float64, *mat.Dense, error) {
	f, err := decompose(s)
	if err != nil {
		return math.NaN(), nil, err
	}
	grad := &mat.Dense{}
	grad.Scale(-1/float64(f.spec.Size), s)
	f.addOuter(grad, 0, f.spec.Sigma[0])
	return Well(&f.spec), grad, nil
}

// IllMatrix returns R_ill(S) = 1/g(S) and ∇_S = (σ_ku_kv_kᵀ − S/k)/g² (Eq. 13) of a general matrix with
// k = #{σ_i > max(rows, cols)·ε·σ_1}. Where g = 0 the value is +Inf and the gradient nil. An error is returned if S is empty or has
// an element that is not finite.
func IllMatrix(s *mat.Dense) (float64, *mat.Dense, error) {
	f, err := decompose(s)
	if err != nil {
		return math.NaN(), nil, err
	}
	g := G(&f.spec)
	if g == 0 {
		return math.Inf(1), nil, nil
	}
	k := f.spec.Rank
	grad := &mat.Dense{}
	grad.Scale(-1/(float64(k)*g*g), s)
	f.addOuter(grad, k-1, f.spec.Sigma[k-1]/(g*g))
	return 1 / g, grad, nil
}

// LogKappaMatrix returns log κ(S) and ∇_S = u_1v_1ᵀ/σ_1 − u_kv_kᵀ/σ_k of a general matrix, with k as for IllMatrix. For S = 0 the
// value is NaN and the gradient nil. An error is returned if S is empty or has an element that is not finite.
func LogKappaMatrix(s *mat.Dense) (float64, *mat.Dense, error) {
	f, err := decompose(s)
	if err != nil {
		return math.NaN(), nil, err
	}
	k := f.spec.Rank
	if k == 0 {
		return math.NaN(), nil, nil
	}
	m, n := s.Dims()
	grad := mat.NewDense(m, n, nil)
	if k > 1 {
		f.addOuter(grad, 0, 1/f.spec.Sigma[0])
		f.addOuter(grad, k-1, -1/f.spec.Sigma[k-1])
	}
	return LogKappa(&f.spec), grad, nil
}
