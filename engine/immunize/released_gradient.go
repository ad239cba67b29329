package immunize

import (
	"fmt"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

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
	gradLoss, gradWell, gradIll float64
}

// releasedGradient evaluates Released's objective and its gradients on one batch. y and both x are filled in by the caller.
type releasedGradient struct {
	loss             Loss
	y, dz            []float64
	primary, harmful *releasedBatch
	part             *mat.Dense // one term's gradient in θ, D×D
	xdz              *mat.VecDense
}

// newReleasedGradient makes room for b rows; rank is that of the harmful data with a column of ones.
func newReleasedGradient(b, d, rank int, l Loss) *releasedGradient {
	return &releasedGradient{
		loss: l, y: make([]float64, b), dz: make([]float64, b),
		primary: newReleasedBatch(b, d, d+1), harmful: newReleasedBatch(b, d, rank),
		part: mat.NewDense(d, d, nil), xdz: mat.NewVecDense(d, nil),
	}
}

// eval stores the total direction at q in dst, preconditioned as o says.
func (r *releasedGradient) eval(dst, q releasedParams, o *Options) (releasedValue, error) {
	var out releasedValue
	p, h := r.primary, r.harmful
	p.features(q)
	h.features(q)

	w := mat.NewVecDense(len(q.omega), q.omega)
	dz := mat.NewVecDense(len(r.dz), r.dz)
	dz.MulVec(p.f, w)
	out.loss = r.loss.eval(r.dz, r.dz, r.y)
	r.xdz.MulVec(p.x.T(), dz)
	dst.theta.Outer(1, r.xdz, w)
	out.gradLoss = mat.Norm(r.xdz, 2) * mat.Norm(w, 2)
	floats.ScaleTo(dst.bias, floats.Sum(r.dz), q.omega)
	mat.NewVecDense(len(dst.omega), dst.omega).MulVec(p.f.T(), dz)

	out.well = p.well()
	if err := p.precondition(r.part, o.RidgePrimary, o.Side); err != nil {
		return out, fmt.Errorf("precondition the primary batch: %w", err)
	}
	out.gradWell = r.add(dst, p, o.LambdaPrimary.Value)
	out.ill = h.ill()
	if err := h.precondition(r.part, o.RidgeHarmful, o.Side); err != nil {
		return out, fmt.Errorf("precondition the harmful batch: %w", err)
	}
	out.gradIll = r.add(dst, h, o.LambdaHarmful.Value)
	return out, nil
}

// add adds λ times the term of b to dst, r.part being its gradient in θ, and returns the norm of that.
func (r *releasedGradient) add(dst releasedParams, b *releasedBatch, lambda float64) float64 {
	floats.AddScaled(dst.theta.RawMatrix().Data, lambda, r.part.RawMatrix().Data)
	n, _ := b.g.Dims()
	for i := range n {
		floats.AddScaled(dst.bias, lambda, b.g.RawRowView(i))
	}
	return mat.Norm(r.part, 2)
}

// releasedBatch is one task's part of a batch.
type releasedBatch struct {
	x, f, g   *mat.Dense    // X, F = Xθ + 1bᵀ and G = ∂R/∂F, B×D
	gram      *mat.SymDense // FFᵀ, then XXᵀ + λI for B < D, else FᵀF, then XᵀX + λI
	full      *mat.Dense    // the same memory, for products: those of symmetric matrices are slow
	deficient bool          // S = FᵀF is singular, whatever θ and b
	work      spectrum.Workspace
	y, small  *mat.Dense // B×D, B×B; nil for B ≥ D
	big       *mat.Dense // D×D; nil for B < D
	v, fv     *mat.VecDense
}

// newReleasedBatch makes room for b rows of data that have rank at most k with a column of ones.
func newReleasedBatch(b, d, k int) *releasedBatch {
	n := min(b, d)
	data := make([]float64, n*n)
	r := &releasedBatch{
		x: mat.NewDense(b, d, nil), f: mat.NewDense(b, d, nil), g: mat.NewDense(b, d, nil),
		gram: mat.NewSymDense(n, data), full: mat.NewDense(n, n, data), deficient: min(b, k) < d,
		v: mat.NewVecDense(d, nil), fv: mat.NewVecDense(b, nil),
	}
	if b < d {
		r.y, r.small = mat.NewDense(b, d, nil), mat.NewDense(b, b, nil)
	} else {
		r.big = mat.NewDense(d, d, nil)
	}
	return r
}

