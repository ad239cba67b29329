package regularizer

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// Values holds the figures of one spectrum that a step loop traces, from its ends and its norm alone. They are those of Well, Ill,
// LogKappa and the intervals to rounding, but where κ − 1 is below 10⁻⁶: there the differences of squares cancel.
type Values struct {
	Well, Ill, G, LogKappa    float64
	WellInterval, IllInterval Interval
}

// At returns the figures of a spectrum known by its ends.
func At(x *spectrum.Extremes) Values {
	g := gOf(x)
	v := Values{
		Well: max(0, x.Sigma1*x.Sigma1/2-x.Frobenius/float64(2*x.Size)), Ill: math.Inf(1), G: g, LogKappa: math.Log(x.Kappa()),
		WellInterval: wellInterval(x.Size, x.Rank, x.Sigma1, x.Sigma2, x.SigmaK), IllInterval: illInterval(x.Rank, g, x.SigmaK),
	}
	if g > 0 {
		v.Ill = 1 / g
	}
	return v
}

func gOf(x *spectrum.Extremes) float64 {
	if x.Rank < 2 || x.Flat() {
		return 0
	}
	return max(0, x.Frobenius/float64(2*x.Rank)-x.SigmaK*x.SigmaK/2)
}

// Workspace computes gradients from the ends of a spectrum without allocating, once its memory has grown to the shapes in use.
// The zero value is ready for use. It must not be used by two goroutines at once.
type Workspace struct {
	product []float64 // θFᵀ, or θ·A where K or Π_K follows
	image   []float64 // θv
}

// Well stores ∇_θ R_well in dst, in the given form: the same as Gradient of WellInner. f is the factor of the task's data and
// x the ends of the spectrum at θ (D×m); dst is D×m and not θ. The cost is O(Dmp), two products through Rθ.
func (w *Workspace) Well(dst *mat.Dense, form Form, f *spectrum.Factor, theta *mat.Dense, x *spectrum.Extremes) {
	if x.Rank == 0 {
		w.check(dst, theta, x)
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
		w.check(dst, theta, x)
		dst.Zero()
		return false
	}
	w.deflated(dst, theta, x, scale, x.SigmaK, x.VK, x.Rank)
	w.finish(dst, form, f)
	return true
}

// LogKappa stores ∇_θ log κ in dst, in the given form: the same as Gradient of LogKappaInner.
func (w *Workspace) LogKappa(dst *mat.Dense, form Form, f *spectrum.Factor, theta *mat.Dense, x *spectrum.Extremes) {
	w.check(dst, theta, x)
	dst.Zero()
	if x.Rank < 2 || x.Flat() || x.SigmaK == 0 {
		return
	}
	if form == Plain { // of rank two: K meets two vectors, not a matrix
		w.plainRankOne(dst, f, x, 2/x.Sigma1, x.V1)
		w.plainRankOne(dst, f, x, -2/x.SigmaK, x.VK)
		return
	}
	w.rankOne(dst, theta, 2/x.Sigma1, x.V1)
	w.rankOne(dst, theta, -2/x.SigmaK, x.VK)
	w.finish(dst, form, f)
}

// deflated stores 2c·θ(σvvᵀ − H/n) in dst, with H = FᵀF.
func (w *Workspace) deflated(dst, theta *mat.Dense, x *spectrum.Extremes, c, sigma float64, v []float64, n int) {
	w.check(dst, theta, x)
	d, _ := theta.Dims()
	p, _ := x.F.Dims()
	w.product = grow(w.product, d*p)
	through := blas64.General{Rows: d, Cols: p, Stride: p, Data: w.product}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, theta.RawMatrix(), x.F.RawMatrix(), 0, through)
	blas64.Gemm(blas.NoTrans, blas.NoTrans, -2*c/float64(n), through, x.F.RawMatrix(), 0, dst.RawMatrix())
	w.rankOne(dst, theta, 2*c*sigma, v)
}

// rankOne adds c·(θv)vᵀ to dst.
func (w *Workspace) rankOne(dst, theta *mat.Dense, c float64, v []float64) {
	d, m := theta.Dims()
	w.image = grow(w.image, d)
	vec := blas64.Vector{N: m, Inc: 1, Data: v}
	image := blas64.Vector{N: d, Inc: 1, Data: w.image}
	blas64.Gemv(blas.NoTrans, 1, theta.RawMatrix(), vec, 0, image)
	blas64.Ger(c, image, vec, dst.RawMatrix())
}

// plainRankOne adds c·(Kθv)vᵀ to dst, with Kθv = Rᵀ(Fv).
func (w *Workspace) plainRankOne(dst *mat.Dense, f *spectrum.Factor, x *spectrum.Extremes, c float64, v []float64) {
	r := f.R().RawMatrix()
	w.product, w.image = grow(w.product, r.Rows), grow(w.image, r.Cols)
	vec := blas64.Vector{N: len(v), Inc: 1, Data: v}
	through := blas64.Vector{N: r.Rows, Inc: 1, Data: w.product}
	image := blas64.Vector{N: r.Cols, Inc: 1, Data: w.image}
	blas64.Gemv(blas.NoTrans, 1, x.F.RawMatrix(), vec, 0, through)
	blas64.Gemv(blas.Trans, 1, r, through, 0, image)
	blas64.Ger(c, image, vec, dst.RawMatrix())
}

// finish turns the cancelled form in dst into the given one.
func (w *Workspace) finish(dst *mat.Dense, form Form, f *spectrum.Factor) {
	switch form {
	case Plain:
		d, m := dst.Dims()
		w.product = grow(w.product, d*m)
		step := mat.NewDense(d, m, w.product)
		step.Copy(dst)
		dst.Mul(f.K(), step)
	case PseudoInverse:
		f.ProjectRange(dst, dst)
	case Cancelled:
	default:
		panic(badForm)
	}
}

func (w *Workspace) check(dst, theta *mat.Dense, x *spectrum.Extremes) {
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
