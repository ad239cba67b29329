package spectrum

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	lapack "gonum.org/v1/gonum/lapack/gonum"

	gonumlapack "gonum.org/v1/gonum/lapack"
)

const (
	// basisSize is the largest dimension of a subspace; basisKept is what a restart leaves of it, and what the next call starts with.
	basisSize = 40
	basisKept = 6
	// wanted is the number of Ritz pairs that are looked at: the two that are asked for, the third, and one that has a good part of
	// the probes in it. The latter two must stay behind the others.
	wanted = 4
	// atOnce is the largest number of vectors by which the subspace grows in a pass.
	atOnce = wanted + 1
)

// subspace is an orthonormal basis of part of ℝⁿ with its image under a matrix, and the Ritz pairs at one end of the spectrum
// (B. N. Parlett, The Symmetric Eigenvalue Problem, SIAM 1998, chapter 11). Vectors are rows.
type subspace struct {
	n, l   int // lengths of a vector and of its image
	size   int
	top    bool // the largest Ritz values are wanted, else the smallest
	basis  []float64
	image  []float64
	proj   []float64 // projected matrix, basisSize×basisSize
	next   []float64 // room for a rotated basis, basisKept rows
	small  []float64 // eigenvectors of the projected matrix as columns
	values [basisSize]float64
	coef   [basisKept * basisSize]float64
	work   []float64

	probing [basisSize]bool // this vector of the basis is a probe
	place   [basisKept]int  // of the Ritz pairs that are looked at, among the eigenvalues of the projected matrix
	theta   [wanted]float64 // Ritz values, from the wanted end
	x, z    []float64       // Ritz vectors and their images
}

func (s *subspace) reset(n, l int, top bool) {
	if n != s.n || l != s.l {
		s.size = 0
	}
	s.n, s.l, s.top = n, l, top
	s.basis = grown(s.basis, basisSize*n)
	s.image = grown(s.image, basisSize*l)
	s.next = grown(s.next, basisKept*max(n, l))
	s.proj = grown(s.proj, basisSize*basisSize)
	s.small = grown(s.small, basisSize*basisSize)
	s.work = grown(s.work, 40*basisSize)
	s.x, s.z = grown(s.x, wanted*n), grown(s.z, wanted*l)
}

// rows is rows a to b of a matrix with vectors of length n as rows.
func rows(data []float64, n, a, b int) blas64.General {
	return blas64.General{Rows: b - a, Cols: n, Stride: n, Data: data[a*n : b*n]}
}

// add appends v, orthonormalised against the basis, and reports whether anything was left of it. v is overwritten.
func (s *subspace) add(v []float64) (ok bool) {
	n := s.n
	vec := blas64.Vector{N: n, Inc: 1, Data: v}
	norm := blas64.Nrm2(vec)
	if s.size == basisSize || !(norm > 0) || norm > math.MaxFloat64 {
		return false
	}
	blas64.Scal(1/norm, vec)
	if s.size > 0 {
		basis := rows(s.basis, n, 0, s.size)
		coef := blas64.Vector{N: s.size, Inc: 1, Data: s.coef[:s.size]}
		left := 1.0
		for range 3 {
			blas64.Gemv(blas.NoTrans, 1, basis, vec, 0, coef)
			blas64.Gemv(blas.Trans, -1, basis, coef, 1, vec)
			norm = blas64.Nrm2(vec)
			if !(norm > 1e-13*left) {
				return false
			}
			blas64.Scal(1/norm, vec)
			left *= norm
			if norm > 0.5 {
				break
			}
		}
		if left < 1e-13 {
			return false
		}
	}
	copy(s.basis[s.size*n:], v)
	s.probing[s.size] = false
	s.size++
	return true
}

// project extends the projected matrix by rows from to size, their images being known.
func (s *subspace) project(from int) {
	if from == s.size {
		return
	}
	a, inner := s.basis, s.n // basis · image at the top, image · image at the bottom
	if !s.top {
		a, inner = s.image, s.l
	}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, rows(s.image, inner, from, s.size), rows(a, inner, 0, s.size), 0,
		blas64.General{Rows: s.size - from, Cols: s.size, Stride: basisSize, Data: s.proj[from*basisSize:]})
}

// ritz finds the wanted Ritz pairs, and reports whether it could.
func (s *subspace) ritz() (ok bool) {
	if !s.solve() {
		return false
	}
	for i := range wanted - 1 {
		s.place[i] = s.index(i)
	}
	s.place[wanted-1] = s.probed()
	s.rotate(s.x, s.basis, s.n, wanted)
	s.rotate(s.z, s.image, s.l, wanted)
	for i := range wanted {
		s.theta[i] = s.values[s.place[i]]
	}
	return true
}

