package deep

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"kappa/engine/immunize"
	"kappa/engine/nn"
)

const (
	// ridge is ρ of [LinearProbe]'s optimum: it decides only where the images leave the head undecided, along features with less
	// than some 10⁻⁸ of the features' mean square, and how far separable classes are driven apart.
	ridge = 1e-8
	// gradientFloor is the largest element of the gradient, in white coordinates, at which the optimum counts as found.
	gradientFloor = 1e-7
	// gain is what settling iterations have to gain together, else the optimum counts as found too: separable classes are driven
	// apart for ever by gradients that hardly shrink.
	gain, settling = 1e-7, 20
	// majorIterations bounds the search; with white features it takes a few dozen to a few hundred.
	majorIterations = 1000
	// pairs is L-BFGS's memory.
	pairs = 20
)

// Stalled is the status of an optimum by [LBFGS] whose search ended before it counted as found: the head is the best one seen.
const Stalled immunize.Status = "stalled"

// softmax is the value that [LinearProbe]'s optimum minimizes, in white coordinates U, (D+1)×K: with X = (F/s 1) and RᵀR = XᵀX/n + ρI,
// the head V = (sW b)ᵀ is R⁻¹U and the logits are XV = ZU, Z = XR⁻¹.
type softmax struct {
	labels  []int
	classes int
	scale   float64 // s
	z       *mat.Dense
	white   *mat.TriDense // R, upper

	at     []float64 // U that the following belong to
	v      *mat.Dense
	logits *mat.Dense // then ∂CE/∂logits
	loss   float64    // mean cross-entropy
	value  float64
	grad   *mat.Dense
}

// errNotFinite says that features cannot be made white.
var errNotFinite = errors.New("a feature is NaN or infinite")

// newSoftmax makes features white. It overwrites x, n×(D+1), whose first D columns are the features.
func newSoftmax(x *mat.Dense, labels []int, classes int) (*softmax, error) {
	n, d1 := x.Dims()
	s := &softmax{labels: labels, classes: classes, scale: standardize(x)}
	if s.scale-s.scale != 0 {
		return nil, errNotFinite
	}
	gram := mat.NewSymDense(d1, nil)
	for i := range d1 {
		gram.SetSym(i, i, ridge)
	}
	blas64.Syrk(blas.Trans, 1/float64(n), x.RawMatrix(), 1, gram.RawSymmetric())
	var chol mat.Cholesky
	if !chol.Factorize(gram) {
		return nil, errNotFinite // λ_min ≥ 10⁻⁸ of at most D+1
	}
	s.white = mat.NewTriDense(d1, mat.Upper, nil)
	chol.UTo(s.white)
	blas64.Trsm(blas.Right, blas.NoTrans, 1, s.white.RawTriangular(), x.RawMatrix())
	s.z = x
	s.v, s.grad = mat.NewDense(d1, classes, nil), mat.NewDense(d1, classes, nil)
	s.logits = mat.NewDense(n, classes, nil)
	return s, nil
}

// standardize divides the features in the first columns of x by the root of their mean square, which it returns, and sets the last column
// to 1. Features that are all 0 stay and give 1; ones that are not finite give NaN or +Inf.
func standardize(x *mat.Dense) float64 {
	n, d1 := x.Dims()
	sum := 0.0
	for i := range n {
		for _, v := range x.RawRowView(i)[:d1-1] {
			sum += v * v
		}
	}
	scale := math.Sqrt(sum / float64(n*(d1-1)))
	if scale == 0 {
		scale = 1
	}
	for i := range n {
		row := x.RawRowView(i)
		for j := range row[:d1-1] {
			row[j] /= scale
		}
		row[d1-1] = 1
	}
	return scale
}

// evaluate computes value and gradient at u, unless they are there.
func (s *softmax) evaluate(u []float64) {
	if s.at != nil && equal(s.at, u) {
		return
	}
	s.at = append(s.at[:0], u...)
	copy(s.v.RawMatrix().Data, u)
	blas64.Trsm(blas.Left, blas.NoTrans, 1, s.white.RawTriangular(), s.v.RawMatrix())
	s.logits.Mul(s.z, mat.NewDense(s.v.RawMatrix().Rows, s.classes, s.at))
	n := len(s.labels)
	s.loss = 0
	for i, y := range s.labels {
		s.loss += crossEntropy(s.logits.RawRowView(i), y, 1/float64(n))
	}
	s.loss /= float64(n)
	norm := 0.0
	for _, v := range s.v.RawMatrix().Data {
		norm += v * v
	}
	s.value = s.loss + ridge/2*norm
	// Zᵀ∂CE/∂logits + ρR⁻ᵀV
	s.grad.Copy(s.v)
	blas64.Trsm(blas.Left, blas.Trans, ridge, s.white.RawTriangular(), s.grad.RawMatrix())
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, s.z.RawMatrix(), s.logits.RawMatrix(), 1, s.grad.RawMatrix())
}

