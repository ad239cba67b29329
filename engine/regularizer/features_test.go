package regularizer

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
	"kappa/engine/spectrum"
)

func features(t testing.TB, f *mat.Dense) *Features {
	t.Helper()
	var w Features
	if err := w.Set(f); err != nil {
		t.Fatal(err)
	}
	return &w
}

// terms are the functions of the features with their gradients.
var terms = []struct {
	name  string
	scale float64 // over which the function varies, relative to the smallest singular value
	value func(*Features) float64
	add   func(w *Features, dst *mat.Dense, c float64) bool
}{
	{"R_well", 1, func(w *Features) float64 { return w.Values().Well }, func(w *Features, dst *mat.Dense, c float64) bool { w.AddWell(dst, c); return true }},
	{"R_ill", 0.2, func(w *Features) float64 { return w.Values().Ill }, (*Features).AddIll},
	{"log κ", 0.2, func(w *Features) float64 { return w.Values().LogKappa }, (*Features).AddLogKappa},
	{"1/log κ", 0.2, func(w *Features) float64 { return 1 / w.Values().LogKappa }, (*Features).AddInverseLogKappa},
}

var shapes = [][2]int{{7, 4}, {4, 7}, {5, 5}, {2, 2}, {2, 9}}

func TestFeaturesAgainstDifferences(t *testing.T) {
	rng := numtest.Rand(80)
	for _, s := range shapes {
		f := numtest.WithSingularValues(rng, s[0], s[1], numtest.Geometric(2, 0.6, min(s[0], s[1])))
		for _, term := range terms {
			t.Run(fmt.Sprintf("%dx%d/%s", s[0], s[1], term.name), func(t *testing.T) {
				grad := mat.NewDense(s[0], s[1], nil)
				if !term.add(features(t, f), grad, 1) {
					t.Fatal("the gradient is said to be undefined")
				}
				value := func(x *mat.Dense) float64 { return term.value(features(t, x)) }
				if e := numtest.GradientError(value, grad, f, 0.1*term.scale); e > differenceTol {
					t.Errorf("off by %g", e)
				}
			})
		}
	}
}

// What the D×D code gives for data I and θ = F, at full rank and below it.
func TestFeaturesAreThoseOfHessians(t *testing.T) {
	rng := numtest.Rand(81)
	for _, s := range append(shapes, [2]int{64, 64}, [2]int{64, 90}) {
		for _, rank := range []int{min(s[0], s[1]), (min(s[0], s[1]) + 2) / 2} {
			t.Run(fmt.Sprintf("%dx%d of rank %d", s[0], s[1], rank), func(t *testing.T) {
				values := make([]float64, min(s[0], s[1]))
				copy(values, numtest.Geometric(2, 0.02, rank))
				for i := rank; i < len(values); i++ {
					values[i] = 1e-9 // rounding of float32
				}
				f := numtest.WithSingularValues(rng, s[0], s[1], values)
				w := features(t, f)
				identity := mat.NewDense(s[0], s[0], nil)
				for i := range s[0] {
					identity.Set(i, i, 1)
				}
				factor, err := spectrum.NewFactorRank(identity, rank)
				if err != nil {
					t.Fatal(err)
				}
				h, err := factor.Spectrum(f, true)
				if err != nil {
					t.Fatal(err)
				}
				if w.Extremes().Rank != rank || h.Rank != rank {
					t.Fatalf("rank %d, want %d", w.Extremes().Rank, rank)
				}
				for _, c := range []struct {
					name      string
					got, want float64
				}{
					{"R_well", w.Values().Well, Well(h)},
					{"R_ill", w.Values().Ill, Ill(h)},
					{"log κ", w.Values().LogKappa, LogKappa(h)},
				} {
					if e := numtest.RelError(c.got, c.want); e > 1e-9 {
						t.Errorf("%s = %g, want %g", c.name, c.got, c.want)
					}
				}
				compare := func(i int, make func(*mat.SymDense)) {
					t.Helper()
					var inner mat.SymDense
					var want mat.Dense
					make(&inner)
					Gradient(&want, Plain, factor, f, &inner)
					before := numtest.Gaussian(rng, s[0], s[1])
					got := mat.DenseCopyOf(before)
					if ok := terms[i].add(w, got, -0.5); !ok {
						t.Fatalf("the gradient of %s is said to be undefined", terms[i].name)
					}
					got.Sub(before, got)
					got.Scale(2, got)
					if e := numtest.MaxRelError(got, &want); e > 1e-8 {
						t.Errorf("the gradient of %s is off by %g", terms[i].name, e)
					}
				}
				compare(0, func(a *mat.SymDense) { WellInner(a, h) })
				if rank > 1 {
					compare(1, func(a *mat.SymDense) { IllInner(a, h) })
					compare(2, func(a *mat.SymDense) { LogKappaInner(a, h) })
				}
			})
		}
	}
}

