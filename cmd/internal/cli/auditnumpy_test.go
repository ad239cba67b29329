package cli

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// TestAuditAgreesWithNumPy measures files that NumPy wrote, in every order of bytes and of indices and in single and double
// precision, and compares with NumPy's own singular value decomposition of them. testdata/numpy/make.py wrote both.
func TestAuditAgreesWithNumPy(t *testing.T) {
	const (
		dir = "testdata/numpy"
		tol = 1e-10 // relative; the worst κ(F) here is 100, so that both are within some 10⁻¹³
	)
	text, err := os.ReadFile(dir + "/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	type task struct {
		Kappa      float64
		SigmaMax   float64 `json:"sigma_max"`
		SigmaMin   float64 `json:"sigma_min"`
		Rank       int
		KappaRidge *float64 `json:"kappa_ridge"`
	}
	var expected struct {
		Cases []struct {
			Name             string
			Args             []string
			Primary, Harmful task
			Base             *struct{ Primary, Harmful task }
			RIR              *float64
			RatioHarmful     *float64 `json:"ratio_harmful"`
			RatioPrimary     *float64 `json:"ratio_primary"`
			KappaTheta       *float64 `json:"kappa_theta"`
			Ceiling          *float64
		}
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	if len(expected.Cases) < 25 {
		t.Fatalf("%d cases, want at least 25", len(expected.Cases))
	}
	type measured struct {
		Rank  task
		Ridge struct{ Kappa float64 }
	}
	type pair struct{ Rank float64 }
	for _, want := range expected.Cases {
		t.Run(want.Name, func(t *testing.T) {
			out, talk, code := call(t, dir, append([]string{"audit", "--json"}, want.Args...)...)
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, talk)
			}
			var got struct {
				Primary, Harmful measured
				Base             *struct{ Primary, Harmful measured }
				RIR              *pair
				RatioHarmful     *pair    `json:"ratio_harmful"`
				RatioPrimary     *pair    `json:"ratio_primary"`
				KappaTheta       *float64 `json:"kappa_theta"`
				Ceiling          *float64
			}
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
			near := func(what string, got, want float64) {
				t.Helper()
				if !(math.Abs(got-want) <= tol*math.Abs(want)) {
					t.Errorf("%s = %.17g, numpy has %.17g", what, got, want)
				}
			}
			compare := func(what string, got measured, want task) {
				t.Helper()
				near(what+", κ", got.Rank.Kappa, want.Kappa)
				near(what+", σ_max", got.Rank.SigmaMax, want.SigmaMax)
				near(what+", σ_min", got.Rank.SigmaMin, want.SigmaMin)
				if got.Rank.Rank != want.Rank {
					t.Errorf("%s: rank %d, want %d", what, got.Rank.Rank, want.Rank)
				}
				if want.KappaRidge != nil {
					near(what+", κ with the ridge", got.Ridge.Kappa, *want.KappaRidge)
				}
			}
			compare("primary", got.Primary, want.Primary)
			compare("harmful", got.Harmful, want.Harmful)
			if (got.Base == nil) != (want.Base == nil) {
				t.Fatalf("an original: %t, want %t", got.Base != nil, want.Base != nil)
			}
			if want.Base != nil {
				compare("original, primary", got.Base.Primary, want.Base.Primary)
				compare("original, harmful", got.Base.Harmful, want.Base.Harmful)
				near("RIR", got.RIR.Rank, *want.RIR)
				near("ratio of the harmful task", got.RatioHarmful.Rank, *want.RatioHarmful)
				near("ratio of the primary task", got.RatioPrimary.Rank, *want.RatioPrimary)
			}
			if want.KappaTheta != nil {
				near("κ(θ)", *got.KappaTheta, *want.KappaTheta)
			}
			if want.Ceiling != nil {
				if got.Ceiling == nil {
					t.Fatalf("no ceiling, want %v", *want.Ceiling)
				}
				near("ceiling", *got.Ceiling, *want.Ceiling)
			}
			if strings.Contains(want.Name, "two models") && (want.Primary.Rank != 4 || *want.RIR == 1) {
				t.Errorf("the models are alike: %+v", want)
			}
		})
	}
}
