package immunize

import (
	"fmt"
	"math"

	kind "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
	"kappa/engine/spectrum"
)

// releasedParams are Released's parameters, or a gradient with respect to them.
type releasedParams struct {
	theta *mat.Dense
	bias  []float64
	omega []float64
}

// releasedValue holds the parts of the objective on a batch and the norms of their gradients in θ, without weights.
type releasedValue struct {
	loss, well, ill             float64
	gradLoss, gradWell, gradIll float64 // the last two NaN where they were not asked for
}

// releasedGradient evaluates Released's objective and its gradients on one batch. y and both x are filled in by the caller.
//
// Every term's gradient in θ is a product of two matrices with as many rows as the batch: XᵀY for the preconditioned terms
// (releasedBatch says what Y is), (Xᵀ∂L/∂z)·wᵀ for the loss. The direction is therefore one product, leftᵀ·right, of their rows
// one below the other.
type releasedGradient struct {
	loss             Loss
	norms            bool // norms of the terms' gradients are wanted
	y, dz            []float64
	primary, harmful *releasedBatch
	x, f             *mat.Dense // of both tasks, 2B×D
	left, right      *mat.Dense // (2B+1)×D
	o                *Options
	tasks            func(from, to int)
}

// newReleasedGradient makes room for b rows; rank is that of the harmful data with a column of ones.
func newReleasedGradient(b, d, rank int, l Loss) *releasedGradient {
	r := &releasedGradient{
		loss: l, y: make([]float64, b), dz: make([]float64, b), f: mat.NewDense(2*b, d, nil),
		left: mat.NewDense(2*b+1, d, nil), right: mat.NewDense(2*b+1, d, nil),
	}
	r.x = rowsOf(r.left, 0, 2*b)
	if b >= d { // the mended preconditioner changes the left factor, and the inputs are needed as they are
		r.x = mat.NewDense(2*b, d, nil)
	}
	half := func(i, rank int) *releasedBatch {
		from, to := i*b, (i+1)*b
		return newReleasedBatchIn(rowsOf(r.x, from, to), rowsOf(r.f, from, to), rowsOf(r.left, from, to), rowsOf(r.right, from, to), rank)
	}
	r.primary, r.harmful = half(0, d+1), half(1, rank)
	r.harmful.harmful = true
	r.tasks = func(from, to int) {
		for i := from; i < to; i++ {
			if i == 0 {
				r.primary.eval(r.o.RidgePrimary, r.o.Side)
			} else {
				r.harmful.eval(r.o.RidgeHarmful, r.o.Side)
			}
		}
	}
	return r
}

// rowsOf returns the rows from, …, to−1 of a, in the same memory.
func rowsOf(a *mat.Dense, from, to int) *mat.Dense {
	_, d := a.Dims()
	return a.Slice(from, to, 0, d).(*mat.Dense)
}

// eval stores the total direction at q in dst, preconditioned as o says.
func (r *releasedGradient) eval(dst, q releasedParams, o *Options) (releasedValue, error) {
	out := releasedValue{gradWell: math.NaN(), gradIll: math.NaN()}
	p, h := r.primary, r.harmful
	features(r.f, r.x, q)

	rows, _ := r.left.Dims()
	xdz := r.left.RawRowView(rows - 1)
	multiply(r.dz, kind.NoTrans, p.f, q.omega)
	out.loss = r.loss.eval(r.dz, r.dz, r.y)
	multiply(xdz, kind.Trans, p.x, r.dz)
	copy(r.right.RawRowView(rows-1), q.omega)
	out.gradLoss = blas64.Nrm2(vector(xdz)) * blas64.Nrm2(vector(q.omega))
	floats.ScaleTo(dst.bias, floats.Sum(r.dz), q.omega)
	multiply(dst.omega, kind.Trans, p.f, r.dz)

	r.o = o
	blas.Split(2, 1, r.tasks)
	out.well, out.ill = p.value, h.value
	if p.err != nil {
		return out, fmt.Errorf("precondition the primary batch: %w", p.err)
	}
	if h.err != nil {
		return out, fmt.Errorf("precondition the harmful batch: %w", h.err)
	}
	out.gradWell, out.gradIll = r.term(dst, p, o.LambdaPrimary.Value), r.term(dst, h, o.LambdaHarmful.Value)
	product(dst.theta, r.left, r.right)
	return out, nil
}

