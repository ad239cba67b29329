package deep

import "context"

// RillOnly minimises R_ill(H̃_H) alone, with the weight λ_H. Nothing keeps the primary task in check, and the head stays as it is. It
// reads what [Immunize] reads but LambdaPrimary and LabelSmoothing.
func RillOnly(ctx context.Context, p Problem, o Options, draw Draw) (Result, error) {
	return run(ctx, p, o, draw, objective{harmful: rIll()})
}
