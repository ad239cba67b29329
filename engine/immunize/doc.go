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
