package spectrum

import (
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/blas"
	"kappa/engine/internal/numtest"
)

// with returns values with the first len(top) and the last len(bottom) replaced.
func with(values, top, bottom []float64) []float64 {
	out := slices.Clone(values)
	copy(out, top)
	copy(out[len(out)-len(bottom):], bottom)
	return out
}

// repeat returns n times v.
func repeat(v float64, n int) []float64 { return slices.Repeat([]float64{v}, n) }

// Repeated, nearly repeated and far ends, from a cold start and again from the vectors found.
func TestIterateOnAwkwardSpectra(t *testing.T) {
	const n = 132
	rng := numtest.Rand(60)
	even := numtest.Geometric(9, 1, n)
	cases := map[string][]float64{
		"flat":                repeat(2, n),
		"flat but the top":    with(repeat(2, n), []float64{5}, nil),
		"flat but the bottom": with(repeat(2, n), nil, []float64{0.01}),
		"top three times":     with(even, repeat(10, 3), nil),
		"bottom three times":  with(even, nil, repeat(0.9, 3)),
		"top twenty times":    with(even, repeat(10, 20), nil),
		"bottom twenty times": with(even, nil, repeat(0.9, 20)),
		"two clusters":        append(repeat(3, n/2), repeat(1e-4, n/2)...),
		"far top":             with(even, []float64{1e4}, nil),
		"two far above":       with(even, []float64{1e5, 1e4}, nil),
		"far bottom":          with(even, nil, []float64{1e-6}),
		"two far below":       with(even, nil, []float64{1e-5, 1e-7}),
		"steep":               numtest.Geometric(1, 1e-8, n),
	}
	for _, gap := range []float64{1e-15, 1e-13, 1e-11, 1e-9, 1e-6} {
		cases[fmt.Sprintf("gap %g", gap)] = with(even, []float64{10, 10 * (1 - gap)}, []float64{0.9 * (1 + gap), 0.9})
	}
	for i, name := range slices.Sorted(maps.Keys(cases)) {
		if raceDetector && i%4 != 0 {
			continue
		}
		values := cases[name]
		a := numtest.WithSingularValues(rng, n, n, values)
		thin := numtest.WithSingularValues(rng, n, n+18, values)
		for _, x := range []*mat.Dense{a, thin} {
			_, d := x.Dims()
			f, err := NewFactorTol(x, 0)
			if err != nil {
				t.Fatal(err)
			}
			var w Workspace
			for i, theta := range []*mat.Dense{eye(d, d), eye(d, d), numtest.Gaussian(rng, d, d)} {
				compare(t, fmt.Sprintf("%s, %d columns, θ %d", name, d, i), f, theta, &w)
			}
			// Of many equal leaders, rounding decides in each pass which come first, and they may not settle.
			if w.fallbacks > 0 && name != "top twenty times" {
				t.Errorf("%s, %d columns: %d fallbacks", name, d, w.fallbacks)
			}
		}
	}
}

// Scales whose fourth powers leave the range of float64.
func TestIterateOnAwkwardScales(t *testing.T) {
	const n = 130
	rng := numtest.Rand(61)
	x := numtest.WithSingularValues(rng, n, n, numtest.Geometric(1, 1e-3, n))
	theta := numtest.Orthogonal(rng, n)
	for _, scale := range []float64{1e-100, 1e-60, 1, 1e60, 1e100} {
		var scaled mat.Dense
		scaled.Scale(scale, x)
		f := factor(t, &scaled)
		var w Workspace
		got, err := w.Extremes(f, theta)
		if err != nil {
			t.Fatal(err)
		}
		agrees(t, fmt.Sprintf("scale %g", scale), f, theta, got)
		if w.fallbacks > 0 {
			t.Errorf("scale %g: a fallback", scale)
		}
	}
}

// A vector that overtakes the old leaders is found though they are, and stay, exact eigenvectors: everything is diagonal.
func TestIterateFindsANewLeader(t *testing.T) {
	const n = 140
	values := numtest.Geometric(3, 1, n)
	f := factor(t, numtest.Diagonal(values...))
	for _, by := range []float64{1e-9, 1e-6, 1e-3, 0.1, 10} {
		for _, from := range []int{3, n / 2, n - 4} {
			for _, top := range []bool{true, false} {
				var w Workspace
				theta := eye(n, n)
				for range 2 {
					compare(t, "before", f, theta, &w)
				}
				at := values[0] * (1 + by)
				if !top {
					at = values[n-1] / (1 + by)
				}
				theta.Set(from, from, at/values[from])
				compare(t, fmt.Sprintf("value %d beyond the end (top: %t) by %g", from, top, by), f, theta, &w)
			}
		}
	}
}

// A vector that overtakes a repeated leader by little is found, though nothing is probed for beside a space of three dimensions.
func TestIterateFindsALeaderAboveMany(t *testing.T) {
	const n = 129
	f := factor(t, eye(n, n))
	for _, many := range []int{3, 20, 60} {
		for _, by := range []float64{1e-9, 3e-9, 1e-8, 3e-8} {
			var w Workspace
			values := with(numtest.Geometric(0.4, 0.05, n), repeat(1, many), nil)
			for range 3 {
				x, err := w.Extremes(f, numtest.Diagonal(values...))
				if err != nil {
					t.Fatal(err)
				}
				if top := slices.Max(values); numtest.RelError(x.Sigma1, top*top) > 1e-9 {
					t.Errorf("above %d by %g: σ_1 is %.17g, want %.17g", many, by, x.Sigma1, top*top)
				}
				values[n/2] = 1 + by
			}
		}
	}
}

