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
// # The attackers
//
// A condition number slows only methods that feel it. [GDExact] is the paper's attacker; [GDFixed] needs as many steps, and [Nesterov],
// [CG] and [LBFGS] feel the root of κ at most; [LeastSquares] does not feel it at all. These six know no coordinates: they attack Xθ and
// XθQ alike, Q orthogonal. [GDStandardized] and [Adam] do, and gain where θ stretches single features.
//
// GDFixed, Nesterov, Adam and LBFGS have a form for classes, [LogisticGDFixed] and so on, which minimises the mean logistic loss of labels 0
// and 1. Its infimum, found by Newton's method, stands for L*; where the classes are separable there is no minimum, and no excess. There
// is no norm ratio either.
//
// [CG] and [LBFGS] on the squared loss are written here and not taken from gonum: package optimize sees a function and a gradient, and cannot
// know that the line search on a quadratic has a closed form, nor go by way of the residual, without which half the digits are lost
// (CGLS). [LogisticLBFGS] is gonum's.
//
// # How the figures are computed
//
// No Gram matrix is formed. Data that many extractors share are reduced once ([NewData]): what is left of X is Σ_kV_kᵀ, k×D, and of y
// the k coordinates U_kᵀy and the length of the rest. Under an extractor ([Data.Under]) the product F = Σ_kV_kᵀθ is brought to bidiagonal
// form by orthogonal changes of coordinates, after which a step costs O(D), whatever N ([spectrum.GolubKahan]); in the rare case of
// features that have lost a direction of the data, to diagonal form. Nothing depends on the choice but rounding: no iterate of a method
// that knows no coordinates, no loss, and no distance. GDStandardized has a bidiagonal form of its own, Adam runs on F, on which the solution of LeastSquares is measured too, and the
// logistic loss needs all rows of the data in every step. Features and targets are scaled by powers of two beforehand, which is exact,
// so that the squares of huge or tiny features neither overflow nor vanish.
//
// The excess is not computed as a difference of losses, which would leave nothing but rounding near the optimum. With U the left
// singular vectors of X that belong to its k non-zero singular values, L(w) − L* = ‖Uᵀ(Xw − y)‖². That is a sum of squares: it is
// never negative, and nothing is clipped. Where k counts small singular values as zero, it is the excess of the rank-k problem. The
// excess of the logistic loss is a difference, and good to 10⁻¹⁰ or so of the loss.
//
// The package does not choose features, trains no extractor and computes no condition numbers.
package probe
