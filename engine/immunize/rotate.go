package immunize

import (
	"math"
	"math/rand/v2"

	kind "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/mat"
)

// Rotate replaces the extractor θ of r by θQ, Q a random orthogonal matrix (m×m, uniform by the Haar measure), and with it the bias b by
// Qᵀb and the head ω by Qᵀω: the features Xθ + 1bᵀ become (Xθ + 1bᵀ)Q, and no loss and no condition number of them, of H(θ) or of θ
// changes but for rounding. What changes is the basis of the features, and so what an attacker gains by scaling them one by one, which
// undoes a diagonal θ. The trace is left as it is; it describes θ before the rotation up to Q.
//
// It draws m² normal numbers from rng. The matrices of r are replaced, not modified. The cost is one QR factorisation and one product.
func Rotate(r *Result, rng *rand.Rand) {
	if r.Theta == nil {
		return
	}
	_, m := r.Theta.Dims()
	q := haar(m, rng)
	theta := &mat.Dense{}
	theta.Mul(r.Theta, q)
	r.Theta = theta
	for _, v := range []*[]float64{&r.Bias, &r.Omega} {
		if *v != nil {
			out := make([]float64, m)
			multiply(out, kind.Trans, q, *v)
			*v = out
		}
	}
}

// haar returns a random orthogonal matrix of order n: the factor Q of a matrix of independent normal numbers, with the signs that
// make the diagonal of R positive. Without them Q is not uniform (Mezzadri, "How to generate random matrices from the classical compact
// groups", Notices of the AMS 54, 2007).
func haar(n int, rng *rand.Rand) *mat.Dense {
	g := mat.NewDense(n, n, nil)
	for i := range n {
		row := g.RawRowView(i)
		for j := range row {
			row[j] = rng.NormFloat64()
		}
	}
	var qr mat.QR
	qr.Factorize(g)
	q, r := &mat.Dense{}, &mat.Dense{}
	qr.QTo(q)
	qr.RTo(r)
	sign := make([]float64, n)
	for j := range sign {
		sign[j] = math.Copysign(1, r.At(j, j))
	}
	for i := range n {
		row := q.RawRowView(i)
		for j := range row {
			row[j] *= sign[j]
		}
	}
	return q
}
