package immunize

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// batcher cuts the rows 0 … n−1 into mini-batches: each epoch draws one permutation, cuts it into batches of b rows and
// drops the rest. Every batch therefore has the same size.
type batcher struct {
	rng  *rand.Rand
	perm []int
	b    int
	next int // first row of perm not used yet
}

// newBatcher makes a batcher for n ≥ 1 rows; a size above n, or 0, means all n rows.
func newBatcher(n, b int, rng *rand.Rand) *batcher {
	if b <= 0 || b > n {
		b = n
	}
	perm := make([]int, n)
	for i := range perm {
		perm[i] = i
	}
	return &batcher{rng: rng, perm: perm, b: b, next: n}
}

// rows returns the next batch's rows; they are valid until the next call.
func (s *batcher) rows() []int {
	if s.next+s.b > len(s.perm) {
		s.rng.Shuffle(len(s.perm), func(i, j int) { s.perm[i], s.perm[j] = s.perm[j], s.perm[i] })
		s.next = 0
	}
	r := s.perm[s.next : s.next+s.b]
	s.next += s.b
	return r
}

// gather copies the rows of x (N×D) and y (nil or N) into bx (b×D) and by (b).
func gather(bx *mat.Dense, by []float64, x *mat.Dense, y []float64, rows []int) {
	for i, r := range rows {
		copy(bx.RawRowView(i), x.RawRowView(r))
		if y != nil {
			by[i] = y[r]
		}
	}
}
