package spectrum

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// edges are orders at, below and above the borders of lanes, panels and chunks.
var edges = [][2]int{
	{1, 1},
	{2, 1},
	{1, 2},
	{2, 2},
	{3, 2},
	{2, 3},
	{7, 9},
	{9, 7},
	{8, 8},
	{31, 31},
	{32, 32},
	{33, 33},
	{33, 31},
	{31, 33},
	{63, 64},
	{64, 64},
	{65, 64},
	{64, 65},
	{127, 127},
	{129, 129},
	{200, 200},
	{201, 201},
	{232, 233},
	{233, 232},
	{260, 205},
	{205, 260},
	{700, 203},
}

// reduced brings a to bidiagonal form; the elements of w.b are those of the form, divided by scale.
func reduced(a *mat.Dense) (w *Workspace, scale float64) {
	m, n := a.Dims()
	w = &Workspace{}
	w.reserve(m, n)
	for i := range m {
		copy(w.feature[i*n:], a.RawRowView(i))
	}
	return w, w.bidiagonalise(m, n)
}

// form returns the bidiagonal form of an m×n matrix and the product of the reflections from the right.
func (w *Workspace) form(m, n int) (b, v *mat.Dense) {
	k := min(m, n)
	b, v = mat.NewDense(k, n, nil), mat.NewDense(n, n, nil)
	for i := range k {
		if m >= n {
			b.Set(i, i, w.b.d[i])
			if i+1 < k {
				b.Set(i, i+1, w.b.e[i])
			}
			continue
		}
		b.Set(i, i, w.b.d[k-1-i])
		if i > 0 {
			b.Set(i, i-1, w.b.e[k-1-i])
		}
	}
	column, unit := make([]float64, n), make([]float64, n)
	for j := range n {
		clear(unit)
		unit[j] = 1
		w.lift(column, unit, m, n)
		v.SetCol(j, column)
	}
	return b, v
}

func TestReduction(t *testing.T) {
	rng := numtest.Rand(30)
	for _, size := range edges {
		m, n := size[0], size[1]
		t.Run(fmt.Sprintf("%d×%d", m, n), func(t *testing.T) {
			a := numtest.Gaussian(rng, m, n)
			w, scale := reduced(a)
			b, v := w.form(m, n)
			b.Scale(scale, b)
			var vtv, av, want, got mat.Dense
			vtv.Mul(v.T(), v)
			if e := mat.Norm(sub(&vtv, eye(n, n)), math.Inf(1)); e > 8*eps*float64(n) {
				t.Errorf("VᵀV differs from I by %.1e", e)
			}
			// (AV)ᵀ(AV) = BᵀB; that the values are those of A, and not only their squares, is seen in TestSingularValues.
			av.Mul(a, v)
			got.Mul(av.T(), &av)
			want.Mul(b.T(), b)
			if e := mat.Norm(sub(&got, &want), 2) / mat.Norm(&want, 2); e > 4*eps*float64(max(m, n)) {
				t.Errorf("VᵀAᵀAV differs from BᵀB by %.1e", e)
			}
		})
	}
}

// Columns and rows of zeros, a column that is already reduced, one element only, and elements that are finite though their
// squares are not.
func TestReductionOfSparseMatrices(t *testing.T) {
	rng := numtest.Rand(31)
	for _, size := range [][2]int{{5, 5}, {12, 9}, {9, 12}, {70, 66}, {240, 210}, {210, 240}} {
		m, n := size[0], size[1]
		for name, set := range map[string]func(a *mat.Dense){
			"zero columns": func(a *mat.Dense) {
				for i := range m {
					for j := 0; j < n; j += 3 {
						a.Set(i, j, 0)
					}
				}
			},
			"zero rows": func(a *mat.Dense) {
				for i := 0; i < m; i += 2 {
					clear(a.RawRowView(i))
				}
			},
			"one element": func(a *mat.Dense) {
				a.Zero()
				a.Set(m-1, n-1, -3)
			},
			"bidiagonal": func(a *mat.Dense) {
				for i := range m {
					for j := range n {
						if j != i && j != i+1 {
							a.Set(i, j, 0)
						}
					}
				}
			},
			"one row": func(a *mat.Dense) {
				for i := 1; i < m; i++ {
					clear(a.RawRowView(i))
				}
			},
		} {
			a := numtest.Gaussian(rng, m, n)
			set(a)
			compareValues(t, fmt.Sprintf("%s, %d×%d", name, m, n), a)
		}
	}
}

// compareValues checks all singular values of a against gonum's.
func compareValues(t *testing.T, name string, a *mat.Dense) {
	t.Helper()
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDNone) {
		t.Fatal("no decomposition")
	}
	want := svd.Values(nil)
	got, ok := singularValues(a)
	if !ok || len(got) != len(want) {
		t.Fatalf("%s: %d values, %v", name, len(got), ok)
	}
	m, n := a.Dims()
	for i, v := range got {
		if e := math.Abs(v-want[i]) / want[0]; e > 2*eps*float64(max(m, n)) {
			t.Errorf("%s: σ_%d = %g, want %g: off by %.1e of σ_1", name, i+1, v, want[i], e)
		}
	}
}

