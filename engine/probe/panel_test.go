package probe

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// naive is a method written down in the weights themselves, without any care: it returns w_1, w_2, ….
type naive func(x *mat.Dense, y, w0 []float64, steps int) [][]float64

// slope returns Xᵀ(Xw − y), half the gradient.
func slope(x *mat.Dense, y, w []float64) []float64 {
	r := times(x, w)
	for i := range r {
		r[i] -= y[i]
	}
	return transposedTimes(x, r)
}

// exactStep returns the η that minimises the loss at w − ηp.
func exactStep(x *mat.Dense, y, w, p []float64) float64 {
	return dot(slope(x, y, w), p) / squared(times(x, p))
}

func norm2(x *mat.Dense) float64 {
	var svd mat.SVD
	svd.Factorize(x, mat.SVDNone)
	return svd.Values(nil)[0]
}

// moved returns w − ηp.
func moved(w []float64, eta float64, p []float64) []float64 {
	out := slices.Clone(w)
	for i := range out {
		out[i] -= eta * p[i]
	}
	return out
}

func naiveExact(x *mat.Dense, y, w []float64, steps int) (out [][]float64) {
	for range steps {
		g := slope(x, y, w)
		w = moved(w, exactStep(x, y, w, g), g)
		out = append(out, w)
	}
	return out
}

func naiveFixed(x *mat.Dense, y, w []float64, steps int) (out [][]float64) {
	top := norm2(x)
	for range steps {
		w = moved(w, 1/(top*top), slope(x, y, w))
		out = append(out, w)
	}
	return out
}

func naiveNesterov(x *mat.Dense, y, w0 []float64, steps int) (out [][]float64) {
	top := norm2(x)
	before, v, s := w0, w0, 1.0
	for range steps {
		w := moved(v, 1/(top*top), slope(x, y, v))
		next := 0.5 + math.Sqrt(0.25+s*s)
		v = moved(w, -(s-1)/next, moved(w, 1, before))
		before, s = w, next
		out = append(out, w)
	}
	return out
}

// naiveCG is Hestenes and Stiefel's first form on the normal equations, through the Gram matrix.
func naiveCG(x *mat.Dense, y, w []float64, steps int) (out [][]float64) {
	var h mat.Dense
	h.Mul(x.T(), x)
	r := moved(make([]float64, len(w)), 1, slope(x, y, w))
	p := slices.Clone(r)
	for range steps {
		hp := times(&h, p)
		alpha := squared(r) / dot(p, hp)
		w = moved(w, -alpha, p)
		next := moved(r, alpha, hp)
		p = moved(next, -squared(next)/squared(r), p)
		r = next
		out = append(out, w)
	}
	return out
}

// naiveLBFGS forms the inverse Hessian of the last pairs as a matrix, by the update formula of BFGS.
func naiveLBFGS(x *mat.Dense, y, w []float64, steps int) (out [][]float64) {
	d := len(w)
	var s, c []*mat.VecDense
	for range steps {
		h := mat.NewDense(d, d, nil)
		guess := 1.0
		if n := len(s); n > 0 {
			guess = mat.Dot(s[n-1], c[n-1]) / mat.Dot(c[n-1], c[n-1])
		}
		for i := range d {
			h.Set(i, i, guess)
		}
		for i := max(0, len(s)-10); i < len(s); i++ { // H ← (I − ρscᵀ)H(I − ρcsᵀ) + ρssᵀ
			rho := 1 / mat.Dot(s[i], c[i])
			var v, left, both, outer mat.Dense
			v.Outer(-rho, s[i], c[i])
			for j := range d {
				v.Set(j, j, v.At(j, j)+1)
			}
			left.Mul(&v, h)
			both.Mul(&left, v.T())
			outer.Outer(rho, s[i], s[i])
			h.Add(&both, &outer)
		}
		g := slope(x, y, w)
		p := times(h, g)
		next := moved(w, exactStep(x, y, w, p), p)
		s = append(s, mat.NewVecDense(d, moved(next, 1, w)))
		c = append(c, mat.NewVecDense(d, moved(slope(x, y, next), 1, g)))
		w = next
		out = append(out, w)
	}
	return out
}

func naiveAdam(rate float64) naive {
	return func(x *mat.Dense, y, w []float64, steps int) (out [][]float64) {
		n, d := x.Dims()
		m, v := make([]float64, d), make([]float64, d)
		w = slices.Clone(w)
		for step := 1; step <= steps; step++ {
			for j, g := range slope(x, y, w) {
				g *= 2 / float64(n)
				m[j] = 0.9*m[j] + 0.1*g
				v[j] = 0.999*v[j] + 0.001*g*g
				mHat := m[j] / (1 - math.Pow(0.9, float64(step)))
				vHat := v[j] / (1 - math.Pow(0.999, float64(step)))
				w[j] -= rate * mHat / (math.Sqrt(vHat) + 1e-8)
			}
			out = append(out, slices.Clone(w))
		}
		return out
	}
}

