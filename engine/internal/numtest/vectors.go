package numtest

import (
	_ "embed"
	"encoding/json"
	"math"

	"gonum.org/v1/gonum/mat"
)

//go:embed testdata/linear_vectors.json
var linearVectors []byte

// Set is one small problem and its answers, computed with fifty digits from the exact doubles of the inputs and then rounded.
//
// Conventions: K = XᵀX, H = θᵀKθ; R_well with p = D, R_ill with k = rank K_H; the loss is ‖X_Pθω − y_P‖²/N_P.
type Set struct {
	Name       string
	Seed, D    int
	XP, XH     *mat.Dense // N×D
	Theta      *mat.Dense // D×D
	YP, YH     []float64
	Omega      []float64
	Eta        float64
	LambdaP    float64
	LambdaH    float64
	Expected   Expected
	Invertible bool // K_P and K_H are: all forms of a preconditioned gradient agree
}

// Expected holds the answers of a Set.
type Expected struct {
	KP, KH, HP, HH             *mat.Dense
	RankP, RankH               int
	EigHP, EigHH, EigKP, EigKH []float64 // all D eigenvalues, descending, exact zeros included
	KappaRank                  Kappas
	RatioHarmful, RatioPrimary float64 // (i) and (ii) of Eq. 15, rank protocol
	RIR                        float64 // rank protocol
	KappaRidge                 Kappas  // in exact arithmetic, where null eigenvalues are left out
	RIRRidge                   float64
	RidgeStable                bool // KappaRidge can be reproduced in floating point

	RWell, RIll                 float64    // of H_P, of H_H
	GradWell, GradIll           *mat.Dense // ∇_θ, plain
	CancelledWell, CancelledIll *mat.Dense // K⁻¹∇_θ with K cancelled

	Loss               float64
	GradLossTheta      *mat.Dense
	GradLossOmega      []float64
	OmegaNext          []float64  // after one step of Algorithm 1
	ThetaNextCancelled *mat.Dense // the same, cancelled form
	ThetaNextPinv      *mat.Dense // the same, pseudo-inverse form
	NextKappa          Kappas     // of H alone, after the step with the cancelled form, rank protocol

	KHOnNullKP float64   // largest eigenvalue of K_H restricted to null(K_P)
	Mu         []float64 // non-zero eigenvalues of K_P⁺K_H, descending; nil where the ceiling is infinite
	MuRatio    float64   // NaN where the ceiling is infinite
	Ceiling    float64   // +Inf where null(K_P) is not in null(K_H)
	RIRAtRoot  float64   // RIR at (K_P⁺)^½ plus P_null; NaN where the ceiling is infinite

	WellPrinted, WellCorrected float64 // Theorem 4.3(1): upper ends of the step interval
	IllPrinted                 float64 // Theorem 4.3(2)
	IllToZero                  float64 // the step at which σ_k becomes 0
	IllSupIncrease             float64 // κ(H_H) increases for every step below it but IllToZero; +Inf

	ProbeW         []float64       // minimum-norm least-squares solution of ‖X_Hθw − y_H‖²
	ProbeNormRatio map[int]float64 // ‖w_t − w*‖²/‖w*‖² of gradient descent with exact line search from 0, by t
}

// Kappas holds condition numbers of the four matrices; those of K are 0 where they are not given.
type Kappas struct {
	HP float64 `json:"H_P"`
	HH float64 `json:"H_H"`
	KP float64 `json:"K_P"`
	KH float64 `json:"K_H"`
}

// Vectors returns the sets, decoded afresh so that a caller may modify them. It panics if the embedded file does not decode.
func Vectors() []Set {
	var file struct{ Sets []fileSet }
	if err := json.Unmarshal(linearVectors, &file); err != nil {
		panic("numtest: " + err.Error())
	}
	sets := make([]Set, len(file.Sets))
	for i, s := range file.Sets {
		sets[i] = s.set()
	}
	return sets
}

type grid [][]float64

