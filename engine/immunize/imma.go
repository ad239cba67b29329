package immunize

import (
	"context"
	"fmt"
	"math/rand/v2"

	kind "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// IMMA is the bi-level method of Zheng and Yeh, IMMA: Immunizing text-to-image models against malicious adaptation, ECCV 2024, in
// the form the paper compares with for linear models: the inner player w takes InnerSteps steps of gradient descent on the harmful
// task from w_0 = 0,
//
//	w_(j+1) = w_j − α·θᵀ(K_Hθw_j − X_Hᵀy_H),  α = 1/‖K_H‖₂,
//
// and the outer player descends J(θ) = ½‖X_Pθω* − y_P‖² − ½‖X_Hθw_T − y_H‖², ω* the minimum-norm least-squares head of the primary
// task, through the unrolled steps. Under Normalized ∇J is scaled to the norm s.
//
// The first term is a constant for every invertible θ (its gradient (K_Pθω* − X_Pᵀy_P)ω*ᵀ is zero) and left out of the gradient,
// where it would be nothing but rounding. With an exact inner solution the second would be constant as well: only the truncation
// of the inner loop gives the outer player anything to do. Steps of a fixed length can walk θ through a singular matrix, where the
// inner player learns least: κ(H_H) is then huge for a few steps, and no lasting gain.
//
// Both losses are squared errors, the labels being the targets, whatever Problem.Loss says; the trace's LossPrimary is Problem.Loss
// at ω*, its GradLoss is ‖∇J‖_F. It reads Theta0, Optimizer, Step, StepFraction, Steps, LearningRate, Momentum, InnerSteps, TraceAt
// and Progress, and draws no random numbers. A step costs
// about what one of Algorithm1 costs.
func IMMA(ctx context.Context, p Problem, o Options, _ *rand.Rand) (Result, error) {
	d, err := p.prepare(needPrimary | needHarmful)
	if err != nil {
		return Result{}, err
	}
	if err := o.prepare(d); err != nil {
		return Result{}, err
	}
	if o.Step == Certified {
		return Result{}, errNotCertified
	}
	m := &imma{
		descent: newDescent(&o, o.start(d), p.Primary.Factor, p.Harmful.Factor), problem: &p,
		unrolled: newUnrolled(p.Harmful, o.InnerSteps), sup: newSupervised(p.Loss, d), omega: mat.NewVecDense(d, nil),
		pass: newPasses(d),
	}
	m.dir = mat.NewDense(d, d, m.blocks[0].dir)
	out, err := m.run(ctx, m)
	if err != nil {
		return Result{}, err
	}
	if err := m.solve(); err != nil {
		return Result{}, err
	}
	out.Omega = m.omega.RawVector().Data
	return out, nil
}

type imma struct {
	*descent
	problem  *Problem
	unrolled *unrolled
	sup      *supervised
	dir      *mat.Dense
	pass     *passes
	omega    *mat.VecDense // ω*
}

func (m *imma) direction(trace bool) (step, error) {
	s := newStep(m.o.LearningRate)
	m.unrolled.gradient(m.dir, -1, 0, m.theta)
	s.gradLoss = m.pass.norm(m.dir)
	if trace {
		if err := m.solve(); err != nil {
			return s, err
		}
		t := m.problem.Primary
		s.loss = m.sup.value(t.X, m.theta, m.omega.RawVector().Data, t.Y)
	}
	if m.o.Step == Normalized {
		s.normalize(m.o, m.theta, s.gradLoss, m.pass)
	}
	return s, nil
}

// solve stores ω* in m.omega: with X_P = UΣVᵀ cut to its rank k, the minimum-norm solution of V_kᵀθω = Σ_k⁻¹U_kᵀy_P. Its error
// grows with κ(θ) and not with κ(H_P).
func (m *imma) solve() error {
	k := m.fp.Rank()
	if k == 0 {
		return nil
	}
	t := m.problem.Primary
	_, d := t.X.Dims()
	vk := m.fp.V().Slice(0, d, 0, k)
	var cut mat.Dense
	var xy, target mat.VecDense
	cut.Mul(vk.T(), m.theta)
	xy.MulVec(t.X.T(), mat.NewVecDense(len(t.Y), t.Y))
	target.MulVec(vk.T(), &xy)
	for i, s := range m.fp.SingularValues()[:k] {
		target.SetVec(i, target.AtVec(i)/(s*s))
	}
	var lq mat.LQ
	lq.Factorize(&cut)
	if err := ignoreCondition(lq.SolveVecTo(m.omega, false, &target)); err != nil {
		return fmt.Errorf("head of the primary task: %w", err)
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

// unrolled is the inner player of IMMA and the derivative of where it arrives.
type unrolled struct {
	k     *mat.SymDense // K_H
	xy    []float64     // X_Hᵀy_H
	yy    float64       // ‖y_H‖²
	alpha float64       // 1/‖K_H‖₂
	w     [][]float64
	q     [][]float64 // K_Hθw_j − X_Hᵀy_H
	p     []float64   // θw
	back  []float64   // adjoint of w_j
	bq    []float64   // adjoint of q_j
	bp    []float64   // adjoint of θw_j
	grad  []float64   // θᵀq_j

	left, right blas64.General // the derivative is leftᵀ·right, (2·steps)×D
}

func newUnrolled(t Task, steps int) *unrolled {
	_, d := t.Factor.Dims()
	vec := func() []float64 { return make([]float64, d) }
	rows := max(1, 2*steps)
	factor := func() blas64.General {
		return blas64.General{Rows: rows, Cols: d, Stride: d, Data: make([]float64, rows*d)}
	}
	u := &unrolled{
		k: t.Factor.K(), xy: vec(), p: vec(), back: vec(), bq: vec(), bp: vec(), grad: vec(), left: factor(), right: factor(),
	}
	multiply(u.xy, kind.Trans, t.X, t.Y)
	u.yy = blas64.Dot(vector(t.Y), vector(t.Y))
	if top := t.Factor.SingularValues()[0]; top > 0 {
		u.alpha = 1 / (top * top)
	}
	for range steps + 1 {
		u.w, u.q = append(u.w, vec()), append(u.q, vec())
	}
	return u
}

// run plays the inner game at θ and returns ½‖X_Hθw_T − y_H‖².
func (u *unrolled) run(theta *mat.Dense) float64 {
	last := len(u.w) - 1
	for j, w := range u.w {
		q := u.q[j]
		copy(q, u.xy)
		if j == 0 { // w_0 = 0
			clear(u.p)
			blas64.Scal(-1, vector(q))
		} else {
			multiply(u.p, kind.NoTrans, theta, w)
			blas64.Symv(1, u.k.RawSymmetric(), vector(u.p), -1, vector(q))
		}
		if j < last {
			multiply(u.grad, kind.Trans, theta, q)
			for i, g := range u.grad {
				u.w[j+1][i] = w[i] - u.alpha*g
			}
		}
	}
	// ½(pᵀKp − 2pᵀXᵀy + yᵀy) with Kp = q + Xᵀy.
	return (blas64.Dot(vector(u.p), vector(u.q[last])) - blas64.Dot(vector(u.p), vector(u.xy)) + u.yy) / 2
}

// addGradient adds c times the derivative of run with respect to θ to dst.
func (u *unrolled) addGradient(dst *mat.Dense, c float64, theta *mat.Dense) {
	u.gradient(dst, c, 1, theta)
}

// gradient stores c times the derivative of run with respect to θ, by reverse accumulation through the steps, plus old·dst in dst.
// It is a sum of 2·steps outer products, which are formed together.
func (u *unrolled) gradient(dst *mat.Dense, c, old float64, theta *mat.Dense) {
	u.run(theta)
	last, rows := len(u.w)-1, 0
	add := func(a float64, l, r []float64) {
		d := u.left.Cols
		copy(u.left.Data[rows*d:(rows+1)*d], l)
		right := u.right.Data[rows*d : (rows+1)*d]
		for i, v := range r {
			right[i] = a * v
		}
		rows++
	}
	if last > 0 {
		add(1, u.q[last], u.w[last])                   // through θ in θw_T
		multiply(u.back, kind.Trans, theta, u.q[last]) // and through w_T
	}
	for j := last - 1; j >= 0; j-- {
		// w_(j+1) = w_j − αθᵀq_j, q_j = Kθw_j − Xᵀy
		add(-u.alpha, u.q[j], u.back)
		if j == 0 { // w_0 = 0 does not depend on θ
			break
		}
		multiply(u.bq, kind.NoTrans, theta, u.back)
		blas64.Symv(-u.alpha, u.k.RawSymmetric(), vector(u.bq), 0, vector(u.bp))
		add(1, u.bp, u.w[j])
		blas64.Gemv(kind.Trans, 1, theta.RawMatrix(), vector(u.bp), 1, vector(u.back))
	}
	left, right := u.left, u.right
	left.Rows, right.Rows = rows, rows
	if rows == 0 { // no step: w_0 = 0
		dst.Scale(old, dst)
		return
	}
	blas64.Gemm(kind.Trans, kind.NoTrans, c, left, right, old, dst.RawMatrix())
}