func naiveStandardized(x *mat.Dense, y, w0 []float64, steps int) (out [][]float64) {
	n, d := x.Dims()
	scaled, norms := mat.DenseCopyOf(x), make([]float64, d)
	start := slices.Clone(w0)
	for j := range d {
		norms[j] = mat.Norm(x.ColView(j), 2)
		if norms[j] == 0 {
			norms[j] = 1
		}
		start[j] *= norms[j]
		for i := range n {
			scaled.Set(i, j, x.At(i, j)/norms[j])
		}
	}
	for _, v := range naiveExact(scaled, y, start, steps) {
		for j := range v {
			v[j] /= norms[j]
		}
		out = append(out, v)
	}
	return out
}

// TestAgainstMatrices compares every attacker, which works in coordinates of its own, with its definition in the weights: the weights after
// each step, the loss, and the excess by subtraction, from zero and from elsewhere, for features of every shape and of deficient rank.
func TestAgainstMatrices(t *testing.T) {
	for _, size := range []struct{ n, d, k int }{{20, 6, 6}, {7, 7, 7}, {5, 9, 5}, {12, 8, 5}, {150, 40, 40}, {6, 1, 1}, {1, 6, 1}} {
		rng := numtest.Rand(uint64(size.n))
		sigma := numtest.Geometric(3, 1, size.k)
		for len(sigma) < min(size.n, size.d) {
			sigma = append(sigma, 0)
		}
		x := numtest.WithSingularValues(rng, size.n, size.d, sigma)
		if size.d > 2 {
			for i := range size.n {
				x.Set(i, 1, 0)
			}
		}
		y := numtest.Gaussian(rng, size.n, 1).RawMatrix().Data
		target := mustPrepare(t, x, y, 0)
		for _, w0 := range [][]float64{make([]float64, size.d), numtest.Gaussian(rng, size.d, 1).RawMatrix().Data} {
			for name, f := range map[string]naive{
				"gd-exact": naiveExact, "gd-fixed": naiveFixed, "gd-standardized": naiveStandardized, "nesterov": naiveNesterov,
				"cg": naiveCG, "lbfgs": naiveLBFGS, "adam": naiveAdam(0.03),
			} {
				steps := 25
				if name == "cg" || name == "lbfgs" { // they lose their way to rounding once they are done
					steps = min(4, size.k)
				}
				if size.k == 1 {
					steps = 1
				}
				want := append([][]float64{w0}, f(x, y, w0, steps)...)
				for last := range want {
					res := mustAttack(t, methods[name], target, Options{Steps: last, W0: w0, LearningRate: 0.03, TraceAt: every})
					if res.Steps < last {
						break // rounding is all that is left
					}
					if e := math.Sqrt(distance2(res.W, want[last])); e > 1e-10*(1+math.Sqrt(squared(w0))) {
						t.Errorf("%v, %s: the weights after %d steps are off by %.2g", size, name, last, e)
						break
					}
					p, r := res.Trace[last], times(x, want[last])
					for i := range r {
						r[i] -= y[i]
					}
					if e := math.Abs(p.Loss - squared(r)); e > 1e-10*(1+squared(r)) {
						t.Errorf("%v, %s: the loss after %d steps is off by %.2g", size, name, last, e)
					}
					first := res.Trace[0].Loss - target.BestLoss()
					if e := math.Abs(p.Excess*first - (p.Loss - target.BestLoss())); e > 1e-10*res.Trace[0].Loss {
						t.Errorf("%v, %s: the excess after %d steps is off by %.2g", size, name, last, e)
					}
					dist := distance2(want[last], target.BestWeights()) / distance2(w0, target.BestWeights())
					if math.Abs(p.NormRatio-dist) > 1e-9 {
						t.Errorf("%v, %s: norm ratio %g after %d steps, want %g", size, name, p.NormRatio, last, dist)
					}
				}
			}
		}
	}
}

