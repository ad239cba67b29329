package ceiling

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/spectrum"
)

// family is the family of extractors that the construction "clipped spike" chooses from, for one pair of tasks and one c: θ with
//
//	θθᵀ = M = D + ννᵀ,  I ≤ D ≤ M ≤ D̄ ≤ c²I
//
// in the basis of the eigenvectors of K_P = QΛQᵀ, D and D̄ diagonal.
type family struct {
	harmful *spectrum.Factor
	basis   *mat.Dense // Q, D×D
	lambda  []float64  // the k non-zero eigenvalues of K_P, descending
	c       float64

	low, high []float64 // D and D̄
	nu        []float64 // ν
	base      []float64 // the diagonal that ν is added to: D, or D̄ with ν = 0
	z         []float64 // base^(−½)ν, of unit length
	beta      float64   // (I + βzzᵀ)² = I + base^(−½)ννᵀbase^(−½)
	theta     *mat.Dense

	top, bottom   []float64 // p and q, see spike
	first, second []float64 // those of the M that was measured last
}

func newFamily(p, h *spectrum.Factor, c float64) *family {
	d, _ := p.V().Dims()
	k := p.Rank()
	f := &family{harmful: h, c: c, basis: mat.NewDense(d, d, nil), lambda: make([]float64, k), theta: mat.NewDense(d, d, nil)}
	f.basis.Slice(0, d, 0, k).(*mat.Dense).Copy(vectors(p))
	if null := p.NullBasis(); null != nil {
		f.basis.Slice(0, d, k, d).(*mat.Dense).Copy(null)
	}
	for i, s := range p.SingularValues()[:k] {
		f.lambda[i] = s * s
	}
	for _, v := range []*[]float64{&f.low, &f.high, &f.nu, &f.base, &f.z, &f.top, &f.bottom, &f.first, &f.second} {
		*v = make([]float64, d)
	}
	return f
}

// slack is the least ln(U/L) of an interval [L, U] with L ≤ c²·λ_k and U ≥ λ_1 beyond that with equality: 0 where c² ≤ κ(K_P).
func (f *family) slack() float64 {
	return max(0, 2*math.Log(f.c)-math.Log(f.lambda[0])+math.Log(f.lambda[len(f.lambda)-1]))
}

// clip sets D and D̄ for U = λ_1·e^(split·excess) and L = c²·λ_k·e^(−(1−split)·excess): the least and the largest diagonal matrix
// between I and c²I that keep the spectrum of H_P within [L, U]. The smallest interval has the excess slack.
func (f *family) clip(excess, split float64) {
	k := len(f.lambda)
	upper := f.lambda[0] * math.Exp(split*excess)
	lower := f.c * f.c * f.lambda[k-1] * math.Exp(-(1-split)*excess)
	for i := range f.low {
		f.low[i], f.high[i] = 1, f.c*f.c
		if i < k {
			f.low[i] = min(max(f.low[i], lower/f.lambda[i]), f.high[i])
			f.high[i] = min(max(f.low[i], upper/f.lambda[i]), f.high[i])
		}
	}
}

// flat makes M one of the two diagonals.
func (f *family) flat(diagonal []float64) {
	copy(f.base, diagonal)
	clear(f.nu)
	f.root()
}

// spike makes M = D + ννᵀ with the ν that, of all M between D and D̄, maximises pᵀMp − qᵀMq: for Δ = D̄ − D it is ν = Δ^½y, y the
// unit eigenvector of Δ^½(ppᵀ − qqᵀ)Δ^½ to its positive eigenvalue.
//
// With p from the largest eigenvalue of H_H for M = D̄ and q from the smallest for M = D, κ(H_H) comes near their quotient, which no M
// between D and D̄ exceeds: all that is lost is the overlap of p and q. With both from the M before, scaled to pᵀMp = qᵀMq = 1, κ(H_H)
// does not fall, because pᵀMp/qᵀMq times what it was is a lower bound of it.
func (f *family) spike() {
	copy(f.base, f.low)
	var pp, qq, pq float64
	for i, p := range f.top {
		delta, q := f.high[i]-f.low[i], f.bottom[i]
		pp, qq, pq = pp+delta*p*p, qq+delta*q*q, pq+delta*p*q
	}
	// y is a combination of Δ^½p and Δ^½q; the matrix on these two has the eigenvalue mu and the vector (mu + qq, −pq).
	mu := (pp - qq + math.Sqrt(max(0, (pp+qq)*(pp+qq)-4*pq*pq))) / 2
	share := 0.0
	if mu+qq > 0 {
		share = pq / (mu + qq)
	}
	square := 0.0
	for i, p := range f.top {
		delta := f.high[i] - f.low[i]
		y := math.Sqrt(delta) * (p - share*f.bottom[i])
		f.nu[i] = math.Sqrt(delta) * y
		square += y * y
	}
	for i := range f.nu {
		if square > 0 {
			f.nu[i] /= math.Sqrt(square)
		}
	}
	f.root()
}

