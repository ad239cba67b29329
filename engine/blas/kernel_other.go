//go:build !amd64

package blas

// supported returns the implementations that this processor can run: there are kernels for amd64 only.
func supported() []Implementation { return nil }

const absent = "blas: no kernels for this processor"

func (*rowKernels) dot(_ int, _ *float64, _ int, _, _ *float64) { panic(absent) }

func (*rowKernels) dots(_ int, _ *float64, _ int, _, _ *float64) { panic(absent) }

func (*rowKernels) axpy(_ int, _ *float64, _ int, _, _ *float64) { panic(absent) }

func (*rowKernels) axpys(_ int, _ *float64, _ int, _, _ *float64) { panic(absent) }

func (*rowKernels) rankOne(_ int, _ *float64, _ int, _, _ *float64) { panic(absent) }
