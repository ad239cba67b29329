package deep

import "math/rand/v2"

// batches draws the images of one task's batches: every epoch is a permutation, whose rest that fills no batch is left out.
type batches struct {
	rng   *rand.Rand
	n     int
	size  int
	order []int
	at    int
}

func newBatches(n, size int, rng *rand.Rand) *batches {
	b := &batches{rng: rng, n: n, size: size, order: make([]int, n)}
	for i := range b.order {
		b.order[i] = i
	}
	b.at = n
	return b
}

// next returns the rows of the next batch, which are not to be changed and last until the next epoch begins.
func (b *batches) next() []int {
	if b.at+b.size > b.n {
		b.rng.Shuffle(b.n, func(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] })
		b.at = 0
	}
	b.at += b.size
	return b.order[b.at-b.size : b.at]
}