func (r *releasedBatch) features(q releasedParams) {
	r.f.Mul(r.x, q.theta)
	n, _ := r.f.Dims()
	for i := range n {
		floats.Add(r.f.RawRowView(i), q.bias)
	}
}

// well stores G = 2F(s_1vvᵀ − S/D) in r.g and returns ½s_1² − ‖S‖_F²/(2D).
func (r *releasedBatch) well() float64 {
	b, d := r.f.Dims()
	square := r.product(r.g, -2/float64(d))
	s1 := spectrum.Ridge
	if lambda, u, err := r.work.Top(r.gram); err == nil && lambda > 0 {
		s1 += lambda
		if b < d {
			r.v.MulVec(r.f.T(), mat.NewVecDense(b, u))
			r.v.ScaleVec(1/mat.Norm(r.v, 2), r.v)
		} else {
			copy(r.v.RawVector().Data, u)
		}
		r.deflate(s1)
	}
	return s1*s1/2 - square/float64(2*d)
}

// ill stores G = 2F(s_2uuᵀ − S/D)/g² in r.g and returns 1/g.
func (r *releasedBatch) ill() float64 {
	_, d := r.f.Dims()
	square := r.product(r.g, -2/float64(d))
	s2 := spectrum.Ridge
	if !r.deficient {
		if lambda, u, ok, err := r.work.Bottom(r.gram); ok && err == nil {
			s2 += lambda
			copy(r.v.RawVector().Data, u)
			r.deflate(s2)
		}
	}
	g := square/float64(2*d) - s2*s2/2
	r.g.Scale(1/(g*g), r.g)
	return 1 / g
}

// deflate adds 2s·Fvvᵀ to G, v = r.v.
func (r *releasedBatch) deflate(s float64) {
	r.fv.MulVec(r.f, r.v)
	r.g.RankOne(r.g, 2*s, r.fv, r.v)
}

// product forms the Gram matrix of F on the smaller side, stores c·F·FᵀF in dst, and returns ‖FᵀF‖_F². That is not finite where the
// parameters are about to be neither; the vectors are then left out.
func (r *releasedBatch) product(dst *mat.Dense, c float64) float64 {
	r.form(r.f)
	if r.big == nil {
		dst.Mul(r.full, r.f)
	} else {
		dst.Mul(r.f, r.full)
	}
	dst.Scale(c, dst)
	norm := mat.Norm(r.full, 2)
	return norm * norm
}

// form stores aaᵀ or, for B ≥ D, aᵀa in r.gram.
func (r *releasedBatch) form(a *mat.Dense) {
	if r.big == nil {
		r.gram.SymOuterK(1, a)
	} else {
		r.gram.SymOuterK(1, a.T())
	}
	raw := r.full.RawMatrix()
	for i := range raw.Rows {
		for j := range i {
			raw.Data[i*raw.Stride+j] = raw.Data[j*raw.Stride+i]
		}
	}
}

// precondition stores XᵀG(K + λI)⁻¹ (AsReleased), or (K + λI)⁻¹XᵀG (Mended), K = XᵀX, in dst, from r.g. For B < D the inverse is
// taken on the B×B side:
//
//	(K + λI)⁻¹Xᵀ = Xᵀ(XXᵀ + λI)⁻¹,  (K + λI)⁻¹ = (I − Xᵀ(XXᵀ + λI)⁻¹X)/λ (Woodbury).
func (r *releasedBatch) precondition(dst *mat.Dense, lambda float64, side PreconditionSide) error {
	if side == unconditioned {
		dst.Mul(r.x.T(), r.g)
		return nil
	}
	r.form(r.x)
	chol, err := r.factorize(lambda)
	if err != nil {
		return err
	}
	solve := func(b *mat.Dense) { lapack64.Potrs(chol, b.RawMatrix()) }
	switch {
	case r.big != nil && side == Mended:
		dst.Mul(r.x.T(), r.g)
		solve(dst)
	case r.big != nil:
		r.big.Mul(r.g.T(), r.x)
		solve(r.big)
		dst.Copy(r.big.T())
	case side == Mended:
		r.y.Copy(r.g)
		solve(r.y)
		dst.Mul(r.x.T(), r.y)
	default:
		r.y.Copy(r.x)
		solve(r.y)
		r.small.Mul(r.g, r.x.T())
		r.f.Mul(r.small, r.y) // F is not needed any more
		r.f.Sub(r.g, r.f)
		dst.Mul(r.x.T(), r.f)
		dst.Scale(1/lambda, dst)
	}
	return nil
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
