package spectrum

import "math"

// negligible is the eigenvalue of BᵀB, for ‖B‖ near 1, below which eigenvalue returns 0: far below ε².
const negligible = 0x1p-200

// bracket holds the j-th largest eigenvalue of BᵀB between two positive doubles, given by their bits, which are ordered like
// them: above low there are at least j eigenvalues, above high fewer.
type bracket struct {
	j         int
	low, high uint64
	sureLow   int // eigenvalues above low, 0 where low is the floor
	sureHigh  int // above high
}

// brackets are searched together: what is counted for one narrows the others.
type brackets []bracket

// start sets the brackets to all that ‖B‖ near 1 leaves open.
func (b *bidiagonal) start(s brackets) {
	for i := range s {
		s[i].low, s[i].high = math.Float64bits(negligible), math.Float64bits(b.bound())
		s[i].sureLow, s[i].sureHigh = b.n+1, 0
	}
}

// bound returns a number above all eigenvalues of BᵀB: Geršgorin's bound and room for its rounding.
func (b *bidiagonal) bound() float64 {
	largest, before := 0.0, 0.0 // before is |d_(i−1)·e_(i−1)|
	f := 0.0
	for i, q := range b.q {
		beside := math.Abs(b.d[i] * b.e[i])
		largest = max(largest, q+f+before+beside)
		before, f = beside, b.f[i]
	}
	return largest * (1 + 0x1p-40)
}

// observe narrows the brackets by the number of eigenvalues above a shift.
func (s brackets) observe(at uint64, count int) {
	for i := range s {
		r := &s[i]
		if count >= r.j {
			if at > r.low {
				r.low, r.sureLow = at, count
			}
		} else if at < r.high {
			r.high, r.sureHigh = at, count
		}
	}
}

// count counts the eigenvalues above four shifts and narrows the brackets.
func (b *bidiagonal) count(s brackets, at *[sections]uint64) {
	b.passes++
	var shift [sections]float64
	for i, v := range at {
		shift[i] = math.Float64frombits(v)
	}
	for i, c := range b.above(&shift) {
		s.observe(at[i], c)
	}
}

// divide narrows the i-th bracket to a fifth.
func (b *bidiagonal) divide(s brackets, i int) {
	low, high := s[i].low, s[i].high
	part := max(1, (high-low)/(sections+1))
	var at [sections]uint64
	for i := range at {
		at[i] = min(low+part*uint64(i+1), high-1)
	}
	b.count(s, &at)
}

// probe narrows the i-th bracket around a double that is thought to be the eigenvalue, with width units in the last place on both sides.
// The result is one double where the guess is right to a unit.
func (b *bidiagonal) probe(s brackets, i int, guess, width uint64) {
	low, high := s[i].low, s[i].high
	inside := func(v uint64) uint64 { return min(max(v, low+1), high-1) }
	b.count(s, &[sections]uint64{inside(guess - width), inside(guess), inside(guess + 1), inside(guess + 1 + width)})
}

// eigenvalue returns the j-th largest eigenvalue of BᵀB, 1 ≤ j ≤ n, to a few units in the last place of what B determines, or 0
// where it is negligible.
func (b *bidiagonal) eigenvalue(j int) float64 {
	s := [1]bracket{{j: j}}
	b.start(s[:])
	return b.find(s[:], 0)
}

// find returns the eigenvalue of the i-th bracket: the largest double above which the count is at least j.
//
// The doubles are divided, not the numbers, so that small eigenvalues cost no more than large ones: each pass leaves a fifth of the
// bracket. Once that is narrow, Rayleigh quotients of the twisted factorisations' vectors take over, which converge cubically, and
// counts on both sides of their limit close the bracket; where they do not, the division goes on. What is returned depends on
// the counts alone.
func (b *bidiagonal) find(s brackets, i int) float64 {
	const (
		narrow  = 1 << 51 // from end to end a factor between √2 and 2
		few     = 16      // doubles left, which one division or two tell apart
		settled = 0x1p-20 // a correction, relative to the value, after which the next is below rounding
	)
	r := &s[i]
	for quotients := 8; r.open(); {
		alone := r.sureLow == r.j && r.sureHigh == r.j-1
		if left := r.high - r.low; left > narrow || left < few || !alone || quotients == 0 {
			b.divide(s, i)
			continue
		}
		tau, width := math.Float64frombits(r.low+(r.high-r.low)/2), uint64(1)
		for quotients > 0 && r.open() {
			quotients--
			next, count := b.quotient(tau)
			s.observe(math.Float64bits(tau), count)
			if !(next > 0) { // NaN too
				break
			}
			guess := min(max(math.Float64bits(next), r.low), r.high)
			if guess == math.Float64bits(tau) && math.Abs(next-tau) > settled*tau { // on the way to another eigenvalue
				b.divide(s, i)
				break
			}
			next = math.Float64frombits(guess)
			if math.Abs(next-tau) <= settled*tau {
				b.probe(s, i, guess, width)
				width *= 8
			}
			tau = next
		}
	}
	if r.low == math.Float64bits(negligible) {
		return 0
	}
	return math.Float64frombits(r.low)
}

// open reports whether there are doubles between the ends.
func (r *bracket) open() bool { return r.high > r.low+1 }
