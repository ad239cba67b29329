package vector

import "kappa/engine/blas"

//go:generate go run ./internal/gen -out .

// form says which instructions compute.
type form int

const (
	plain form = iota // none but Go's
	wide256
	wide512
)

// best is the form for this processor.
var best = choose(blas.Kernel())

// choose returns the form that goes with the kernels of a product.
func choose(kernel string) form {
	switch kernel {
	case "avx512":
		return wide512
	case "avx2":
		return wide256
	}
	return plain
}

// lanes returns the numbers of a register.
func (f form) lanes() int { return [...]int{plain: 1, wide256: 8, wide512: 16}[f] }

const (
	short    = "vector: slice too short"
	negative = "vector: negative size"
)

// size returns rows·cols, and panics if a slice has not so many numbers.
func size(rows, cols int, slices ...[]float32) int {
	if rows < 0 || cols < 0 {
		panic(negative)
	}
	need(rows*cols, slices...)
	return rows * cols
}

// need panics if a slice has fewer than n numbers.
func need[T float32 | float64](n int, slices ...[]T) {
	for _, s := range slices {
		if len(s) < n {
			panic(short)
		}
	}
}
