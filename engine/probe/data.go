package probe

import (
	"fmt"
	"math"
	"sync"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// Data is the part of a least-squares problem that the extractor has no part in: the data X, factorised, and the targets in the
// coordinates of their range. It is immutable and safe for concurrent use.
type Data struct {
	x    *mat.Dense
	y    []float64
	ones bool           // the factor is of [X 1]
	r    blas64.General // k×D, Σ_kV_kᵀ: X = U_kΣ_kV_kᵀ up to what counts as zero
	b    []float64      // U_kᵀy·2^−ey
	rest float64        // ‖y − U_kU_kᵀy‖²·4^−ey
	ey   int

	optimum func() (float64, error) // see Target
}

// NewData prepares the data x (N×D), with targets y (N), for any number of extractors. f is the factor of x, or that of [x 1], the
// data with a column of ones, where the extractors have a bias. All three are kept and must not be changed while the Data is in use. It
// panics if they do not match, and returns an error if a target is not finite. The cost is O(D·(N + k)).
//
// What the factor counts as zero is left out: attackers run on the rank-k part of the data. U_kᵀy = Σ_k⁻¹V_kᵀXᵀy is refined once from
// its residual, and is accurate to a multiple of ε·κ(X)·‖y‖, what its condition allows; the rest is measured as a residual.
func NewData(f *spectrum.Factor, x *mat.Dense, y []float64) (*Data, error) {
	n, columns := f.Dims()
	rows, d := x.Dims()
	if rows != n || columns != d && columns != d+1 {
		panic(badFactor)
	}
	if len(y) != n {
		panic(badTargets)
	}
	if i := notFinite(y); i >= 0 {
		return nil, fmt.Errorf("probe: target %d is %v", i, y[i])
	}
	k := f.Rank()
	p := &Data{x: x, y: y, ones: columns > d, b: make([]float64, k)}
	p.r = blas64.General{Rows: k, Cols: columns, Stride: columns, Data: make([]float64, k*columns)}
	sigma, v := f.SingularValues(), f.V().RawMatrix()
	for j := range columns {
		for i := range k {
			p.r.Data[i*columns+j] = sigma[i] * v.Data[j*v.Stride+i]
		}
	}
	p.optimum = sync.OnceValues(func() (float64, error) { return optimumOf(f, x, y), nil })
	left := append([]float64(nil), y...)
	p.ey = normalise(left)
	vk := v
	vk.Cols = k
	for range 2 {
		if k == 0 {
			break
		}
		c := make([]float64, k)
		blas64.Gemv(blas.Trans, 1, vk, vec(p.pull(left)), 0, vec(c))
		for i := range c {
			c[i] /= sigma[i]
			p.b[i] += c[i]
			c[i] /= sigma[i]
		}
		z := make([]float64, columns)
		blas64.Gemv(blas.NoTrans, 1, vk, vec(c), 0, vec(z))
		axpy(-1, p.push(z), left)
	}
	if k < n { // else every target can be met
		p.rest = squared(left)
	}
	return p, nil
}

// push returns Xz, or [X 1]z.
func (p *Data) push(z []float64) []float64 {
	_, d := p.x.Dims()
	out := times(p.x, z[:d])
	if p.ones {
		for i := range out {
			out[i] += z[d]
		}
	}
	return out
}

// pull returns Xᵀr, or [X 1]ᵀr.
func (p *Data) pull(r []float64) []float64 {
	out := transposedTimes(p.x, r)
	if p.ones {
		sum := 0.0
		for _, a := range r {
			sum += a
		}
		out = append(out, sum)
	}
	return out
}

// Under makes the problem of fitting the targets with the features Xθ ready; θ is D×m, or (D+1)×m with the bias as its last row where
// the factor is that of [x 1]; nil is the identity. θ is kept and must not be changed while the Target is in use. The rank of the
// features is that of the data, as it is for every invertible θ, unless rounding leaves less. It panics if the shapes do not match, and
// returns an error if Xθ has a number that is not finite or if a decomposition fails. The cost is a product of k×D and D×m and about
// 4k²(m − k/3) operations.
func (p *Data) Under(theta *mat.Dense) (*Target, error) {
	n, _ := p.x.Dims()
	k, columns := p.r.Rows, p.r.Cols
	t := &Target{n: n, d: columns, y: p.y, features: p.push, pulled: p.pull, rest: p.rest, ey: p.ey, b: append([]float64(nil), p.b...), optimum: p.optimum}
	if theta != nil {
		rows, m := theta.Dims()
		if rows != columns {
			panic(badTheta)
		}
		t.d = m
		t.features = func(w []float64) []float64 { return p.push(times(theta, w)) }
		t.pulled = func(r []float64) []float64 { return transposedTimes(theta, p.pull(r)) }
	}
	if k == 0 { // no feature reaches anything
		k = 1
		t.b = []float64{0}
		t.f = blas64.General{Rows: 1, Cols: t.d, Stride: t.d, Data: make([]float64, t.d)}
		return t, t.make(1)
	}
	t.f = blas64.General{Rows: k, Cols: t.d, Stride: t.d, Data: make([]float64, k*t.d)}
	if theta == nil {
		copy(t.f.Data, p.r.Data)
	} else {
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, p.r, theta.RawMatrix(), 0, t.f)
	}
	if i := notFinite(t.f.Data); i >= 0 {
		return nil, fmt.Errorf("probe: a feature is %v: θ holds a number that is not finite, or is too large", t.f.Data[i])
	}
	if err := t.make(k); err != nil {
		return nil, err
	}
	if theta != nil && t.rank < k { // θ has lost directions of the data
		t.optimum = optimumLater(p.pushAll(theta), p.y)
	}
	return t, nil
}

// pushAll returns Xθ, or [X 1]θ.
func (p *Data) pushAll(theta *mat.Dense) *mat.Dense {
	n, d := p.x.Dims()
	rows, m := theta.Dims()
	var out mat.Dense
	out.Mul(p.x, theta.Slice(0, d, 0, m))
	if rows > d {
		for i := range n {
			axpy(1, theta.RawRowView(d), out.RawRowView(i))
		}
	}
	return &out
}

// BestLoss returns the least loss ‖Xw − y‖² of a linear head on the data themselves.
func (p *Data) BestLoss() float64 { return math.Ldexp(p.rest, 2*p.ey) }
