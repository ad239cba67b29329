package spectrum

import "math"

// bidiagonal is an upper bidiagonal matrix B of order n, scaled so that its largest element is near 1, as the squares of its
// elements. The eigenvalues λ of BᵀB, counted from 1 in descending order, and their vectors are found one at a time, in the
// representation by quotients and differences, where each λ is determined to high relative accuracy by B (K. V. Fernando and
// B. N. Parlett, Accurate singular values and differential qd algorithms, Numer. Math. 67, 1994, 191–229).
type bidiagonal struct {
	n     int
	d, e  []float64 // diagonal, superdiagonal
	q, f  []float64 // d², e²
	lower []float64 // stationary factors D⁺
	upper []float64 // progressive factors D⁻
	s, p  []float64
}

// smallest replaces a pivot that is exactly zero. With elements near 1 it is far below any rounding, and its reciprocal is finite.
const smallest = 0x1p-900

// reset gives b the order n, with room for d and e.
func (b *bidiagonal) reset(n int) {
	b.n = n
	for _, v := range []*[]float64{&b.d, &b.e, &b.q, &b.f, &b.lower, &b.upper, &b.s, &b.p} {
		if cap(*v) < n {
			*v = make([]float64, n)
		}
		*v = (*v)[:n]
	}
}

// scale divides B by a power of two, which it returns, and squares it. It returns 0 where B = 0.
func (b *bidiagonal) scale() float64 {
	b.e[b.n-1] = 0
	largest := 0.0
	for i := range b.n {
		largest = max(largest, math.Abs(b.d[i]), math.Abs(b.e[i]))
	}
	if largest == 0 {
		return 0
	}
	_, exp := math.Frexp(largest)
	for i := range b.n {
		b.d[i] = math.Ldexp(b.d[i], -exp)
		b.e[i] = math.Ldexp(b.e[i], -exp)
	}
	b.square()
	return math.Ldexp(1, exp)
}

// square sets q and f from d and e.
func (b *bidiagonal) square() {
	for i := range b.n {
		b.q[i] = b.d[i] * b.d[i]
		b.f[i] = b.e[i] * b.e[i]
	}
}

// frobenius returns ‖BᵀB‖_F².
func (b *bidiagonal) frobenius() float64 {
	sum, before := 0.0, 0.0
	for i := range b.n {
		diagonal := b.q[i] + before
		sum += diagonal*diagonal + 2*b.q[i]*b.f[i]
		before = b.f[i]
	}
	return sum
}

// sections is the number of shifts counted at once: each chain of divisions waits for itself, so four cost little more than one.
const sections = 4

// above returns for each shift τ > 0 the number of eigenvalues of BᵀB above it: the positive pivots of BᵀB − τI.
func (b *bidiagonal) above(shift *[sections]float64) (count [sections]int) {
	t0, t1, t2, t3 := shift[0], shift[1], shift[2], shift[3]
	s0, s1, s2, s3 := -t0, -t1, -t2, -t3
	var c0, c1, c2, c3 int
	f := b.f[:len(b.q)]
	for i, q := range b.q {
		p0, p1, p2, p3 := q+s0, q+s1, q+s2, q+s3
		if p0 > 0 {
			c0++
		}
		if p1 > 0 {
			c1++
		}
		if p2 > 0 {
			c2++
		}
		if p3 > 0 {
			c3++
		}
		if p0 == 0 {
			p0 = -smallest
		}
		if p1 == 0 {
			p1 = -smallest
		}
		if p2 == 0 {
			p2 = -smallest
		}
		if p3 == 0 {
			p3 = -smallest
		}
		g := f[i]
		s0 = g*(s0/p0) - t0
		s1 = g*(s1/p1) - t1
		s2 = g*(s2/p2) - t2
		s3 = g*(s3/p3) - t3
	}
	return [sections]int{c0, c1, c2, c3}
}

// negligible is the eigenvalue of BᵀB, for ‖B‖ near 1, below which eigenvalue returns 0: far below ε².
const negligible = 0x1p-200