func TestSingularValues(t *testing.T) {
	rng := numtest.Rand(32)
	for _, size := range edges {
		m, n := size[0], size[1]
		compareValues(t, fmt.Sprintf("Gaussian, %d×%d", m, n), numtest.Gaussian(rng, m, n))
		a := numtest.Gaussian(rng, m, n)
		for i := range m {
			for j := range n {
				a.Set(i, j, a.At(i, j)*math.Pow(10, -16*float64(i)/float64(m)-8*float64(j)/float64(n)))
			}
		}
		compareValues(t, fmt.Sprintf("graded, %d×%d", m, n), a)
	}
	for _, size := range [][2]int{{40, 40}, {65, 33}, {220, 220}, {201, 230}} {
		m, n := size[0], size[1]
		values := numtest.Geometric(3, 3e-14, min(m, n))
		got, ok := singularValues(numtest.WithSingularValues(rng, m, n, values))
		for i, v := range got {
			if e := math.Abs(v-values[i]) / values[0]; !ok || e > 2*eps*float64(max(m, n)) {
				t.Errorf("%d×%d: σ_%d = %g, want %g", m, n, i+1, v, values[i])
			}
		}
	}
}

// Multiplying by a power of two multiplies the values by it, exactly, from the largest doubles to the smallest; where the elements lose
// digits because they are subnormal, the values lose no more.
func TestSingularValuesOfAnySize(t *testing.T) {
	rng := numtest.Rand(33)
	for _, size := range [][2]int{{6, 4}, {4, 6}, {40, 40}, {210, 205}} {
		a := numtest.Gaussian(rng, size[0], size[1])
		base, _ := singularValues(a)
		for _, exp := range []int{1015, 333, -333, -900} {
			scaled := mat.NewDense(size[0], size[1], nil)
			scaled.Apply(func(_, _ int, v float64) float64 { return math.Ldexp(v, exp) }, a)
			got, ok := singularValues(scaled)
			for i, v := range got {
				if want := math.Ldexp(base[i], exp); !ok || numtest.RelError(v, want) > 4*eps*float64(size[0])*base[0]/base[i] {
					t.Errorf("%v·2^%d: σ_%d = %g, want %g", size, exp, i+1, v, want)
				}
			}
		}
		tiny := mat.NewDense(size[0], size[1], nil)
		tiny.Apply(func(_, _ int, v float64) float64 { return math.Ldexp(v, -1060) }, a)
		got, ok := singularValues(tiny)
		for i, v := range got {
			if want := math.Ldexp(base[i], -1060); !ok || math.Abs(v-want) > 0x1p-1074*float64(size[0]+size[1]) {
				t.Errorf("%v, subnormal: σ_%d = %g, want %g", size, i+1, v, want)
			}
		}
	}
	zero, ok := singularValues(mat.NewDense(3, 5, nil))
	if !ok || len(zero) != 3 || zero[0] != 0 || zero[2] != 0 {
		t.Errorf("zero: %v, %v", zero, ok)
	}
}

func TestRightVectors(t *testing.T) {
	rng := numtest.Rand(34)
	for _, size := range edges {
		m, n := size[0], size[1]
		k := min(m, n)
		pairs := numtest.Geometric(3, 1e-9, k)
		for i := range pairs {
			pairs[i] = pairs[i/2*2]
		}
		clear(pairs[(4*k+4)/5:])
		for name, a := range map[string]*mat.Dense{
			"Gaussian": numtest.Gaussian(rng, m, n), "pairs and zeros": numtest.WithSingularValues(rng, m, n, pairs), "zero": mat.NewDense(m, n, nil),
			"huge": numtest.WithSingularValues(rng, m, n, numtest.Geometric(1e200, 1e190, k)),
		} {
			if k > 100 && name == "huge" {
				continue
			}
			values, v, ok := rightVectors(a)
			want, _ := singularValues(a)
			if r, c := v.Dims(); !ok || r != n || c != k || len(values) != k {
				t.Fatalf("%s, %d×%d: V is %d×%d, %v", name, m, n, r, c, ok)
			}
			norm := values[0]
			if norm == 0 {
				norm = 1
			}
			var vtv, av, got mat.Dense
			vtv.Mul(v.T(), v)
			if e := mat.Norm(sub(&vtv, eye(k, k)), 2); e > 8*eps*float64(n) {
				t.Errorf("%s, %d×%d: VᵀV differs from I by %.1e", name, m, n, e)
			}
			av.Mul(a, v)
			av.Scale(1/norm, &av)
			got.Mul(av.T(), &av)
			for i, s := range values {
				if e := math.Abs(s-want[i]) / norm; e > 2*eps*float64(max(m, n)) {
					t.Errorf("%s, %d×%d: σ_%d = %g with vectors, %g without", name, m, n, i+1, s, want[i])
				}
				got.Set(i, i, got.At(i, i)-s/norm*(s/norm))
			}
			if e := mat.Norm(&got, 2); e > 8*eps*float64(max(m, n)) {
				t.Errorf("%s, %d×%d: VᵀAᵀAV differs from Σ² by %.1e", name, m, n, e)
			}
		}
	}
}