// crossEntropy returns the cross-entropy of logits with a label and replaces them by weight times its derivatives.
func crossEntropy(z []float64, label int, weight float64) float64 {
	top := math.Inf(-1)
	for _, v := range z {
		top = max(top, v)
	}
	total, own := 0.0, z[label]
	for k, v := range z {
		z[k] = math.Exp(v - top)
		total += z[k]
	}
	for k := range z {
		z[k] *= weight / total
	}
	z[label] -= weight
	return top + math.Log(total) - own
}

func equal(a, b []float64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// minimize goes to the optimum from U = 0 and returns the head: W as D×K and b, in the features' units.
func (s *softmax) minimize(ctx context.Context) (w *mat.Dense, b []float64, res TrainResult, err error) {
	d1, k := s.v.Dims()
	problem := optimize.Problem{
		Func: func(u []float64) float64 { s.evaluate(u); return s.value },
		Grad: func(g, u []float64) { s.evaluate(u); copy(g, s.grad.RawMatrix().Data) },
	}
	count := &iterations{ctx: ctx}
	settings := &optimize.Settings{
		GradientThreshold: gradientFloor, MajorIterations: majorIterations, Recorder: count,
		Converger: &optimize.FunctionConverge{Absolute: gain, Iterations: settling},
	}
	found, err := optimize.Minimize(problem, make([]float64, d1*k), settings, &optimize.LBFGS{Store: pairs, GradStopThreshold: math.NaN()})
	switch {
	case ctx.Err() != nil:
		return nil, nil, TrainResult{}, ctx.Err()
	case found == nil:
		return nil, nil, TrainResult{}, err
	}
	s.evaluate(found.X)
	res.Steps = found.MajorIterations
	res.Status, res.Reason = ended(found.Status, err)
	w = mat.NewDense(d1-1, k, nil)
	w.Scale(1/s.scale, s.v.Slice(0, d1-1, 0, k))
	return w, append([]float64(nil), s.v.RawRowView(d1-1)...), res, nil
}

// ended turns the end of a search by L-BFGS into a status and its sentence.
func ended(status optimize.Status, err error) (immunize.Status, string) {
	switch {
	case err != nil: // of the line search
		return Stalled, fmt.Sprintf("L-BFGS found no further step: %v", err)
	case status == optimize.GradientThreshold || status == optimize.FunctionConvergence:
		return immunize.Converged, ""
	case status == optimize.IterationLimit:
		return immunize.StepLimit, fmt.Sprintf("limit of %d iterations of L-BFGS", majorIterations)
	}
	return Stalled, fmt.Sprintf("L-BFGS ended with %v", status)
}

// iterations ends a minimization whose context is done.
type iterations struct{ ctx context.Context }

// Init does nothing.
func (*iterations) Init() error { return nil }

// Record looks at the context.
func (i *iterations) Record(*optimize.Location, optimize.Operation, *optimize.Stats) error {
	return i.ctx.Err()
}

// optimum continues a linear probe that has taken no step: it records the optimum as the last epoch.
func (t *trainer) optimum(ctx context.Context, epochs int) (TrainResult, error) {
	res := TrainResult{Epochs: t.res.Epochs}
	x, labels, err := t.features(t.data)
	if err != nil {
		return TrainResult{}, err
	}
	s, err := newSoftmax(x, labels, t.net.Classes())
	if errors.Is(err, errNotFinite) {
		res.Status, res.Reason = immunize.Diverged, "step 1: "+err.Error()
		return res, nil
	}
	w, b, found, err := s.minimize(ctx)
	if err != nil {
		return TrainResult{}, err
	}
	res.Steps, res.Status, res.Reason = found.Steps, found.Status, found.Reason
	e := Epoch{Epoch: epochs, Loss: s.loss}
	if x, labels, err = t.features(t.test); err != nil {
		return TrainResult{}, err
	}
	e.Accuracy, e.TestLoss = judge(x, labels, w, b)
	res.Epochs = append(res.Epochs, e)
	if t.finished != nil {
		t.finished(e)
	}
	return res, nil
}

// features returns features n×(D+1), the last column undefined, and labels.
func (t *trainer) features(src source) (*mat.Dense, []int, error) {
	n, d := src.count(), t.net.Width
	x := mat.NewDense(n, d+1, nil)
	var part nn.Tensor
	labels := make([]int, 0, n)
	for i := range n {
		row := []int{i}
		if err := src.read(&part, row); err != nil {
			return nil, nil, err
		}
		widen(x.RawRowView(i)[:d], part.Data)
		labels = src.label(labels, row)
	}
	return x, labels, nil
}

// judge returns accuracy and mean cross-entropy of a head on features n×(D+1), of which the last column is not read.
func judge(x *mat.Dense, labels []int, w *mat.Dense, b []float64) (accuracy, loss float64) {
	n, d1 := x.Dims()
	var logits mat.Dense
	logits.Mul(x.Slice(0, n, 0, d1-1), w)
	right := 0
	for i, y := range labels {
		z, best := logits.RawRowView(i), 0
		for k := range z {
			z[k] += b[k]
			if z[k] > z[best] {
				best = k
			}
		}
		if best == y {
			right++
		}
		loss += crossEntropy(z, y, 0)
	}
	return float64(right) / float64(n), loss / float64(n)
}