// fileSet is a set as the file spells it.
type fileSet struct {
	Name     string
	Seed, N  int
	XP       grid      `json:"X_P"`
	XH       grid      `json:"X_H"`
	Theta    grid      `json:"theta"`
	YP       []float64 `json:"y_P"`
	YH       []float64 `json:"y_H"`
	Omega    []float64
	Eta      float64
	LambdaP  float64 `json:"lambda_P"`
	LambdaH  float64 `json:"lambda_H"`
	Expected struct {
		KP         grid      `json:"K_P"`
		KH         grid      `json:"K_H"`
		HP         grid      `json:"H_P"`
		HH         grid      `json:"H_H"`
		RankP      int       `json:"rank_P"`
		RankH      int       `json:"rank_H"`
		EigHP      []float64 `json:"eig_desc_H_P"`
		EigHH      []float64 `json:"eig_desc_H_H"`
		EigKP      []float64 `json:"eig_desc_K_P"`
		EigKH      []float64 `json:"eig_desc_K_H"`
		KappaRank  Kappas    `json:"kappa_P_protocol"`
		RIR        rir       `json:"RIR_P_protocol"`
		KappaRidge Kappas    `json:"kappa_Z_protocol_exact_arithmetic"`
		RIRRidge   float64   `json:"RIR_Z_protocol_exact_arithmetic"`
		Stable     bool      `json:"Z_is_floating_point_stable"`

		RWell         float64 `json:"R_well_H_P"`
		RIll          float64 `json:"R_ill_H_H"`
		GradWell      grid    `json:"grad_R_well"`
		GradIll       grid    `json:"grad_R_ill"`
		CancelledWell grid    `json:"cancelled_grad_R_well"`
		CancelledIll  grid    `json:"cancelled_grad_R_ill"`

		Loss          float64   `json:"loss_L_mse"`
		GradLossTheta grid      `json:"grad_L_theta"`
		GradLossOmega []float64 `json:"grad_L_omega"`
		OmegaNext     []float64 `json:"alg1_omega_next"`
		Cancelled     grid      `json:"alg1_theta_next_cancelled"`
		Pinv          grid      `json:"alg1_theta_next_pinv"`
		NextKappa     Kappas    `json:"alg1_next_kappa"`

		KHOnNullKP float64   `json:"K_H_max_on_null_K_P"`
		Mu         []float64 `json:"mu_desc_nonzero"`
		MuRatio    *float64  `json:"mu_ratio"`
		Ceiling    *float64  `json:"ceiling"`
		RIRAtRoot  *float64  `json:"RIR_at_K_P_pinv_sqrt"`

		WellPrinted    float64  `json:"thm43_1_eta_printed"`
		WellCorrected  float64  `json:"thm43_1_eta_corrected"`
		IllPrinted     float64  `json:"thm43_2_eta_printed"`
		IllToZero      float64  `json:"thm43_2_eta_sigma_k_to_zero"`
		IllSupIncrease *float64 `json:"thm43_2_eta_sup_increase"`

		ProbeW     []float64       `json:"probe_H_wstar"`
		ProbeRatio map[int]float64 `json:"probe_H_norm_ratio_exact_line_search"`
	}
}

type rir struct {
	I   float64 `json:"i"`
	II  float64 `json:"ii"`
	RIR float64
}

func (s fileSet) set() Set {
	e := s.Expected
	return Set{
		Name: s.Name, Seed: s.Seed, D: s.N, XP: Rows(s.XP), XH: Rows(s.XH), Theta: Rows(s.Theta), YP: s.YP, YH: s.YH,
		Omega: s.Omega, Eta: s.Eta, LambdaP: s.LambdaP, LambdaH: s.LambdaH, Invertible: e.RankP == s.N && e.RankH == s.N,
		Expected: Expected{
			KP: Rows(e.KP), KH: Rows(e.KH), HP: Rows(e.HP), HH: Rows(e.HH), RankP: e.RankP, RankH: e.RankH,
			EigHP: e.EigHP, EigHH: e.EigHH, EigKP: e.EigKP, EigKH: e.EigKH,
			KappaRank: e.KappaRank, RatioHarmful: e.RIR.I, RatioPrimary: e.RIR.II, RIR: e.RIR.RIR,
			KappaRidge: e.KappaRidge, RIRRidge: e.RIRRidge, RidgeStable: e.Stable,
			RWell: e.RWell, RIll: e.RIll, GradWell: Rows(e.GradWell), GradIll: Rows(e.GradIll),
			CancelledWell: Rows(e.CancelledWell), CancelledIll: Rows(e.CancelledIll),
			Loss: e.Loss, GradLossTheta: Rows(e.GradLossTheta), GradLossOmega: e.GradLossOmega,
			OmegaNext: e.OmegaNext, ThetaNextCancelled: Rows(e.Cancelled), ThetaNextPinv: Rows(e.Pinv), NextKappa: e.NextKappa,
			KHOnNullKP: e.KHOnNullKP, Mu: e.Mu, MuRatio: or(e.MuRatio, math.NaN()),
			Ceiling: or(e.Ceiling, math.Inf(1)), RIRAtRoot: or(e.RIRAtRoot, math.NaN()),
			WellPrinted: e.WellPrinted, WellCorrected: e.WellCorrected, IllPrinted: e.IllPrinted, IllToZero: e.IllToZero,
			IllSupIncrease: or(e.IllSupIncrease, math.Inf(1)), ProbeW: e.ProbeW, ProbeNormRatio: e.ProbeRatio,
		},
	}
}

// or returns what p points to, or missing where the file has no number.
func or(p *float64, missing float64) float64 {
	if p == nil {
		return missing
	}
	return *p
}
