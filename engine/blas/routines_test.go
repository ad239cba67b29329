package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// The routines other than Gemm are compared with gonum's, element by element: an implementation that shares nothing with this one.
var reference gonum.Implementation

var (
	uplos = []blas.Uplo{blas.Upper, blas.Lower}
	diags = []blas.Diag{blas.NonUnit, blas.Unit}
	sides = []blas.Side{blas.Left, blas.Right}
)

// orders lie on both sides of the borders of stripes, blocks and parts.
var orders = []int{1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 129}

// triangleOf makes a triangular or symmetric matrix that a solution is accurate with: its diagonal dominates. What is not to be read
// is NaN.
func triangleOf(rng *rand.Rand, ul blas.Uplo, d blas.Diag, n, gap int) matrix[float64] {
	a := newMatrix[float64](rng, n, n, gap)
	for i := range n {
		for j := range n {
			e := &a.data[i*a.ld+j]
			switch {
			case i == j && d == blas.Unit, (j > i) != (ul == blas.Upper) && i != j:
				*e = math.NaN()
			case i == j:
				*e = 2 + rng.Float64()
			default:
				*e /= float64(n)
			}
		}
	}
	return a
}

// near fails unless two matrices agree to a tolerance relative to the largest element.
func near(t *testing.T, where string, got, want matrix[float64], tol float64) {
	t.Helper()
	size := 0.0
	for i := range want.rows {
		for j := range want.cols {
			if v := math.Abs(want.at(i, j)); v > size {
				size = v
			}
		}
	}
	for i := range want.data {
		g, w := got.data[i], want.data[i]
		if !same(g, w) && !(math.Abs(g-w) <= tol*size) {
			t.Fatalf("%s: row %d, column %d is %v, want %v", where, i/want.ld, i%want.ld, g, w)
		}
	}
}

const closeTo = 1e-13

func TestSyrkAgainstGonum(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, n := range orders {
			for _, ul := range uplos {
				for _, tA := range trans {
					k, gap := orders[rng.IntN(len(orders))], rng.IntN(3)
					a, _ := operand[float64](rng, tA, n, k, gap)
					b, _ := operand[float64](rng, tA, n, k, gap)
					c := triangleOf(rng, ul, blas.NonUnit, n, gap)
					alpha, beta := rng.NormFloat64(), float64(rng.IntN(3))
					where := fmt.Sprintf("%c%c n=%d k=%d β=%v", ul, tA, n, k, beta)

					got, want := c.copy(), c.copy()
					impl.Dsyrk(ul, tA, n, k, alpha, a.data, a.ld, beta, got.data, got.ld)
					reference.Dsyrk(ul, tA, n, k, alpha, a.data, a.ld, beta, want.data, want.ld)
					near(t, "Dsyrk "+where, got, want, closeTo)

					got, want = c.copy(), c.copy()
					impl.Dsyr2k(ul, tA, n, k, alpha, a.data, a.ld, b.data, b.ld, beta, got.data, got.ld)
					reference.Dsyr2k(ul, tA, n, k, alpha, a.data, a.ld, b.data, b.ld, beta, want.data, want.ld)
					near(t, "Dsyr2k "+where, got, want, closeTo)

					if tA == blas.ConjTrans {
						continue
					}
					sa, _ := operand[float32](rng, tA, n, k, gap)
					sc := newMatrix[float32](rng, n, n, gap)
					sw := sc.copy()
					impl.Ssyrk(ul, tA, n, k, 1.5, sa.data, sa.ld, float32(beta), sc.data, sc.ld)
					reference.Ssyrk(ul, tA, n, k, 1.5, sa.data, sa.ld, float32(beta), sw.data, sw.ld)
					for i := range sw.data {
						if !same(float64(sc.data[i]), float64(sw.data[i])) && !(math.Abs(float64(sc.data[i]-sw.data[i])) <= 1e-4*float64(k)) {
							t.Fatalf("Ssyrk %s: element %d is %v, want %v", where, i, sc.data[i], sw.data[i])
						}
					}
				}
			}
		}
	})
}

