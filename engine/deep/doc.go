// Package deep does with deep nets what the engine's other packages do with linear extractors: it pre-trains them, immunizes them
// against a harmful task, measures that, and attacks them. The condition numbers are those of feature Gram matrices H̃ = FᵀF,
// F = f_θ(X) (Zheng, Bai, Bullins and Yeh, Model Immunization from a Condition Number Perspective, ICML 2025, section 4.3 and
// Eq. 17). Nets are [kappa/engine/nn]'s; it reads no files and no clock.
package deep
