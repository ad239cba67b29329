package immunize

import (
	"fmt"

	"gonum.org/v1/gonum/floats"
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

func newReleasedGradient(b, d int, l Loss) *releasedGradient {
	return &releasedGradient{
		loss: l, y: make([]float64, b), dz: make([]float64, b),
		primary: newReleasedBatch(b, d), harmful: newReleasedBatch(b, d),
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
	x, f, g  *mat.Dense    // X, F = Xθ + 1bᵀ and G = ∂R/∂F, B×D
	outer    *mat.SymDense // FFᵀ, then XXᵀ + λI; B×B; nil for B ≥ D
	inner    *mat.SymDense // FᵀF, then XᵀX + λI; D×D; nil for B < D
	eig      mat.EigenSym
	q        mat.Dense
	chol     mat.Cholesky
	y, small *mat.Dense // B×D, B×B
	big      *mat.Dense // D×D
	v        *mat.VecDense
}

func newReleasedBatch(b, d int) *releasedBatch {
	r := &releasedBatch{
		x: mat.NewDense(b, d, nil), f: mat.NewDense(b, d, nil), g: mat.NewDense(b, d, nil),
		y: mat.NewDense(b, d, nil), v: mat.NewVecDense(d, nil),
	}
	if b < d {
		r.outer, r.small = mat.NewSymDense(b, nil), mat.NewDense(b, b, nil)
	} else {
		r.inner, r.big = mat.NewSymDense(d, nil), mat.NewDense(d, d, nil)
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
	_, d := r.f.Dims()
	square := r.product(r.g, -2/float64(d))
	s1 := spectrum.Ridge
	if values, ok := r.eigen(square); ok {
		n := len(values)
		s1 += values[n-1]
		u := r.q.ColView(n - 1)
		if r.inner == nil {
			r.v.MulVec(r.f.T(), u)
			r.v.ScaleVec(1/mat.Norm(r.v, 2), r.v)
		} else {
			r.v.CopyVec(u)
		}
		var fv mat.VecDense
		fv.MulVec(r.f, r.v)
		r.g.RankOne(r.g, 2*s1, &fv, r.v)
	}
	return s1*s1/2 - square/float64(2*d)
}

// ill stores G = 2F(s_2uuᵀ − S/D)/g² in r.g and returns 1/g.
func (r *releasedBatch) ill() float64 {
	_, d := r.f.Dims()
	square := r.product(r.g, -2/float64(d))
	s2 := spectrum.Ridge
	if r.inner != nil {
		if values, ok := r.eigen(square); ok {
			if values[0] > float64(d)*0x1p-52*values[d-1] {
				s2 += values[0]
				var fu mat.VecDense
				u := r.q.ColView(0)
				fu.MulVec(r.f, u)
				r.g.RankOne(r.g, 2*s2, &fu, u)
			}
		}
	}
	g := square/float64(2*d) - s2*s2/2
	r.g.Scale(1/(g*g), r.g)
	return 1 / g
}

// product forms the Gram matrix of F on the smaller side, stores c·F·FᵀF in dst, and returns ‖FᵀF‖_F².
func (r *releasedBatch) product(dst *mat.Dense, c float64) float64 {
	var gram *mat.SymDense
	if r.inner == nil {
		gram = r.outer
		gram.SymOuterK(1, r.f)
		dst.Mul(gram, r.f)
	} else {
		gram = r.inner
		gram.SymOuterK(1, r.f.T())
		dst.Mul(r.f, gram)
	}
	dst.Scale(c, dst)
	norm := mat.Norm(gram, 2)
	return norm * norm
}

// eigen decomposes the Gram matrix of product, whose ‖·‖_F² is square; the values ascend. It does not if that is not finite: the
// parameters will not be, after this step.
func (r *releasedBatch) eigen(square float64) (values []float64, ok bool) {
	gram := r.outer
	if r.inner != nil {
		gram = r.inner
	}
	if square-square != 0 || !r.eig.Factorize(gram, true) {
		return nil, false
	}
	r.eig.VectorsTo(&r.q)
	return r.eig.Values(nil), true
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
	if r.inner != nil {
		r.inner.SymOuterK(1, r.x.T())
		if err := r.factorize(r.inner, lambda); err != nil {
			return err
		}
		if side == Mended {
			r.big.Mul(r.x.T(), r.g)
			return ignoreCondition(r.chol.SolveTo(dst, r.big))
		}
		r.big.Mul(r.g.T(), r.x)
		if err := ignoreCondition(r.chol.SolveTo(r.big, r.big)); err != nil {
			return err
		}
		dst.Copy(r.big.T())
		return nil
	}
	r.outer.SymOuterK(1, r.x)
	if err := r.factorize(r.outer, lambda); err != nil {
		return err
	}
	if side == Mended {
		if err := ignoreCondition(r.chol.SolveTo(r.y, r.g)); err != nil {
			return err
		}
		dst.Mul(r.x.T(), r.y)
		return nil
	}
	if err := ignoreCondition(r.chol.SolveTo(r.y, r.x)); err != nil {
		return err
	}
	r.small.Mul(r.g, r.x.T())
	r.f.Mul(r.small, r.y) // F is not needed any more
	r.f.Sub(r.g, r.f)
	dst.Mul(r.x.T(), r.f)
	dst.Scale(1/lambda, dst)
	return nil
}

func (r *releasedBatch) factorize(s *mat.SymDense, lambda float64) error {
	for i := range s.SymmetricDim() {
		s.SetSym(i, i, s.At(i, i)+lambda)
	}
	if !r.chol.Factorize(s) {
		return fmt.Errorf("immunize: ridge %v is too small for the data: K + λI is singular", lambda)
	}
	return nil
}

// ignoreCondition drops the warning that a system is ill-conditioned, which it is by design.
func ignoreCondition(err error) error {
	if _, ok := err.(mat.Condition); ok {
		return nil
	}
	return err
}
