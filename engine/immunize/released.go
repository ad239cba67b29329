package immunize

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	kind "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// Released is what the paper's released code does, which is not Algorithm 1. The features F = Xθ + 1bᵀ carry a bias; θ and b start
// at U(−1/√D, 1/√D) (the default of torch's linear layer), the head w at N(0, 1); the optimizer is always Adam, on θ, b and w. Row
// i of X_P stays with row i of X_H: with n = min(N_P, N_H), each epoch draws one permutation of the first n rows for both tasks,
// cuts it into batches of Batch rows and drops the rest. A step descends
//
//	L(F_1w, y_1) + λ_P·(½s_1² − ‖S_1‖_F²/(2D)) + λ_H/g,  g = ‖S_2‖_F²/(2D) − ½s_2²,  S_i = F_iᵀF_i,
//
// s_1 the largest eigenvalue of S_1 + 10⁻⁶I and s_2 the smallest of S_2 + 10⁻⁶I that is above 10⁻⁶, with D and not the rank in g.
// The gradients with respect to θ of the second and the third term are preconditioned by (X_iᵀX_i + λI)⁻¹ of the batch, λ =
// RidgePrimary and RidgeHarmful, on the side that Side says; those of L, b and w are not. The harmful targets are never read.
//
// Where S_2 is singular (always when Batch < D) the released code takes for s_2 a null eigenvalue that rounding left just above
// 10⁻⁶. Made definite here: s_2 is then 10⁻⁶, and its vector one of null(F_2), so that g sees nothing but the norm. S_2 counts as
// singular where Batch < D, where the harmful data with a column of ones have a rank below D, and where its smallest eigenvalue is at
// most D·ε times its largest.
//
// In the trace, losses, regularizers and κ are those of all rows of either task, bias included (κ through the factor of [X 1] and
// [θ; bᵀ], with rank min(k', D)); the gradient norms are those of the batch the next step would see. The Theorems say nothing about
// these steps, so none is counted as outside an interval.
//
// It reads Theta0 (if not nil, θ starts there and b at 0), Steps, Batch (the released code: 64), LearningRate, LambdaPrimary and
// LambdaHarmful (numbers, not to be balanced), RidgePrimary, RidgeHarmful, Side, TraceAt and Progress. A step costs O(D²B) for
// B ≤ D.
func Released(ctx context.Context, p Problem, o Options, rng *rand.Rand) (Result, error) {
	d, err := p.prepare(needPrimary)
	if err != nil {
		return Result{}, err
	}
	o.Optimizer, o.Step = Adam, Fixed
	if err := o.prepare(d); err != nil {
		return Result{}, err
	}
	if o.LambdaPrimary.Balance || o.LambdaHarmful.Balance {
		return Result{}, errors.New("immunize: the released code does not balance its weights: give numbers")
	}
	if rng == nil {
		return Result{}, errors.New("immunize: the released code needs random numbers")
	}
	theta, bias, omega := releasedStart(o.Theta0, d, rng)
	fp, err := p.Primary.withOnes()
	if err != nil {
		return Result{}, fmt.Errorf("factorise the primary task with a column of ones: %w", err)
	}
	fh, err := p.Harmful.withOnes()
	if err != nil {
		return Result{}, fmt.Errorf("factorise the harmful task with a column of ones: %w", err)
	}
	m := &released{
		descent: newDescent(&o, theta, fp, fh), problem: &p, bias: bias, omega: omega,
		to: make([]float64, d), z: make([]float64, len(p.Primary.Y)),
	}
	m.everyStep = false
	stack := mat.NewDense(d+1, d, nil)
	m.features = func() *mat.Dense {
		stack.Slice(0, d, 0, d).(*mat.Dense).Copy(theta)
		stack.SetRow(d, bias)
		return stack
	}
	dirBias, dirOmega := m.add(bias).dir, m.add(omega).dir
	np, _ := p.Primary.X.Dims()
	nh, _ := p.Harmful.X.Dims()
	m.rows = newBatcher(min(np, nh), o.Batch, rng)
	m.grad = newReleasedGradient(m.rows.b, d, fh.Rank(), p.Loss)
	m.dir = releasedParams{mat.NewDense(d, d, m.blocks[0].dir), dirBias, dirOmega}
	out, err := m.run(ctx, m)
	if err == nil {
		out.Bias, out.Omega = bias, omega
	}
	return out, err
}

func releasedStart(theta0 *mat.Dense, d int, rng *rand.Rand) (theta *mat.Dense, bias, omega []float64) {
	bias, omega = make([]float64, d), make([]float64, d)
	if theta0 != nil {
		theta = mat.DenseCopyOf(theta0)
	} else {
		bound := 1 / math.Sqrt(float64(d))
		uniform := func() float64 { return bound * (2*rng.Float64() - 1) }
		theta = mat.NewDense(d, d, nil)
		for i := range d { // W = θᵀ, row by row
			for j := range d {
				theta.Set(j, i, uniform())
			}
		}
		for i := range bias {
			bias[i] = uniform()
		}
	}
	for i := range omega {
		omega[i] = rng.NormFloat64()
	}
	return theta, bias, omega
}

// withOnes returns the factor of [X 1].
func (t *Task) withOnes() (*spectrum.Factor, error) {
	n, d := t.X.Dims()
	if t.WithOnes != nil {
		f, err := t.WithOnes()
		if err != nil {
			return nil, err
		}
		if fn, fd := f.Dims(); fn != n || fd != d+1 {
			panic(badOnes)
		}
		return f, nil
	}
	wide := mat.NewDense(n, d+1, nil)
	for i := range n {
		row := wide.RawRowView(i)
		copy(row, t.X.RawRowView(i))
		row[d] = 1
	}
	return spectrum.NewFactor(wide)
}

type released struct {
	*descent
	problem     *Problem
	bias, omega []float64
	dir         releasedParams
	rows        *batcher
	grad        *releasedGradient
	to, z       []float64 // θω, and the scores of all rows
}

func (m *released) direction(trace bool) (step, error) {
	s := newStep(m.o.LearningRate)
	if len(m.bias) == 1 {
		s.stop, s.reason = Converged, "no term asks for a step"
		return s, nil
	}
	g := m.grad
	g.norms = trace
	rows := m.rows.rows()
	gather(g.primary.x, g.y, m.problem.Primary.X, m.problem.Primary.Y, rows)
	gather(g.harmful.x, nil, m.problem.Harmful.X, nil, rows)
	v, err := g.eval(m.dir, releasedParams{m.theta, m.bias, m.omega}, m.o)
	if err != nil {
		return s, err
	}
	s.gradLoss, s.gradWell, s.gradIll = v.gradLoss, v.gradWell, v.gradIll
	if trace {
		s.loss = m.loss()
	}
	return s, nil
}

// loss returns L over all rows of the primary task.
func (m *released) loss() float64 {
	t := m.problem.Primary
	multiply(m.to, kind.NoTrans, m.theta, m.omega)
	multiply(m.z, kind.NoTrans, t.X, m.to)
	shift := blas64.Dot(vector(m.bias), vector(m.omega))
	for i := range m.z {
		m.z[i] += shift
	}
	return m.problem.Loss.eval(m.z, m.z, t.Y)
}
