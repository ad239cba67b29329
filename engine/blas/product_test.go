package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas"
)

// every runs f once for each implementation that this processor has.
func every(t *testing.T, f func(t *testing.T, i Implementation)) {
	t.Helper()
	all := supported()
	if len(all) == 0 {
		t.Skip("this processor has no kernels: gonum's routines are used")
	}
	for _, i := range all {
		t.Run(i.Kernel(), func(t *testing.T) { f(t, i) })
	}
}

// matrix is a general matrix with room between its rows, filled with NaN, that must be neither read nor written.
type matrix[T float] struct {
	rows, cols, ld int
	data           []T
}

func newMatrix[T float](rng *rand.Rand, rows, cols, gap int) matrix[T] {
	m := matrix[T]{rows: rows, cols: cols, ld: max(1, cols+gap)}
	m.data = make([]T, max(0, (rows-1)*m.ld+cols)+gap)
	for i := range m.data {
		m.data[i] = T(math.NaN())
	}
	for i := range rows {
		for j := range cols {
			m.data[i*m.ld+j] = T(rng.NormFloat64())
		}
	}
	return m
}

func (m matrix[T]) at(i, j int) float64 { return float64(m.data[i*m.ld+j]) }

func (m matrix[T]) copy() matrix[T] {
	m.data = slices.Clone(m.data)
	return m
}

// operand makes op(A) of so many rows and columns.
func operand[T float](rng *rand.Rand, t blas.Transpose, rows, cols, gap int) (m matrix[T], at func(i, j int) float64) {
	if t == blas.NoTrans {
		m = newMatrix[T](rng, rows, cols, gap)
		return m, m.at
	}
	m = newMatrix[T](rng, cols, rows, gap)
	return m, func(i, j int) float64 { return m.at(j, i) }
}

// same reports whether two bits patterns are alike, NaN being like NaN.
func same(x, y float64) bool { return x == y || x != x && y != y }

// untouched fails if what lies between the rows has changed.
func untouched[T float](t *testing.T, m matrix[T]) {
	t.Helper()
	for i, v := range m.data {
		if j := i % m.ld; (j >= m.cols || i/m.ld >= m.rows) && v == v {
			t.Fatalf("element %d, outside of the %d×%d matrix with steps of %d, was written: %v", i, m.rows, m.cols, m.ld, v)
		}
	}
}

// naive returns α Σ x_l·y_l + β·c in float64, and the sum of the terms' sizes.
func naive(alpha float64, x, y []float64, beta, c float64) (value, size float64) {
	var sum, abs float64
	for l, v := range x {
		v *= y[l]
		sum += v
		abs += math.Abs(v)
	}
	if beta == 0 {
		return alpha * sum, math.Abs(alpha) * abs
	}
	return alpha*sum + beta*c, math.Abs(alpha)*abs + math.Abs(beta*c)
}

// written returns the rows of what at says, one after the other.
func written(rows, cols int, at func(i, j int) float64) []float64 {
	out := make([]float64, 0, rows*cols)
	for i := range rows {
		for j := range cols {
			out = append(out, at(i, j))
		}
	}
	return out
}

type gemmFunc[T float] = func(tA, tB blas.Transpose, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int)

func checkGemm[T float](t *testing.T, rng *rand.Rand, gemm gemmFunc[T], unit float64, tA, tB blas.Transpose, m, n, k, gap int, alpha, beta float64) {
	t.Helper()
	a, ata := operand[T](rng, tA, m, k, gap)
	b, atb := operand[T](rng, tB, k, n, gap)
	c := newMatrix[T](rng, m, n, gap)
	if beta == 0 {
		for i := range c.data {
			c.data[i] = T(math.NaN()) // must not be read
		}
	}
	before, aBefore, bBefore := c.copy(), a.copy(), b.copy()
	gemm(tA, tB, m, n, k, T(alpha), a.data, a.ld, b.data, b.ld, T(beta), c.data, c.ld)
	where := fmt.Sprintf("%c%c m=%d n=%d k=%d gap=%d α=%v β=%v", tA, tB, m, n, k, gap, alpha, beta)
	x, y := written(m, k, ata), written(n, k, func(j, l int) float64 { return atb(l, j) })
	for i := range m {
		for j := range n {
			want, size := naive(alpha, x[i*k:(i+1)*k], y[j*k:(j+1)*k], beta, before.at(i, j))
			if got := c.at(i, j); !(math.Abs(got-want) <= float64(k+4)*unit*size) {
				t.Fatalf("%s: C[%d,%d] = %v, want %v", where, i, j, got, want)
			}
		}
	}
	untouched(t, c)
	for i := range a.data {
		if !same(float64(a.data[i]), float64(aBefore.data[i])) {
			t.Fatalf("%s: A was written", where)
		}
	}
	for i := range b.data {
		if !same(float64(b.data[i]), float64(bBefore.data[i])) {
			t.Fatalf("%s: B was written", where)
		}
	}
}

