package deep

import "context"

// OptKappa descends L(D_P, ω, θ) + λ_P·log κ(H̃_P) + λ_H/log κ(H̃_H), one of the paper's baselines. The gradient of log κ meets the
// smallest singular value of a batch's features by 1/σ_k: it is as noisy as that is. It reads what [Immunize] reads.
func OptKappa(ctx context.Context, p Problem, o Options, draw Draw) (Result, error) {
	return run(ctx, p, o, draw, objective{loss: true, primary: logKappa(), harmful: inverseLogKappa()})
}
