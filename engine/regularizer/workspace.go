package regularizer

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// Workspace computes gradients from the ends of a spectrum without allocating, once its memory has grown to the shapes in use.
// The zero value is ready for use. It must not be used by two goroutines at once.
type Workspace struct {
	product []float64 // θ·A where K follows
	through []float64 // Rθv, or coordinates in a basis
	image   []float64 // θv, or what K or Π_K makes of it
}

// Well stores ∇_θ R_well in dst, in the given form: the same as Gradient of WellInner. f is the factor of the task's data and
// x the ends of the spectrum at θ (D×m); dst is D×m and not θ. The cost is that of x.MulH.
func (w *Workspace) Well(dst *mat.Dense, form Form, f *spectrum.Factor, theta *mat.Dense, x *spectrum.Extremes) {
	if x.Rank == 0 {
		check(dst, theta, x)
		dst.Zero()
		return
	}
	w.deflated(dst, theta, x, 1, x.Sigma1, x.V1, x.Size)
	w.finish(dst, form, f)
}

// Ill stores ∇_θ R_ill in dst, in the given form, and returns true: the same as Gradient of IllInner. Where the gradient is
// undefined dst is zero and the result false.
func (w *Workspace) Ill(dst *mat.Dense, form Form, f *spectrum.Factor, theta *mat.Dense, x *spectrum.Extremes) (ok bool) {
	g := gOf(x)
	scale := 1 / (g * g)
	if !(scale > 0) || math.IsInf(scale, 1) {
		check(dst, theta, x)
		dst.Zero()
		return false
	}
	w.deflated(dst, theta, x, scale, x.SigmaK, x.VK, x.Rank)
	w.finish(dst, form, f)
	return true
}

// LogKappa stores ∇_θ log κ in dst, in the given form: the same as Gradient of LogKappaInner. The cost is O(Dm + Dp).
func (w *Workspace) LogKappa(dst *mat.Dense, form Form, f *spectrum.Factor, theta *mat.Dense, x *spectrum.Extremes) {
	check(dst, theta, x)
	dst.Zero()
	w.AddLogKappa(dst, 1, form, f, theta, x)
}

// AddLogKappa adds c·∇_θ log κ to dst, in the given form, and returns ‖∇_θ log κ‖_F. The gradient has rank two: K and Π_K meet two
// vectors, not a matrix.
func (w *Workspace) AddLogKappa(dst *mat.Dense, c float64, form Form, f *spectrum.Factor, theta *mat.Dense, x *spectrum.Extremes) (norm float64) {
	check(dst, theta, x)
	if x.Rank < 2 || x.Flat() || x.SigmaK == 0 {
		return 0
	}
	for _, end := range [2]struct {
		weight float64
		v      []float64
	}{{2 / x.Sigma1, x.V1}, {-2 / x.SigmaK, x.VK}} {
		image := w.imageOf(form, f, theta, x, end.v)
		norm = math.Hypot(norm, end.weight*blas64.Nrm2(image)) // the two v are orthogonal
		blas64.Ger(c*end.weight, image, vector(end.v), dst.RawMatrix())
	}
	return norm
}

// imageOf returns θv, or Kθv or Π_Kθv as the form wants.
func (w *Workspace) imageOf(form Form, f *spectrum.Factor, theta *mat.Dense, x *spectrum.Extremes, v []float64) blas64.Vector {
	d, _ := theta.Dims()
	w.image = grow(w.image, d)
	image := vector(w.image)
	switch form {
	case Plain: // Kθv = Rᵀ(R(θv))
		r := f.R().RawMatrix()
		w.through = grow(w.through, r.Rows)
		blas64.Gemv(blas.NoTrans, 1, theta.RawMatrix(), vector(v), 0, image)
		blas64.Gemv(blas.NoTrans, 1, r, image, 0, vector(w.through))
		blas64.Gemv(blas.Trans, 1, r, vector(w.through), 0, image)
		return image
	case Cancelled, PseudoInverse:
	default:
		panic(badForm)
	}
	blas64.Gemv(blas.NoTrans, 1, theta.RawMatrix(), vector(v), 0, image)
	if form == PseudoInverse {
		w.project(f, blas64.General{Rows: d, Cols: 1, Stride: 1, Data: w.image})
	}
	return image
}

// deflated stores 2c·θ(σvvᵀ − H/n) in dst, with H = FᵀF.
func (w *Workspace) deflated(dst, theta *mat.Dense, x *spectrum.Extremes, c, sigma float64, v []float64, n int) {
	check(dst, theta, x)
	d, _ := theta.Dims()
	x.MulH(dst, -2*c/float64(n), theta)
	w.image = grow(w.image, d)
	blas64.Gemv(blas.NoTrans, 1, theta.RawMatrix(), vector(v), 0, vector(w.image))
	blas64.Ger(2*c*sigma, vector(w.image), vector(v), dst.RawMatrix())
}

// finish turns the cancelled form in dst into the given one.
func (w *Workspace) finish(dst *mat.Dense, form Form, f *spectrum.Factor) {
	switch form {
	case Plain:
		d, m := dst.Dims()
		w.product = grow(w.product, d*m)
		step := blas64.General{Rows: d, Cols: m, Stride: m, Data: w.product}
		for i := range d {
			copy(step.Data[i*m:(i+1)*m], dst.RawRowView(i))
		}
		blas64.Symm(blas.Left, 1, f.K().RawSymmetric(), step, 0, dst.RawMatrix())
	case PseudoInverse:
		w.project(f, dst.RawMatrix())
	case Cancelled:
	default:
		panic(badForm)
	}
}

// project overwrites a (D×m) with Π_K·a: what f.ProjectRange does, in the memory of w.
func (w *Workspace) project(f *spectrum.Factor, a blas64.General) {
	d, k := a.Rows, f.Rank()
	switch {
	case k == d:
		return
	case k == 0:
		for i := range d {
			clear(a.Data[i*a.Stride : i*a.Stride+a.Cols])
		}
		return
	case k <= d-k: // V_kV_kᵀa
		basis := f.V().RawMatrix()
		basis.Cols = k
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, basis, w.coordinates(basis, a), 0, a)
	default: // a − NNᵀa
		basis := f.NullBasis().RawMatrix()
		blas64.Gemm(blas.NoTrans, blas.NoTrans, -1, basis, w.coordinates(basis, a), 1, a)
	}
}

// coordinates returns basisᵀ·a.
func (w *Workspace) coordinates(basis, a blas64.General) blas64.General {
	w.through = grow(w.through, basis.Cols*a.Cols)
	c := blas64.General{Rows: basis.Cols, Cols: a.Cols, Stride: a.Cols, Data: w.through}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, basis, a, 0, c)
	return c
}

func check(dst, theta *mat.Dense, x *spectrum.Extremes) {
	d, m := theta.Dims()
	if r, c := dst.Dims(); r != d || c != m || x.Size != m {
		panic(badDst)
	}
}

func grow(v []float64, n int) []float64 {
	if cap(v) < n {
		return make([]float64, n)
	}
	return v[:n]
}

// vector returns v as a vector.
func vector(v []float64) blas64.Vector { return blas64.Vector{N: len(v), Inc: 1, Data: v} }