// term weighs the term of b by lambda, adds its gradient in the bias to dst, and returns the norm of that in θ without the weight,
// for which dst.theta is a scratch, or NaN where norms are not wanted.
func (r *releasedGradient) term(dst releasedParams, b *releasedBatch, lambda float64) (norm float64) {
	norm = math.NaN()
	if r.norms {
		product(dst.theta, b.left, b.y)
		norm = mat.Norm(dst.theta, 2)
	}
	blas64.Gemv(kind.Trans, lambda, b.g.RawMatrix(), vector(b.ones), 1, vector(dst.bias))
	blas64.Scal(lambda, vector(b.y.RawMatrix().Data))
	return norm
}

// product stores aᵀb in dst.
func product(dst, a, b *mat.Dense) {
	blas64.Gemm(kind.Trans, kind.NoTrans, 1, a.RawMatrix(), b.RawMatrix(), 0, dst.RawMatrix())
}

// features stores F = Xθ + 1bᵀ in f.
func features(f, x *mat.Dense, q releasedParams) {
	n, _ := f.Dims()
	for i := range n {
		copy(f.RawRowView(i), q.bias)
	}
	blas64.Gemm(kind.NoTrans, kind.NoTrans, 1, x.RawMatrix(), q.theta.RawMatrix(), 1, f.RawMatrix())
}

// releasedBatch is one task's part of a batch.
type releasedBatch struct {
	x, f, g   *mat.Dense    // X, F = Xθ + 1bᵀ and G = ∂R/∂F, B×D
	left, y   *mat.Dense    // the preconditioned gradient is leftᵀ·Y; left is X for B < D
	gram      *mat.SymDense // FFᵀ, then XXᵀ + λI for B < D, else FᵀF, then XᵀX + λI
	full      *mat.Dense    // the same memory, for products: those of symmetric matrices are slow
	deficient bool          // S = FᵀF is singular, whatever θ and b
	work      spectrum.Workspace
	small     *mat.Dense // B×B; nil for B ≥ D
	ones      []float64  // B

	// What eval found.
	harmful bool // the term is R_ill
	value   float64
	err     error
}

// newReleasedBatch makes room for b rows of data that have rank at most k with a column of ones.
func newReleasedBatch(b, d, k int) *releasedBatch {
	room := func() *mat.Dense { return mat.NewDense(b, d, nil) }
	x := room()
	left := x
	if b >= d {
		left = room()
	}
	return newReleasedBatchIn(x, room(), left, room(), k)
}

func newReleasedBatchIn(x, f, left, y *mat.Dense, k int) *releasedBatch {
	b, d := x.Dims()
	n := min(b, d)
	data := make([]float64, n*n)
	r := &releasedBatch{
		x: x, f: f, g: mat.NewDense(b, d, nil), left: left, y: y,
		gram: mat.NewSymDense(n, data), full: mat.NewDense(n, n, data), deficient: min(b, k) < d, ones: make([]float64, b),
	}
	if b < d {
		r.small = mat.NewDense(b, b, nil)
	}
	for i := range r.ones {
		r.ones[i] = 1
	}
	return r
}

func (r *releasedBatch) features(q releasedParams) { features(r.f, r.x, q) }

// eval computes the term at F, G and the factors of the preconditioned gradient.
func (r *releasedBatch) eval(ridge float64, side PreconditionSide) {
	if r.harmful {
		r.value = r.ill()
	} else {
		r.value = r.well()
	}
	r.err = r.factors(ridge, side)
}

// well stores G = 2F(s_1vvᵀ − S/D) in r.g and returns ½s_1² − ‖S‖_F²/(2D).
func (r *releasedBatch) well() float64 {
	_, d := r.f.Dims()
	square := r.form(r.f)
	s1, u := spectrum.Ridge, []float64(nil)
	if lambda, v, err := r.work.Top(r.gram); err == nil && lambda > 0 {
		s1, u = s1+lambda, v
	}
	r.outer(1, s1, u)
	return s1*s1/2 - square/float64(2*d)
}

// ill stores G = 2F(s_2uuᵀ − S/D)/g² in r.g and returns 1/g.
func (r *releasedBatch) ill() float64 {
	_, d := r.f.Dims()
	square := r.form(r.f)
	s2, u := spectrum.Ridge, []float64(nil)
	if !r.deficient {
		if lambda, v, ok, err := r.work.Bottom(r.gram); ok && err == nil {
			s2, u = s2+lambda, v
		}
	}
	g := square/float64(2*d) - s2*s2/2
	r.outer(1/(g*g), s2, u)
	return 1 / g
}

