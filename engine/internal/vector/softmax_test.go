package vector

import (
	"math"
	"testing"
)

// expError is the relative error that Exp promises.
const expError = 2e-7

func TestExp(t *testing.T) {
	every(t, func(t *testing.T) {
		worst := 0.0
		x := make([]float32, 0, 4096)
		flush := func() {
			y := make([]float32, len(x))
			Exp(y, x)
			for i, v := range x {
				want := math.Exp(f64(v))
				switch got := f64(y[i]); {
				case want > math.MaxFloat32:
					if got != float64(float32(want)) && got != math.MaxFloat32 {
						t.Fatalf("exp(%v) = %v, want %v", v, got, want)
					}
				case want < 0x1p-126: // subnormal: so many bits as there are
					if math.Abs(got-want) > 0x1p-149 {
						t.Fatalf("exp(%v) = %v, want %v", v, got, want)
					}
				default:
					worst = max(worst, math.Abs(got-want)/want)
				}
			}
			x = x[:0]
		}
		for v := float32(-110); v < 95; v += 0.0007 {
			if x = append(x, v); len(x) == cap(x) {
				flush()
			}
		}
		flush()
		if worst > expError {
			t.Errorf("relative error %.3g", worst)
		}
	})
}

func TestExpOfExtremes(t *testing.T) {
	inf := float32(math.Inf(1))
	nan := float32(math.NaN())
	every(t, func(t *testing.T) {
		for _, e := range []struct{ x, want float32 }{
			{-inf, 0},
			{inf, inf},
			{nan, nan},
			{0, 1},
			{float32(math.Copysign(0, -1)), 1},
			{89, inf},
			{1e30, inf},
			{-1e30, 0},
			{-104, 0},
			{1e-30, 1},
			{-1e-30, 1},
		} {
			x := []float32{0, 0, e.x, 0}
			Exp(x, x)
			if got := x[2]; got != e.want && (got == got || e.want == e.want) {
				t.Errorf("exp(%v) = %v, want %v", e.x, got, e.want)
			}
			if x[1] != 1 || x[3] != 1 {
				t.Errorf("neighbours of exp(%v) are %v", e.x, x)
			}
		}
	})
}

// softmax computes it in float64.
func softmax(row []float32, scale float64) []float64 {
	most := math.Inf(-1)
	for _, v := range row {
		most = max(most, scale*f64(v))
	}
	out, sum := make([]float64, len(row)), 0.0
	for i, v := range row {
		out[i] = math.Exp(scale*f64(v) - most)
		sum += out[i]
	}
	for i := range out {
		out[i] /= sum
	}
	return out
}

func TestSoftmaxRows(t *testing.T) {
	for _, scale := range []float32{1, 0.125, -3, 0} {
		check(t, func(c *trial) {
			x := c.random(c.n())
			was := clone(x)
			SoftmaxRows(x, c.rows, c.cols, scale)
			dx, dy := c.guarded(c.n()), c.random(c.n())
			SoftmaxRowsBackward(dx, dy, x, c.rows, c.cols, scale)
			for r := range c.rows {
				from, to := r*c.cols, (r+1)*c.cols
				most := 0.0
				for _, v := range was[from:to] {
					most = max(most, math.Abs(f64(scale)*f64(v)))
				}
				p := softmax(was[from:to], f64(scale))
				want(c, "softmax", x[from:to], 4, func(i int) (float64, float64) {
					return p[i], p[i] * (1 + 2*most) // scale·x is rounded
				})
				dot := 0.0
				for i, v := range x[from:to] {
					dot += f64(v) * f64(dy[from+i])
				}
				want(c, "dx", dx[from:to], 4, func(i int) (float64, float64) {
					v, d, s := f64(x[from+i]), f64(dy[from+i]), f64(scale)
					return s * v * (d - dot), math.Abs(s*v) * (math.Abs(d) + math.Abs(dot))
				})
			}
		})
	}
}

// Masked scores are −Inf: their weight is 0. What cannot be weighed is NaN, and just in its own row.
func TestSoftmaxOfExtremes(t *testing.T) {
	inf := float32(math.Inf(1))
	nan := float32(math.NaN())
	every(t, func(t *testing.T) {
		for _, n := range []int{2, 15, 16, 17, 33} {
			for at := range n {
				x := make([]float32, 3*n)
				middle := x[n : 2*n]
				middle[at] = -inf
				SoftmaxRows(x, 3, n, 2)
				if middle[at] != 0 || math.Abs(f64(middle[(at+1)%n])*float64(n-1)-1) > 1e-6 {
					t.Fatalf("a −Inf at %d of %d: %v", at, n, middle)
				}
				for _, bad := range []float32{inf, nan} {
					clear(x)
					middle[at] = bad
					SoftmaxRows(x, 3, n, 2)
					for i, v := range x {
						if inside := i >= n && i < 2*n; inside == (v == v) {
							t.Fatalf("a %v at %d of %d: %v", bad, at, n, x)
						}
					}
				}
				clear(x)
				middle[at] = 1e30
				SoftmaxRows(x, 3, n, 2)
				if middle[at] != 1 || middle[(at+1)%n] != 0 {
					t.Fatalf("a huge number at %d of %d: %v", at, n, middle)
				}
			}
		}
		x := []float32{-inf, -inf, -inf}
		SoftmaxRows(x, 1, 3, 1)
		if x[0] == x[0] {
			t.Errorf("softmax of nothing but −Inf: %v", x)
		}
	})
}
