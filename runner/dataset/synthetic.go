package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

const (
	syntheticName = "synthetic"
	// syntheticVersion changes whenever Draw gives other numbers for the same settings.
	syntheticVersion = "kappa synthetic 1"
)

func syntheticInfo() Info {
	sum := sha256.Sum256([]byte(syntheticVersion))
	return Info{
		Name:    syntheticName,
		Doc:     "Pairs of regression tasks drawn with prescribed spectra of K = XᵀX and a prescribed angle between their eigenvectors.",
		Digest:  hex.EncodeToString(sum[:]),
		Source:  "drawn by kappa",
		Licence: "not applicable",
	}
}

// Synthetic describes a pair of regression tasks with prescribed second-moment matrices
//
//	K_P = V diag(s_P) Vᵀ,  K_H = (VR) diag(s_H) (VR)ᵀ,
//
// where V is a random orthogonal matrix and R the rotation by Angle in each of the planes (1, D), (2, D−1), …: with Angle 0 the
// eigenvectors are the same, and with π/2 the first has changed places with the last, the second with the last but one, and so
// on. For odd D the middle eigenvector stays.
//
// X = U diag(√s)Vᵀ with a random N×D matrix U of orthonormal columns, another for each task, so that the spectra hold up to
// rounding (about 1e-15 of the largest value). Targets are Xw* plus noise, w* standard normal, another for each task.
//
// V, the U's, the w*'s and the noise come from streams of their own: with one Seed, changing spectra, angle or noise leaves the
// rest as it was.
type Synthetic struct {
	D int // columns, at least 1
	N int // rows, at least D; 0 means 2·D
	// Primary and Harmful are the eigenvalues of K_P and K_H.
	Primary, Harmful Spectrum
	Angle            float64 // radians, any finite number
	Noise            float64 // standard deviation of the noise as a multiple of the root mean square of Xw*; 0 for none
	Seed             int64
}

// Spectrum prescribes D eigenvalues: Values, or else a geometric sequence.
type Spectrum struct {
	// Values are the D eigenvalues, not negative and not all 0; the i-th belongs to the i-th eigenvector. The order is kept, so
	// that two spectra can be matched at will; descending is the usual one.
	Values []float64
	// Condition is the ratio of the largest eigenvalue to the smallest non-zero one of the geometric sequence, at least 1.
	Condition float64
	Max       float64 // largest eigenvalue of the sequence; 0 means 1
	Rank      int     // non-zero eigenvalues of the sequence; the rest are 0 and come last; 0 means D
}

// Eigenvalues are the d eigenvalues that s prescribes: a new slice.
func (s Spectrum) Eigenvalues(d int) ([]float64, error) {
	if s.Values != nil {
		switch bad := slices.IndexFunc(s.Values, func(v float64) bool { return !finite(v) || v < 0 }); {
		case s.Condition != 0 || s.Max != 0 || s.Rank != 0:
			return nil, errors.New("eigenvalues are given, and a condition, max or rank too; accepted: either a list or a geometric sequence")
		case len(s.Values) != d:
			return nil, fmt.Errorf("%d eigenvalues are given; accepted: %d, one for each column", len(s.Values), d)
		case bad >= 0:
			return nil, fmt.Errorf("eigenvalue %d is %v; accepted: finite numbers, 0 or more", bad+1, s.Values[bad])
		case slices.Max(s.Values) == 0:
			return nil, errors.New("all eigenvalues are 0; accepted: at least one above 0")
		}
		return slices.Clone(s.Values), nil
	}
	largest, rank := s.Max, s.Rank
	if largest == 0 {
		largest = 1
	}
	if rank == 0 {
		rank = d
	}
	switch {
	case !finite(largest) || largest < 0:
		return nil, fmt.Errorf("the largest eigenvalue is %v; accepted: a finite number above 0", s.Max)
	case !finite(s.Condition) || s.Condition < 1:
		return nil, fmt.Errorf("the condition is %v; accepted: a finite number, 1 or more (or a list of eigenvalues)", s.Condition)
	case rank < 0 || rank > d:
		return nil, fmt.Errorf("the rank is %d; accepted: 0 (all) to %d", s.Rank, d)
	case rank == 1 && s.Condition != 1:
		return nil, fmt.Errorf("the condition is %v with a single non-zero eigenvalue; accepted: 1", s.Condition)
	case largest/s.Condition == 0:
		return nil, fmt.Errorf("the smallest eigenvalue, %v/%v, rounds to 0", largest, s.Condition)
	}
	values := make([]float64, d)
	for i := range rank {
		exponent := 0.0
		if rank > 1 {
			exponent = -float64(i) / float64(rank-1)
		}
		values[i] = largest * math.Pow(s.Condition, exponent)
	}
	return values, nil
}