func (s *subspace) solve() (ok bool) {
	for i := range s.size {
		copy(s.small[i*basisSize:i*basisSize+i+1], s.proj[i*basisSize:])
	}
	return lapack.Implementation{}.Dsyev(gonumlapack.EVCompute, blas.Lower, s.size, s.small, basisSize, s.values[:s.size], s.work, len(s.work))
}

// index is the place of the i-th Ritz value from the wanted end in ascending order.
func (s *subspace) index(i int) int {
	if s.top {
		return s.size - 1 - i
	}
	return i
}

// probed is the place of the first Ritz pair, but for the first wanted − 1, that has a good part of the probes in it.
func (s *subspace) probed() int {
	for i := wanted - 1; i < s.size; i++ {
		sum, at := 0.0, s.index(i)
		for j := range s.size {
			if s.probing[j] {
				sum += s.small[j*basisSize+at] * s.small[j*basisSize+at]
			}
		}
		if sum > 0.1 {
			return at
		}
	}
	return s.index(wanted - 2)
}

// probes reports whether there is such a pair; else the third stands in its place.
func (s *subspace) probes() bool { return s.place[wanted-1] != s.place[wanted-2] }

// rotate stores the first k Ritz vectors in place, or their images, in dst.
func (s *subspace) rotate(dst, from []float64, n, k int) {
	for i, at := range s.place[:k] {
		for j := range s.size {
			s.coef[i*basisSize+j] = s.small[j*basisSize+at]
		}
	}
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, blas64.General{Rows: k, Cols: s.size, Stride: basisSize, Data: s.coef[:]},
		rows(from, n, 0, s.size), 0, rows(dst, n, 0, k))
}

// restart leaves the first basisKept Ritz vectors as the basis. It follows ritz or solve.
func (s *subspace) restart() {
	k := min(basisKept, s.size)
	for i := range k {
		s.place[i] = s.index(i)
	}
	clear(s.probing[:])
	s.rotate(s.next, s.image, s.l, k)
	copy(s.image, s.next[:k*s.l])
	s.rotate(s.next, s.basis, s.n, k)
	copy(s.basis, s.next[:k*s.n])
	for i := range k {
		row := s.proj[i*basisSize : i*basisSize+k]
		clear(row)
		row[i] = s.values[s.place[i]]
	}
	s.size = k
}

// polish rotates the basis so that the images are orthogonal, by one-sided Jacobi rotations: every Ritz value of the product of a
// matrix with its transpose, the images being taken under that matrix, is then as accurate as the length of its image (J. Demmel and
// K. Veselić, Jacobi's method is more accurate than QR, SIAM J. Matrix Anal. Appl. 13, 1992, 1204–1245), where the eigenvalues of the
// projected matrix are accurate to ε times its largest.
func (s *subspace) polish() {
	const sweeps = 12
	for range sweeps {
		rotated := false
		for p := range s.size {
			for q := p + 1; q < s.size; q++ {
				rotated = s.jacobi(p, q) || rotated
			}
		}
		if !rotated {
			break
		}
	}
	for i := range s.size {
		row := s.proj[i*basisSize : i*basisSize+s.size]
		clear(row)
		z := s.image[i*s.l : (i+1)*s.l]
		row[i] = dot(z, z)
	}
}

// jacobi makes images p and q orthogonal, and reports whether they were not.
func (s *subspace) jacobi(p, q int) bool {
	row := func(data []float64, n, i int) blas64.Vector {
		return blas64.Vector{N: n, Inc: 1, Data: data[i*n : (i+1)*n]}
	}
	a, b := row(s.image, s.l, p), row(s.image, s.l, q)
	aa, bb, ab := dot(a.Data, a.Data), dot(b.Data, b.Data), dot(a.Data, b.Data)
	if !(math.Abs(ab) > 4*eps*math.Sqrt(aa)*math.Sqrt(bb)) {
		return false
	}
	zeta := (bb - aa) / (2 * ab)
	t := math.Copysign(1, zeta) / (math.Abs(zeta) + math.Hypot(1, zeta))
	c := 1 / math.Hypot(1, t)
	blas64.Rot(a, b, c, -c*t)
	blas64.Rot(row(s.basis, s.n, p), row(s.basis, s.n, q), c, -c*t)
	return true
}

// random fills v with numbers in [-1, 1) that depend on the seed alone (G. L. Steele, D. Lea and C. H. Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014).
func random(v []float64, seed uint64) {
	state := seed * 0xd1342543de82ef95
	for i := range v {
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		z ^= z >> 31
		v[i] = float64(int64(z)>>10) * 0x1p-53
	}
}
