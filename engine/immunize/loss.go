package immunize

import (
	"math"

	kind "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Loss is the supervised loss L(D_P, ω, θ) of the primary task on scores z = Xθω.
type Loss int

const (
	// SquaredError is ‖z − y‖²/N (no factor ½).
	SquaredError Loss = iota
	// Logistic is the mean binary cross-entropy of the logits z, with labels 0 or 1:
	// (1/N) Σ log(1 + exp zᵢ) − yᵢzᵢ, evaluated so that no |z| overflows.
	Logistic
)

// String returns the loss's name.
func (l Loss) String() string {
	switch l {
	case SquaredError:
		return "squared error"
	case Logistic:
		return "logistic"
	}
	return "unknown loss"
}

// eval returns L at the scores z for the targets y and stores ∂L/∂z in dz. All three have the same length N ≥ 1; dz may
// alias z. The value is +Inf where a score overflows and NaN where one is NaN.
func (l Loss) eval(dz, z, y []float64) float64 {
	n := float64(len(z))
	var sum float64
	switch l {
	case SquaredError:
		for i, zi := range z {
			r := zi - y[i]
			sum += r * r
			dz[i] = 2 * r / n
		}
	case Logistic:
		for i, zi := range z {
			// log(1 + e^z) = max(z, 0) + log(1 + e^−|z|); σ(z) from the same exponential, which lies in (0, 1].
			e := math.Exp(-math.Abs(zi))
			p := e / (1 + e)
			if zi >= 0 {
				p = 1 / (1 + e)
			}
			sum += math.Max(zi, 0) + math.Log1p(e) - y[i]*zi
			dz[i] = (p - y[i]) / n
		}
	default:
		panic(badLoss)
	}
	return sum / n
}

// supervised evaluates L = loss(Xθω, y) and its gradients
//
//	∇_θL = Xᵀ(∂L/∂z) ωᵀ (D×D),  ∇_ωL = θᵀXᵀ(∂L/∂z) (D).
//
// Work vectors are kept between calls. Cost O(ND + D²).
type supervised struct {
	loss Loss
	to   []float64 // θω
	z    []float64 // scores, then ∂L/∂z
	xdz  []float64 // Xᵀ(∂L/∂z)

	// Of the data that reduce was given.
	n   int
	r   *mat.Dense // D×D, RᵀR = XᵀX
	xy  []float64  // Xᵀy
	rto []float64  // Rθω
}

func newSupervised(l Loss, d int) *supervised {
	return &supervised{loss: l, to: make([]float64, d), xdz: make([]float64, d)}
}

// reduce makes the data of t ready for fromFactor and reports whether that pays: it does for the squared error with N > D, where
// Xᵀ∂L/∂z = 2(RᵀRθω − Xᵀy)/N takes no pass over X.
func (s *supervised) reduce(t Task) bool {
	n, d := t.X.Dims()
	if s.loss != SquaredError || n <= d {
		return false
	}
	s.n, s.r, s.xy, s.rto = n, t.Factor.R(), make([]float64, d), make([]float64, d)
	multiply(s.xy, kind.Trans, t.X, t.Y)
	return true
}

// fromFactor stores Xᵀ(∂L/∂z) at (θ, ω) in s.xdz, for the data that reduce was given.
func (s *supervised) fromFactor(theta *mat.Dense, omega []float64) {
	multiply(s.to, kind.NoTrans, theta, omega)
	multiply(s.rto, kind.NoTrans, s.r, s.to)
	multiply(s.xdz, kind.Trans, s.r, s.rto)
	for i, v := range s.xy {
		s.xdz[i] = 2 * (s.xdz[i] - v) / float64(s.n)
	}
}

// fromData stores Xᵀ(∂L/∂z) at (θ, ω) in s.xdz and returns L.
func (s *supervised) fromData(x, theta *mat.Dense, omega, y []float64) float64 {
	value := s.value(x, theta, omega, y)
	multiply(s.xdz, kind.Trans, x, s.z)
	return value
}

// value returns L alone.
func (s *supervised) value(x, theta *mat.Dense, omega, y []float64) float64 {
	if n, _ := x.Dims(); len(s.z) != n {
		s.z = make([]float64, n)
	}
	multiply(s.to, kind.NoTrans, theta, omega)
	multiply(s.z, kind.NoTrans, x, s.to)
	return s.loss.eval(s.z, s.z, y)
}

// spread stores ∇_ωL in gOmega, from s.xdz, and returns ‖∇_θL‖_F.
func (s *supervised) spread(gOmega []float64, theta *mat.Dense, omega []float64) (norm float64) {
	multiply(gOmega, kind.Trans, theta, s.xdz)
	return blas64.Nrm2(vector(s.xdz)) * blas64.Nrm2(vector(omega))
}

// gradients returns L, adds a·∇_θL to gTheta, and stores ∇_ωL in gOmega and ‖∇_θL‖_F in norm.
func (s *supervised) gradients(gTheta *mat.Dense, a float64, gOmega []float64, x, theta *mat.Dense, omega, y []float64) (value, norm float64) {
	value = s.fromData(x, theta, omega, y)
	blas64.Ger(a, vector(s.xdz), vector(omega), gTheta.RawMatrix())
	return value, s.spread(gOmega, theta, omega)
}

// multiply stores a·x, or aᵀx, in dst.
func multiply(dst []float64, t kind.Transpose, a *mat.Dense, x []float64) {
	blas64.Gemv(t, 1, a.RawMatrix(), vector(x), 0, vector(dst))
}

// vector returns v as a vector.
func vector(v []float64) blas64.Vector { return blas64.Vector{N: len(v), Inc: 1, Data: v} }
