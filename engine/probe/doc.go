// Package probe holds attackers: methods that train a linear head w on frozen features X to fit targets y, and thereby measure
// how slow an immunized extractor makes them. Every attacker minimises
//
//	L(w) = ‖Xw − y‖²
//
// where X (N×D) holds the features, Xθ for a linear extractor θ, and reports its progress as the excess loss
//
//	excess(t) = (L(w_t) − L*) / (L(w_0) − L*)
//
// and as the norm ratio ‖w_t − w*‖²/‖w_0 − w*‖² (Eq. 16), with w* the minimum-norm least-squares solution and L* its loss.
// Equation numbers are those of Zheng, Bai, Bullins, Yeh, "Model Immunization from a Condition Number Perspective", ICML 2025,
// arXiv:2505.23760, called the paper. The norm ratio gives most weight to the directions that the loss hardly feels: with
// w_0 = 0 it can order extractors against their excess loss. Read it with the start in mind.
//
// A condition number slows only methods that feel it: [GDExact] is the paper's attacker, [CG] feels the root of it, and
// [LeastSquares] does not feel it at all.
//
// # How the figures are computed
//
// Where N > D the orthogonal factor of X = QR is divided out once: the methods run on R and Qᵀy, which leaves XᵀX, Xᵀy and every
// iterate as they are and makes a step cost O(D²). No Gram matrix is formed. Features and targets are scaled by powers of two
// beforehand, which is exact, so that the squares of huge or tiny features neither overflow nor vanish.
//
// The excess is not computed as a difference of losses, which would leave nothing but rounding near the optimum. With U the left
// singular vectors of X that belong to its k non-zero singular values, L(w) − L* = ‖Uᵀ(Xw − y)‖². That is a sum of squares: it is
// never negative, and nothing is clipped. Where k counts small singular values as zero, it is the excess of the rank-k problem.
//
// The package does not choose features, trains no extractor and computes no condition numbers.
package probe