// Rotations of the samples and of the features turn the gradients and leave the values.
func TestFeaturesRotate(t *testing.T) {
	rng := numtest.Rand(82)
	for _, s := range shapes {
		f := numtest.WithSingularValues(rng, s[0], s[1], numtest.Geometric(2, 0.3, min(s[0], s[1])))
		q, z := numtest.Orthogonal(rng, s[0]), numtest.Orthogonal(rng, s[1])
		turn := func(a *mat.Dense) *mat.Dense {
			var out mat.Dense
			out.Mul(q, a)
			out.Mul(&out, z)
			return &out
		}
		w, v := features(t, f), features(t, turn(f))
		for _, term := range terms {
			if e := numtest.RelError(term.value(v), term.value(w)); e > 1e-12 {
				t.Errorf("%v: %s changes by %g", s, term.name, e)
			}
			a, b := mat.NewDense(s[0], s[1], nil), mat.NewDense(s[0], s[1], nil)
			term.add(w, a, 1)
			term.add(v, b, 1)
			if e := numtest.MaxRelError(b, turn(a)); e > 1e-11 {
				t.Errorf("%v: the gradient of %s is off by %g", s, term.name, e)
			}
		}
	}
}

// The paper's example of Theorem 4.1(1) and its correction: doubling F divides R_ill by 16 and leaves κ.
func TestFeaturesScale(t *testing.T) {
	f := numtest.WithSingularValues(numtest.Rand(83), 6, 4, []float64{3, 2, 1, 0.5})
	w := features(t, f)
	well, ill, log := w.Values().Well, w.Values().Ill, w.Values().LogKappa
	var double mat.Dense
	double.Scale(2, f)
	if err := w.Set(&double); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]float64{
		"R_well": numtest.RelError(w.Values().Well, 16*well), "R_ill": numtest.RelError(w.Values().Ill, ill/16),
		"log κ": numtest.RelError(w.Values().LogKappa, log),
	} {
		if e > 1e-13 {
			t.Errorf("%s is off by %g", name, e)
		}
	}
}

func TestFeaturesEdges(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	rng := numtest.Rand(84)
	for _, c := range []struct {
		name                    string
		f                       *mat.Dense
		well, ill, log, inverse float64
		defined                 [4]bool // gradients of terms
		zero                    bool    // gradient of R_well
	}{
		{"zero", mat.NewDense(3, 2, nil), 0, inf, nan, nan, [4]bool{true, false, false, false}, true},
		{"1×1", mat.NewDense(1, 1, []float64{2}), 0, inf, 0, inf, [4]bool{true, false, false, false}, true},
		{"rank 1", mat.NewDense(2, 2, []float64{3, 4, 0, 0}), 625.0 / 4, inf, 0, inf, [4]bool{true, false, false, false}, false},
		{"equal values", numtest.WithSingularValues(rng, 5, 3, []float64{2, 2, 2}), 0, inf, 0, inf, [4]bool{true, false, false, false}, false},
		{"equal values, wide", numtest.WithSingularValues(rng, 2, 4, []float64{2, 2}), 4, inf, 0, inf, [4]bool{true, false, false, false}, false},
		{"top repeated", numtest.WithSingularValues(rng, 5, 3, []float64{2, 2, 1}), 16.0/2 - 33.0/6, 1 / (33.0/6 - 0.5), math.Log(4), 1 / math.Log(4), [4]bool{true, true, true, true}, false},
		{"huge", numtest.WithSingularValues(rng, 5, 2, []float64{2e70, 1e70}), 3.75e280, 1 / 3.75e280, math.Log(4), 1 / math.Log(4), [4]bool{true, false, true, true}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := features(t, c.f)
			for i, want := range []float64{c.well, c.ill, c.log, c.inverse} {
				got := terms[i].value(w)
				if !(math.Abs(got-want) <= 1e-9*math.Abs(want)+1e-12) && got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Errorf("%s = %g, want %g", terms[i].name, got, want)
				}
				r, d := c.f.Dims()
				dst := mat.NewDense(r, d, nil)
				if ok := terms[i].add(w, dst, 1); ok != c.defined[i] || !ok && mat.Norm(dst, 2) != 0 {
					t.Errorf("the gradient of %s is defined: %v, want %v", terms[i].name, ok, c.defined[i])
				}
				if i == 0 && (mat.Norm(dst, 2) < 1e-12) != c.zero {
					t.Errorf("the gradient of R_well is %v", mat.Formatted(dst))
				}
			}
		})
	}
	var w Features
	for name, bad := range map[string]*mat.Dense{"empty": {}, "NaN": mat.NewDense(1, 2, []float64{1, nan}), "Inf": mat.NewDense(1, 1, []float64{inf})} {
		if err := w.Set(bad); err == nil {
			t.Errorf("features that are %s are no error", name)
		}
	}
}

func TestFeaturesAllocateNothing(t *testing.T) {
	f := numtest.Gaussian(numtest.Rand(85), 64, 64)
	dst := mat.NewDense(64, 64, nil)
	var w Features
	step := func() {
		if err := w.Set(f); err != nil {
			t.Fatal(err)
		}
		for _, term := range terms {
			term.add(&w, dst, 1e-9)
		}
	}
	step()
	if n := testing.AllocsPerRun(10, step); n != 0 {
		t.Errorf("%g allocations a step", n)
	}
}

// Values and gradient of one task on a batch.
func BenchmarkFeatures(b *testing.B) {
	for _, s := range [][2]int{{64, 64}, {64, 768}} {
		f := numtest.Gaussian(numtest.Rand(86), s[0], s[1])
		dst := mat.NewDense(s[0], s[1], nil)
		b.Run(fmt.Sprintf("n=%dx%d", s[0], s[1]), func(b *testing.B) {
			var w Features
			for b.Loop() {
				if err := w.Set(f); err != nil {
					b.Fatal(err)
				}
				w.AddIll(dst, 1e-9)
			}
		})
	}
}
