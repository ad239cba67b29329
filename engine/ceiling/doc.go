// Package ceiling answers how immunizable a pair of tasks is: how large the relative immunization ratio
//
//	RIR(θ) = [κ(H_H(θ))/κ(K_H)] / [κ(H_P(θ))/κ(K_P)]   (Eq. 15),  H(θ) = θᵀKθ,
//
// of the harmful task H and the primary task P can become over all invertible linear extractors θ, which θ attains it, and what
// bounds it when κ(θ) is bounded. All κ are over non-zero eigenvalues (the protocol `rank`). Equation numbers are those of Zheng,
// Bai, Bullins, Yeh, "Model Immunization from a Condition Number Perspective", ICML 2025, arXiv:2505.23760, called the paper; the
// results below are not in it.
//
// # The ceiling
//
// Let K_P be invertible and μ_1 ≥ … ≥ μ_D the eigenvalues of K_Hv = μK_Pv. For unit vectors a, b and u = θa, w = θb,
//
//	(aᵀH_Ha)/(bᵀH_Hb) = [μ(u)/μ(w)]·(aᵀH_Pa)/(bᵀH_Pb),  μ(u) = uᵀK_Hu/uᵀK_Pu ∈ [μ_D, μ_1],
//
// and maximising over a and b gives κ(H_H)/κ(H_P) ≤ μ_1/μ_D, hence RIR ≤ C := (μ_1/μ_D)·κ(K_P)/κ(K_H). At θ = K_P^(−½) H_P is the
// identity, H_H has the eigenvalues μ, and the bound is attained.
//
// If null(K_P) lies in null(K_H), the same holds with the non-zero eigenvalues μ_1 ≥ … ≥ μ_r of K_P⁺K_H, and (K_P⁺)^½ plus anything
// invertible on null(K_P) attains it. Otherwise the harmful task uses a direction n that the primary task never sees. Scaling it by t
// takes κ(H_H) to infinity and leaves H_P alone: there is no ceiling, unless K_H has rank 1 and κ(H_H) is 1 for every θ. The freedom
// is the number of such directions.
//
// # The price
//
// The factor by which θ changes a condition number lies between κ(θ)⁻² and κ(θ)², so that RIR ≤ κ(θ)⁴; κ(H_P) ≥ 1 gives
// RIR ≤ κ(θ)²·κ(K_P). With κ(θ) ≤ c, hence, RIR ≤ min(c⁴, c²·κ(K_P), C). See [Bound].
//
// # The clipped spike
//
// The non-zero spectrum of θᵀKθ is that of K^½MK^½ with M = θθᵀ: only M matters, and θQ with Q orthogonal changes no κ. Let κ(θ) ≤ c,
// which after scaling is I ≤ M ≤ c²I. In the basis of K_P's eigenvectors, with eigenvalues λ_i, let the spectrum of H_P be kept within
// [L, U]:
//
//	D = diag(max(1, L/λ_i)),  D̄ = diag(min(c², U/λ_i)),  1 and c² on null(K_P);
//
// every M with D ≤ M ≤ D̄ is allowed, has κ(H_P) ≤ U/L, and
//
//	κ(H_H) ≤ λ_max(K_H^½D̄K_H^½) / λ_min(K_H^½DK_H^½).
//
// D is K_P⁺ clipped from below. A spike on it, M = D + ννᵀ with ν = (D̄ − D)^½y and |y| = 1, attains this bound but for the overlap of the
// two eigenvectors behind it, if y points from the one away from the other. [Bounded] searches L and U for the largest
// κ(H_H)/κ(H_P). Where K_P is positive definite no other M does much better: one with κ(θ) ≤ c and the spectrum of H_P within [L, U] lies
// between D/2 and 2D̄, because M ≤ A and M ≤ B give M ≤ 2(A⁻¹ + B⁻¹)⁻¹, so that its κ(H_H) is at most four times that bound.
//
// What counts as zero is decided once, by the factors of the data; a direction of null(K_P) is used by the harmful task where
// ‖X_Hn‖ > 2⁻²⁶·σ_max(X_H). The package trains nothing and knows no data beyond the two factors.
package ceiling
