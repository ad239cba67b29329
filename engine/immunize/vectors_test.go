package immunize

import (
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/regularizer"
)

// One step of Algorithm 1 loses nothing but rounding; σ_k of the ill-conditioned set is known to fewer digits.
const (
	stepTolerance           = 1e-10
	stepToleranceIll        = 1e-9
	stepToleranceKappa      = 1e-10
	stepToleranceKappaOfIll = 1e-9
)

func setProblem(s numtest.Set) Problem {
	return Problem{Primary: Task{X: s.XP, Y: s.YP}, Harmful: Task{X: s.XH, Y: s.YH}}
}

func TestAlgorithm1Step(t *testing.T) {
	for _, s := range numtest.Vectors() {
		tol, tolKappa := stepTolerance, stepToleranceKappa
		if strings.Contains(s.Name, "ill_conditioned") {
			tol, tolKappa = stepToleranceIll, stepToleranceKappaOfIll
		}
		e := s.Expected
		for _, c := range []struct {
			name string
			form regularizer.Form
			want *mat.Dense
		}{
			{"cancelled", regularizer.Cancelled, e.ThetaNextCancelled},
			{"pinv", regularizer.PseudoInverse, e.ThetaNextPinv},
		} {
			t.Run(s.Name+"/"+c.name, func(t *testing.T) {
				a, err := newAlgorithm1(setProblem(s), Options{
					Theta0: s.Theta, Steps: 1, LearningRate: s.Eta, Form: c.form, Supervised: true,
					LambdaPrimary: Lambda{Value: s.LambdaP}, LambdaHarmful: Lambda{Value: s.LambdaH},
				}, nil, true)
				if err != nil {
					t.Fatal(err)
				}
				copy(a.omega, s.Omega)
				before := mat.DenseCopyOf(s.Theta)
				r, err := a.run(t.Context(), a)
				if err != nil {
					t.Fatal(err)
				}
				if got := numtest.MaxRelError(r.Theta, c.want); got > tol {
					t.Errorf("θ after one step: relative error %.2g > %.2g", got, tol)
				}
				if got := numtest.MaxRelError(column(a.omega), column(e.OmegaNext)); got > tol {
					t.Errorf("ω after one step: relative error %.2g > %.2g", got, tol)
				}
				if !mat.Equal(s.Theta, before) {
					t.Error("θ_0 was modified")
				}
				first, last := r.Trace[0], r.Trace[1]
				check := func(what string, got, want, tol float64) {
					t.Helper()
					if numtest.RelError(got, want) > tol {
						t.Errorf("%s = %v, want %v", what, got, want)
					}
				}
				check("κ(H_P) at θ_0", first.Primary.Rank.Kappa, e.KappaRank.HP, tolKappa)
				check("κ(H_H) at θ_0", first.Harmful.Rank.Kappa, e.KappaRank.HH, tolKappa)
				check("loss", first.LossPrimary, e.Loss, tol)
				check("R_well", first.RWell, e.RWell, tol)
				check("R_ill", first.RIll, e.RIll, tol)
				check("‖∇_θL‖", first.GradLoss, mat.Norm(e.GradLossTheta, 2), tol)
				if c.form == regularizer.Cancelled {
					check("‖g_P‖", first.GradWell, mat.Norm(e.CancelledWell, 2), tol)
					check("‖g_H‖", first.GradIll, mat.Norm(e.CancelledIll, 2), tol)
					check("κ(H_P) after one step", last.Primary.Rank.Kappa, e.NextKappa.HP, tolKappa)
					check("κ(H_H) after one step", last.Harmful.Rank.Kappa, e.NextKappa.HH, tolKappa)
				}
			})
		}
	}
}

func column(v []float64) mat.Matrix { return mat.NewVecDense(len(v), v) }
