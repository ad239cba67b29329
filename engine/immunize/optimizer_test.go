package immunize

import (
	"math"
	"testing"

	"kappa/engine/internal/numtest"
)

func TestMoverByHand(t *testing.T) {
	// Three steps of size 0.1 on the directions 1, 2, −1 from 0.
	dirs := []float64{1, 2, -1}
	for _, c := range []struct {
		name     string
		kind     Optimizer
		momentum float64
		want     [3]float64
	}{
		{"gd", GD, 0, [3]float64{-0.1, -0.3, -0.2}},
		{"gd ignores momentum", GD, 0.9, [3]float64{-0.1, -0.3, -0.2}},
		{"sgd without momentum is gd", SGD, 0, [3]float64{-0.1, -0.3, -0.2}},
		{"sgd", SGD, 0.5, [3]float64{-0.1, -0.35, -0.375}}, // v = 1, 2.5, 0.25
		{"adam", Adam, 0, adamByHand(dirs)},
	} {
		m := newMover(c.kind, c.momentum, 1)
		x := []float64{0}
		for i, d := range dirs {
			m.move(x, []float64{d}, 0.1)
			if math.Abs(x[0]-c.want[i]) > 1e-15 {
				t.Errorf("%s: after step %d x = %v, want %v", c.name, i+1, x[0], c.want[i])
			}
		}
	}
}

// adamByHand sums the moments directly: m_t = (1−β₁)Σβ₁^(t−i)d_i, and so v.
func adamByHand(dirs []float64) (out [3]float64) {
	x := 0.0
	for t := range dirs {
		var m, v float64
		for i, d := range dirs[:t+1] {
			m += 0.1 * math.Pow(0.9, float64(t-i)) * d
			v += 0.001 * math.Pow(0.999, float64(t-i)) * d * d
		}
		m /= 1 - math.Pow(0.9, float64(t+1))
		v /= 1 - math.Pow(0.999, float64(t+1))
		x -= 0.1 * m / (math.Sqrt(v) + 1e-8)
		out[t] = x
	}
	return out
}

func TestAdamIsScaleFree(t *testing.T) {
	for _, scale := range []float64{1e-3, 1, 1e9} {
		x := []float64{0, 0}
		newMover(Adam, 0, 2).move(x, []float64{3 * scale, -scale}, 0.25)
		if numtest.RelError(x[0], -0.25) > 1e-4 || numtest.RelError(x[1], 0.25) > 1e-4 {
			t.Errorf("first step on a direction of scale %g: %v", scale, x)
		}
	}
}

func TestBatcher(t *testing.T) {
	for _, c := range []struct{ n, b, batches, size int }{
		{10, 3, 3, 3}, {10, 10, 1, 10}, {10, 0, 1, 10}, {10, 64, 1, 10}, {1, 1, 1, 1}, {8, 4, 2, 4},
	} {
		s := newBatcher(c.n, c.b, numtest.Rand(1))
		var before []int
		for epoch := range 3 {
			seen := map[int]bool{}
			var order []int
			for range c.batches {
				rows := s.rows()
				if len(rows) != c.size {
					t.Fatalf("n = %d, b = %d: a batch of %d rows", c.n, c.b, len(rows))
				}
				for _, r := range rows {
					if r < 0 || r >= c.n || seen[r] {
						t.Errorf("n = %d, b = %d, epoch %d: row %d twice, or out of range", c.n, c.b, epoch, r)
					}
					seen[r] = true
				}
				order = append(order, rows...)
			}
			if c.n > 5 && epoch > 0 && equalInts(order, before) {
				t.Errorf("n = %d, b = %d: epochs %d and %d have the same order", c.n, c.b, epoch-1, epoch)
			}
			before = order
		}
	}
}

func equalInts(a, b []int) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}
