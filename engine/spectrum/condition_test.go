package spectrum

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

func TestRankCondition(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name  string
		x     *mat.Dense
		theta *mat.Dense
		want  Condition
	}{
		{"1×1", numtest.Diagonal(3), nil, Condition{Kappa: 1, SigmaMax: 9, SigmaMin: 9, Rank: 1, Next: nan}},
		{"diagonal", numtest.Diagonal(1, 3, 2), nil, Condition{Kappa: 9, SigmaMax: 9, SigmaMin: 1, Rank: 3, Next: nan}},
		{"singular", numtest.Diagonal(0, 3, 2), nil, Condition{Kappa: 2.25, SigmaMax: 9, SigmaMin: 4, Rank: 2, Next: 0}},
		{"zero", mat.NewDense(3, 2, nil), nil, Condition{Kappa: nan, SigmaMax: 0, SigmaMin: nan, Next: 0}},
		{"zero θ", numtest.Diagonal(1, 3, 2), mat.NewDense(3, 3, nil), Condition{Kappa: nan, SigmaMax: 0, SigmaMin: nan, Next: 0}},
		{"θ", numtest.Diagonal(1, 3, 2), numtest.Diagonal(2, 1, 1), Condition{Kappa: 2.25, SigmaMax: 9, SigmaMin: 4, Rank: 3, Next: nan, Degenerate: true}},
		{"narrow θ", numtest.Diagonal(1, 3, 2), numtest.Rows([][]float64{{1}, {0}, {0}}), Condition{Kappa: 1, SigmaMax: 1, SigmaMin: 1, Rank: 1, Next: nan}},
		{"N < D", numtest.Rows([][]float64{{2, 0, 0}, {0, 1, 0}}), nil, Condition{Kappa: 4, SigmaMax: 4, SigmaMin: 1, Rank: 2, Next: nan}},
		{"identity", numtest.Diagonal(1, 1, 1), nil, Condition{Kappa: 1, SigmaMax: 1, SigmaMin: 1, Rank: 3, Next: nan, Degenerate: true}},
		{"one direction of many", numtest.Diagonal(2, 0, 0), nil, Condition{Kappa: 1, SigmaMax: 4, SigmaMin: 4, Rank: 1, Next: 0}},
		{"zero repeated", numtest.Diagonal(2, 1, 0, 0), nil, Condition{Kappa: 4, SigmaMax: 4, SigmaMin: 1, Rank: 2, Next: 0}},
		{"singular θ", numtest.Diagonal(1, 3, 2), numtest.Diagonal(0, 1, 1), Condition{Kappa: nan, SigmaMax: 9, SigmaMin: nan, Rank: 3, Next: nan, Unresolved: true}},
		{"unclear", numtest.Diagonal(1, 1e-7, 2e-8, 1e-8), nil, Condition{Kappa: 2.5e15, SigmaMax: 1, SigmaMin: 4e-16, Rank: 3, Next: 1e-16, RankUnclear: true}},
		{"huge", numtest.Diagonal(4e200, 1e200), nil, Condition{Kappa: 16, SigmaMax: math.Inf(1), SigmaMin: math.Inf(1), Rank: 2, Next: nan}},
		{"tiny", numtest.Diagonal(4e-200, 1e-200), nil, Condition{Kappa: 16, Rank: 2, Next: nan}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := spectrumOf(t, factor(t, c.x), c.theta, false).RankCondition()
			for _, v := range []struct {
				name      string
				got, want float64
			}{
				{"κ", got.Kappa, c.want.Kappa},
				{"σ_max", got.SigmaMax, c.want.SigmaMax},
				{"σ_min", got.SigmaMin, c.want.SigmaMin},
				{"next", got.Next, c.want.Next},
			} {
				if e := numtest.RelError(v.got, v.want); e > 1e-13 {
					t.Errorf("%s = %g, want %g", v.name, v.got, v.want)
				}
			}
			if got.Rank != c.want.Rank || got.Degenerate != c.want.Degenerate || got.Unresolved != c.want.Unresolved || got.RankUnclear != c.want.RankUnclear || got.RidgeDominated {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if e := numtest.RelError(got.Log10(), math.Log10(c.want.Kappa)); e > 1e-13 {
				t.Errorf("log₁₀ κ = %g", got.Log10())
			}
		})
	}
}

// σ_k is unresolved below 8·max(N, D)·ε·σ_1 of Xθ, and not above.
func TestUnresolved(t *testing.T) {
	f := factor(t, numtest.Rows([][]float64{{1, 0}, {0, 1}, {0, 0}, {0, 0}, {0, 0}})) // max(N, D) = 5
	limit := resolveFactor * 5 * eps
	for _, c := range []struct {
		small      float64
		unresolved bool
	}{{limit / 2, true}, {limit, false}, {limit * 2, false}} {
		theta := numtest.Diagonal(1, c.small)
		k := spectrumOf(t, f, theta, true).RankCondition()
		if k.Unresolved != c.unresolved || math.IsNaN(k.Kappa) != c.unresolved {
			t.Errorf("σ_2 = %g: %+v", c.small, k)
		}
		var w Workspace
		x, err := w.Extremes(f, theta)
		if err != nil {
			t.Fatal(err)
		}
		if x.Unresolved() != c.unresolved || math.IsNaN(x.Kappa()) != c.unresolved {
			t.Errorf("σ_2 = %g: the workspace says %v", c.small, x.Unresolved())
		}
	}
}

