package vector

import (
	"math"
	"testing"
)

// geluError is the absolute error that GELU promises where |x| ≤ 1.
const geluError = 3e-7

func phi(x float64) (distribution, density float64) {
	return 0.5 * (1 + math.Erf(x/math.Sqrt2)), math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
}

func TestGELU(t *testing.T) {
	every(t, func(t *testing.T) {
		var x []float32
		for v := -14.0; v < 14; v += 0.0003 {
			x = append(x, float32(v))
		}
		y, dx, one := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
		Fill(one, 1)
		GELU(y, x)
		GELUBackward(dx, one, x)
		worst, steepest := 0.0, 0.0
		for i, v := range x {
			p, d := phi(f64(v))
			worst = max(worst, math.Abs(f64(y[i])-f64(v)*p)/max(1, math.Abs(f64(v))))
			steepest = max(steepest, math.Abs(f64(dx[i])-p-f64(v)*d))
		}
		if worst > geluError || steepest > geluError {
			t.Errorf("errors %.3g forward, %.3g backward; want at most %.3g", worst, steepest, geluError)
		}
		t.Logf("errors %.3g forward, %.3g backward", worst, steepest)
	})
}

func TestGELUOnShapes(t *testing.T) {
	const times = geluError / unit
	check(t, func(c *trial) {
		x, y := c.random(c.n()), c.guarded(c.n())
		GELU(y, x)
		at := func(v float64) (float64, float64) {
			p, _ := phi(v)
			return v * p, max(1, math.Abs(v))
		}
		want(c, "y", y, times, func(i int) (float64, float64) { return at(f64(x[i])) })
		dx, dy := c.guarded(c.n()), c.random(c.n())
		GELUBackward(dx, dy, x)
		want(c, "dx", dx, times+2, func(i int) (float64, float64) {
			p, d := phi(f64(x[i]))
			return f64(dy[i]) * (p + f64(x[i])*d), math.Abs(f64(dy[i]))
		})
	})
}

func TestGELUOfExtremes(t *testing.T) {
	inf := float32(math.Inf(1))
	nan := float32(math.NaN())
	every(t, func(t *testing.T) {
		x := []float32{inf, -inf, nan, 0, 1e30, -1e30}
		y := make([]float32, len(x))
		GELU(y, x)
		if y[0] != inf || y[1] != 0 || y[2] == y[2] || y[3] != 0 || y[4] != 1e30 || y[5] != 0 {
			t.Errorf("GELU(%v) = %v", x, y)
		}
		one := []float32{1, 1, 1, 1, 1, 1}
		GELUBackward(y, one, x)
		if y[2] == y[2] {
			t.Errorf("the derivative at NaN is %v", y[2])
		}
		for i, want := range []float64{1, 0, math.NaN(), 0.5, 1, 0} {
			if math.Abs(f64(y[i])-want) > geluError {
				t.Errorf("the derivative at %v is %v, want %v", x[i], y[i], want)
			}
		}
	})
}
