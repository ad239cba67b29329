package deep

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"kappa/engine/immunize"
	"kappa/engine/internal/numtest"
)

// problem are features whose columns differ in size by up to spread, and labels that a noisy linear map of them gives.
func probeProblem(seed uint64, n, d, classes int, spread, unit float64) (x *mat.Dense, labels []int) {
	rng := numtest.Rand(seed)
	x, labels = mat.NewDense(n, d+1, nil), make([]int, n)
	w := mat.NewDense(d, classes, nil)
	for j := range d {
		for k := range classes {
			w.Set(j, k, rng.NormFloat64())
		}
	}
	for i := range n {
		score := make([]float64, classes)
		for j := range d {
			v := rng.NormFloat64()
			x.Set(i, j, unit*(1+v)*math.Pow(spread, -float64(j)/float64(d)))
			for k := range score {
				score[k] += v * w.At(j, k)
			}
		}
		for k := range score {
			if score[k]+2*rng.NormFloat64() > score[labels[i]] {
				labels[i] = k
			}
		}
	}
	return x, labels
}

// naiveProbe is the value that the optimum minimizes and its gradient, in W/(1/s) and b, by loops.
func naiveProbe(x *mat.Dense, labels []int, s float64, v *mat.Dense) (value float64, grad *mat.Dense) {
	n, d1 := x.Dims()
	_, classes := v.Dims()
	grad = mat.NewDense(d1, classes, nil)
	for i := range n {
		z, total := make([]float64, classes), 0.0
		for k := range z {
			z[k] = v.At(d1-1, k)
			for j := range d1 - 1 {
				z[k] += x.At(i, j) / s * v.At(j, k)
			}
			total += math.Exp(z[k])
		}
		value -= math.Log(math.Exp(z[labels[i]])/total) / float64(n)
		for k := range z {
			g := math.Exp(z[k]) / total
			if k == labels[i] {
				g--
			}
			for j := range d1 {
				f := 1.0
				if j < d1-1 {
					f = x.At(i, j) / s
				}
				grad.Set(j, k, grad.At(j, k)+g*f/float64(n))
			}
		}
	}
	for j := range d1 {
		for k := range classes {
			p := v.At(j, k)
			value += 1e-8 / 2 * p * p
			grad.Set(j, k, grad.At(j, k)+1e-8*p)
		}
	}
	return value, grad
}

func TestProbeOptimum(t *testing.T) {
	for _, test := range []struct {
		n, d, classes int
		spread, unit  float64
	}{{200, 5, 3, 1, 1}, {200, 5, 3, 1, 1e-12}, {300, 8, 4, 1e3, 1e6}, {150, 1, 2, 1, 1}, {40, 6, 1, 1, 1}} {
		t.Run(fmt.Sprint(test), func(t *testing.T) {
			x, labels := probeProblem(41, test.n, test.d, test.classes, test.spread, test.unit)
			s, err := newSoftmax(mat.DenseCopyOf(x), labels, test.classes)
			if err != nil {
				t.Fatal(err)
			}
			w, b, res, err := s.minimize(t.Context())
			if err != nil || res.Status != immunize.Converged {
				t.Fatalf("%+v, %v", res, err)
			}
			v := mat.NewDense(test.d+1, test.classes, nil)
			for k := range test.classes {
				for j := range test.d {
					v.Set(j, k, w.At(j, k)*s.scale)
				}
				v.Set(test.d, k, b[k])
			}
			value, grad := naiveProbe(x, labels, s.scale, v)
			if g := mat.Norm(grad, 2); g > 2e-6 {
				t.Errorf("the gradient at the optimum is %v long", g)
			}
			if math.Abs(value-s.value) > 1e-10 {
				t.Errorf("the value at the optimum is %v, said to be %v", value, s.value)
			}
			// Nesterov's method in the features' own coordinates, step 1/L, L ≤ largest ‖x‖²/2.
			long := 0.0
			for i := range test.n {
				norm := 1.0
				for j := range test.d {
					norm += x.At(i, j) / s.scale * x.At(i, j) / s.scale
				}
				long = max(long, norm)
			}
			at, ahead := mat.NewDense(test.d+1, test.classes, nil), mat.NewDense(test.d+1, test.classes, nil)
			var next mat.Dense
			best := math.Inf(1)
			for step := range 3000 {
				value, grad := naiveProbe(x, labels, s.scale, ahead)
				best = min(best, value)
				next.Scale(-2/long, grad)
				next.Add(&next, ahead)
				ahead.Sub(&next, at)
				ahead.Scale(float64(step)/float64(step+3), ahead)
				ahead.Add(ahead, &next)
				at.Copy(&next)
			}
			slack := 1e-9
			if test.spread > 1 {
				slack = math.Inf(1) // gradient descent feels the condition number
			}
			if s.value > best+1e-9 || best > s.value+slack {
				t.Errorf("value %.12g in %d iterations, a long descent gives %.12g", s.value, res.Steps, best)
			}
		})
	}
}