// along makes M = D + ννᵀ with ν as long as D̄ allows in the direction n of null(K_P).
func (f *family) along(n *mat.VecDense) {
	copy(f.base, f.low)
	product := mat.NewVecDense(len(f.nu), f.nu)
	product.MulVec(f.basis.T(), n)
	clear(f.nu[:len(f.lambda)]) // rounding
	product.ScaleVec(math.Sqrt(f.c*f.c-1), product)
	f.root()
}

// root finds z and β, for a square root of M: base^½(I + βzzᵀ).
func (f *family) root() {
	square := 0.0
	for i, v := range f.nu {
		f.z[i] = v / math.Sqrt(f.base[i])
		square += f.z[i] * f.z[i]
	}
	f.beta = math.Sqrt(1+square) - 1
	for i := range f.z {
		if square > 0 {
			f.z[i] /= math.Sqrt(square)
		}
	}
}

// extractor stores Q·base^½(I + βzzᵀ) in theta and returns it. The columns are those of an extractor in the basis Q.
func (f *family) extractor() *mat.Dense {
	d := len(f.z)
	for r := range d {
		from, to := f.basis.RawRowView(r), f.theta.RawRowView(r)
		along := 0.0
		for j, v := range from {
			to[j] = v * math.Sqrt(f.base[j])
			along += to[j] * f.z[j]
		}
		along *= f.beta
		for j, z := range f.z {
			to[j] += along * z
		}
	}
	return f.theta
}

// ends stores, for the ends of the spectrum of H_H(θ), the vectors p and q with pᵀMp = qᵀMq = 1 along which they lie: from the unit
// eigenvectors v of H_H they are θ⁻ᵀv.
func (f *family) ends(x *spectrum.Extremes) {
	for _, e := range []struct{ dst, v []float64 }{{f.first, x.V1}, {f.second, x.VK}} {
		along := 0.0
		for j, z := range f.z {
			along += z * e.v[j]
		}
		along *= f.beta / (1 + f.beta)
		for j, z := range f.z {
			e.dst[j] = (e.v[j] - along*z) / math.Sqrt(f.base[j])
		}
	}
}

// logKappaPrimary returns ln κ(H_P): H_P has the eigenvalues of Λ^½MΛ^½ on the range of K_P, a diagonal matrix and one of rank 1.
func (f *family) logKappaPrimary() float64 {
	k := len(f.lambda)
	diagonal, square := make([]float64, k), make([]float64, k)
	for i, l := range f.lambda {
		diagonal[i], square[i] = l*f.base[i], l*f.nu[i]*f.nu[i]
	}
	least, largest := rankOneEnds(diagonal, square)
	return math.Log(largest) - math.Log(least)
}

// rankOneEnds returns the extreme eigenvalues of diag(a) + zzᵀ from a and the squares of z: the outer roots of the secular equation
// 1 + Σ z_i²/(a_i − x) = 0, which lie between the two smallest a_i and above the largest.
func rankOneEnds(a, square []float64) (least, largest float64) {
	first, second, last, sum := math.Inf(1), math.Inf(1), math.Inf(-1), 0.0
	for i, v := range a {
		switch {
		case v < first:
			first, second = v, first
		case v < second:
			second = v
		}
		last = max(last, v)
		sum += square[i]
	}
	below := func(x float64) bool { // x is below the root of its interval
		value := 1.0
		for i, v := range a {
			if square[i] > 0 {
				value += square[i] / (v - x)
			}
		}
		return value < 0
	}
	bisect := func(lo, hi float64) float64 {
		for range 100 {
			mid := lo + (hi-lo)/2
			if mid <= lo || mid >= hi {
				break
			}
			if below(mid) {
				lo = mid
			} else {
				hi = mid
			}
		}
		return hi
	}
	if len(a) == 1 {
		return a[0] + sum, a[0] + sum
	}
	return bisect(first, min(second, first+sum)), bisect(last, last+sum)
}
