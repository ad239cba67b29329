package spectrum

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// vectorsTol is the relative error allowed against the fifty-digit answers; the ill-conditioned set has κ(X) ≈ 300 and loses two
// to three digits in its smallest singular values.
func vectorsTol(name string) float64 {
	if strings.Contains(name, "ill_conditioned") {
		return 1e-9
	}
	return 1e-10
}

func factor(t *testing.T, x *mat.Dense) *Factor {
	t.Helper()
	f, err := NewFactor(x)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func spectrumOf(t *testing.T, f *Factor, theta mat.Matrix, vectors bool) *Spectrum {
	t.Helper()
	s, err := f.Spectrum(theta, vectors)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVectors(t *testing.T) {
	for _, set := range numtest.Vectors() {
		t.Run(set.Name, func(t *testing.T) {
			e, tol := set.Expected, vectorsTol(set.Name)
			p, h := factor(t, set.XP), factor(t, set.XH)
			for _, c := range []struct {
				name         string
				f            *Factor
				theta        *mat.Dense
				s            *mat.Dense
				rank         int
				eig          []float64
				kappa, ridge float64
			}{
				{"K_P", p, nil, e.KP, e.RankP, e.EigKP, e.KappaRank.KP, e.KappaRidge.KP},
				{"K_H", h, nil, e.KH, e.RankH, e.EigKH, e.KappaRank.KH, e.KappaRidge.KH},
				{"H_P", p, set.Theta, e.HP, e.RankP, e.EigHP, e.KappaRank.HP, e.KappaRidge.HP},
				{"H_H", h, set.Theta, e.HH, e.RankH, e.EigHH, e.KappaRank.HH, e.KappaRidge.HH},
			} {
				s := spectrumOf(t, c.f, c.theta, true)
				if s.Rank != c.rank || s.Size != set.D {
					t.Errorf("%s: rank %d of %d, want %d of %d", c.name, s.Rank, s.Size, c.rank, set.D)
				}
				if got := numtest.MaxRelError(s.Gram(nil), c.s); got > tol {
					t.Errorf("%s: Gram matrix off by %g", c.name, got)
				}
				for i, v := range s.Sigma[:c.rank] {
					if got := numtest.RelError(v, c.eig[i]); got > tol {
						t.Errorf("%s: σ_%d = %g, want %g (off by %g)", c.name, i+1, v, c.eig[i], got)
					}
				}
				k := s.Condition()
				if got := numtest.RelError(k.Rank.Kappa, c.kappa); got > tol {
					t.Errorf("%s: κ (rank) = %.15g, want %.15g", c.name, k.Rank.Kappa, c.kappa)
				}
				if k.Rank.RankUnclear || k.Rank.Degenerate || k.Rank.Unresolved {
					t.Errorf("%s: unexpected flag in %+v", c.name, k.Rank)
				}
				// Where a null eigenvalue rounds above the ridge the value is that of the ridge, and the flag says so.
				if e.RidgeStable {
					if got := numtest.RelError(k.Ridge.Kappa, c.ridge); got > tol || k.Ridge.RidgeDominated {
						t.Errorf("%s: κ (ridge) = %.15g, dominated %v, want %.15g", c.name, k.Ridge.Kappa, k.Ridge.RidgeDominated, c.ridge)
					}
				} else if k.Ridge.RidgeDominated {
					if got := numtest.RelError(k.Ridge.Kappa, k.Ridge.SigmaMax/Ridge); got > 1e-6 {
						t.Errorf("%s: κ (ridge) = %.15g is dominated but not σ_max/10⁻⁶", c.name, k.Ridge.Kappa)
					}
				} else if got := numtest.RelError(k.Ridge.Kappa, c.ridge); got > 1e-9 {
					t.Errorf("%s: κ (ridge) = %.15g, want %.15g", c.name, k.Ridge.Kappa, c.ridge)
				}
				// A matrix at hand: the rank by n·ε, the values to the accuracy of a Gram matrix.
				m, err := Symmetric(symOf(c.s), false)
				if err != nil {
					t.Fatal(err)
				}
				if m.Rank != c.rank {
					t.Errorf("%s: Symmetric finds rank %d, want %d", c.name, m.Rank, c.rank)
				}
				if got := numtest.RelError(m.RankCondition().Kappa, c.kappa); got > 1e-9 {
					t.Errorf("%s: Symmetric finds κ = %.15g, want %.15g", c.name, m.RankCondition().Kappa, c.kappa)
				}
			}
			next := spectrumOf(t, p, e.ThetaNextCancelled, false).RankCondition().Kappa
			if got := numtest.RelError(next, e.NextKappa.HP); got > tol {
				t.Errorf("κ(H_P) after the step = %.15g, want %.15g", next, e.NextKappa.HP)
			}
			next = spectrumOf(t, h, e.ThetaNextCancelled, false).RankCondition().Kappa
			if got := numtest.RelError(next, e.NextKappa.HH); got > tol {
				t.Errorf("κ(H_H) after the step = %.15g, want %.15g", next, e.NextKappa.HH)
			}
		})
	}
}

func symOf(a *mat.Dense) *mat.SymDense {
	n, _ := a.Dims()
	s := mat.NewSymDense(n, nil)
	symmetrize(s, a)
	return s
}

// The eigenvectors must be orthonormal and diagonalise the Gram matrix.
func checkVectors(t *testing.T, name string, s *Spectrum) {
	t.Helper()
	if r, c := s.V.Dims(); r != s.Size || c != len(s.Sigma) {
		t.Fatalf("%s: V is %d×%d, want %d×%d", name, r, c, s.Size, len(s.Sigma))
	}
	var vtv, sv, vsv mat.Dense
	vtv.Mul(s.V.T(), s.V)
	eye := mat.NewDense(len(s.Sigma), len(s.Sigma), nil)
	sigma := mat.NewDense(len(s.Sigma), len(s.Sigma), nil)
	for i, v := range s.Sigma {
		eye.Set(i, i, 1)
		sigma.Set(i, i, v)
	}
	if e := numtest.MaxRelError(&vtv, eye); e > 1e-13 {
		t.Errorf("%s: VᵀV differs from I by %g", name, e)
	}
	sv.Mul(s.Gram(nil), s.V)
	vsv.Mul(s.V.T(), &sv)
	if e := numtest.MaxRelError(&vsv, sigma); e > 1e-12 {
		t.Errorf("%s: VᵀSV differs from Σ by %g", name, e)
	}
	for i := 1; i < len(s.Sigma); i++ {
		if s.Sigma[i] > s.Sigma[i-1] || math.IsNaN(s.Sigma[i]) {
			t.Errorf("%s: Sigma is not descending at %d", name, i)
		}
	}
}
