package deep

import "context"

// Immunize is the paper's Algorithm 1 on a net: a step descends
//
//	L(D_P, ω, θ) + λ_P·R_well(H̃_P(θ)) + λ_H·R_ill(H̃_H(θ))
//
// on a batch of each task, H̃ = FᵀF of the batch's features, L the label-smoothed cross-entropy of the head ω, which moves with the
// unfrozen part of θ. The gradients in the features, 2F·∂R/∂H̃ ([regularizer.Features]), go back through the unfrozen blocks. There is
// no K⁻¹: that is a linear extractor's.
//
// R_ill has no lower bound but 0, which it approaches as ‖H̃_H‖ grows, whatever κ does: mostly it raises σ_1(H̃_H), by the fourth power of
// which it falls. A weight that balances it at θ_0 is soon too small, and the cosine and the clipping keep it from being too large.
//
// It reads all options but InnerSteps and InnerRate. A step costs a forward pass of two batches and a backward pass of the
// unfrozen blocks, and 0.1 ms for each batch of 64 with 64 features.
func Immunize(ctx context.Context, p Problem, o Options, draw Draw) (Result, error) {
	return run(ctx, p, o, draw, objective{loss: true, primary: rWell(), harmful: rIll()})
}
