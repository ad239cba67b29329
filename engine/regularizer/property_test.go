package regularizer

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

// symmetric returns the spectrum of a matrix at hand, with vectors.
func symmetric(t *testing.T, s mat.Symmetric) *spectrum.Spectrum {
	t.Helper()
	out, err := spectrum.Symmetric(s, true)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// randomSpectrum returns n eigenvalues ≥ 0 in descending order, rank of them positive, spread over up to four decades.
func randomSpectrum(rng *rand.Rand, n, rank int) []float64 {
	out := make([]float64, n)
	decades := 4 * rng.Float64()
	top := math.Exp(2 * rng.NormFloat64())
	value := top
	for i := range rank {
		out[i] = value
		value *= math.Pow(10, -2*decades*rng.Float64()/float64(rank)) * (1 - 1e-3)
	}
	return out
}

func TestBoundsAndInvariances(t *testing.T) {
	rng := numtest.Rand(30)
	for range 300 {
		n := 1 + rng.IntN(8)
		rank := 1 + rng.IntN(n)
		values := randomSpectrum(rng, n, rank)
		s := numtest.WithEigenvalues(rng, values)
		spec := symmetric(t, s)
		well, ill, logKappa := Well(spec), Ill(spec), LogKappa(spec)
		if !(well >= 0) || !(ill >= 0) || !(logKappa >= 0) {
			t.Fatalf("%v: R_well %g, R_ill %g, log κ %g", values, well, ill, logKappa)
		}
		if top := spec.Sigma[0]; spec.Rank > 1 && 1/logKappa > top*top*ill*(1+1e-12) {
			t.Errorf("%v: 1/log κ = %g > σ_1²·R_ill = %g", values, 1/logKappa, top*top*ill)
		}
		// R(QSQᵀ) = R(S).
		q := numtest.Orthogonal(rng, n)
		var qs, turned mat.Dense
		qs.Mul(q, s)
		turned.Mul(&qs, q.T())
		other := symmetric(t, symmetrized(&turned))
		close := func(name string, got, want float64) {
			t.Helper()
			// g and R_well are differences of terms of the size of σ_1²: their rounding errors are relative to it.
			if e := numtest.RelError(got, want); e > 1e-9 {
				t.Errorf("%v: %s is %g, want %g", values, name, got, want)
			}
		}
		close("R_well(QSQᵀ)", Well(other)+spec.Sigma[0]*spec.Sigma[0], well+spec.Sigma[0]*spec.Sigma[0])
		close("R_ill(QSQᵀ)", Ill(other), ill)
		// R_ill(cS) = R_ill(S)/c², R_well(cS) = c²R_well(S), log κ(cS) = log κ(S).
		const c = 7.5
		var scaled mat.SymDense
		scaled.ScaleSym(c, s)
		other = symmetric(t, &scaled)
		close("R_ill(cS)", Ill(other), ill/(c*c))
		close("R_well(cS)", Well(other)+spec.Sigma[0]*spec.Sigma[0], c*c*well+spec.Sigma[0]*spec.Sigma[0])
		close("log κ(cS)", 1+LogKappa(other), 1+logKappa)
	}
}

func symmetrized(a *mat.Dense) *mat.SymDense {
	n, _ := a.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	return s
}

// Theorem 4.1(1), "R_ill = 0 if and only if κ = ∞", is false: R_ill(diag(1, ε)) tends to 4.
func TestIllDoesNotVanishWithKappa(t *testing.T) {
	for _, e := range []float64{1e-2, 1e-4, 1e-8, 1e-12} {
		s := symmetric(t, mat.NewDiagDense(2, []float64{1, e}))
		if got := Ill(s); math.Abs(got-4) > 5*e*e+1e-14 {
			t.Errorf("R_ill(diag(1, %g)) = %g, want 4", e, got)
		}
	}
}

// hessian returns the factor of a random problem of the given rank, a random θ and the spectrum there.
func hessian(t *testing.T, rng *rand.Rand, d, rank int) (*spectrum.Factor, *mat.Dense, *spectrum.Spectrum) {
	t.Helper()
	values := randomSpectrum(rng, d, rank)
	for i, v := range values {
		values[i] = math.Sqrt(v)
	}
	f := factor(t, numtest.WithSingularValues(rng, d+2, d, values))
	theta := numtest.Gaussian(rng, d, d)
	return f, theta, spectrumOf(t, f, theta)
}

// step returns θ − η·gradient.
func step(theta, gradient *mat.Dense, eta float64) *mat.Dense {
	var next mat.Dense
	next.Scale(-eta, gradient)
	next.Add(theta, &next)
	return &next
}

func kappa(t *testing.T, f *spectrum.Factor, theta *mat.Dense) float64 {
	t.Helper()
	s, err := f.Spectrum(theta, false)
	if err != nil {
		t.Fatal(err)
	}
	return s.RankCondition().Kappa
}

// Inside the corrected intervals of Theorem 4.3 every step moves κ of its own task the right way, in both preconditioned forms.
func TestMonotoneSteps(t *testing.T) {
	const trials = 1200
	rng := numtest.Rand(31)
	outside := [2]int{}
	for range trials {
		d := 2 + rng.IntN(6)
		rank := 2 + rng.IntN(d-1)
		f, theta, s := hessian(t, rng, d, rank)
		if s.Rank != rank {
			t.Fatalf("rank %d, want %d", s.Rank, rank)
		}
		before := s.RankCondition().Kappa
		fraction := 1 - rng.Float64() // (0, 1]
		fraction = min(fraction, 0.999)
		var inner mat.SymDense
		WellInner(&inner, s)
		_, cancelled, pinv := gradients(f, theta, &inner)
		end := WellInterval(s)
		for _, g := range []*mat.Dense{cancelled, pinv} {
			if after := kappa(t, f, step(theta, g, fraction*end.Corrected)); !(after < before*(1+1e-10)) {
				t.Errorf("R_well: κ %g → %g at %g of the corrected interval", before, after, fraction)
			}
		}
		if after := kappa(t, f, step(theta, cancelled, fraction*end.Printed)); after > before*(1+1e-10) {
			outside[0]++
		}
		if !IllInner(&inner, s) {
			t.Fatal("∇R_ill is said to be undefined")
		}
		_, cancelled, pinv = gradients(f, theta, &inner)
		end = IllInterval(s)
		for _, g := range []*mat.Dense{cancelled, pinv} {
			// Close to the end σ_k' comes near 0 and κ can exceed what double precision resolves: NaN there is a rise.
			if after := kappa(t, f, step(theta, g, fraction*end.Corrected)); !(after > before*(1-1e-10)) && !math.IsNaN(after) {
				t.Errorf("R_ill: κ %g → %g at %g of the corrected interval", before, after, fraction)
			}
		}
		if end.Printed > 0 {
			if after := kappa(t, f, step(theta, cancelled, fraction*end.Printed)); after < before*(1-1e-10) {
				outside[1]++
			}
		}
	}
	if outside[0] == 0 {
		t.Error("the printed interval of Theorem 4.3(1) was never violated: the corrected one is not tested against it")
	}
	t.Logf("printed intervals violated in %v of %d steps", outside, trials)
}

// The spectrum after a step is that of the proof.
func TestStepSpectrum(t *testing.T) {
	rng := numtest.Rand(32)
	for range 50 {
		d := 2 + rng.IntN(5)
		rank := 2 + rng.IntN(d-1)
		f, theta, s := hessian(t, rng, d, rank)
		check := func(name string, gradient *mat.Dense, eta float64, want func(i int) float64) {
			t.Helper()
			after := spectrumOf(t, f, step(theta, gradient, eta))
			for i := range rank {
				best := math.Inf(1) // the step may reorder them
				for _, v := range after.Sigma[:rank] {
					best = min(best, math.Abs(v-want(i))/after.Sigma[0])
				}
				if best > 1e-11 {
					t.Errorf("%s: no σ_%d' = %g, off by %g", name, i+1, want(i), best)
				}
			}
		}
		var inner mat.SymDense
		square := func(x float64) float64 { return x * x }
		WellInner(&inner, s)
		_, cancelled, _ := gradients(f, theta, &inner)
		eta := 0.5 * WellInterval(s).Corrected
		check("R_well", cancelled, eta, func(i int) float64 {
			if i == 0 {
				return s.Sigma[0] * square(1-2*eta*s.Sigma[0]*(1-1/float64(d)))
			}
			return s.Sigma[i] * square(1+2*eta*s.Sigma[i]/float64(d))
		})
		IllInner(&inner, s)
		_, cancelled, _ = gradients(f, theta, &inner)
		eta = 0.5 * IllInterval(s).Corrected
		g, k := G(s), float64(rank)
		check("R_ill", cancelled, eta, func(i int) float64 {
			if i == rank-1 {
				return s.Sigma[i] * square(1-2*eta*s.Sigma[i]*(1-1/k)/(g*g))
			}
			return s.Sigma[i] * square(1+2*eta*s.Sigma[i]/(k*g*g))
		})
	}
}

// Theorem 4.1(4) as printed: S − η∇R_ill(S) has a larger κ for 0 < η < k/(k−1)·g², for general matrices too.
func TestMatrixSteps(t *testing.T) {
	rng := numtest.Rand(33)
	for range 1000 {
		m, n := 2+rng.IntN(4), 2+rng.IntN(4)
		values := randomSpectrum(rng, min(m, n), min(m, n))
		s := numtest.WithSingularValues(rng, m, n, values)
		_, grad, err := IllMatrix(s)
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := LogKappaMatrix(s)
		f := &spectrum.Spectrum{Sigma: values, Rank: len(values), Size: len(values)}
		eta := min(0.999, 1-rng.Float64()) * IllMatrixInterval(f)
		after, _, err := LogKappaMatrix(step(s, grad, eta))
		if err != nil {
			t.Fatal(err)
		}
		if !(after > before-1e-10) {
			t.Errorf("%d×%d, σ = %v: log κ %g → %g", m, n, values, before, after)
		}
	}
}

// The printed intervals of Theorem 4.3 allow steps that move κ the wrong way; the corrected ones do not.
func TestPrintedIntervalsFail(t *testing.T) {
	root := func(values ...float64) *spectrum.Factor {
		for i, v := range values {
			values[i] = math.Sqrt(v)
		}
		return factor(t, numtest.Diagonal(values...))
	}
	t.Run("well", func(t *testing.T) {
		const eta = 0.18375
		f := root(4, 1, 1)
		theta := numtest.Diagonal(1, 1, 1)
		s := spectrumOf(t, f, theta)
		var inner mat.SymDense
		WellInner(&inner, s)
		_, g, _ := gradients(f, theta, &inner)
		end := WellInterval(s)
		if !(eta < end.Printed) || !(eta > end.Corrected) {
			t.Errorf("η = %g does not lie between the corrected end %g and the printed one %g", eta, end.Corrected, end.Printed)
		}
		if got := kappa(t, f, step(theta, g, eta)); math.Abs(got-787) > 1 {
			t.Errorf("κ goes from 4 to %g, want 787", got)
		}
		if got := kappa(t, f, step(theta, g, 0.999*end.Corrected)); !(got < 4) {
			t.Errorf("κ goes from 4 to %g inside the corrected interval", got)
		}
	})
	t.Run("ill", func(t *testing.T) {
		const eta = 5.71
		f := root(5, 5, 5, 5, 5, 5, 5, 5, 5, 4)
		theta := numtest.Diagonal(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
		s := spectrumOf(t, f, theta)
		var inner mat.SymDense
		IllInner(&inner, s)
		_, g, _ := gradients(f, theta, &inner)
		end := IllInterval(s)
		if !(eta < end.Printed) || !(eta > end.Corrected) {
			t.Errorf("η = %g does not lie between the corrected end %g and the printed one %g", eta, end.Corrected, end.Printed)
		}
		if got := kappa(t, f, step(theta, g, eta)); !(got < 1.0025) {
			t.Errorf("κ goes from 1.25 to %g, want less than 1.0025", got)
		}
		if got := kappa(t, f, step(theta, g, 0.9*end.Corrected)); !(got > 1.25) {
			t.Errorf("κ goes from 1.25 to %g inside the corrected interval", got)
		}
	})
}
