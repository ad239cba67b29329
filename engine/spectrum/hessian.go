package spectrum

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// hessian is H, formed where a product with it is asked for and the iteration has not done so.
type hessian struct {
	known   bool
	h       []float64
	through []float64 // θFᵀ
}

// MulH stores c·θH in dst, in the order that takes the fewest operations: by H = FᵀF, which the iteration has formed where F has no
// fewer rows than columns, or by θFᵀ. θ and dst are n×Size and not the same matrix. It must be called before the next use of the
// workspace that x belongs to, and allocates nothing once that has met the shapes.
func (x *Extremes) MulH(dst *mat.Dense, c float64, theta *mat.Dense) {
	n, m := theta.Dims()
	if r, k := dst.Dims(); m != x.Size || r != n || k != m {
		panic(badDst)
	}
	w := x.w
	if w == nil {
		w = &Workspace{f: *x.F}
	}
	f, h := w.f.RawMatrix(), &w.hessian
	full := blas64.General{Rows: m, Cols: m, Stride: m, Data: h.h}
	switch p := f.Rows; {
	case x.formed && !w.gram.left:
		full.Data = w.gram.g
		c *= w.gram.scale * w.gram.scale
	case h.known:
	case m*(p+2*n) > 4*n*p:
		h.through = grown(h.through, n*p)
		through := blas64.General{Rows: n, Cols: p, Stride: p, Data: h.through}
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, theta.RawMatrix(), f, 0, through)
		blas64.Gemm(blas.NoTrans, blas.NoTrans, c, through, f, 0, dst.RawMatrix())
		return
	default:
		h.h = grown(h.h, m*m)
		full.Data = h.h
		blas64.Syrk(blas.Trans, 1, f, 0, blas64.Symmetric{N: m, Stride: m, Uplo: blas.Lower, Data: h.h})
		mirror(h.h, m)
		h.known = true
	}
	blas64.Gemm(blas.NoTrans, blas.NoTrans, c, theta.RawMatrix(), full, 0, dst.RawMatrix())
}