// eigenvalue returns the j-th largest eigenvalue of BᵀB, 1 ≤ j ≤ n, to a few units in the last place of what B determines, or 0
// where it is negligible. It bisects the doubles, not the numbers, so that small eigenvalues cost no more than large ones: each
// pass leaves a fifth of the bracket, and about 27 passes leave one double.
func (b *bidiagonal) eigenvalue(j int) float64 {
	floor := math.Float64bits(negligible)
	low, high := floor, math.Float64bits(8) // ‖BᵀB‖ ≤ 4, the elements of B being at most 1
	var shift [sections]float64
	var at [sections]uint64
	for high-low > 1 {
		part := max(1, (high-low)/(sections+1))
		for i := range shift {
			at[i] = min(low+part*uint64(i+1), high-1)
			shift[i] = math.Float64frombits(at[i])
		}
		count := b.above(&shift)
		for i := range shift {
			if count[i] >= j {
				low = max(low, at[i])
			} else {
				high = min(high, at[i])
			}
		}
		if high <= low { // rounding can make the counts of neighbouring doubles contradict each other
			break
		}
	}
	if low == floor {
		return 0
	}
	return math.Float64frombits(low)
}

// vector stores the eigenvector of BᵀB for the eigenvalue lambda > 0 in z, with norm 1, by a twisted factorisation of BᵀB − λI
// refined by Rayleigh quotients (I. S. Dhillon and B. N. Parlett, Orthogonal eigenvectors and relative gaps, SIAM J. Matrix Anal.
// Appl. 25, 2004, 858–899). The factorisation is the exact one of a matrix whose elements differ from those of B by a few units
// in the last place, so that its residual |γ_r|/‖z‖ can be trusted. It reports whether that residual is below what a
// backward-stable decomposition leaves, n·ε·√λ for ‖B‖ near 1.
func (b *bidiagonal) vector(z []float64, lambda float64) (ok bool) {
	const refinements = 4
	residual := math.Inf(1)
	for range refinements {
		gamma := b.twisted(z, lambda)
		norm := 0.0
		for _, v := range z {
			norm += v * v
		}
		norm = math.Sqrt(norm)
		for i := range z {
			z[i] /= norm
		}
		before := residual
		residual = math.Abs(gamma) / norm
		next := lambda + gamma/norm/norm
		if residual <= 2*eps*lambda || residual >= before || !(next > 0) {
			break
		}
		lambda = next
	}
	return residual <= float64(b.n)*eps*math.Sqrt(lambda)
}

// twisted stores the solution of (BᵀB − τI)z = γ_r·e_r, z_r = 1, in z, r chosen to make |γ_r| least, and returns γ_r.
func (b *bidiagonal) twisted(z []float64, tau float64) (gamma float64) {
	n := b.n
	s := -tau
	for i := range n {
		b.s[i] = s
		pivot := b.q[i] + s
		if pivot == 0 {
			pivot = -smallest
		}
		b.lower[i] = pivot
		s = b.f[i]*(s/pivot) - tau
	}
	p := b.q[n-1] - tau
	for i := n - 1; i >= 0; i-- {
		b.p[i] = p
		if i == 0 {
			break
		}
		pivot := b.f[i-1] + p
		if pivot == 0 {
			pivot = -smallest
		}
		b.upper[i] = pivot
		p = b.q[i-1]*(p/pivot) - tau
	}
	twist := 0
	gamma = math.Inf(1)
	for i := range n {
		if g := b.s[i] + b.p[i] + tau; math.Abs(g) < math.Abs(gamma) {
			twist, gamma = i, g
		}
	}
	z[twist] = 1
	for i := twist - 1; i >= 0; i-- {
		z[i] = -(b.d[i] * b.e[i] / b.lower[i]) * z[i+1]
	}
	for i := twist; i < n-1; i++ {
		z[i+1] = -(b.d[i] * b.e[i] / b.upper[i+1]) * z[i]
	}
	return gamma
}
