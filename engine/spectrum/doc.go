// Package spectrum finds the spectrum of H(θ) = θᵀKθ, its numerical rank, and its condition number κ under two protocols.
//
// The value of κ of a rank-deficient matrix depends on what counts as zero, and both answers in use are computed:
//
//   - `rank`, the definition of the paper (Eq. 1): σ_1/σ_k over the k non-zero singular values. The singular values are those of
//     Xθ, squared. Forming the Gram matrix first would lose half the digits and miscount the rank. k is a property of the data:
//     the number of singular values of X above √ε·σ_1(X), kept for every invertible θ.
//   - `ridge`, what the paper's released code does: the extreme eigenvalues of S + 10⁻⁶I, those not above 10⁻⁶ left out.
//
// The paper is Zheng, Bai, Bullins, Yeh, Model Immunization from a Condition Number Perspective, ICML 2025, arXiv:2505.23760.
//
// The package does not know what a task, a loss or an immunization method is, and computes no gradients.
package spectrum