func TestProbeOptimumOfExtremes(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(x *mat.Dense, labels []int)
		most   float64 // loss
	}{
		{"all features 0", func(x *mat.Dense, _ []int) { x.Zero() }, math.Log(3)},
		{"a feature twice, one 0", func(x *mat.Dense, _ []int) {
			for i := range 60 {
				x.Set(i, 1, x.At(i, 0))
				x.Set(i, 2, 0)
			}
		}, 1},
		{"separable", func(x *mat.Dense, labels []int) {
			for i := range 60 {
				for j := range 3 {
					x.Set(i, j, 0)
				}
				x.Set(i, labels[i], 1)
			}
		}, 1e-4},
		{"one class", func(_ *mat.Dense, labels []int) { clear(labels) }, 1e-4},
	} {
		x, labels := probeProblem(42, 60, 4, 3, 1, 1)
		test.change(x, labels)
		s, err := newSoftmax(x, labels, 3)
		if err != nil {
			t.Fatal(err)
		}
		_, _, res, err := s.minimize(t.Context())
		if err != nil || !(s.loss <= test.most) || res.Status != immunize.Converged {
			t.Errorf("%s: loss %v, %+v, %v; want at most %v", test.name, s.loss, res, err, test.most)
		}
	}
	x, labels := probeProblem(42, 60, 4, 3, 1, 1)
	x.Set(3, 3, math.NaN())
	if _, err := newSoftmax(x, labels, 3); err == nil {
		t.Error("a NaN among the features: no error")
	}
}

// TestProbeOptimumEnds: what is no optimum is not called one.
func TestProbeOptimumEnds(t *testing.T) {
	for _, c := range []struct {
		status optimize.Status
		err    error
		want   immunize.Status
	}{
		{optimize.GradientThreshold, nil, immunize.Converged},
		{optimize.FunctionConvergence, nil, immunize.Converged},
		{optimize.IterationLimit, nil, immunize.StepLimit},
		{optimize.Failure, optimize.ErrLinesearcherFailure, Stalled},
		{optimize.FunctionEvaluationLimit, nil, Stalled},
	} {
		status, reason := ended(c.status, c.err)
		if status != c.want || (reason == "") != (c.want == immunize.Converged) || c.err != nil && !strings.Contains(reason, c.err.Error()) {
			t.Errorf("%v, %v: %s (%q), want %s", c.status, c.err, status, reason, c.want)
		}
	}
	// A curvature beside which nothing that can be gained shows in the value.
	x, labels := probeProblem(42, 60, 4, 3, 1, 1)
	s, err := newSoftmax(x, labels, 3)
	if err != nil {
		t.Fatal(err)
	}
	s.white.ScaleTri(1e-9, s.white)
	w, _, res, err := s.minimize(t.Context())
	if err != nil || w == nil || res.Status != Stalled || !strings.HasPrefix(res.Reason, "L-BFGS found no further step: ") {
		t.Errorf("%+v, %v; want it stalled", res, err)
	}
}