func TestTrianglesAgainstGonum(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, s := range sides {
			for _, ul := range uplos {
				for _, tA := range trans {
					for _, d := range diags {
						for _, n := range orders {
							free, gap := 1+rng.IntN(150), rng.IntN(3)
							m, cols := n, free
							if s == blas.Right {
								m, cols = free, n
							}
							a := triangleOf(rng, ul, d, n, gap)
							b := newMatrix[float64](rng, m, cols, gap)
							alpha := []float64{1, -0.5, 0}[rng.IntN(3)]
							where := fmt.Sprintf("%c%c%c%c m=%d n=%d α=%v", s, ul, tA, d, m, cols, alpha)

							got, want := b.copy(), b.copy()
							impl.Dtrsm(s, ul, tA, d, m, cols, alpha, a.data, a.ld, got.data, got.ld)
							reference.Dtrsm(s, ul, tA, d, m, cols, alpha, a.data, a.ld, want.data, want.ld)
							near(t, "Dtrsm "+where, got, want, closeTo)

							got, want = b.copy(), b.copy()
							impl.Dtrmm(s, ul, tA, d, m, cols, alpha, a.data, a.ld, got.data, got.ld)
							reference.Dtrmm(s, ul, tA, d, m, cols, alpha, a.data, a.ld, want.data, want.ld)
							near(t, "Dtrmm "+where, got, want, closeTo)
						}
					}
				}
			}
		}
	})
}

func TestSymmAgainstGonum(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		rng := rand.New(rand.NewPCG(1, 2))
		for _, s := range sides {
			for _, ul := range uplos {
				for _, n := range orders {
					free, gap := 1+rng.IntN(40), rng.IntN(3)
					m, cols := n, free
					if s == blas.Right {
						m, cols = free, n
					}
					a := triangleOf(rng, ul, blas.NonUnit, n, gap)
					b, c := newMatrix[float64](rng, m, cols, gap), newMatrix[float64](rng, m, cols, gap)
					beta := float64(rng.IntN(3))
					want := c.copy()
					impl.Dsymm(s, ul, m, cols, 1.5, a.data, a.ld, b.data, b.ld, beta, c.data, c.ld)
					reference.Dsymm(s, ul, m, cols, 1.5, a.data, a.ld, b.data, b.ld, beta, want.data, want.ld)
					near(t, fmt.Sprintf("%c%c m=%d n=%d β=%v", s, ul, m, cols, beta), c, want, closeTo)
				}
			}
		}
	})
}

// steps makes a vector of n numbers in steps of inc as a matrix of one column, NaN between them.
func steps(rng *rand.Rand, n, inc int) matrix[float64] {
	m := newMatrix[float64](rng, n, 1, max(inc, -inc)-1)
	return m
}

// place returns where element i of a vector of n numbers in steps of inc lies.
func place(i, n, inc int) int {
	if inc < 0 {
		return (i - n + 1) * inc
	}
	return i * inc
}

