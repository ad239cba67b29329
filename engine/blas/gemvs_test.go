package blas

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// TestGemvsIsGemv: several vectors at once give the bits that they give one by one.
func TestGemvsIsGemv(t *testing.T) {
	defer blas64.Use(blas64.Implementation())
	rng := rand.New(rand.NewPCG(1, 2))
	for _, impl := range append(supported(), Implementation{}) {
		blas64.Use(impl)
		for range 120 {
			m, n, count, gap := 1+rng.IntN(90), 1+rng.IntN(90), 1+rng.IntN(9), rng.IntN(3)
			if rng.IntN(8) == 0 {
				m, n = m+250, n+250 // shared out
			}
			am := newMatrix[float64](rng, m, n, gap)
			a := blas64.General{Rows: m, Cols: n, Stride: am.ld, Data: am.data}
			for _, tA := range trans[:2] {
				nx, ny := n, m
				if tA == blas.Trans {
					nx, ny = m, n
				}
				x, y := newMatrix[float64](rng, count, nx, gap), newMatrix[float64](rng, count, ny, gap)
				alpha, beta := rng.NormFloat64(), float64(rng.IntN(3))
				want := y.copy()
				for i := range count {
					blas64.Gemv(tA, alpha, a, blas64.Vector{N: nx, Inc: 1, Data: x.data[i*x.ld:]}, beta, blas64.Vector{N: ny, Inc: 1, Data: want.data[i*want.ld:]})
				}
				Gemvs(tA, alpha, a, blas64.General{Rows: count, Cols: nx, Stride: x.ld, Data: x.data}, beta,
					blas64.General{Rows: count, Cols: ny, Stride: y.ld, Data: y.data})
				if !slices.EqualFunc(y.data, want.data, same) {
					t.Fatalf("%s %c %d×%d, %d vectors, β=%v: the bits differ", impl.Kernel(), tA, m, n, count, beta)
				}
			}
		}
	}
}

// TestGemvsOfNothing: a matrix without elements leaves the vectors as they are, as in Dgemv.
func TestGemvsOfNothing(t *testing.T) {
	for _, tA := range trans {
		y := vectors(3, 2)
		y.Data[5] = 7
		a, x := blas64.General{Rows: 2, Stride: 1}, blas64.General{Rows: 3, Stride: 1}
		if tA != blas.NoTrans {
			a.Rows, a.Cols, a.Stride = 0, 2, 2
		}
		Gemvs(tA, 1, a, x, 0, y)
		if !slices.Equal(y.Data, []float64{0, 0, 0, 0, 0, 7}) {
			t.Errorf("%c: y is now %v", tA, y.Data)
		}
	}
}

func TestGemvsPanics(t *testing.T) {
	a := blas64.General{Rows: 3, Cols: 4, Stride: 4, Data: make([]float64, 12)}
	for name, f := range map[string]func(){
		"counts":  func() { Gemvs(blas.NoTrans, 1, a, vectors(2, 4), 0, vectors(3, 3)) },
		"lengths": func() { Gemvs(blas.NoTrans, 1, a, vectors(2, 3), 0, vectors(2, 3)) },
		"short": func() {
			Gemvs(blas.Trans, 1, a, blas64.General{Rows: 2, Cols: 3, Stride: 3, Data: make([]float64, 5)}, 0, vectors(2, 4))
		},
	} {
		func() {
			defer func() {
				if recover() != badGemvs {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func vectors(rows, cols int) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float64, rows*cols)}
}
