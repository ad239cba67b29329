package regularizer

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

func TestEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		name                 string
		values               []float64
		well, ill, logKappa  float64
		wellEnd, illEnd      float64
		wellZero, illDefined bool
	}{
		{"1×1", []float64{3}, 0, inf, 0, inf, inf, true, false},
		{"rank 1 of 3", []float64{3, 0, 0}, 3, inf, 0, inf, inf, false, false},
		{"identity", []float64{1, 1, 1}, 0, inf, 0, 0, 0, false, false},
		{"identity of rank 2", []float64{2, 2, 0}, 2.0 / 3, inf, 0, 0, 0, false, false},
		{"zero", []float64{0, 0}, 0, inf, nan, inf, inf, true, false},
		{"top repeated", []float64{2, 2, 1}, 0.5, 1, math.Log(2), 0, 3.0 / 4, false, true},
		{"bottom repeated", []float64{2, 1, 1}, 1, 2, math.Log(2), (1 - math.Sqrt(0.5)) * 3 / 8, 3.0 / 16, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := symmetric(t, mat.NewDiagDense(len(c.values), c.values))
			for _, v := range []struct {
				name      string
				got, want float64
			}{
				{"R_well", Well(s), c.well},
				{"R_ill", Ill(s), c.ill},
				{"log κ", LogKappa(s), c.logKappa},
				{"end for R_well", WellInterval(s).Corrected, c.wellEnd},
				{"end for R_ill", IllInterval(s).Corrected, c.illEnd},
			} {
				if e := numtest.RelError(v.got, v.want); e > 1e-14 {
					t.Errorf("%s = %g, want %g", v.name, v.got, v.want)
				}
			}
			var inner mat.SymDense
			WellInner(&inner, s)
			if zero := mat.Norm(&inner, 2) < 1e-15; zero != c.wellZero {
				t.Errorf("inner factor of R_well is zero: %v, want %v", zero, c.wellZero)
			}
			if ok := IllInner(&inner, s); ok != c.illDefined || !ok && mat.Norm(&inner, 2) != 0 {
				t.Errorf("inner factor of R_ill is defined: %v, want %v", ok, c.illDefined)
			}
			LogKappaInner(&inner, s)
			if math.IsNaN(mat.Norm(&inner, 2)) || c.logKappa == 0 && mat.Norm(&inner, 2) != 0 {
				t.Errorf("inner factor of log κ is %v", mat.Formatted(&inner))
			}
		})
	}
}

// Equal values that differ by rounding alone have g = 0, not a difference of roundings.
func TestFlatUpToRounding(t *testing.T) {
	f := factor(t, numtest.WithSingularValues(numtest.Rand(42), 9, 6, []float64{3, 3, 3, 3, 3, 3}))
	theta := numtest.Orthogonal(numtest.Rand(43), 6)
	s := spectrumOf(t, f, theta)
	if s.Sigma[0] == s.Sigma[5] {
		t.Fatal("the values do not differ: the case tests nothing")
	}
	var inner mat.SymDense
	if G(s) != 0 || !math.IsInf(Ill(s), 1) || IllInner(&inner, s) {
		t.Errorf("g = %g, want 0", G(s))
	}
	if v := At(ends(t, f, theta)); v.G != 0 || !math.IsInf(v.Ill, 1) {
		t.Errorf("g = %g from the ends, want 0", v.G)
	}
}

// With a repeated extreme value the gradient is one subgradient of many, and the same on every call.
func TestRepeatedIsDeterministic(t *testing.T) {
	f := factor(t, numtest.WithSingularValues(numtest.Rand(40), 6, 4, []float64{2, 2, 1, 1}))
	theta := numtest.Orthogonal(numtest.Rand(41), 4)
	s := spectrumOf(t, f, theta)
	if !s.TopRepeated() || !s.BottomRepeated() || s.Flat() {
		t.Fatal("the repeated values were not noticed")
	}
	var first, second mat.SymDense
	WellInner(&first, s)
	WellInner(&second, spectrumOf(t, f, theta))
	if !mat.Equal(&first, &second) {
		t.Error("two decompositions of one matrix give two gradients")
	}
}

// A gradient that is not a double is reported, not returned: 1/g² overflows for tiny matrices and vanishes for huge ones.
func TestIllAtTheEndsOfTheRange(t *testing.T) {
	for _, scale := range []float64{1e-90, 1e90} {
		s := symmetric(t, mat.NewDiagDense(2, []float64{2 * scale, scale}))
		var inner mat.SymDense
		if IllInner(&inner, s) || mat.Norm(&inner, 2) != 0 {
			t.Errorf("scale %g: the gradient is said to be defined", scale)
		}
	}
}

func TestMatrixEdges(t *testing.T) {
	zero := mat.NewDense(2, 3, nil)
	if v, g, err := WellMatrix(zero); err != nil || v != 0 || mat.Norm(g, 2) != 0 {
		t.Errorf("R_well(0) = %g, %v, %v", v, g, err)
	}
	if v, g, err := IllMatrix(zero); err != nil || !math.IsInf(v, 1) || g != nil {
		t.Errorf("R_ill(0) = %g, %v, %v", v, g, err)
	}
	if v, g, err := LogKappaMatrix(zero); err != nil || !math.IsNaN(v) || g != nil {
		t.Errorf("log κ(0) = %g, %v, %v", v, g, err)
	}
	for name, bad := range map[string]*mat.Dense{
		"nil": nil, "empty": {}, "NaN": mat.NewDense(1, 2, []float64{1, math.NaN()}), "Inf": mat.NewDense(1, 1, []float64{math.Inf(-1)}),
	} {
		if _, _, err := WellMatrix(bad); err == nil {
			t.Errorf("R_well of a matrix that is %s is no error", name)
		}
		if _, _, err := IllMatrix(bad); err == nil {
			t.Errorf("R_ill of a matrix that is %s is no error", name)
		}
		if _, _, err := LogKappaMatrix(bad); err == nil {
			t.Errorf("log κ of a matrix that is %s is no error", name)
		}
	}
	// One direction: R_ill is undefined, R_well is that of a p×p matrix of rank one.
	row := mat.NewDense(2, 2, []float64{3, 4, 0, 0})
	if v, _, err := WellMatrix(row); err != nil || math.Abs(v-6.25) > 1e-13 {
		t.Errorf("R_well = %g, want 25/2 − 25/4", v)
	}
}
