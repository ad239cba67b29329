package spectrum

import "math"

// bidiagonal is an upper bidiagonal matrix B of order n, scaled so that its largest element is near 1, as the squares of its
// elements. The eigenvalues λ of BᵀB, counted from 1 in descending order, and their vectors are found one at a time, in the
// representation by quotients and differences, where each λ is determined to high relative accuracy by B (K. V. Fernando and
// B. N. Parlett, Accurate singular values and differential qd algorithms, Numer. Math. 67, 1994, 191–229).
type bidiagonal struct {
	n      int
	d, e   []float64 // diagonal, superdiagonal
	q, f   []float64 // d², e²
	lower  []float64 // stationary factors D⁺
	upper  []float64 // progressive factors D⁻
	s, p   []float64
	passes int // over B, for finding eigenvalues
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
