package spectrum

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

func TestTriangular(t *testing.T) {
	rng := numtest.Rand(40)
	for _, size := range [][2]int{{2, 1}, {3, 2}, {9, 8}, {40, 31}, {40, 32}, {40, 33}, {785, 5}, {784, 40}, {1000, 65}, {300, 129}} {
		n, d := size[0], size[1]
		for _, bottom := range []float64{1, 1e-3, 1e-13, 0} {
			if n > 700 && bottom != 1e-13 {
				continue // a matrix of so many rows takes long to make
			}
			values := numtest.Geometric(5, 5*max(bottom, 1e-13), d)
			if bottom == 0 {
				clear(values[(d+1)/2:])
			}
			x := numtest.PoisonedCopy(numtest.WithSingularValues(rng, n, d, values))
			kept := mat.DenseCopyOf(x)
			r := triangular(x)
			name := fmt.Sprintf("%d×%d, bottom %g", n, d, bottom)
			if !mat.Equal(x, kept) || !numtest.Intact(x) {
				t.Errorf("%s: the data were modified", name)
			}
			for i := range d {
				for j := range i {
					if r.At(i, j) != 0 {
						t.Fatalf("%s: element (%d, %d) is %g", name, i, j, r.At(i, j))
					}
				}
			}
			var got, want mat.Dense
			got.Mul(r.T(), r)
			want.Mul(x.T(), x)
			if e := mat.Norm(sub(&got, &want), 2) / mat.Norm(&want, 2); e > 4*eps*float64(n) {
				t.Errorf("%s: RᵀR is off by %.1e", name, e)
			}
			// Backward stable: every singular value to rounding of the largest, which the Gram matrix would not give.
			var svd mat.SVD
			svd.Factorize(r, mat.SVDNone)
			for i, v := range svd.Values(nil) {
				if e := math.Abs(v-values[i]) / values[0]; e > 2*eps*float64(max(16, d)) {
					t.Errorf("%s: σ_%d = %g, want %g", name, i+1, v, values[i])
				}
			}
		}
	}
}

// R of a matrix of full rank is unique but for the signs of its rows.
func TestTriangularAgainstGonum(t *testing.T) {
	rng := numtest.Rand(41)
	for _, scale := range []float64{1, 0x1p-600, 0x1p+600} {
		x := numtest.Gaussian(rng, 1700, 70)
		x.Scale(scale, x)
		var qr mat.QR
		var want mat.Dense
		qr.Factorize(x)
		qr.RTo(&want)
		got := triangular(x)
		for i := range 70 {
			sign := math.Copysign(1, got.At(i, i)) * math.Copysign(1, want.At(i, i))
			for j := range 70 {
				if e := math.Abs(sign*got.At(i, j)-want.At(i, j)) / scale; e > 1e-12 {
					t.Fatalf("scale %g: R(%d, %d) = %g, want ±%g", scale, i, j, got.At(i, j), want.At(i, j))
				}
			}
		}
	}
	zero := triangular(mat.NewDense(5, 3, nil))
	if mat.Norm(zero, 2) != 0 {
		t.Errorf("R of a zero matrix is %v", mat.Formatted(zero))
	}
}

// What is computed does not depend on the number of cores, to the last bit.
func TestCores(t *testing.T) {
	rng := numtest.Rand(42)
	x, a := numtest.Gaussian(rng, 1600, 100), numtest.Gaussian(rng, 330, 310)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var r *mat.Dense
	var values []float64
	var v *mat.Dense
	for _, n := range []int{1, 2, 4} {
		runtime.GOMAXPROCS(n)
		gotR, gotV := triangular(x), func() []float64 { v, _ := singularValues(a); return v }()
		_, vectors, _ := rightVectors(a)
		if n == 1 {
			r, values, v = gotR, gotV, vectors
			continue
		}
		if !mat.Equal(v, vectors) || !slices.Equal(values, gotV) || !slices.Equal(r.RawMatrix().Data, gotR.RawMatrix().Data) {
			t.Errorf("GOMAXPROCS = %d changes the result", n)
		}
	}
}