func TestMatrixTimesVectorAgainstGonum(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		rng := rand.New(rand.NewPCG(1, 2))
		incs := []int{1, 1, 2, -1, -3}
		for _, m := range append([]int{270, 300}, orders...) {
			for _, n := range append([]int{290}, orders...) {
				gap, ix, iy := rng.IntN(3), incs[rng.IntN(len(incs))], incs[rng.IntN(len(incs))]
				a := newMatrix[float64](rng, m, n, gap)
				for _, tA := range trans {
					nx, ny := n, m
					if tA != blas.NoTrans {
						nx, ny = m, n
					}
					x, y := steps(rng, nx, ix), steps(rng, ny, iy)
					beta := float64(rng.IntN(3))
					want := y.copy()
					impl.Dgemv(tA, m, n, -1.5, a.data, a.ld, x.data, ix, beta, y.data, iy)
					reference.Dgemv(tA, m, n, -1.5, a.data, a.ld, x.data, ix, beta, want.data, iy)
					near(t, fmt.Sprintf("Dgemv %c m=%d n=%d steps %d, %d β=%v", tA, m, n, ix, iy, beta), y, want, 1e-12)
				}
				x, y := steps(rng, m, ix), steps(rng, n, iy)
				got, want := a.copy(), a.copy()
				impl.Dger(m, n, 0.7, x.data, ix, y.data, iy, got.data, got.ld)
				// gonum v0.17.0 reads vectors with negative steps from the wrong end here.
				for i := range m {
					for j := range n {
						want.data[i*want.ld+j] += 0.7 * x.data[place(i, m, ix)] * y.data[place(j, n, iy)]
					}
				}
				near(t, fmt.Sprintf("Dger m=%d n=%d steps %d, %d", m, n, ix, iy), got, want, closeTo)
			}
		}
		for _, n := range append([]int{200, 300}, orders...) {
			for _, ul := range uplos {
				gap := rng.IntN(3)
				a := triangleOf(rng, ul, blas.NonUnit, n, gap)
				x, y := steps(rng, n, 1), steps(rng, n, 1)
				for _, ix := range []int{1, 3, -2} {
					x, got, want := steps(rng, n, ix), y.copy(), y.copy()
					impl.Dsymv(ul, n, 0.7, a.data, a.ld, x.data, ix, 2, got.data, 1)
					reference.Dsymv(ul, n, 0.7, a.data, a.ld, x.data, ix, 2, want.data, 1)
					near(t, fmt.Sprintf("Dsymv %c n=%d steps %d", ul, n, ix), got, want, 1e-12)
				}
				for _, tA := range trans {
					for _, d := range diags {
						a, got := triangleOf(rng, ul, d, n, gap), x.copy()
						want := x.copy()
						impl.Dtrsv(ul, tA, d, n, a.data, a.ld, got.data, 1)
						reference.Dtrsv(ul, tA, d, n, a.data, a.ld, want.data, 1)
						near(t, fmt.Sprintf("Dtrsv %c%c%c n=%d", ul, tA, d, n), got, want, 1e-12)
					}
				}
			}
			x, y := steps(rng, n, 1), steps(rng, n, 1)
			if got, want := impl.Ddot(n, x.data, 1, y.data, 1), reference.Ddot(n, x.data, 1, y.data, 1); math.Abs(got-want) > 1e-12*math.Sqrt(float64(n)) {
				t.Errorf("Ddot n=%d: %v, want %v", n, got, want)
			}
			want := y.copy()
			impl.Daxpy(n, 0.3, x.data, 1, y.data, 1)
			reference.Daxpy(n, 0.3, x.data, 1, want.data, 1)
			near(t, fmt.Sprint("Daxpy n=", n), y, want, closeTo)
		}
	})
}

// TestRoutinesOnAnyNumberOfCores: the same bits, whoever computes which part.
func TestRoutinesOnAnyNumberOfCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	every(t, func(t *testing.T, impl Implementation) {
		const m, n = 301, 430
		rng := rand.New(rand.NewPCG(1, 2))
		a, x, y := newMatrix[float64](rng, m, n, 0), steps(rng, n, 1), steps(rng, m, 1)
		left, right := triangleOf(rng, blas.Lower, blas.NonUnit, m, 0), triangleOf(rng, blas.Upper, blas.NonUnit, n, 0)
		var first [][]float64
		for _, cores := range []int{1, 2, 3, 8} {
			runtime.GOMAXPROCS(cores)
			for range 3 {
				out := [][]float64{make([]float64, m), make([]float64, n), slices.Clone(a.data), slices.Clone(a.data), slices.Clone(a.data)}
				impl.Dgemv(blas.NoTrans, m, n, 1, a.data, n, x.data, 1, 0, out[0], 1)
				impl.Dgemv(blas.Trans, m, n, 1, a.data, n, y.data, 1, 0, out[1], 1)
				impl.Dger(m, n, 1, y.data, 1, x.data, 1, out[2], n)
				impl.Dtrsm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, m, n, 1, left.data, m, out[3], n)
				impl.Dtrmm(blas.Right, blas.Upper, blas.NoTrans, blas.NonUnit, m, n, 1, right.data, n, out[4], n)
				for i, v := range out {
					if first != nil && !slices.Equal(v, first[i]) {
						t.Fatalf("result %d on %d cores differs from one core", i, cores)
					}
				}
				if first == nil {
					first = out
				}
			}
		}
	})
}

