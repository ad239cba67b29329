// Package regularizer holds the two regularizers of model immunization, R_well, which lowers a condition number, and R_ill,
// which raises it, and log κ itself: values, gradients, and the step lengths for which a gradient step moves κ the right way.
//
// With (σ_i, v_i) the eigenpairs of H = H(θ) = θᵀKθ of order D and rank k:
//
//	R_well(H) = ½σ_1² − ‖H‖_F²/(2D)            (Eq. 3)    ∇_θ R_well = 2Kθ(σ_1v_1v_1ᵀ − H/D)
//	R_ill(H)  = 1/g, g = ‖H‖_F²/(2k) − ½σ_k²   (Eq. 12)   ∇_θ R_ill  = 2Kθ(σ_kv_kv_kᵀ − H/k)/g²     (Theorem 4.2)
//	log κ(H)  = log σ_1 − log σ_k                          ∇_θ log κ  = 2Kθ(v_1v_1ᵀ/σ_1 − v_kv_kᵀ/σ_k)
//
// All three gradients are 2Kθ·A with a symmetric inner factor A that has the eigenvectors of H. The paper multiplies them by
// K⁻¹ (Algorithm 1); K⁻¹ is never formed here, because it cancels: K⁻¹·2Kθ·A = 2θ·A. Form chooses between the three readings.
//
// The gradients need σ_1 (for R_ill: σ_k) to be simple. Where it is repeated, the vector that the decomposition returned is
// used: one subgradient of many, the same one on every run; spectrum.Condition says Degenerate.
//
// Corrected here: Theorem 4.1(1), "R_ill = 0 if and only if κ = ∞", is false (R_ill(diag(1, ε)) → 4 as ε → 0), and the step
// intervals of Theorem 4.3 allow steps that move κ the wrong way; see WellInterval and IllInterval. A preconditioned step leaves the
// eigenvectors of H where they are, so that κ after it is known in closed form (WellAfter, IllAfter), and with it the first step
// length that fails (WellFailsAt, IllFailsAt).
//
// For the features F of a deep net H̃ = FᵀF takes the place of H, and the gradients are those in F: see Features.
//
// The paper is Zheng, Bai, Bullins, Yeh, Model Immunization from a Condition Number Perspective, ICML 2025, arXiv:2505.23760.
// The package takes no steps, weighs nothing against a loss, and decomposes matrices only for the general-matrix forms.
package regularizer
