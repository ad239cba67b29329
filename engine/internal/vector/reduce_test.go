package vector

import (
	"math"
	"testing"
)

// wideUnits is the bound, in roundings of float32, on sums of a thousand terms in float64.
const wideUnits = 1e-4

func TestReductions(t *testing.T) {
	check(t, func(c *trial) {
		a, b := c.random(c.n()), c.random(c.n())
		var dot, size, squares float64
		for i, v := range a {
			dot += f64(v) * f64(b[i])
			size += math.Abs(f64(v) * f64(b[i]))
			squares += f64(v) * f64(v)
		}
		got := []float64{Dot(a, b), SumSquares(a)}
		values, sizes := []float64{dot, squares}, []float64{size, squares}
		want(c, "Dot, SumSquares", got, wideUnits, func(i int) (float64, float64) { return values[i], sizes[i] })
	})
}

func TestReductionsOfHugeNumbers(t *testing.T) {
	every(t, func(t *testing.T) {
		a := make([]float32, 40)
		Fill(a, math.MaxFloat32)
		if got, want := SumSquares(a), 40*float64(math.MaxFloat32)*math.MaxFloat32; math.Abs(got/want-1) > 1e-15 {
			t.Errorf("SumSquares = %v, want %v", got, want)
		}
		if !AllFinite(a) {
			t.Error("AllFinite is false for the largest number")
		}
		if got := Dot(nil, nil); got != 0 || !AllFinite(nil) {
			t.Errorf("the product of nothing is %v", got)
		}
	})
}

func TestAllFiniteFindsEveryOne(t *testing.T) {
	every(t, func(t *testing.T) {
		for _, n := range lengths[:9] {
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				a := make([]float32, n)
				for i := range a {
					a[i] = float32(bad)
					if AllFinite(a) {
						t.Errorf("AllFinite is true for %v at %d of %d", bad, i, n)
					}
					a[i] = 1
				}
				if !AllFinite(a) {
					t.Errorf("AllFinite is false for %d ones", n)
				}
			}
		}
	})
}
