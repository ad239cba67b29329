package immunize

import (
	"math"
	"math/rand/v2"
	"slices"

	kind "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// minibatch computes a regularizer's gradient on a batch of one task's rows; Algorithm1 says what H_b and k_b are.
type minibatch struct {
	task  Task
	rows  *batcher
	scale float64 // N/B

	x, f   *mat.Dense // X_b and F_b = X_bθ, B×D
	y      []float64
	small  blas64.Symmetric // the smaller of F_bF_bᵀ and F_bᵀF_b, then its eigenvectors, as columns
	work   []float64        // of the decomposition
	spec   spectrum.Spectrum
	tf     *mat.Dense // θF_bᵀ, D×B
	xg     *mat.Dense // X_b·gradient, B×D (plain form)
	v, tv  []float64  // an eigenvector of H_b; θv
	u      []float64  // and of the small matrix
	ranges regularizer.Workspace
}

func newMinibatch(t Task, size int, rng *rand.Rand) *minibatch {
	n, d := t.X.Dims()
	b := &minibatch{task: t, rows: newBatcher(n, size, rng)}
	size = b.rows.b
	b.scale = float64(n) / float64(size)
	b.x, b.f, b.xg = mat.NewDense(size, d, nil), mat.NewDense(size, d, nil), mat.NewDense(size, d, nil)
	b.tf = mat.NewDense(d, size, nil)
	b.y = make([]float64, size)
	k := min(size, d)
	b.small = blas64.Symmetric{N: k, Stride: k, Uplo: kind.Upper, Data: make([]float64, k*k)}
	b.spec = spectrum.Spectrum{Sigma: make([]float64, k), Size: d}
	var length [1]float64
	lapack64.Syev(lapack.EVCompute, b.small, b.spec.Sigma, length[:], -1)
	b.work = make([]float64, int(length[0]))
	b.v, b.tv, b.u = make([]float64, d), make([]float64, d), make([]float64, k)
	return b
}

// gradient draws the next batch and stores the gradient of t on it in dst, in the given form; the pseudo-inverse form projects
// onto the range of the whole task's K. It returns the spectrum of H_b (without vectors), and false where the gradient is
// undefined or k_b = 1; dst is then not changed.
func (b *minibatch) gradient(dst *mat.Dense, t *term, theta *mat.Dense, form regularizer.Form) (*spectrum.Spectrum, bool) {
	gather(b.x, b.y, b.task.X, b.task.Y, b.rows.rows())
	x, f, out := b.x.RawMatrix(), b.f.RawMatrix(), dst.RawMatrix()
	blas64.Gemm(kind.NoTrans, kind.NoTrans, 1, x, theta.RawMatrix(), 0, f)
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
	multiply(b.tv, kind.NoTrans, theta, b.v)
	blas64.Gemm(kind.NoTrans, kind.Trans, 1, theta.RawMatrix(), f, 0, b.tf.RawMatrix())
	blas64.Gemm(kind.NoTrans, kind.NoTrans, -2*c*b.scale/p, b.tf.RawMatrix(), f, 0, out)
	blas64.Ger(2*c*s.Sigma[i], vector(b.tv), vector(b.v), out)
	switch form {
	case regularizer.Plain: // K_b = (N/B)X_bᵀX_b
		blas64.Gemm(kind.NoTrans, kind.NoTrans, 1, x, out, 0, b.xg.RawMatrix())
		blas64.Gemm(kind.Trans, kind.NoTrans, b.scale, x, b.xg.RawMatrix(), 0, out)
	case regularizer.PseudoInverse:
		b.ranges.ProjectRange(dst, b.task.Factor)
	}
	return s, true
}

// spectrum returns the spectrum of H_b from the small side; it is overwritten by the next batch's.
func (b *minibatch) spectrum() *spectrum.Spectrum {
	size, d := b.f.Dims()
	side := kind.NoTrans
	if size > d {
		side = kind.Trans
	}
	blas64.Syrk(side, 1, b.f.RawMatrix(), 0, b.small)
	n, s := b.small.N, &b.spec
	s.Rank = 0
	finite := true
	for i := range n {
		for _, v := range b.small.Data[i*n+i : (i+1)*n] {
			finite = finite && v-v == 0
		}
	}
	if !finite || !lapack64.Syev(lapack.EVCompute, b.small, s.Sigma, b.work, len(b.work)) {
		clear(s.Sigma)
		return s // rank 0: no step on this batch
	}
	slices.Reverse(s.Sigma)
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
	n := b.small.N
	column := blas64.Vector{N: n, Inc: n, Data: b.small.Data[n-1-i:]}
	if size > d {
		blas64.Copy(column, vector(b.v))
		return
	}
	blas64.Copy(column, vector(b.u))
	multiply(b.v, kind.Trans, b.f, b.u)
	blas64.Scal(1/blas64.Nrm2(vector(b.v)), vector(b.v))
}
