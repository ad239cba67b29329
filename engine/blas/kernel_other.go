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

func (*rowKernels) sweep8(_ int, _ *float64, _ int, _, _, _, _, _ *float64, _, _ int, _, _, _ float64) bool {
	panic(absent)
}

func (*rowKernels) sweeps(_ int, _ *float64, _ int, _, _, _, _, _ *float64, _, _ int, _, _, _ float64) {
	panic(absent)
}

func (*rowKernels) sweep(_ int, _ *float64, _ int, _, _, _, _, _ *float64, _, _ int, _, _, _ float64) {
	panic(absent)
}

func (*rowKernels) dotsBy(_, _ int, _ *float64, _ int, _ *float64, _ int, _ *float64) bool {
	panic(absent)
}

func (*rowKernels) axpysBy(_, _ int, _ *float64, _ int, _, _ *float64, _ int) bool { panic(absent) }