func TestRidge(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name      string
		values    []float64
		kappa     float64
		rank      int
		next      float64
		dominated bool
	}{
		{"full rank", []float64{4, 1}, (4 + Ridge) / (1 + Ridge), 2, nan, false},
		{"small but resolved", []float64{1, 1e-6}, (1 + Ridge) / 2e-6, 2, nan, false},
		{"just resolved", []float64{1, 1e-12}, 1 / Ridge, 2, nan, false},
		{"noise above the ridge", []float64{1, 1e-17 * 10}, 1 / Ridge, 2, nan, true},
		{"exact null", []float64{4, 0}, 1, 1, Ridge, false},
		{"negative rounding", []float64{4, 1, -1e-15}, (4 + Ridge) / (1 + Ridge), 2, Ridge, false},
		{"zero", []float64{0, 0}, nan, 0, Ridge, false},
		{"1×1", []float64{3}, 1, 1, nan, false},
	} {
		s, err := Symmetric(mat.NewDiagDense(len(c.values), c.values), false)
		if err != nil {
			t.Fatal(err)
		}
		k := s.Condition().Ridge
		if e := numtest.RelError(k.Kappa, c.kappa); e > 2e-6 {
			t.Errorf("%s: κ = %g, want %g", c.name, k.Kappa, c.kappa)
		}
		if k.Rank != c.rank || k.RidgeDominated != c.dominated || numtest.RelError(k.Next, c.next) > 1e-6 || math.IsNaN(k.SigmaMin) != (c.rank == 0) {
			t.Errorf("%s: %+v, want rank %d, next %g, dominated %v", c.name, k, c.rank, c.next, c.dominated)
		}
	}
}

// On rank-deficient data the two protocols part: what the ridge protocol measures is the norm.
func TestRidgeIsDominatedOnDeficientData(t *testing.T) {
	rng := numtest.Rand(70)
	dominated := 0
	const trials = 40
	for range trials {
		values := make([]float64, 40)
		copy(values, numtest.Geometric(30, 1, 30))
		k := spectrumOf(t, factor(t, numtest.WithSingularValues(rng, 50, 40, values)), nil, false).Condition()
		if numtest.RelError(k.Rank.Kappa, 900) > 1e-9 {
			t.Errorf("κ (rank) = %g, want 900", k.Rank.Kappa)
		}
		if k.Ridge.RidgeDominated {
			dominated++
			if numtest.RelError(k.Ridge.Kappa, 900/Ridge) > 1e-5 {
				t.Errorf("κ (ridge) = %g, want %g", k.Ridge.Kappa, 900/Ridge)
			}
		} else if numtest.RelError(k.Ridge.Kappa, 900) > 1e-3 {
			t.Errorf("κ (ridge) = %g is not dominated, want 900", k.Ridge.Kappa)
		}
	}
	if dominated < trials/2 {
		t.Errorf("ridge-dominated in %d of %d problems with ten null directions", dominated, trials)
	}
}

func TestLog10(t *testing.T) {
	if got := (Condition{Kappa: math.Inf(1), SigmaMax: 1e200, SigmaMin: 1e-200}).Log10(); math.Abs(got-400) > 1e-9 {
		t.Errorf("log₁₀ κ = %g, want 400", got)
	}
	if got := (Condition{Kappa: math.NaN()}).Log10(); !math.IsNaN(got) {
		t.Errorf("log₁₀ κ = %g, want NaN", got)
	}
}

func TestThetaCondition(t *testing.T) {
	rng := numtest.Rand(71)
	for _, c := range []struct {
		name  string
		theta mat.Matrix
		want  float64
	}{
		{"identity", eye(5, 5), 1},
		{"diagonal", numtest.Diagonal(2, -8, 4), 4},
		{"1×1", numtest.Diagonal(-3), 1},
		{"square", numtest.WithSingularValues(rng, 5, 5, []float64{5, 4, 3, 2, 1}), 5},
		{"tall", numtest.WithSingularValues(rng, 5, 2, []float64{6, 2}), 3},
		{"wide", numtest.WithSingularValues(rng, 2, 5, []float64{6, 2}), 3},
		{"singular", numtest.Diagonal(1, 0), math.Inf(1)},
		{"singular but for rounding", numtest.WithSingularValues(rng, 4, 4, []float64{3, 2, 1, 0}), math.Inf(1)},
		{"zero", mat.NewDense(2, 2, nil), math.NaN()},
		{"NaN", numtest.Diagonal(math.NaN(), 1), math.NaN()},
		{"Inf", numtest.Diagonal(math.Inf(1), 1), math.NaN()},
		{"empty", &mat.Dense{}, math.NaN()},
		{"transposed", numtest.Diagonal(2, 1).T(), 2},
	} {
		if got := ThetaCondition(c.theta); numtest.RelError(got, c.want) > 1e-13 {
			t.Errorf("%s: κ(θ) = %g, want %g", c.name, got, c.want)
		}
	}
}