// Sizes on both sides of every border of tiles, panels and blocks.
var (
	small = []int{1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 23, 24, 25, 31, 33, 47, 48, 49}
	large = [][3]int{{63, 65, 257}, {65, 64, 256}, {130, 100, 255}, {40, 391, 70}, {5, 500, 33}, {300, 3, 300}, {9, 9, 1100}, {20, 410, 513}}
	trans = []blas.Transpose{blas.NoTrans, blas.Trans, blas.ConjTrans}
)

const (
	unit64 = 0x1p-53
	unit32 = 0x1p-24
)

func TestGemmAgainstNaiveProduct(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		rng := rand.New(rand.NewPCG(1, 2))
		check := func(tA, tB blas.Transpose, m, n, k, gap int, alpha, beta float64) {
			checkGemm(t, rng, impl.Dgemm, unit64, tA, tB, m, n, k, gap, alpha, beta)
			checkGemm(t, rng, impl.Sgemm, unit32, tA, tB, m, n, k, gap, alpha, beta)
		}
		pick := func(x []int) int { return x[rng.IntN(len(x))] }
		scalars := []float64{1, 0, -1, 2.5}
		for _, tA := range trans {
			for _, tB := range trans {
				for range 60 {
					check(tA, tB, pick(small), pick(small), pick(small), rng.IntN(3), scalars[rng.IntN(4)], scalars[rng.IntN(4)])
				}
			}
		}
		for _, s := range large {
			for _, tA := range trans[:2] {
				for _, tB := range trans[:2] {
					check(tA, tB, s[0], s[1], s[2], rng.IntN(2), 1, scalars[rng.IntN(2)])
				}
			}
		}
	})
}

func TestGemmOfNothing(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, s := range [][3]int{{0, 0, 0}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {0, 0, 5}, {1, 0, 0}} {
			for _, beta := range []float64{0, 1, 2} {
				for _, tA := range trans {
					checkGemm(t, rng, impl.Dgemm, unit64, tA, blas.NoTrans, s[0], s[1], s[2], 1, 1, beta)
					checkGemm(t, rng, impl.Sgemm, unit32, tA, blas.Trans, s[0], s[1], s[2], 0, 1, beta)
				}
			}
		}
	})
}

func checkPropagation[T float](t *testing.T, rng *rand.Rand, gemm gemmFunc[T], tA, tB blas.Transpose, bad float64) {
	t.Helper()
	const m, n, k = 19, 53, 41
	row, column, l := rng.IntN(m), rng.IntN(n), rng.IntN(k)
	for _, inA := range []bool{true, false} {
		a, ata := operand[T](rng, tA, m, k, 0)
		b, atb := operand[T](rng, tB, k, n, 0)
		put := func(x matrix[T], t blas.Transpose, i, j int) {
			if t != blas.NoTrans {
				i, j = j, i
			}
			x.data[i*x.ld+j] = T(bad)
		}
		if inA {
			clear(b.data)
			put(a, tA, row, l)
		} else {
			clear(a.data)
			put(b, tB, l, column)
		}
		if !same(ata(row, l), bad) && !same(atb(l, column), bad) {
			t.Fatalf("the test put %v elsewhere", bad)
		}
		c := newMatrix[T](rng, m, n, 0)
		gemm(tA, tB, m, n, k, 1, a.data, a.ld, b.data, b.ld, 0, c.data, c.ld)
		for i := range m {
			for j := range n {
				reached := inA && i == row || !inA && j == column // 0·Inf and 0·NaN are NaN
				if got := c.at(i, j); (got != got) != reached {
					t.Fatalf("%c%c, %v in A: %v, at row %d or column %d: C[%d,%d] = %v", tA, tB, bad, inA, row, column, i, j, got)
				}
			}
		}
	}
}