// outer stores G = 2c·F(s·vvᵀ − S/D) in r.g, from the Gram matrix of F on the smaller side and a unit eigenvector u of it; for u =
// nil without the first part. On the side of the rows u is Fv/‖Fv‖, and F·vvᵀ = uuᵀ·F. The Gram matrix is lost.
func (r *releasedBatch) outer(c, s float64, u []float64) {
	b, d := r.f.Dims()
	full, f := r.full.RawMatrix(), r.f.RawMatrix()
	blas64.Scal(-2*c/float64(d), vector(full.Data))
	if u != nil {
		blas64.Ger(2*c*s, vector(u), vector(u), full)
	}
	if b < d {
		blas64.Gemm(kind.NoTrans, kind.NoTrans, 1, full, f, 0, r.g.RawMatrix())
	} else {
		blas64.Gemm(kind.NoTrans, kind.NoTrans, 1, f, full, 0, r.g.RawMatrix())
	}
}

// form stores aaᵀ or, for B ≥ D, aᵀa in r.gram and returns the square of its Frobenius norm. That is not finite where the
// parameters are about to be neither.
func (r *releasedBatch) form(a *mat.Dense) (square float64) {
	b, d := a.Dims()
	side := kind.NoTrans
	if b >= d {
		side = kind.Trans
	}
	blas64.Syrk(side, 1, a.RawMatrix(), 0, r.gram.RawSymmetric())
	full := r.full.RawMatrix()
	for i := range full.Rows {
		row := full.Data[i*full.Stride : i*full.Stride+full.Cols]
		square += row[i] * row[i]
		for j := i + 1; j < len(row); j++ {
			v := row[j]
			full.Data[j*full.Stride+i] = v
			square += 2 * v * v
		}
	}
	return square
}

// precondition stores XᵀG(K + λI)⁻¹ (AsReleased), or (K + λI)⁻¹XᵀG (Mended), K = XᵀX, in dst, from r.g.
func (r *releasedBatch) precondition(dst *mat.Dense, lambda float64, side PreconditionSide) error {
	if err := r.factors(lambda, side); err != nil {
		return err
	}
	product(dst, r.left, r.y)
	return nil
}

// factors makes left and Y, whose product is the preconditioned gradient. For B < D the inverse is taken on the B×B side:
//
//	(K + λI)⁻¹Xᵀ = Xᵀ(XXᵀ + λI)⁻¹,  (K + λI)⁻¹ = (I − Xᵀ(XXᵀ + λI)⁻¹X)/λ (Woodbury).
//
// X and G stay as they are.
func (r *releasedBatch) factors(lambda float64, side PreconditionSide) error {
	if r.left != r.x {
		r.left.Copy(r.x)
	}
	r.y.Copy(r.g)
	if side == unconditioned {
		return nil
	}
	r.form(r.x)
	chol, err := r.factorize(lambda)
	if err != nil {
		return err
	}
	switch {
	case r.small == nil && side == Mended:
		solveRight(chol, r.left)
	case r.small == nil:
		solveRight(chol, r.y)
	case side == Mended:
		lapack64.Potrs(chol, r.y.RawMatrix())
	default: // Y = (G − (GXᵀ)(XXᵀ + λI)⁻¹X)/λ
		small, x := r.small.RawMatrix(), r.x.RawMatrix()
		blas64.Gemm(kind.NoTrans, kind.Trans, 1, x, r.g.RawMatrix(), 0, small)
		lapack64.Potrs(chol, small)
		blas64.Gemm(kind.Trans, kind.NoTrans, -1/lambda, small, x, 1/lambda, r.y.RawMatrix())
	}
	return nil
}

// solveRight multiplies a by the inverse of UᵀU from the right.
func solveRight(u blas64.Triangular, a *mat.Dense) {
	blas64.Trsm(kind.Right, kind.NoTrans, 1, u, a.RawMatrix())
	blas64.Trsm(kind.Right, kind.Trans, 1, u, a.RawMatrix())
}

// factorize adds λI to r.gram and overwrites it with its Cholesky factor. How ill-conditioned that is is not asked: it is by design.
func (r *releasedBatch) factorize(lambda float64) (blas64.Triangular, error) {
	for i := range r.gram.SymmetricDim() {
		r.gram.SetSym(i, i, r.gram.At(i, i)+lambda)
	}
	chol, ok := lapack64.Potrf(r.gram.RawSymmetric())
	if !ok {
		return chol, fmt.Errorf("immunize: ridge %v is too small for the data: K + λI is singular", lambda)
	}
	return chol, nil
}
