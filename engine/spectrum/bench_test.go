package spectrum

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/internal/numtest"
)

// Floors, of what the processor could do at best: n³·8/3 operations for a bidiagonal form, as many as pass through the core's
// multipliers while a matrix stays in its first caches (order 64: 0.7 million, 12 µs at 59 GFLOP/s on one core); from there on half of
// them wait for the matrix to come from the cache that the cores share (order 784: 1.3 GB, 13 ms at 100 GB/s, and 0.64 GFLOP of
// products, 6 ms at 110 GFLOP/s); 2·N·D² for R (7.3 GFLOP, 66 ms).

func benchmarkFactor(b *testing.B, n int) (*Factor, *mat.Dense) {
	b.Helper()
	rng := numtest.Rand(1)
	f, err := NewFactor(numtest.WithSingularValues(rng, n, n, numtest.Geometric(40, 0.1, n)))
	if err != nil {
		b.Fatal(err)
	}
	return f, numtest.Gaussian(rng, n, n)
}

// BenchmarkEnds is what Extremes does at small orders, by parts.
func BenchmarkEnds(b *testing.B) {
	for _, n := range []int{64, 79, 127} {
		f, theta := benchmarkFactor(b, n)
		var w Workspace
		x, err := w.Extremes(f, theta)
		if err != nil {
			b.Fatal(err)
		}
		kept := *x
		b.Run(fmt.Sprintf("all/n=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Extremes(f, theta); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("reduction/n=%d", n), func(b *testing.B) {
			for b.Loop() {
				w.bidiagonalise(n, n)
			}
		})
		b.Run(fmt.Sprintf("pairs/n=%d", n), func(b *testing.B) {
			for b.Loop() {
				w.ends(&kept, n, n, 1)
			}
		})
	}
}

// shortSize is the largest size under -short, with which the commands of documents are tried out.
const shortSize = 200

func BenchmarkSingularValues(b *testing.B) {
	for _, n := range []int{64, 200, 784} {
		if testing.Short() && n > shortSize {
			continue
		}
		a := numtest.Gaussian(numtest.Rand(2), n, n)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			for b.Loop() {
				if _, ok := singularValues(a); !ok {
					b.Fatal("no values")
				}
			}
		})
	}
	if testing.Short() {
		return
	}
	x := numtest.Gaussian(numtest.Rand(3), 5900, 784)
	b.Run("R/n=5900x784", func(b *testing.B) {
		for b.Loop() {
			triangular(x)
		}
	})
	b.Run("n=5900x784", func(b *testing.B) {
		for b.Loop() {
			if _, ok := singularValues(triangular(x)); !ok {
				b.Fatal("no values")
			}
		}
	})
}

func BenchmarkFactor(b *testing.B) {
	for _, size := range [][2]int{{180, 64}, {784, 784}, {5900, 784}} {
		if testing.Short() && size[1] > shortSize {
			continue
		}
		x := numtest.Gaussian(numtest.Rand(4), size[0], size[1])
		b.Run(fmt.Sprintf("new/n=%dx%d", size[0], size[1]), func(b *testing.B) {
			for b.Loop() {
				if _, err := NewFactor(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