// TestDistinctValues: conjugate gradients are done after as many steps as there are distinct singular values, and L-BFGS is the same method.
func TestDistinctValues(t *testing.T) {
	for distinct := 1; distinct <= 7; distinct++ {
		rng := numtest.Rand(uint64(40 + distinct))
		levels := numtest.Geometric(5, 1, distinct)
		sigma := make([]float64, 21)
		for i := range sigma {
			sigma[i] = levels[i%distinct]
		}
		slices.Sort(sigma)
		slices.Reverse(sigma)
		x := numtest.WithSingularValues(rng, 50, 21, sigma)
		y := normal(41, 50)
		for _, name := range []string{"cg", "lbfgs"} {
			res := mustRun(t, methods[name], x, y, Options{Steps: distinct, TraceAt: every})
			if e := res.Trace[len(res.Trace)-1].Excess; e > 1e-20 {
				t.Errorf("%s: excess %g after %d steps with %d distinct values", name, e, res.Steps, distinct)
			}
			if n := len(res.Trace) - 2; n > 0 && res.Trace[n].Excess < 1e-12 {
				t.Errorf("%s with %d distinct values is done before: excess %g after %d steps", name, distinct, res.Trace[n].Excess, n)
			}
		}
	}
}

// TestRotationFelt: Adam and standardisation are what a rotation changes, and standardisation undoes a scaling of columns entirely.
func TestRotationFelt(t *testing.T) {
	rng := numtest.Rand(50)
	x := numtest.WithSingularValues(rng, 40, 12, numtest.Geometric(2, 1, 12))
	scaled := mat.DenseCopyOf(x)
	for j := range 12 {
		for i := range 40 {
			scaled.Set(i, j, scaled.At(i, j)*math.Pow(10, -float64(j)/4))
		}
	}
	var rotated mat.Dense
	rotated.Mul(scaled, numtest.Orthogonal(rng, 12))
	y := normal(51, 40)
	steps := func(f Func, x *mat.Dense) int { return mustRun(t, f, x, y, Options{Steps: 100000}).StepsTo1 }
	plain, undone, kept := steps(GDStandardized, x), steps(GDStandardized, scaled), steps(GDStandardized, &rotated)
	if plain != undone || kept >= 0 && kept < 5*plain {
		t.Errorf("gd-standardized takes %d steps, %d after the columns are scaled and %d after they are rotated too", plain, undone, kept)
	}
	a, b := mustRun(t, Adam, scaled, y, Options{Steps: 20}), mustRun(t, Adam, &rotated, y, Options{Steps: 20})
	if p, q := a.Trace[len(a.Trace)-1].Excess, b.Trace[len(b.Trace)-1].Excess; math.Abs(p-q) < 1e-3*p {
		t.Errorf("adam: excess %g and %g: a rotation changes nothing", p, q)
	}
}

// TestBases compares the bidiagonal coordinates with the singular ones on one problem.
func TestBases(t *testing.T) {
	rng := numtest.Rand(60)
	x := numtest.WithSingularValues(rng, 30, 10, append(numtest.Geometric(2, 0.5, 9), 1e-5))
	y, w0 := normal(61, 30), normal(62, 10)
	bidiagonal := mustPrepare(t, x, y, 10)
	if bidiagonal.basis.v != nil {
		t.Fatal("full rank has singular coordinates")
	}
	singular := *bidiagonal
	nine := mustPrepare(t, x, y, 9)
	if nine.basis.v == nil {
		t.Fatal("deficient rank has no singular coordinates")
	}
	b := *nine.basis
	b.rank = 10
	b.star = b.enter(bidiagonal.wStar)
	singular.basis = &b
	for name, f := range without("least-squares") {
		for _, o := range []Options{{Steps: 8, TraceAt: every}, {Steps: 8, TraceAt: every, W0: w0}} {
			p, q := mustAttack(t, f, bidiagonal, o), mustAttack(t, f, &singular, o)
			for i := range p.Trace {
				u, v := p.Trace[i], q.Trace[i]
				if math.Abs(u.Excess-v.Excess) > 1e-10 || math.Abs(u.Loss-v.Loss) > 1e-10*u.Loss || math.Abs(u.NormRatio-v.NormRatio) > 1e-9 {
					t.Errorf("%s: %+v in bidiagonal coordinates, %+v in singular ones", name, u, v)
				}
			}
			if e := difference(p.W, q.W); e > 1e-10 {
				t.Errorf("%s: the weights differ by %.2g", name, e)
			}
		}
	}
}

func BenchmarkAttackers(b *testing.B) {
	for _, size := range []struct{ n, d int }{{200, 79}, {1000, 784}} {
		x := numtest.Gaussian(numtest.Rand(70), size.n, size.d)
		target := mustPrepare(b, x, normal(71, size.n), 0)
		for name, f := range methods {
			b.Run(fmt.Sprintf("%s/n=%d/d=%d", name, size.n, size.d), func(b *testing.B) {
				for b.Loop() {
					if _, err := f(b.Context(), target, Options{Steps: 100}, nil); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
