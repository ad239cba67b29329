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
// R_ill has no lower bound but 0, which it approaches as ‖H̃_H‖ grows, whatever κ does: mostly it raises σ_1(H̃_H), as R_well lowers
// σ_1(H̃_P), and κ follows where σ_k stays. How far that goes in a given number of steps is a matter of the weights: the larger
// BalanceNorm, the larger RIR and the price in accuracy, until σ_k(H̃_H) falls below what float32 features resolve, the rank falls with
// it, and κ is that of the rest. The last norm of a Vision Transformer, with weights w and biases b, ties the features f of every image by
// Σ_j (f_j − b_j)/w_j = 0: their smallest singular value is that direction's, the same for both tasks, and moves with the norm.
//
// It reads all options but InnerSteps and InnerRate. A step costs a forward pass of two batches and a backward pass of the
// unfrozen blocks, and 0.1 ms for each batch of 64 with 64 features.
func Immunize(ctx context.Context, p Problem, o Options, draw Draw) (Result, error) {
	return run(ctx, p, o, draw, objective{loss: true, primary: rWell(), harmful: rIll()})
}