// Fewer features than columns, fewer rows than columns, a rank below both, and what must not be left out with the rank.
func TestIterateShapes(t *testing.T) {
	rng := numtest.Rand(62)
	for _, c := range []struct{ n, d, m, k int }{
		{300, 140, 140, 140},
		{300, 160, 135, 160},
		{300, 160, 135, 145},
		{300, 160, 150, 140},
		{140, 170, 170, 140},
		{140, 170, 150, 135},
		{200, 160, 160, 40},
		{150, 220, 220, 129},
		{128, 128, 128, 128},
		{129, 129, 129, 128},
	} {
		name := fmt.Sprintf("%+v", c)
		p := min(c.n, c.d)
		for _, noise := range []float64{0, 1e-9, 1e-5} {
			if raceDetector && noise > 0 {
				continue
			}
			values := append(numtest.Geometric(2, 0.02, c.k), repeat(noise, p-c.k)...)
			f, err := NewFactorRank(numtest.WithSingularValues(rng, c.n, c.d, values), c.k)
			if err != nil {
				t.Fatal(err)
			}
			var w Workspace
			for _, theta := range []*mat.Dense{eye(c.d, c.m), numtest.Orthogonal(rng, c.d).Slice(0, c.d, 0, c.m).(*mat.Dense)} {
				if c.m < c.d && noise > 0 {
					continue // the rank of a part of the columns is not that of the data
				}
				got, err := w.Extremes(f, theta)
				if err != nil {
					t.Fatal(err)
				}
				agrees(t, fmt.Sprintf("%s, noise %g", name, noise), f, theta, got)
			}
			if noise == 0 && w.fallbacks > 0 {
				t.Errorf("%s: %d fallbacks", name, w.fallbacks)
			}
		}
	}
}

// Digit 1 of MNIST, κ(H) near 10¹³ and a rank far below 784: H formed would not know σ_k.
func TestIterateOnMNIST(t *testing.T) {
	if testing.Short() {
		t.Skip("one factorisation of 900×784")
	}
	const n, pixels = 900, 784
	x := mat.NewDense(n, pixels, nil)
	images := idx(t, "train-images-idx3-ubyte.gz", 16)
	row := 0
	for i, label := range idx(t, "train-labels-idx1-ubyte.gz", 8) {
		if label != 1 || row == n {
			continue
		}
		for j, v := range images[i*pixels : (i+1)*pixels] {
			x.Set(row, j, float64((float32(v)/255-0.1307)/0.3081))
		}
		row++
	}
	f := factor(t, x)
	tr := newTrajectory(f, f, 0.1, 0.1)
	for i := range 3 {
		tr.look(t)
		agrees(t, fmt.Sprintf("step %d", i), f, tr.theta, tr.xh)
		tr.move()
	}
	if n := tr.wh.fallbacks; n > 0 {
		t.Errorf("%d fallbacks", n)
	}
}

// The same calls give the same bits, however many cores there are.
func TestIterateIsDeterministic(t *testing.T) {
	fp, fh := columns(t, 20, 400, 150, 1, 0.03), deficient(t, 21, 400, 150, 140, 1, 1e-4)
	run := func(procs int) (out []float64) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		tr := newTrajectory(fp, fh, 1e-2, 1e-2)
		for range 4 {
			tr.look(t)
			for _, x := range []*Extremes{tr.xp, tr.xh} {
				out = append(out, x.Sigma1, x.Sigma2, x.SigmaBefore, x.SigmaK, x.Frobenius, x.Residual)
				out = append(append(out, x.V1...), x.VK...)
			}
			tr.move()
		}
		return append(out, tr.theta.RawMatrix().Data...)
	}
	one, two := run(1), run(2)
	for i, v := range one {
		if math.Float64bits(v) != math.Float64bits(two[i]) {
			t.Fatalf("number %d is %v with one core and %v with two", i, v, two[i])
		}
	}
}

func TestIterateAllocatesNothing(t *testing.T) {
	tr := newTrajectory(columns(t, 22, 400, 200, 1, 0.03), deficient(t, 23, 400, 200, 140, 1, 1e-4), 1e-2, 1e-2)
	var thetas []*mat.Dense
	for range 4 {
		tr.look(t)
		tr.move()
		thetas = append(thetas, mat.DenseCopyOf(tr.theta))
	}
	dst, i := mat.NewDense(200, 200, nil), 0
	if n := testing.AllocsPerRun(8, func() {
		theta := thetas[i%len(thetas)]
		i++
		for _, c := range []struct {
			w *Workspace
			f *Factor
		}{{&tr.wp, tr.fp}, {&tr.wh, tr.fh}} {
			x, err := c.w.Extremes(c.f, theta)
			if err != nil {
				t.Fatal(err)
			}
			x.MulH(dst, 2, theta)
		}
	}); n > 0 && blas.Kernel() != "gonum" { // gonum's Dgemm allocates
		t.Errorf("%v allocations in a step", n)
	}
}
