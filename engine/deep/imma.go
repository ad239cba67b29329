package deep

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"kappa/engine/nn"
	"kappa/engine/regularizer"
)

// IMMA is the bi-level method of Zheng and Yeh, IMMA: Immunizing text-to-image models against malicious adaptation, ECCV 2024, on a
// net. In each step the inner player takes InnerSteps gradient steps of size InnerRate with a head of its own on the cross-entropy
// of the harmful batch, whose features stay as they are; the outer player then descends
//
//	L(D_P, ω, θ) − λ_H·L(D_H, w, θ)
//
// at the head w that the inner player reached: it serves the primary task and hinders the harmful one. As in that paper's code the
// derivative of w in θ is left out (first order). The inner player's head is drawn once, as the net's own head is, and kept from
// step to step.
//
// Nothing bounds the harmful loss from above: without ClipNorm the outer player may run away. The inner player does where InnerRate is
// above 4/‖f‖², f the features of an image: the curvature of the cross-entropy in the head is up to ½‖f‖².
//
// It reads what [Immunize] reads but LambdaPrimary, and InnerSteps and InnerRate.
func IMMA(ctx context.Context, p Problem, o Options, draw Draw) (Result, error) {
	fresh := p.Net.WithHead(p.Harmful.Classes(), draw("head"))
	return run(ctx, p, o, draw, objective{loss: true, harmful: &adversary{o: &o, head: fresh.Head.Layer}})
}

// adversary is IMMA's inner player, whose loss is to rise: the term is −L(D_H, w, θ).
type adversary struct {
	o     *Options
	head  nn.Layer
	x, dz nn.Tensor
	loss  float64    // on the last batch, at the head reached
	dx    *nn.Tensor // its gradient in the features
}

func (a *adversary) set(f *mat.Dense, _ *regularizer.Features, labels []int, play bool) {
	rows, d := f.Dims()
	a.x.Resize(rows, d)
	for i := range rows {
		x := a.x.Sample(i)
		for j, v := range f.RawRowView(i) {
			x[j] = float32(v)
		}
	}
	if play {
		for range a.o.InnerSteps {
			a.pass(labels)
			for _, p := range a.head.Params() {
				for i, g := range p.Gradient() {
					p.Value[i] -= float32(a.o.InnerRate) * g
				}
			}
		}
	}
	a.pass(labels)
}

// pass computes the loss and its gradients in the features and the head.
func (a *adversary) pass(labels []int) {
	for _, p := range a.head.Params() {
		clear(p.Gradient())
	}
	a.loss = nn.CrossEntropy(a.head.Forward(&a.x, nn.Mode{}), labels, 0, &a.dz)
	a.dx = a.head.Backward(&a.dz, true)
}

func (a *adversary) add(dst *mat.Dense, c float64) bool {
	rows, _ := dst.Dims()
	for i := range rows {
		row := dst.RawRowView(i)
		for j, v := range a.dx.Sample(i) {
			row[j] -= c * float64(v)
		}
	}
	return true
}
