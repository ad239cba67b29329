// Package engine is the part of kappa that computes: pure functions on matrices, in the packages below this one. Nothing here
// opens a file, reads a clock, knows a database or draws from a shared source of randomness. This package itself holds the
// notation that all of them use, and the version of what they compute.
//
// The paper is Zheng, Bai, Bullins, Yeh, Model Immunization from a Condition Number Perspective, ICML 2025, arXiv:2505.23760.
// Equation and theorem numbers are the paper's. Where kappa deviates the text says "corrected here", with the reason.
//
// # Setting
//
// A model is pre-trained for a primary task, D_P, and immunized against a harmful one, D_H: fine-tuning it on D_H is to be slow
// while D_P stays easy.
//
//	X_P, X_H   inputs, one example a row         N_P×D, N_H×D
//	y_P, y_H   targets, or class indices         N
//	θ          linear extractor, features Xθ     D×D (D×m where said)
//	ω, w       heads of the primary, of the harmful task
//	K          XᵀX, uncentred second moments     D×D, symmetric, positive semi-definite
//	H(θ)       θᵀKθ, the Hessian of ‖Xθw − y‖² in w without the factor 2 (Eq. 9)
//	σ_1 ≥ … ≥ σ_k > 0   the non-zero singular values (eigenvalues) of H(θ) or K, k its rank; v_i their vectors
//	κ(S)       σ_1/σ_k, the 2-norm condition number over the non-zero singular values (Eq. 1)
//	Π_K        the orthogonal projector onto the range of K;  K⁺ the pseudo-inverse
//
// An index P or H on K and H(θ) names the task. ‖·‖ is the 2-norm, ‖·‖_F the Frobenius norm, ε = 2⁻⁵².
//
// Gradient descent on frozen features converges like (1 − 1/κ(H_H))ᵗ (Eq. 2): the larger κ(H_H), the slower the attacker. θ is
// immunized (Definition 3.1) where κ(H_H(θ)) ≫ κ(H_H(I)), κ(H_P(θ)) ≤ κ(H_P(I)), and the best primary loss is as good as before.
// The relative immunization ratio (Eq. 15) is RIR = [κ(H_H(θ))/κ(H_H(I))] / [κ(H_P(θ))/κ(H_P(I))].
//
// Proposition 3.2 is corrected here: with θ = UΣVᵀ the numbers σ_{θ,i}²·u_iᵀKu_i that it calls the singular values of H(θ) are
// the diagonal of VᵀHV. They are the eigenvalues only where u_iᵀKu_j = 0 for all i ≠ j; otherwise they are majorised by them.
//
// # Conventions
//
// Matrices are float64 and row-major, gonum's *mat.Dense. Functions leave their arguments unchanged but for a destination, which
// comes first. A shape that does not fit is a programmer's error and panics with a message that begins with the package's name;
// trouble that comes from the data is an error or a status. Numbers that do not apply are NaN, never 0. Randomness comes from the
// *rand.Rand that is passed. Long loops take a context and check it every step.
//
// # Packages
//
// In the order of their dependence: blas (matrix products, behind gonum's interfaces), spectrum (singular values, rank, κ),
// regularizer (R_well, R_ill, log κ: values, gradients, safe steps), ceiling (how far a pair of tasks can be immunized at all),
// immunize (the methods), probe (the attackers), audit (one measurement of any extractor), and, apart from them, summary
// (statistics over seeds). How fast they are stands in README.md.
//
// Functions use gonum's blas64, which blas.Install makes fast; that and the occupied cores are blas's and the only state that
// outlives a call. Figures do not depend on how many cores a product takes, and from one kernel to another by rounding alone.
package engine
