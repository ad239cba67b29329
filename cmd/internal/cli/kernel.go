package cli

import (
	"fmt"
	"runtime"
	"time"

	gblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"

	"kappa/engine/blas"
)

// products says which kernel multiplies matrices here and measures it, in less than a second.
func products(now func() time.Time) []finding {
	kernel := finding{"kernel", stateOK, blas.Kernel(), ""}
	if kernel.value == "gonum" {
		kernel.hint = "neither AVX-512 nor AVX2 with FMA here: runs take longer, their results are the same to rounding"
	}
	const n = 512
	double := func() func() {
		a := blas64.General{Rows: n, Cols: n, Stride: n, Data: unevenly[float64](n * n)}
		c := blas64.General{Rows: n, Cols: n, Stride: n, Data: make([]float64, n*n)}
		return func() { blas64.Gemm(gblas.NoTrans, gblas.NoTrans, 1, a, a, 0, c) }
	}
	single := func() func() {
		a := blas32.General{Rows: n, Cols: n, Stride: n, Data: unevenly[float32](n * n)}
		c := blas32.General{Rows: n, Cols: n, Stride: n, Data: make([]float32, n*n)}
		return func() { blas32.Gemm(gblas.NoTrans, gblas.NoTrans, 1, a, a, 0, c) }
	}
	const work = 2 * n * n * n
	return []finding{
		kernel,
		speed(fmt.Sprintf("float64, order %d", n), work, double(), now),
		speed(fmt.Sprintf("float32, order %d", n), work, single(), now),
	}
}

// unevenly returns n numbers of order 1.
func unevenly[T float32 | float64](n int) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = T(i%17)/16 - T(i%5)/4
	}
	return out
}

// speed measures a product of so many floating-point operations on all cores and, where the kernel keeps to the cores that
// nobody occupies, on one.
func speed(what string, work float64, product func(), now func() time.Time) finding {
	const (
		slow = 1   // GFLOP/s: a tenth of what any machine of this decade does
		gain = 1.3 // of all cores over one: two idle ones bring 1.8
		span = 200 * time.Millisecond
	)
	f := finding{"matrix product", stateOK, "", ""}
	cores := runtime.GOMAXPROCS(0)
	all := work / fastest(product, span, now).Seconds() / 1e9
	switch {
	case cores == 1:
		f.value = fmt.Sprintf("%.1f GFLOP/s", all)
	case blas.Kernel() == "gonum":
		f.value = fmt.Sprintf("%.1f GFLOP/s on %d cores", all, cores)
	default:
		for range cores {
			defer blas.Occupy()()
		}
		one := work / fastest(product, span, now).Seconds() / 1e9
		f.value = fmt.Sprintf("%.1f GFLOP/s on %d cores, %.1f on one", all, cores, one)
		if all < gain*one {
			f.hint = "something else keeps the other cores busy"
		}
	}
	f.value += " (" + what + ")"
	if all < slow {
		f.state, f.hint = stateWarn, "the machine is very slow, or busy with something else"
	}
	return f
}

// fastest returns the shortest of the times that do takes, of as many as fit into span.
func fastest(do func(), span time.Duration, now func() time.Time) time.Duration {
	const (
		least = time.Microsecond // where the clock stands still
		most  = 1000
	)
	do() // the first finds everything cold
	began := now()
	best := time.Duration(1<<63 - 1)
	for n := 0; n == 0 || now().Sub(began) < span && n < most; n++ {
		start := now()
		do()
		best = min(best, now().Sub(start))
	}
	return max(best, least)
}
