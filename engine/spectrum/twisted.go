package spectrum

import "math"

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

// quotient returns the Rayleigh quotient of the vector of twisted for the shift tau, and the number of eigenvalues above it.
func (b *bidiagonal) quotient(tau float64) (next float64, count int) {
	b.passes++
	r, gamma, count := b.factor(tau)
	norm := 1.0
	for i, v := r-1, 1.0; i >= 0; i-- {
		v *= b.lower[i]
		norm += v * v
	}
	for i, v := r, 1.0; i < b.n-1; i++ {
		v *= b.upper[i+1]
		norm += v * v
	}
	return tau + gamma/norm, count
}

// twisted stores the solution of (BᵀB − τI)z = γ_r·e_r, z_r = 1, in z, r chosen to make |γ_r| least, and returns γ_r.
func (b *bidiagonal) twisted(z []float64, tau float64) (gamma float64) {
	r, gamma, _ := b.factor(tau)
	z[r] = 1
	for i := r - 1; i >= 0; i-- {
		z[i] = -b.lower[i] * z[i+1]
	}
	for i := r; i < b.n-1; i++ {
		z[i+1] = -b.upper[i+1] * z[i]
	}
	return gamma
}

// factor sets the multipliers of the twisted factorisations, and returns the twist r, γ_r, and the number of eigenvalues above tau.
func (b *bidiagonal) factor(tau float64) (r int, gamma float64, count int) {
	n := b.n
	q, f, d, e := b.q[:n], b.f[:n], b.d[:n], b.e[:n]
	stationary, progressive, lower, upper := b.s[:n], b.p[:n], b.lower[:n], b.upper[:n]
	s, p := -tau, q[n-1]-tau
	// The two chains of divisions wait for themselves: they run side by side.
	for i := range n {
		stationary[i] = s
		pivot := q[i] + s
		if pivot > 0 {
			count++
		}
		if pivot == 0 {
			pivot = -smallest
		}
		lower[i] = d[i] * e[i] / pivot
		s = f[i]*(s/pivot) - tau
		j := n - 1 - i
		progressive[j] = p
		if j == 0 {
			break
		}
		pivot = f[j-1] + p
		if pivot == 0 {
			pivot = -smallest
		}
		upper[j] = d[j-1] * e[j-1] / pivot
		p = q[j-1]*(p/pivot) - tau
	}
	gamma = math.Inf(1)
	for i := range n {
		if g := stationary[i] + progressive[i] + tau; math.Abs(g) < math.Abs(gamma) {
			r, gamma = i, g
		}
	}
	return r, gamma, count
}
