package regularizer

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// Features are a batch's features F, B×D, one sample a row, as far as the regularizers of H̃ = FᵀF need them. With (s_i, u_i, v_i)
// the singular triplets of F, so that σ_i = s_i² and Fv_i = s_iu_i, the gradients 2F·∂R/∂H̃ are
//
//	∂R_well/∂F = 2(σ_1·Fv_1v_1ᵀ − F·H̃/D)
//	∂R_ill/∂F  = 2(σ_k·Fv_kv_kᵀ − F·H̃/k)/g²
//	∂log κ/∂F  = 2(Fv_1v_1ᵀ/σ_1 − Fv_kv_kᵀ/σ_k)
//
// with F·H̃ = (FFᵀ)F where B < D. The values and vectors come from F itself; the Gram matrix, of the smaller side, is formed for
// nothing but the term F·H̃, which needs no more. The rank k is that of features computed in float32 ([spectrum.Float32Tol]), found
// on each batch. The paper's p in R_well is D, whatever the rank.
//
// The zero value is ready for Set. Nothing is allocated once the memory has grown. It must not be used by two goroutines at once.
type Features struct {
	work    spectrum.Workspace
	x       *spectrum.Extremes
	values  Values
	gram    []float64 // FFᵀ or FᵀF
	cube    []float64 // F·H̃, B×D
	hasCube bool
	image   []float64 // Fv
}

// Set takes the features, which are copied. An error is returned if f is empty or has an element that is not finite. The cost
// is that of [spectrum.Workspace.ExtremesOf].
func (w *Features) Set(f *mat.Dense) error {
	w.x, w.hasCube = nil, false
	x, err := w.work.ExtremesOf(f, spectrum.Float32Tol(f.Dims()))
	if err != nil {
		return err
	}
	w.x, w.values = x, At(x)
	return nil
}

// Extremes returns the ends of the spectrum of H̃. It belongs to w and lasts until its next Set.
func (w *Features) Extremes() *spectrum.Extremes { return w.x }

// Values returns R_well(H̃), R_ill(H̃), g(H̃) and log κ(H̃), +Inf for R_ill where g = 0 (equal values, rank 1 and F = 0), NaN for
// log κ where F = 0. The intervals are those of steps that H̃ does not take here.
func (w *Features) Values() Values { return w.values }

// AddWell adds c·∂R_well/∂F to dst, B×D. For F = 0 it is 0. Where σ_1 is repeated ([spectrum.Extremes.TopRepeated]) it is one
// subgradient of many.
func (w *Features) AddWell(dst *mat.Dense, c float64) {
	w.check(dst)
	if w.x.Rank > 0 {
		w.deflated(dst, 2*c, w.x.Sigma1, w.x.V1, w.x.Size)
	}
}

// AddIll adds c·∂R_ill/∂F to dst, B×D, and returns true. Where g = 0, and where g² or its reciprocal is not a double, the gradient
// is undefined: dst is left alone and the result false. Where σ_k is repeated ([spectrum.Extremes.BottomRepeated]) it is one
// subgradient of many.
func (w *Features) AddIll(dst *mat.Dense, c float64) (ok bool) {
	w.check(dst)
	g := w.values.G
	scale := 1 / (g * g)
	if !(scale > 0) || math.IsInf(scale, 1) {
		return false
	}
	w.deflated(dst, 2*c*scale, w.x.SigmaK, w.x.VK, w.x.Rank)
	return true
}

// AddLogKappa adds c·∂log κ/∂F to dst, B×D, and returns true. Where κ = 1 (rank 1 included) or F = 0 there is none: dst is left alone
// and the result false.
func (w *Features) AddLogKappa(dst *mat.Dense, c float64) (ok bool) {
	w.check(dst)
	x := w.x
	if x.Rank < 2 || x.Flat() {
		return false
	}
	w.addEnd(dst, 2*c/x.Sigma1, x.V1)
	w.addEnd(dst, -2*c/x.SigmaK, x.VK)
	return true
}

// AddInverseLogKappa adds c·∂(1/log κ)/∂F = −c·∂log κ/∂F/log²κ to dst, as AddLogKappa does.
func (w *Features) AddInverseLogKappa(dst *mat.Dense, c float64) (ok bool) {
	log := w.values.LogKappa
	return w.AddLogKappa(dst, -c/(log*log))
}

// deflated adds c·(σ·Fvvᵀ − F·H̃/n) to dst.
func (w *Features) deflated(dst *mat.Dense, c, sigma float64, v []float64, n int) {
	w.addEnd(dst, c*sigma, v)
	cube := w.fh()
	rows, d := dst.Dims()
	for i := range rows {
		row := dst.RawRowView(i)
		for j, e := range cube[i*d : (i+1)*d] {
			row[j] -= c / float64(n) * e
		}
	}
}

// addEnd adds c·Fvvᵀ to dst.
func (w *Features) addEnd(dst *mat.Dense, c float64, v []float64) {
	rows, _ := dst.Dims()
	w.image = grow(w.image, rows)
	image := vector(w.image)
	blas64.Gemv(blas.NoTrans, 1, w.x.F.RawMatrix(), vector(v), 0, image)
	blas64.Ger(c, image, vector(v), dst.RawMatrix())
}

// fh returns F·H̃, which is formed once for each batch.
func (w *Features) fh() []float64 {
	f := w.x.F.RawMatrix()
	b, d := f.Rows, f.Cols
	if w.hasCube {
		return w.cube
	}
	w.hasCube = true
	n := min(b, d)
	w.gram, w.cube = grow(w.gram, n*n), grow(w.cube, b*d)
	gram := blas64.General{Rows: n, Cols: n, Stride: n, Data: w.gram}
	cube := blas64.General{Rows: b, Cols: d, Stride: d, Data: w.cube}
	if b < d {
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, f, f, 0, gram)
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, gram, f, 0, cube)
	} else {
		blas64.Gemm(blas.Trans, blas.NoTrans, 1, f, f, 0, gram)
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, f, gram, 0, cube)
	}
	return w.cube
}

func (w *Features) check(dst *mat.Dense) {
	r, c := dst.Dims()
	if fr, fc := w.x.F.Dims(); r != fr || c != fc {
		panic(badDst)
	}
}
