package numtest

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Rand returns a generator for one test.
func Rand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6b61707061)) }

// Gaussian returns an m×n matrix of independent standard normal numbers.
func Gaussian(rng *rand.Rand, m, n int) *mat.Dense {
	a := mat.NewDense(m, n, nil)
	for i := range m {
		row := a.RawRowView(i)
		for j := range row {
			row[j] = rng.NormFloat64()
		}
	}
	return a
}

// Orthogonal returns a random orthogonal matrix of order n, uniformly distributed: Q of a Gaussian matrix's QR factorisation with
// the signs that make the diagonal of R positive (F. Mezzadri, Notices of the AMS 54, 2007, 592–604).
func Orthogonal(rng *rand.Rand, n int) *mat.Dense {
	var qr mat.QR
	qr.Factorize(Gaussian(rng, n, n))
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	for j := range n {
		if r.At(j, j) < 0 {
			for i := range n {
				q.Set(i, j, -q.At(i, j))
			}
		}
	}
	return &q
}

// WithSingularValues returns a random m×n matrix UΣVᵀ with the given min(m, n) singular values.
func WithSingularValues(rng *rand.Rand, m, n int, values []float64) *mat.Dense {
	if len(values) != min(m, n) {
		panic("numtest: an m×n matrix has min(m, n) singular values")
	}
	left := mat.DenseCopyOf(Orthogonal(rng, m).Slice(0, m, 0, len(values)))
	right := Orthogonal(rng, n).Slice(0, n, 0, len(values))
	for i := range m {
		row := left.RawRowView(i)
		for j, v := range values {
			row[j] *= v
		}
	}
	var a mat.Dense
	a.Mul(left, right.T())
	return &a
}

// WithEigenvalues returns a random symmetric matrix QΛQᵀ with the given eigenvalues.
func WithEigenvalues(rng *rand.Rand, values []float64) *mat.SymDense {
	n := len(values)
	q := Orthogonal(rng, n)
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			sum := 0.0
			for k, v := range values {
				sum += q.At(i, k) * v * q.At(j, k)
			}
			s.SetSym(i, j, sum)
		}
	}
	return s
}

// Geometric returns n values that fall from top to bottom by a constant factor; one value is top.
func Geometric(top, bottom float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = top
		if i > 0 {
			out[i] = top * math.Pow(bottom/top, float64(i)/float64(n-1))
		}
	}
	return out
}

// Diagonal returns the diagonal matrix with the given values.
func Diagonal(values ...float64) *mat.Dense {
	a := mat.NewDense(len(values), len(values), nil)
	for i, v := range values {
		a.Set(i, i, v)
	}
	return a
}

// Poisoned returns an m×n matrix in which every element, and every element of memory between and after its rows, is NaN: a
// routine that reads what it should only write, or strays over the end of a row, shows.
func Poisoned(m, n int) *mat.Dense {
	const extra = 3
	wide := mat.NewDense(m+1, n+extra, nil)
	for i := range m + 1 {
		row := wide.RawRowView(i)
		for j := range row {
			row[j] = math.NaN()
		}
	}
	return wide.Slice(0, m, 0, n).(*mat.Dense)
}

// PoisonedCopy returns a copy of a whose memory between the rows is NaN.
func PoisonedCopy(a mat.Matrix) *mat.Dense {
	out := Poisoned(a.Dims())
	out.Copy(a)
	return out
}

// PoisonedSym returns a symmetric matrix of order n with NaN everywhere, the half that is not referenced included.
func PoisonedSym(n int) *mat.SymDense {
	data := make([]float64, n*n)
	for i := range data {
		data[i] = math.NaN()
	}
	return mat.NewSymDense(n, data)
}

// Intact reports whether the memory between the rows of a, made by Poisoned or PoisonedCopy, is still NaN.
func Intact(a *mat.Dense) bool {
	raw := a.RawMatrix()
	for i := range raw.Rows - 1 {
		for _, v := range raw.Data[i*raw.Stride+raw.Cols : (i+1)*raw.Stride] {
			if !math.IsNaN(v) {
				return false
			}
		}
	}
	return true
}
