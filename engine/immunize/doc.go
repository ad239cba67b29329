// Package immunize holds the methods that look for a linear extractor θ (D×D) under which gradient descent on a harmful task is
// slow while it stays fast on the primary one: features are Xθ, the Hessian of an ℓ₂ linear probe on them is
// H(θ) = θᵀKθ with K = XᵀX, and the aim is a large κ(H_H(θ)) beside a small κ(H_P(θ)).
//
// The paper is Zheng, Bai, Bullins, Yeh, Model Immunization from a Condition Number Perspective, ICML 2025, arXiv:2505.23760;
// equation and theorem numbers in this package are its. Where a method deviates, its comment says so.
//
// Every method is a Func: a pure function of the problem, the options and, where it says so, random numbers.
//
//	Identity    θ = θ_0
//	Algorithm1  the paper's Algorithm 1, on all rows or on mini-batches
//	Released    what the paper's released code does
//	RillOnly    R_ill(H_H) alone
//	IMMA        the bi-level game of Zheng and Yeh, ECCV 2024, with a truncated inner loop
//	OptKappa    log κ(H_P) + 1/log κ(H_H) directly
//	Optimum     the closed form that attains the ceiling of RIR
//
// # Steps
//
// With the step rule Fixed a step is −η times the method's direction, through the optimizer. With Normalized each regularizer's
// gradient is scaled to the Frobenius norm s = StepFraction·‖θ‖_F/√D at every step, so that η and the two λ have no part in it.
// K⁻¹ is never formed: in the preconditioned gradient it cancels (regularizer.Cancelled).
//
// # Certified steps
//
// Theorem 4.3 is about a step along one regularizer's preconditioned gradient alone, while a step of Algorithm 1 adds two of them
// and a loss. With Certified a step is two half steps, each exactly what one part of the theorem, as corrected in package
// regularizer, is about:
//
//	θ ← θ − η_P·2θ(σ_1v_1v_1ᵀ − H_P/D)         lowers κ(H_P) for 0 < η_P < min{(1−√(σ_k/σ_1))/(2(1−1/D)σ_1), D(√(σ_1σ_2)−σ_2)/(2σ_2²)}
//	θ ← θ − η_H·2θ(σ_kv_kv_kᵀ − H_H/k)/g²      raises κ(H_H) for 0 < η_H < g²/(2(1−1/k)σ_k)
//
// with σ, v, k and g of H_P at θ, then of H_H at the new θ. η is StepFraction of the interval, and less where the half step would be
// longer than StepLength·‖θ‖_F/√D. RillOnly takes the second half alone. The supervised loss has no part in it: under an invertible θ
// it costs nothing (Definition 3.1(c) holds exactly).
//
// What is guaranteed: at every half step κ of that half step's own task moves the right way, if σ_1(H_P) is simple, whatever the data.
// It is measured, not assumed: HalfStep holds κ before and after, and what rounding leaves in their quotient; a change of no more
// than that is counted as neither success nor violation.
//
// What is not: anything about the other task, and so about RIR. A half step that raises κ(H_H) may raise κ(H_P) by more, and both
// κ rise or fall over a whole step as it comes. Nor does the interval of the second half say how far is far enough: for a large
// κ(H_H) a step of half of it scales the direction of σ_1 by about κ(H_H)/(2k), and a few such steps leave nothing that double
// precision resolves (Diverged). StepLength is there to keep the two tasks within sight of each other.
//
// Where a theorem has nothing to say its half step is not taken, and counted as idle: κ = 1 (D = 1, k = 1, g = 0), or a repeated
// σ_1(H_P), which leaves no interval. (A repeated σ_k(H_H) with g > 0 does: any vector of its eigenspace serves.) With both halves
// idle the run ends: Converged where κ is 1, Degenerate where σ_1(H_P) is repeated or R_ill has no gradient.
//
// Beside the corrected intervals HalfStep holds the printed ones and what they would have done: κ after a step is known in closed form
// (regularizer.WellAfter, IllAfter), and so is the smallest η that moves it the wrong way.
//
// # Counts
//
// Theorem 4.3 promises that a step along one regularizer's preconditioned gradient moves κ the right way while its effective η
// is inside an interval; Counts say how often the steps taken did and were. The effective η is the factor of the cancelled
// gradient 2θA of that regularizer in the step: η·λ under Fixed, s/‖2θA‖_F under Normalized, with SGD the factor of the present
// gradient alone. Adam has no such factor and the plain form (no preconditioner) no such theorem: there nothing is counted. The
// intervals are the corrected ones of regularizer.Interval. A step has two or three terms, and a theorem about one: a step inside
// both intervals may still move a κ the wrong way, and the counts are there to show it.
//
// On mini-batches the intervals are those of the batch's Hessians, and κ, which takes all the rows, is compared between
// consecutive trace points only: Counts.Compared says how many comparisons there were.
//
// The package does not measure RIR (package audit), attack what it made (package probe), or find the rank of the data (package
// spectrum). It reads no file and no clock. The two tasks of a step, its products and its passes over θ share the cores that
// package blas finds free; the results do not depend on how many there are.
package immunize
