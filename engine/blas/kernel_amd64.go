package blas

import "golang.org/x/sys/cpu"

//go:generate go run ./internal/gen -out .

// supported returns the implementations that this processor can run, the fastest first.
func supported() []Implementation {
	var out []Implementation
	if !(cpu.X86.HasAVX2 && cpu.X86.HasFMA && cpu.X86.HasBMI2) {
		return nil
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW {
		out = append(out, avx512())
	}
	return append(out, avx2())
}

func avx512() Implementation {
	i := Implementation{kernel: "avx512"}
	i.d = &kernels[float64]{size: 8, rows: 8, lanes: 8, direct: 64, turn: dturn256, turns: 4}
	i.d.mul[0], i.d.mul[1], i.d.mul[2] = dmul512x1, dmul512x2, dmul512x3
	i.d.pack[0], i.d.pack[1], i.d.pack[2] = dpack512x1, dpack512x2, dpack512x3
	i.s = &kernels[float32]{size: 4, rows: 8, lanes: 16, direct: 64, turn: sturn256, turns: 8}
	i.s.mul[0], i.s.mul[1], i.s.mul[2] = smul512x1, smul512x2, smul512x3
	i.s.pack[0], i.s.pack[1], i.s.pack[2] = spack512x1, spack512x2, spack512x3
	i.l = lines512()
	i.r = &rowKernels{wide: true}
	return i
}

func avx2() Implementation {
	i := Implementation{kernel: "avx2"}
	i.d = &kernels[float64]{size: 8, rows: 4, lanes: 4, direct: 16, turn: dturn256, turns: 4}
	i.d.mul[0], i.d.mul[1], i.d.mul[2] = dmul256x1, dmul256x2, dmul256x3
	i.d.pack[0], i.d.pack[1], i.d.pack[2] = dpack256x1, dpack256x2, dpack256x3
	i.s = &kernels[float32]{size: 4, rows: 4, lanes: 8, direct: 16, turn: sturn256, turns: 8}
	i.s.mul[0], i.s.mul[1], i.s.mul[2] = smul256x1, smul256x2, smul256x3
	i.s.pack[0], i.s.pack[1], i.s.pack[2] = spack256x1, spack256x2, spack256x3
	i.l = lines256()
	i.r = &rowKernels{}
	return i
}

func (r *rowKernels) dot(n int, a *float64, as int, x, dst *float64) {
	if r.wide {
		ddot512(n, a, as, x, dst)
		return
	}
	ddot256(n, a, as, x, dst)
}

func (r *rowKernels) dots(n int, a *float64, as int, x, dst *float64) {
	if r.wide {
		ddot512x4(n, a, as, x, dst)
		return
	}
	ddot256x4(n, a, as, x, dst)
}

func (r *rowKernels) axpy(n int, a *float64, as int, c, y *float64) {
	if r.wide {
		daxpy512(n, a, as, c, y)
		return
	}
	daxpy256(n, a, as, c, y)
}

func (r *rowKernels) axpys(n int, a *float64, as int, c, y *float64) {
	if r.wide {
		daxpy512x4(n, a, as, c, y)
		return
	}
	daxpy256x4(n, a, as, c, y)
}

func (r *rowKernels) rankOne(n int, a *float64, as int, c, x *float64) {
	if r.wide {
		dger512x4(n, a, as, c, x)
		return
	}
	dger256x4(n, a, as, c, x)
}

// sweep8 takes eight rows where the registers are there for them.
func (r *rowKernels) sweep8(n int, a *float64, as int, y, v, c, q, t *float64, first, skip int, scale, tau, yv float64) (ok bool) {
	if r.wide {
		dsweep512x8(n, a, as, y, v, c, q, t, first, skip, scale, tau, yv)
	}
	return r.wide
}

func (r *rowKernels) sweeps(n int, a *float64, as int, y, v, c, q, t *float64, first, skip int, scale, tau, yv float64) {
	if r.wide {
		dsweep512x4(n, a, as, y, v, c, q, t, first, skip, scale, tau, yv)
	} else {
		dsweep256x4(n, a, as, y, v, c, q, t, first, skip, scale, tau, yv)
	}
}

func (r *rowKernels) sweep(n int, a *float64, as int, y, v, c, q, t *float64, first, skip int, scale, tau, yv float64) {
	if r.wide {
		dsweep512(n, a, as, y, v, c, q, t, first, skip, scale, tau, yv)
	} else {
		dsweep256(n, a, as, y, v, c, q, t, first, skip, scale, tau, yv)
	}
}

// dotsBy takes m vectors at once, 2 to fused, where the registers are there for them.
func (r *rowKernels) dotsBy(m, n int, a *float64, as int, x *float64, xs int, dst *float64) (ok bool) {
	switch {
	case !r.wide:
		return false
	case m == 2:
		ddot512x4by2(n, a, as, x, xs, dst)
	case m == 3:
		ddot512x4by3(n, a, as, x, xs, dst)
	case m == 4:
		ddot512x4by4(n, a, as, x, xs, dst)
	default:
		return false
	}
	return true
}

// axpysBy is dotsBy for axpys.
func (r *rowKernels) axpysBy(m, n int, a *float64, as int, c, y *float64, ys int) (ok bool) {
	switch {
	case !r.wide:
		return false
	case m == 2:
		daxpy512x4by2(n, a, as, c, y, ys)
	case m == 3:
		daxpy512x4by3(n, a, as, c, y, ys)
	case m == 4:
		daxpy512x4by4(n, a, as, c, y, ys)
	default:
		return false
	}
	return true
}
