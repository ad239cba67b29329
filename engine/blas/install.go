package blas

import (
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
)

// Implementation is a BLAS for blas64.Use and blas32.Use. The zero value is gonum's.
type Implementation struct {
	gonum.Implementation
	kernel string
	d      *kernels[float64] // nil: gonum's
	s      *kernels[float32]
	l      *lineKernels
	r      *rowKernels
}

// Install makes gonum's blas64 and blas32 use the fastest kernels that this processor has. It is the only state of the process
// that kappa's engine sets: main calls it once, tests in TestMain.
func Install() {
	i := best()
	blas64.Use(i)
	blas32.Use(i)
}

// Kernel names the kernels that Install chooses on this processor: "avx512", "avx2" or "gonum".
func Kernel() string { return best().Kernel() }

// Kernel names the kernels of this implementation.
func (i Implementation) Kernel() string {
	if i.kernel == "" {
		return "gonum"
	}
	return i.kernel
}

func best() Implementation {
	if all := supported(); len(all) > 0 {
		return all[0]
	}
	return Implementation{}
}
