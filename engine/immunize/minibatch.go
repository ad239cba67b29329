package immunize

import (
	"math"
	"math/rand/v2"

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

	x, f      *mat.Dense // X_b, and √(N/B)·X_bθ, whose Gram matrix is H_b, B×D
	y         []float64
	ends      spectrum.Workspace
	byRank    map[int]*spectrum.Factor // of the identity, told to have this rank
	deficient bool                     // the last batch had a lower rank than it could
	work      regularizer.Workspace
	xg        *mat.Dense // X_b·gradient, B×D (plain form)

	// For counting: the smaller of H_b and its mirror image, and its eigenvalues.
	small  blas64.Symmetric
	values []float64
	room   []float64
}

func newMinibatch(t Task, size int, rng *rand.Rand) *minibatch {
	n, d := t.X.Dims()
	b := &minibatch{task: t, rows: newBatcher(n, size, rng), byRank: map[int]*spectrum.Factor{}}
	size = b.rows.b
	b.scale = float64(n) / float64(size)
	b.x, b.f, b.xg = mat.NewDense(size, d, nil), mat.NewDense(size, d, nil), mat.NewDense(size, d, nil)
	b.y = make([]float64, size)
	k := min(size, d)
	b.small = blas64.Symmetric{N: k, Stride: k, Uplo: kind.Upper, Data: make([]float64, k*k)}
	b.values = make([]float64, k)
	var length [1]float64
	lapack64.Syev(lapack.EVNone, b.small, b.values, length[:], -1)
	b.room = make([]float64, int(length[0]))
	return b
}

// gradient draws the next batch and stores the gradient of t on it in dst, in the given form; the pseudo-inverse form projects
// onto the range of the whole task's K. It returns the ends of the spectrum of H_b, and false where the gradient is undefined or
// k_b = 1; dst is then not changed.
func (b *minibatch) gradient(dst *mat.Dense, t *term, theta *mat.Dense, form regularizer.Form) (*spectrum.Extremes, bool) {
	gather(b.x, b.y, b.task.X, b.task.Y, b.rows.rows())
	x, out := b.x.RawMatrix(), dst.RawMatrix()
	blas64.Gemm(kind.NoTrans, kind.NoTrans, math.Sqrt(b.scale), x, theta.RawMatrix(), 0, b.f.RawMatrix())
	ends := b.extremes()
	if ends.Rank < 2 {
		return ends, false
	}
	through := form
	if form == regularizer.Plain { // K is that of the batch
		through = regularizer.Cancelled
	}
	if t.ill {
		g := regularizer.At(ends).G
		if c := 1 / (g * g); !(c > 0) || math.IsInf(c, 1) {
			return ends, false
		}
		b.work.Ill(dst, through, b.task.Factor, theta, ends)
	} else {
		b.work.Well(dst, through, b.task.Factor, theta, ends)
	}
	if form == regularizer.Plain { // K_b = (N/B)X_bᵀX_b
		blas64.Gemm(kind.NoTrans, kind.NoTrans, 1, x, out, 0, b.xg.RawMatrix())
		blas64.Gemm(kind.Trans, kind.NoTrans, b.scale, x, b.xg.RawMatrix(), 0, out)
	}
	return ends, true
}

// extremes returns the ends of the spectrum of H_b. They are those of IᵀI with F_b in the place of θ, which are found without
// forming a Gram matrix. The rank is that of the shape and the task, if the smallest value confirms it. A batch that has less is
// counted; after one such the next is counted beforehand, since a σ_k that is rounding takes long to find.
func (b *minibatch) extremes() *spectrum.Extremes {
	size, d := b.f.Dims()
	k := min(size, d, b.task.Factor.Rank())
	tol := float64(max(size, d)) * 0x1p-52
	if b.deficient {
		counted := b.count(tol)
		b.deficient = counted < k
		k = min(k, counted)
	}
	x := b.withRank(k)
	if x.Rank == 0 || x.SigmaK > tol*x.Sigma1 {
		return x
	}
	b.deficient = true
	return b.withRank(min(k-1, b.count(tol)))
}

// withRank returns the ends of the spectrum of H_b if its rank is k; rank 0, and no step on this batch, where H_b is not finite.
func (b *minibatch) withRank(k int) *spectrum.Extremes {
	if k == 0 {
		return &spectrum.Extremes{}
	}
	f := b.byRank[k]
	if f == nil {
		var err error
		if f, err = spectrum.NewFactorRank(identity(b.rows.b), k); err != nil {
			return &spectrum.Extremes{}
		}
		b.byRank[k] = f
	}
	x, err := b.ends.Extremes(f, b.f)
	if err != nil {
		return &spectrum.Extremes{}
	}
	return x
}

// count returns the number of eigenvalues of H_b above tol times the largest.
func (b *minibatch) count(tol float64) (k int) {
	side := kind.NoTrans
	if size, d := b.f.Dims(); size > d {
		side = kind.Trans
	}
	blas64.Syrk(side, 1, b.f.RawMatrix(), 0, b.small)
	if !lapack64.Syev(lapack.EVNone, b.small, b.values, b.room, len(b.room)) {
		return 0
	}
	for _, v := range b.values { // ascending
		if v > tol*b.values[len(b.values)-1] {
			k++
		}
	}
	return k
}