// TestGemmPropagates: an element that is not finite reaches the row or column it belongs to, and nothing else; a zero in the other
// factor does not stop it.
func TestGemmPropagates(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, tA := range trans[:2] {
				for _, tB := range trans[:2] {
					checkPropagation(t, rng, impl.Dgemm, tA, tB, bad)
					checkPropagation(t, rng, impl.Sgemm, tA, tB, bad)
				}
			}
		}
		// α = 0 reads neither A nor B; β = NaN makes C NaN.
		nan := []float64{math.NaN()}
		c := []float64{3}
		impl.Dgemm(blas.NoTrans, blas.NoTrans, 1, 1, 1, 0, nan, 1, nan, 1, 2, c, 1)
		if c[0] != 6 {
			t.Errorf("α = 0 gives %v, want β·C = 6", c[0])
		}
		impl.Dgemm(blas.NoTrans, blas.NoTrans, 1, 1, 1, 1, []float64{1}, 1, []float64{1}, 1, math.NaN(), c, 1)
		if c[0] == c[0] {
			t.Errorf("β = NaN gives %v", c[0])
		}
	})
}

// TestGemmOnAnyNumberOfCores: the same bits, whoever computes which part.
func TestGemmOnAnyNumberOfCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	every(t, func(t *testing.T, impl Implementation) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, s := range [][3]int{{64, 64, 64}, {79, 79, 79}, {200, 201, 302}, {700, 20, 90}, {64, 500, 100}} {
			m, n, k := s[0], s[1], s[2]
			a, b, c := newMatrix[float64](rng, m, k, 0), newMatrix[float64](rng, k, n, 0), newMatrix[float64](rng, m, n, 0)
			sa, sb := newMatrix[float32](rng, m, k, 0), newMatrix[float32](rng, k, n, 0)
			sq := newMatrix[float64](rng, m, m, 0)
			var first, firstTriangle []float64
			var firstSingle []float32
			for _, cores := range []int{1, 2, 3, 8} {
				runtime.GOMAXPROCS(cores)
				for range 3 {
					got, single, tri := slices.Clone(c.data), make([]float32, m*n), slices.Clone(sq.data)
					impl.Dgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1.5, a.data, a.ld, b.data, b.ld, 1, got, n)
					impl.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, sa.data, sa.ld, sb.data, sb.ld, 0, single, n)
					impl.Dsyrk(blas.Upper, blas.NoTrans, m, k, 1.5, a.data, a.ld, 1, tri, m)
					impl.Dsyrk(blas.Lower, blas.NoTrans, m, k, 0.3, a.data, a.ld, 1, tri, m)
					if first == nil {
						first, firstSingle, firstTriangle = got, single, tri
					}
					if !slices.Equal(got, first) || !slices.Equal(single, firstSingle) || !slices.Equal(tri, firstTriangle) {
						t.Fatalf("%d×%d×%d on %d cores differs from one core", m, n, k, cores)
					}
				}
			}
		}
	})
}

// TestGemmOfPartsIsPartOfGemm: an element does not depend on the shape of the product it is computed in.
func TestGemmOfPartsIsPartOfGemm(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		const m, n, k = 150, 170, 300
		rng := rand.New(rand.NewPCG(1, 2))
		a, b := newMatrix[float64](rng, m, k, 0), newMatrix[float64](rng, k, n, 0)
		all := make([]float64, m*n)
		impl.Dgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a.data, a.ld, b.data, b.ld, 0, all, n)
		for range 50 {
			i, j := rng.IntN(m), rng.IntN(n)
			r, s := 1+rng.IntN(m-i), 1+rng.IntN(n-j)
			part := make([]float64, r*s)
			impl.Dgemm(blas.NoTrans, blas.NoTrans, r, s, k, 1, a.data[i*a.ld:], a.ld, b.data[j:], b.ld, 0, part, s)
			for x := range r {
				if !slices.Equal(part[x*s:(x+1)*s], all[(i+x)*n+j:(i+x)*n+j+s]) {
					t.Fatalf("rows %d…%d, columns %d…%d: row %d differs", i, i+r, j, j+s, x)
				}
			}
		}
	})
}
