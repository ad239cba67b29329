package engine_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"kappa/engine"
	"kappa/engine/immunize"
	"kappa/engine/internal/numtest"
	"kappa/engine/probe"
	"kappa/engine/regularizer"
	"kappa/engine/spectrum"
)

// digits is how many significant digits of a result must stay the same under one engine version. Rounding differs between
// platforms and kernels by less.
const digits = 9

// recorded holds the digest of each small result at engine.Version; digestOf makes it.
var recorded = struct {
	version int
	digests map[string]string
}{2, map[string]string{
	"identity":          "b2e8177b14ae5e23",
	"immunize":          "c2628b0cbaaff640",
	"immunize batch":    "44bce7ea21c85233",
	"released":          "3c7e3e595ce390f4",
	"released mended":   "ece9b87a4f6df8f8",
	"certified":         "b20f1a52d3e51644",
	"rill-only":         "c241eba792f378d2",
	"imma":              "8f821a78f4c44cde",
	"opt-kappa":         "16c42d75f63804f1",
	"optimum":           "e8755390dc8646c0",
	"clipped spike":     "b96c73b26b2b72a3",
	"rotated":           "384aa8292066b592",
	"gd-exact":          "20fbc7bab9a3a632",
	"cg":                "f5663153d1c0c5ff",
	"least-squares":     "d1a9d48047852cf5",
	"gd-fixed":          "80f1a4d73e0841ea",
	"gd-standardized":   "d60eac2434400724",
	"nesterov":          "e74075e80976be15",
	"adam":              "72e8ee8e1f04af71",
	"lbfgs":             "f5663153d1c0c5ff",
	"gd-fixed-logistic": "0371d1896fec0a00",
	"nesterov-logistic": "4478072f3251dfaa",
	"adam-logistic":     "4b1c9656a523b573",
	"lbfgs-logistic":    "1f97803d9e069fcd",
	"κ under the rank":  "42c650a26986b293",
}}

// TestVersion fails when a result changes while engine.Version does not: recorded runs would then be taken for current ones.
func TestVersion(t *testing.T) {
	if engine.Version != recorded.version {
		t.Fatalf("engine.Version is %d, the digests here are of version %d: record them anew", engine.Version, recorded.version)
	}
	got := results(t)
	for name, want := range recorded.digests {
		if got[name] != want {
			t.Errorf("%s: the result has changed (digest %s, recorded %s): raise engine.Version, then record the digests anew", name, got[name], want)
		}
	}
	for name, digest := range got {
		if recorded.digests[name] == "" {
			t.Errorf("%s: digest %s is not recorded", name, digest)
		}
	}
	if len(got) != len(recorded.digests) {
		t.Errorf("%d results, %d recorded digests", len(got), len(recorded.digests))
	}
}

// results computes every method and attacker on one small problem whose matrices are stated, not drawn.
func results(t *testing.T) map[string]string {
	t.Helper()
	set := numtest.Vectors()[0]
	task := func(x *mat.Dense, y []float64) immunize.Task {
		f, err := spectrum.NewFactor(x)
		if err != nil {
			t.Fatal(err)
		}
		return immunize.Task{X: x, Y: y, Factor: f}
	}
	p := immunize.Problem{Primary: task(set.XP, set.YP), Harmful: task(set.XH, set.YH)}
	balance := immunize.Lambda{Balance: true}
	printed := immunize.Options{
		Steps: 20, LambdaPrimary: balance, LambdaHarmful: balance, Supervised: true, Form: regularizer.Cancelled,
		LearningRate: 1e-3, BalanceNorm: 1,
	}
	normalized := immunize.Options{Steps: 20, Step: immunize.Normalized, Form: regularizer.Cancelled}
	certified := immunize.Options{Steps: 20, Step: immunize.Certified, StepFraction: 0.3, StepLength: 0.05, Form: regularizer.Cancelled}
	batch := printed
	batch.Batch = 6
	released := immunize.Options{
		Steps: 6, Batch: 6, LearningRate: 1e-3, LambdaPrimary: immunize.Lambda{Value: 1}, LambdaHarmful: immunize.Lambda{Value: 10},
		RidgePrimary: 1, RidgeHarmful: 1,
	}
	mended := released
	mended.Side = immunize.Mended

	out := make(map[string]string)
	var theta *mat.Dense
	for _, m := range []struct {
		name string
		run  immunize.Func
		opt  immunize.Options
	}{
		{"identity", immunize.Identity, immunize.Options{}},
		{"immunize", immunize.Algorithm1, printed},
		{"immunize batch", immunize.Algorithm1, batch},
		{"released", immunize.Released, released},
		{"released mended", immunize.Released, mended},
		{"certified", immunize.Algorithm1, certified},
		{"rill-only", immunize.RillOnly, normalized},
		{"imma", immunize.IMMA, normalized},
		{"opt-kappa", immunize.OptKappa, normalized},
		{"optimum", immunize.Optimum, immunize.Options{}},
		{"clipped spike", immunize.Optimum, immunize.Options{KappaMax: 1.2}},
	} {
		res, err := m.run(context.Background(), p, m.opt, rand.New(rand.NewPCG(1, 2)))
		if err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		out[m.name] = digestOf(append(res.Theta.RawMatrix().Data, res.Bias...))
		if m.name == "immunize" {
			theta = res.Theta
		}
	}
	rotated := immunize.Result{Theta: theta}
	immunize.Rotate(&rotated, rand.New(rand.NewPCG(1, 2)))
	out["rotated"] = digestOf(rotated.Theta.RawMatrix().Data)
	var features mat.Dense
	features.Mul(set.XH, theta)
	target, err := probe.Prepare(&features, set.YH, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []struct {
		name string
		run  probe.Func
	}{
		{"gd-exact", probe.GDExact},
		{"gd-fixed", probe.GDFixed},
		{"gd-standardized", probe.GDStandardized},
		{"nesterov", probe.Nesterov},
		{"adam", probe.Adam},
		{"cg", probe.CG},
		{"lbfgs", probe.LBFGS},
		{"least-squares", probe.LeastSquares},
	} {
		res, err := a.run(context.Background(), target, probe.Options{Steps: 4}, nil)
		if err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		out[a.name] = digestOf(res.W)
	}
	labels := make([]float64, len(set.YH))
	for i := range labels {
		labels[i] = float64(i % 2)
	}
	if target, err = probe.Prepare(&features, labels, 0); err != nil {
		t.Fatal(err)
	}
	for _, a := range []struct {
		name string
		run  probe.Func
	}{
		{"gd-fixed-logistic", probe.LogisticGDFixed},
		{"nesterov-logistic", probe.LogisticNesterov},
		{"adam-logistic", probe.LogisticAdam},
		{"lbfgs-logistic", probe.LogisticLBFGS},
	} {
		res, err := a.run(context.Background(), target, probe.Options{Steps: 4}, nil)
		if err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		out[a.name] = digestOf(res.W)
	}
	s, err := p.Harmful.Factor.Spectrum(theta, false)
	if err != nil {
		t.Fatal(err)
	}
	out["κ under the rank"] = digestOf([]float64{s.RankCondition().Kappa})
	return out
}

// digestOf hashes numbers relative to the largest, so that an entry that is zero up to rounding does not count.
func digestOf(x []float64) string {
	var largest float64
	for _, v := range x {
		largest = max(largest, math.Abs(v))
	}
	h := sha256.New()
	fmt.Fprintf(h, "%.*e\n", digits-1, largest)
	for _, v := range x {
		fmt.Fprintf(h, "%.0f\n", math.Abs(v/largest*math.Pow(10, digits)))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