// Check reports all that is wrong with s, joined into one error; nil if nothing is.
func (s Synthetic) Check() error {
	if s.D < 1 || s.D > MaxValues || s.N > MaxValues || s.rows() > MaxValues/s.D {
		return fmt.Errorf("data set %q: d is %d and n is %d; accepted: d of 1 or more, and at most %d numbers in n rows", syntheticName, s.D, s.N, MaxValues)
	}
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("data set %q: "+format, append([]any{syntheticName}, args...)...))
	}
	if s.N != 0 && s.N < s.D {
		bad("n is %d; accepted: at least d = %d, so that the spectrum is exact, or 0 for 2·d", s.N, s.D)
	}
	if _, err := s.Primary.Eigenvalues(s.D); err != nil {
		bad("spectrum of K_P: %w", err)
	}
	if _, err := s.Harmful.Eigenvalues(s.D); err != nil {
		bad("spectrum of K_H: %w", err)
	}
	if !finite(s.Angle) {
		bad("angle is %v; accepted: a finite number of radians", s.Angle)
	}
	if !finite(s.Noise) || s.Noise < 0 {
		bad("noise is %v; accepted: a finite number, 0 or more", s.Noise)
	}
	return errors.Join(errs...)
}

func (s Synthetic) rows() int {
	if s.N == 0 {
		return 2 * s.D
	}
	return s.N
}

// The streams of random numbers of one seed.
const (
	streamV = iota
	streamUPrimary
	streamUHarmful
	streamWPrimary
	streamWHarmful
	streamNoisePrimary
	streamNoiseHarmful
)

func (s Synthetic) stream(purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(s.Seed), purpose))
}

// Draw makes the two tasks. Equal settings give equal numbers. Cost O(N·D²).
func (s Synthetic) Draw() (p, h *Task, err error) {
	if err := s.Check(); err != nil {
		return nil, nil, err
	}
	v := orthonormal(s.D, s.D, s.stream(streamV)) // row i is the eigenvector v_i
	p, err = s.task(s.Primary, v, s.stream(streamUPrimary), s.stream(streamWPrimary), s.stream(streamNoisePrimary))
	if err != nil {
		return nil, nil, err
	}
	h, err = s.task(s.Harmful, rotate(v, s.Angle), s.stream(streamUHarmful), s.stream(streamWHarmful), s.stream(streamNoiseHarmful))
	return p, h, err
}

func (s Synthetic) task(spectrum Spectrum, v *mat.Dense, u, w, noise *rand.Rand) (*Task, error) {
	values, err := spectrum.Eigenvalues(s.D)
	if err != nil {
		return nil, err
	}
	n := s.rows()
	left := orthonormal(s.D, n, u) // row i is the column u_i of U
	for i, value := range values {
		row := left.RawRowView(i)
		for k := range row {
			row[k] *= math.Sqrt(value)
		}
	}
	t := &Task{X: mat.NewDense(n, s.D, nil), Kind: Regression, Rows: numbered(n), Digest: syntheticInfo().Digest}
	t.X.Mul(left.T(), v)

	best := mat.NewVecDense(s.D, nil)
	for j := range s.D {
		best.SetVec(j, w.NormFloat64())
	}
	y := mat.NewVecDense(n, nil)
	y.MulVec(t.X, best)
	t.Y = y.RawVector().Data
	if s.Noise > 0 {
		level := s.Noise * mat.Norm(y, 2) / math.Sqrt(float64(n))
		for i := range t.Y {
			t.Y[i] += level * noise.NormFloat64()
		}
	}
	t.Probe = slices.Clone(t.Y)
	return t, nil
}

// orthonormal draws k orthonormal vectors of length n ≥ k, the rows of the result, uniformly: normal vectors, each made
// orthogonal to those before it by Gram–Schmidt, twice, which leaves only rounding (L. Giraud, J. Langou, M. Rozložník, "The loss
// of orthogonality in the Gram-Schmidt orthogonalization process", Comput. Math. Appl. 50, 2005).
func orthonormal(k, n int, rng *rand.Rand) *mat.Dense {
	q := mat.NewDense(k, n, nil)
	for i := 0; i < k; {
		row := mat.NewVecDense(n, q.RawRowView(i))
		for j := range n {
			row.SetVec(j, rng.NormFloat64())
		}
		before := mat.Norm(row, 2)
		if i > 0 {
			done := q.Slice(0, i, 0, n)
			var c, along mat.VecDense
			for range 2 {
				c.MulVec(done, row)
				along.MulVec(done.T(), &c)
				row.SubVec(row, &along)
			}
		}
		// A vector (nearly) in the span of the others is drawn anew; with normal numbers this does not happen but for n = k,
		// and there once in 10⁶ times.
		const least = 1e-6
		if norm := mat.Norm(row, 2); norm > least*before {
			row.ScaleVec(1/norm, row)
			i++
		}
	}
	return q
}

// rotate turns the rows v_i, v_{D+1−i} of v into cos α·v_i + sin α·v_{D+1−i} and −sin α·v_i + cos α·v_{D+1−i}: the columns of VR.
func rotate(v *mat.Dense, angle float64) *mat.Dense {
	d, n := v.Dims()
	r := mat.DenseCopyOf(v)
	sin, cos := math.Sincos(angle)
	for i := range d / 2 {
		first, last := r.RawRowView(i), r.RawRowView(d-1-i)
		for j := range n {
			a, b := first[j], last[j]
			first[j], last[j] = cos*a+sin*b, cos*b-sin*a
		}
	}
	return r
}