// TestKernelsRoundAlike: all kernels give the same bits, so that what is recorded with one can be repeated with the other.
func TestKernelsRoundAlike(t *testing.T) {
	all := supported()
	if len(all) < 2 {
		t.Skipf("this processor has %d kinds of kernels: there is nothing to compare", len(all))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		m, n, k := 1+rng.IntN(120), 1+rng.IntN(120), 1+rng.IntN(300)
		a, b := newMatrix[float64](rng, m, k, 0), newMatrix[float64](rng, k, n, 0)
		sa, sb := newMatrix[float32](rng, m, k, 0), newMatrix[float32](rng, k, n, 0)
		tri := triangleOf(rng, blas.Lower, blas.NonUnit, m, 0)
		var first [][]float64
		for _, impl := range all {
			out := [][]float64{make([]float64, m*n), make([]float64, m*m), make([]float64, m), make([]float64, k), nil, nil, {0}, nil}
			impl.Dgemm(blas.NoTrans, blas.NoTrans, m, n, k, 0.7, a.data, k, b.data, n, 0, out[0], n)
			impl.Dsyrk(blas.Upper, blas.NoTrans, m, k, 0.7, a.data, k, 0, out[1], m)
			impl.Dgemv(blas.NoTrans, m, k, 0.7, a.data, k, b.data, 1, 0, out[2], 1)
			impl.Dgemv(blas.Trans, m, k, 0.7, a.data, k, a.data, 1, 0, out[3], 1)
			out[4] = slices.Clone(a.data)
			impl.Dger(m, k, 0.7, a.data, 1, b.data, 1, out[4], k)
			out[5] = slices.Clone(a.data)
			impl.Dtrsm(blas.Left, blas.Lower, blas.NoTrans, blas.NonUnit, m, k, 0.7, tri.data, m, out[5], k)
			out[6][0] = impl.Ddot(k, a.data, 1, b.data, 1)
			single := make([]float32, m*n)
			impl.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 0.7, sa.data, k, sb.data, n, 0, single, n)
			for _, v := range single {
				out[7] = append(out[7], float64(v))
			}
			for i, v := range out {
				if first != nil && !slices.Equal(v, first[i]) {
					t.Fatalf("m=%d n=%d k=%d: result %d differs between %s and %s", m, n, k, i, impl.Kernel(), all[0].Kernel())
				}
			}
			if first == nil {
				first = out
			}
		}
	}
}

// TestPanicsAreGonums: arguments that do not fit panic, with gonum's words.
func TestPanicsAreGonums(t *testing.T) {
	message := func(f func()) (out string) {
		defer func() { out = fmt.Sprint(recover()) }()
		f()
		return "no panic"
	}
	every(t, func(t *testing.T, impl Implementation) {
		x := make([]float64, 400)
		s := make([]float32, 400)
		type routines interface {
			blas.Float64
			blas.Float32
		}
		for name, f := range map[string]func(r routines){
			"gemm transpose":  func(r routines) { r.Dgemm('X', 'N', 20, 20, 20, 1, x, 20, x, 20, 0, x, 20) },
			"gemm transposeB": func(r routines) { r.Sgemm('N', 'X', 20, 20, 20, 1, s, 20, s, 20, 0, s, 20) },
			"gemm m":          func(r routines) { r.Dgemm('N', 'N', -1, 20, 20, 1, x, 20, x, 20, 0, x, 20) },
			"gemm n":          func(r routines) { r.Dgemm('N', 'N', 20, -1, 20, 1, x, 20, x, 20, 0, x, 20) },
			"gemm k":          func(r routines) { r.Dgemm('N', 'N', 20, 20, -1, 1, x, 20, x, 20, 0, x, 20) },
			"gemm lda":        func(r routines) { r.Dgemm('N', 'N', 20, 20, 20, 1, x, 19, x, 20, 0, x, 20) },
			"gemm ldb":        func(r routines) { r.Dgemm('N', 'N', 20, 20, 20, 1, x, 20, x, 19, 0, x, 20) },
			"gemm ldc":        func(r routines) { r.Sgemm('N', 'N', 20, 20, 20, 1, s, 20, s, 20, 0, s, 19) },
			"gemm short a":    func(r routines) { r.Dgemm('N', 'N', 20, 20, 20, 1, x[:399], 20, x, 20, 0, x, 20) },
			"gemm short b":    func(r routines) { r.Sgemm('N', 'N', 20, 20, 20, 1, s, 20, s[:399], 20, 0, s, 20) },
			"gemm short c":    func(r routines) { r.Dgemm('T', 'T', 20, 20, 20, 1, x, 20, x, 20, 0, x[:399], 20) },
			"syrk uplo":       func(r routines) { r.Dsyrk('X', 'N', 20, 20, 1, x, 20, 0, x, 20) },
			"syrk short a":    func(r routines) { r.Dsyrk('U', 'N', 20, 20, 1, x[:399], 20, 0, x, 20) },
			"syr2k short b":   func(r routines) { r.Dsyr2k('U', 'N', 20, 20, 1, x, 20, x[:399], 20, 0, x, 20) },
			"symm side":       func(r routines) { r.Dsymm('X', 'U', 20, 20, 1, x, 20, x, 20, 0, x, 20) },
			"symm short c":    func(r routines) { r.Dsymm('L', 'U', 20, 20, 1, x, 20, x, 20, 0, x[:399], 20) },
			"trsm diag":       func(r routines) { r.Dtrsm('L', 'U', 'N', 'X', 20, 20, 1, x, 20, x, 20) },
			"trsm short a":    func(r routines) { r.Dtrsm('L', 'U', 'N', 'N', 20, 20, 1, x[:399], 20, x, 20) },
			"trmm ldb":        func(r routines) { r.Dtrmm('L', 'U', 'N', 'N', 20, 20, 1, x, 20, x, 19) },
			"gemv inc":        func(r routines) { r.Dgemv('N', 20, 20, 1, x, 20, x, 0, 0, x, 1) },
			"gemv short x":    func(r routines) { r.Dgemv('N', 20, 20, 1, x, 20, x[:19], 1, 0, x, 1) },
			"gemv short y":    func(r routines) { r.Dgemv('T', 20, 20, 1, x, 20, x, 1, 0, x[:19], 1) },
			"ger short a":     func(r routines) { r.Dger(20, 20, 1, x, 1, x, 1, x[:399], 20) },
			"symv lda":        func(r routines) { r.Dsymv('U', 100, 1, x, 20, x, 1, 0, x, 1) },
			"trsv short x":    func(r routines) { r.Dtrsv('U', 'N', 'N', 19, x, 20, x[:18], 1) },
			"dot short x":     func(r routines) { r.Ddot(100, x[:99], 1, x, 1) },
			"axpy inc":        func(r routines) { r.Daxpy(100, 1, x, 0, x, 1) },
		} {
			want := message(func() { f(reference) })
			if got := message(func() { f(impl) }); got != want || want == "no panic" {
				t.Errorf("%s: panics with %q, gonum with %q", name, got, want)
			}
		}
	})
}

