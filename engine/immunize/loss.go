package immunize

import (
	"math"

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
	to   *mat.VecDense // θω
	z    *mat.VecDense // scores, then ∂L/∂z
	xdz  *mat.VecDense // Xᵀ(∂L/∂z)
}

func newSupervised(l Loss, d int) *supervised {
	return &supervised{loss: l, to: mat.NewVecDense(d, nil), xdz: mat.NewVecDense(d, nil), z: &mat.VecDense{}}
}

// value returns L alone.
func (s *supervised) value(x, theta *mat.Dense, omega, y []float64) float64 {
	return s.scores(x, theta, omega, y)
}

func (s *supervised) scores(x, theta *mat.Dense, omega, y []float64) float64 {
	n, _ := x.Dims()
	if s.z.Len() != n {
		s.z = mat.NewVecDense(n, nil)
	}
	s.to.MulVec(theta, mat.NewVecDense(len(omega), omega))
	s.z.MulVec(x, s.to)
	z := s.z.RawVector().Data
	return s.loss.eval(z, z, y)
}

// gradients returns L, adds a·∇_θL to gTheta, and stores ∇_ωL in gOmega and ‖∇_θL‖_F in norm.
func (s *supervised) gradients(gTheta *mat.Dense, a float64, gOmega []float64, x, theta *mat.Dense, omega, y []float64) (value, norm float64) {
	value = s.scores(x, theta, omega, y)
	w := mat.NewVecDense(len(omega), omega)
	s.xdz.MulVec(x.T(), s.z)
	mat.NewVecDense(len(gOmega), gOmega).MulVec(theta.T(), s.xdz)
	gTheta.RankOne(gTheta, a, s.xdz, w)
	return value, mat.Norm(s.xdz, 2) * mat.Norm(w, 2)
}
