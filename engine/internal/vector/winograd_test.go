package vector

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A tile of a convolution through the transforms, with the weights' own computed here, is that of the definition.
func TestTiles(t *testing.T) {
	every(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, n := range []int{1, 7, 8, 16, 24, 48} {
			for _, c := range []struct {
				rows, cols int
				add        bool
			}{{1, 1, false}, {2, 2, false}, {1, 2, true}, {2, 1, true}, {2, 2, true}} {
				pixel, line := n+3, 4*(n+3)+5
				d := numbers(rng, 3*(line+pixel)+n)
				step := n + 1
				u, m := make([]float32, 15*step+n), make([]float32, 15*step+n)
				TileIn(u, step, d, pixel, line, n)
				g := numbers(rng, 9*n) // tap, number
				all := make([]float32, 15*(n+2)+n)
				TileWeights(all, n+2, g, n, n)
				for k := range n {
					w := filter(g, k, n)
					for i := range 16 {
						if math.Abs(w[i]-float64(all[i*(n+2)+k])) > 1e-6 {
							t.Fatalf("n = %d: weight %d is %v, want %v", n, i, all[i*(n+2)+k], w[i])
						}
					}
					for i := range 16 {
						m[i*step+k] = u[i*step+k] * float32(w[i])
					}
				}
				y := numbers(rng, line+pixel+n)
				want := make([]float64, len(y))
				for i, v := range y {
					want[i] = float64(v)
				}
				for p := range c.rows {
					for q := range c.cols {
						for k := range n {
							sum := 0.0
							for a := range 3 {
								for b := range 3 {
									sum += float64(d[(p+a)*line+(q+b)*pixel+k]) * float64(g[(3*a+b)*n+k])
								}
							}
							if c.add {
								sum += want[p*line+q*pixel+k]
							}
							want[p*line+q*pixel+k] = sum
						}
					}
				}
				TileOut(y, pixel, line, m, step, n, c.rows, c.cols, c.add)
				for i := range y {
					if math.Abs(float64(y[i])-want[i]) > 1e-5 {
						t.Fatalf("n = %d, %+v: number %d is %v, want %v", n, c, i, y[i], want[i])
					}
				}
			}
		}
	})
}

// TileSpread is the transpose of TileOut: Σ TileSpread(y)·m = Σ y·TileOut(m).
func TestTileSpread(t *testing.T) {
	every(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 2))
		for _, n := range []int{1, 7, 8, 16, 24, 48} {
			pixel, line, step := n+3, 2*(n+3)+5, n+1
			y, m := numbers(rng, line+pixel+n), numbers(rng, 15*step+n)
			v, out := make([]float32, 15*step+n), make([]float32, line+pixel+n)
			TileSpread(v, step, y, pixel, line, n)
			TileOut(out, pixel, line, m, step, n, 2, 2, false)
			for k := range n {
				left, right := 0.0, 0.0
				for i := range 16 {
					left += float64(v[i*step+k]) * float64(m[i*step+k])
				}
				for _, at := range []int{0, pixel, line, line + pixel} {
					right += float64(y[at+k]) * float64(out[at+k])
				}
				if math.Abs(left-right) > 1e-4 {
					t.Fatalf("n = %d: number %d: %v, want %v", n, k, left, right)
				}
			}
		}
	})
}

// TileGradient is the transpose of TileWeights.
func TestTileGradient(t *testing.T) {
	every(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 2))
		for _, n := range []int{1, 7, 8, 16, 24, 48} {
			taps, step := n+3, n+1
			w, grad := numbers(rng, 15*step+n), numbers(rng, 8*taps+n)
			before := clone(grad)
			TileGradient(grad, taps, w, step, n)
			for k := range n {
				for a := range 9 {
					g := make([]float32, 9)
					g[a] = 1
					want := float64(before[a*taps+k])
					for i, v := range filter(g, 0, 1) {
						want += v * float64(w[i*step+k])
					}
					if math.Abs(float64(grad[a*taps+k])-want) > 1e-5 {
						t.Fatalf("n = %d: tap %d, number %d: %v, want %v", n, a, k, grad[a*taps+k], want)
					}
				}
			}
		}
	})
}

// filter is G·g·Gᵀ of the k-th of n filters.
func filter(g []float32, k, n int) (w [16]float64) {
	matrix := [4][3]float64{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}}
	for i := range 4 {
		for j := range 4 {
			for a := range 3 {
				for b := range 3 {
					w[4*i+j] += matrix[i][a] * matrix[j][b] * float64(g[(3*a+b)*n+k])
				}
			}
		}
	}
	return w
}

func numbers(rng *rand.Rand, n int) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(rng.NormFloat64())
	}
	return out
}