// TestNoMemoryAfterWarmUp: none of the routines allocates once its memory has grown to the shapes.
func TestNoMemoryAfterWarmUp(t *testing.T) {
	every(t, func(t *testing.T, impl Implementation) {
		const n = 300
		rng := rand.New(rand.NewPCG(1, 2))
		a, b, c := random[float64](rng, n*n), random[float64](rng, n*n), random[float64](rng, n*n)
		tri := triangleOf(rng, blas.Lower, blas.NonUnit, n, 0)
		all := func() {
			impl.Dgemm(blas.NoTrans, blas.Trans, n, n, n, 1, a, n, b, n, 0, c, n)
			impl.Dgemm(blas.Trans, blas.NoTrans, 40, n, 30, 1, a, n, b, n, 0, c, n)
			impl.Dsyrk(blas.Upper, blas.Trans, n, n, 1, a, n, 0, c, n)
			impl.Dsymm(blas.Left, blas.Upper, n, n, 1, a, n, b, n, 0, c, n)
			impl.Dtrsm(blas.Right, blas.Lower, blas.Trans, blas.NonUnit, n, n, 1, tri.data, n, b, n)
			impl.Dtrmm(blas.Right, blas.Lower, blas.Trans, blas.NonUnit, n, n, 1, tri.data, n, b, n)
			impl.Dgemv(blas.Trans, n, n, 1, a, n, b, n, 0, c, 2)
			impl.Dger(n, n, 1e-9, b, n, b, 1, a, n)
			impl.Dtrsv(blas.Lower, blas.NoTrans, blas.NonUnit, n, tri.data, n, c, 1)
		}
		// gonum's own loops, at the bottom of Dsymv, do not allocate either.
		if n := testing.AllocsPerRun(5, all); n > 0 {
			t.Errorf("%v allocations a run", n)
		}
		// AllocsPerRun stays on one core. On several the runtime allocates goroutines to wake helpers, until it has enough of them.
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
		const runs = 10
		least := uint64(runs)
		for i := 0; i < 10 && least >= runs; i++ {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range runs {
				all()
			}
			runtime.ReadMemStats(&after)
			least = min(least, after.Mallocs-before.Mallocs)
		}
		if least >= runs {
			t.Errorf("%d allocations in %d runs on several cores", least, runs)
		}
	})
}
