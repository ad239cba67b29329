package immunize

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// minibatch computes a regularizer's gradient on a batch of one task's rows; Algorithm1 says what H_b and k_b are.
type minibatch struct {
	task  Task
	rows  *batcher
	scale float64 // N/B

	x, f  *mat.Dense // X_b and F_b = X_bθ, B×D
	y     []float64
	small *mat.SymDense // the smaller of F_bF_bᵀ and F_bᵀF_b
	eig   mat.EigenSym
	q     mat.Dense  // its eigenvectors
	tf    *mat.Dense // θF_bᵀ, D×B
	xg    *mat.Dense // X_b·gradient, B×D (plain form)
	v, tv *mat.VecDense
}

func newMinibatch(t Task, size int, rng *rand.Rand) *minibatch {
	n, d := t.X.Dims()
	b := &minibatch{task: t, rows: newBatcher(n, size, rng)}
	size = b.rows.b
	b.scale = float64(n) / float64(size)
	b.x, b.f, b.xg = mat.NewDense(size, d, nil), mat.NewDense(size, d, nil), mat.NewDense(size, d, nil)
	b.tf = mat.NewDense(d, size, nil)
	b.y = make([]float64, size)
	b.small = mat.NewSymDense(min(size, d), nil)
	b.v, b.tv = mat.NewVecDense(d, nil), mat.NewVecDense(d, nil)
	return b
}

// gradient draws the next batch and stores the gradient of t on it in dst, in the given form; the pseudo-inverse form projects
// onto the range of the whole task's K. It returns the spectrum of H_b (without vectors), and false where the gradient is
// undefined or k_b = 1; dst is then not changed.
func (b *minibatch) gradient(dst *mat.Dense, t *term, theta *mat.Dense, form regularizer.Form) (*spectrum.Spectrum, bool) {
	gather(b.x, b.y, b.task.X, b.task.Y, b.rows.rows())
	b.f.Mul(b.x, theta)
	s := b.spectrum()
	if s.Rank < 2 {
		return s, false
	}
	// A = (σ·vvᵀ − H_b/p)·c with (σ, p, c) = (σ_1, D, 1) or (σ_k, k, 1/g²), so that
	// 2θA = 2c(σ(θv)vᵀ − (N/B)(θF_bᵀ)F_b/p), which needs no D×D inner factor.
	i, p, c := 0, float64(s.Size), 1.0
	if t.ill {
		g := regularizer.G(s)
		i, p, c = s.Rank-1, float64(s.Rank), 1/(g*g)
		if !(c > 0) || math.IsInf(c, 1) {
			return s, false
		}
	}
	b.vector(i)
	b.tv.MulVec(theta, b.v)
	b.tf.Mul(theta, b.f.T())
	dst.Mul(b.tf, b.f)
	dst.Scale(-2*c*b.scale/p, dst)
	dst.RankOne(dst, 2*c*s.Sigma[i], b.tv, b.v)
	switch form {
	case regularizer.Plain: // K_b = (N/B)X_bᵀX_b
		b.xg.Mul(b.x, dst)
		dst.Mul(b.x.T(), b.xg)
		dst.Scale(b.scale, dst)
	case regularizer.PseudoInverse:
		b.task.Factor.ProjectRange(dst, dst)
	}
	return s, true
}

// spectrum returns the spectrum of H_b from the small side.
func (b *minibatch) spectrum() *spectrum.Spectrum {
	size, d := b.f.Dims()
	if size <= d {
		b.small.SymOuterK(1, b.f)
	} else {
		b.small.SymOuterK(1, b.f.T())
	}
	n := b.small.SymmetricDim()
	s := &spectrum.Spectrum{Sigma: make([]float64, n), Size: d}
	if norm := mat.Norm(b.small, 2); norm-norm != 0 || !b.eig.Factorize(b.small, true) {
		return s // rank 0: no step on this batch
	}
	b.eig.VectorsTo(&b.q)
	b.eig.Values(s.Sigma)
	for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
		s.Sigma[i], s.Sigma[j] = s.Sigma[j], s.Sigma[i]
	}
	tol := float64(max(size, d)) * 0x1p-52 * s.Sigma[0]
	for i, v := range s.Sigma {
		s.Sigma[i] = b.scale * math.Max(v, 0)
		if v > tol && s.Rank < b.task.Factor.Rank() {
			s.Rank++
		}
	}
	return s
}

// vector stores the unit eigenvector of H_b's i-th singular value in b.v.
func (b *minibatch) vector(i int) {
	size, d := b.f.Dims()
	u := b.q.ColView(b.small.SymmetricDim() - 1 - i)
	if size > d {
		b.v.CopyVec(u)
		return
	}
	b.v.MulVec(b.f.T(), u)
	b.v.ScaleVec(1/mat.Norm(b.v, 2), b.v)
}
