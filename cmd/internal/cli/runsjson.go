package cli

import (
	"encoding/json"
	"math"
	"time"

	"kappa/store"
)

// number is a float that JSON may have no number for.
type number float64

// MarshalJSON implements [json.Marshaler].
func (n number) MarshalJSON() ([]byte, error) { return jsonValue(float64(n)) }

// figure is null where it does not apply.
func figure(x float64) *number {
	if math.IsNaN(x) {
		return nil
	}
	n := number(x)
	return &n
}

// The parts of a run in JSON.
type (
	conditionJSON struct {
		Step           int     `json:"step"`
		Task           string  `json:"task"`
		Protocol       string  `json:"protocol"`
		Kappa          number  `json:"kappa"`
		SigmaMax       number  `json:"sigma_max"`
		SigmaMin       number  `json:"sigma_min"`
		Rank           int     `json:"rank"`
		Next           *number `json:"next"`
		RidgeDominated bool    `json:"ridge_dominated"`
		Degenerate     bool    `json:"degenerate"`
		RankUnclear    bool    `json:"rank_unclear"`
		Unresolved     bool    `json:"unresolved"`
	}
	metricJSON struct {
		Name  string `json:"name"`
		Step  int    `json:"step"`
		Value number `json:"value"`
	}
	attackJSON struct {
		Attacker  string  `json:"attacker"`
		Task      string  `json:"task"`
		Step      int     `json:"step"`
		Loss      *number `json:"loss"`
		Excess    *number `json:"excess"`
		NormRatio *number `json:"norm_ratio"`
		Accuracy  *number `json:"accuracy"`
	}
	resultJSON struct {
		Steps             int     `json:"steps"`
		RIR               number  `json:"rir"`
		RatioHarmful      number  `json:"ratio_harmful"`
		RatioPrimary      number  `json:"ratio_primary"`
		RIRRidge          number  `json:"rir_ridge"`
		RatioHarmfulRidge number  `json:"ratio_harmful_ridge"`
		RatioPrimaryRidge number  `json:"ratio_primary_ridge"`
		RidgeDominated    bool    `json:"ridge_dominated"`
		Ceiling           *number `json:"ceiling"`
		Unbounded         *bool   `json:"unbounded"`
		Freedom           *int    `json:"freedom"`
		KappaTheta        *number `json:"kappa_theta"`
		Loss              number  `json:"loss_primary"`
		LossBase          *number `json:"loss_base"`
		DefA              bool    `json:"def_a"`
		DefB              bool    `json:"def_b"`
		DefC              *bool   `json:"def_c"`
		DefARidge         bool    `json:"def_a_ridge"`
		DefBRidge         bool    `json:"def_b_ridge"`
		Bound             *number `json:"bound"`
		Reached           *number `json:"reached"`
		ReachedBound      *number `json:"reached_bound"`
	}
	relativeJSON struct {
		Run    string       `json:"run"`
		What   string       `json:"what"`
		Method string       `json:"method"`
		Status store.Status `json:"status"`
	}
	artifactJSON struct {
		Name   string `json:"name"`
		Path   string `json:"path"`
		Digest string `json:"digest"`
		Bytes  int64  `json:"bytes"`
	}
	membershipJSON struct {
		Name    string          `json:"name"`
		Hash    string          `json:"hash"`
		Current bool            `json:"current"`
		Ordinal int             `json:"ordinal"`
		Runs    int             `json:"runs"`
		Swept   json.RawMessage `json:"swept"`
	}
	standingJSON struct {
		Experiment string   `json:"experiment"`
		ID         string   `json:"id"`
		Verdict    string   `json:"verdict"`
		Value      *float64 `json:"value"`
		Runs       int      `json:"runs"`
	}
	attemptJSON struct {
		Attempt    int          `json:"attempt"`
		Status     store.Status `json:"status"`
		Reason     string       `json:"reason"`
		Error      string       `json:"error"`
		Started    *time.Time   `json:"started"`
		Finished   *time.Time   `json:"finished"`
		Seconds    float64      `json:"seconds"`
		CPUSeconds float64      `json:"cpu_seconds"`
		Host       string       `json:"host"`
		GitCommit  string       `json:"git_commit"`
		Kernel     string       `json:"kernel"`
		Shown      bool         `json:"shown"`
		Log        string       `json:"log"`
	}
	provenanceJSON struct {
		Engine        int      `json:"engine_version"`
		GoVersion     string   `json:"go_version"`
		Kernel        string   `json:"kernel"`
		CPU           string   `json:"cpu"`
		OS            string   `json:"os"`
		Host          string   `json:"host"`
		GitCommit     string   `json:"git_commit"`
		GitDirty      bool     `json:"git_dirty"`
		Diff          string   `json:"git_diff"`
		DiffBytes     int64    `json:"git_diff_bytes"`
		DiffRecorded  bool     `json:"git_diff_recorded"`
		PrimaryDigest string   `json:"primary_digest"`
		HarmfulDigest string   `json:"harmful_digest"`
		Argv          []string `json:"argv"`
		Modules       []string `json:"modules"`
	}
)

// writeJSON writes the whole run: every step of its trace and of its attacks, every attempt and its log.
func (s *sheet) writeJSON(a *app) error {
	d := s.d
	r, o, m := d.Run, d.Outcome, d.Made
	out := struct {
		Run            string           `json:"run"`
		TrainKey       string           `json:"train_key"`
		Experiment     string           `json:"experiment"`
		Status         store.Status     `json:"status"`
		Reason         string           `json:"reason"`
		Error          string           `json:"error"`
		Method         string           `json:"method"`
		Model          string           `json:"model"`
		PrimaryDataset string           `json:"primary_dataset"`
		PrimaryClass   *int64           `json:"primary_class"`
		HarmfulDataset string           `json:"harmful_dataset"`
		HarmfulClass   *int64           `json:"harmful_class"`
		Seed           *int64           `json:"seed"`
		Tags           []string         `json:"tags"`
		Note           string           `json:"note"`
		Attempt        int              `json:"attempt"`
		Started        *time.Time       `json:"started"`
		Finished       *time.Time       `json:"finished"`
		Seconds        float64          `json:"seconds"`
		CPUSeconds     float64          `json:"cpu_seconds"`
		Params         map[string]any   `json:"params"`
		Provenance     provenanceJSON   `json:"provenance"`
		Depends        []relativeJSON   `json:"depends"`
		Dependents     []relativeJSON   `json:"dependents"`
		Experiments    []membershipJSON `json:"experiments"`
		Claims         []standingJSON   `json:"claims"`
		Result         *resultJSON      `json:"result"`
		Conditions     []conditionJSON  `json:"condition_numbers"`
		Metrics        []metricJSON     `json:"metrics"`
		Attacks        []attackJSON     `json:"attacks"`
		Artifacts      []artifactJSON   `json:"artifacts"`
		Attempts       []attemptJSON    `json:"attempts"`
		Log            string           `json:"log"`
	}{
		Run: r.Key, TrainKey: d.TrainKey, Experiment: r.Experiment, Status: r.Status, Reason: r.Reason, Error: r.Error, Method: r.Method,
		Model: r.Model, PrimaryDataset: r.PrimaryDataset, PrimaryClass: r.PrimaryClass, HarmfulDataset: r.HarmfulDataset,
		HarmfulClass: r.HarmfulClass, Seed: r.Seed, Tags: append([]string{}, r.Tags...), Note: r.Note, Attempt: r.Attempt,
		Started: timeJSON(r.Started), Finished: timeJSON(r.Finished), Seconds: o.WallSeconds, CPUSeconds: o.CPUSeconds,
		Params: make(map[string]any), Depends: relativesJSON(d.Depends), Dependents: relativesJSON(d.Dependents), Result: newResultJSON(o.Result),
		Provenance: provenanceJSON{
			r.EngineVersion, m.GoVersion, m.Kernel, m.CPU, m.OS, m.Host, m.GitCommit, m.GitDirty, m.DiffHash, m.DiffBytes, m.DiffKept,
			d.PrimaryDigest, d.HarmfulDigest, append([]string{}, m.Argv...), append([]string{}, m.Modules...),
		},
		Experiments: []membershipJSON{}, Claims: []standingJSON{}, Conditions: []conditionJSON{}, Metrics: []metricJSON{},
		Attacks: []attackJSON{}, Artifacts: []artifactJSON{}, Attempts: []attemptJSON{}, Log: o.Log,
	}
	for _, p := range d.Params {
		if p.Number != nil {
			out.Params[p.Path] = number(*p.Number)
		} else {
			out.Params[p.Path] = paramText(p)
		}
	}
	for _, e := range d.Experiments {
		swept := json.RawMessage(e.Swept)
		if !json.Valid(swept) {
			swept = json.RawMessage("null")
		}
		out.Experiments = append(out.Experiments, membershipJSON{e.Name, e.Hash, e.Current, e.Ordinal, e.Runs, swept})
	}
	for _, c := range d.Claims {
		out.Claims = append(out.Claims, standingJSON{c.Experiment, c.ID, c.Verdict, c.Value, c.Runs})
	}
	for _, c := range o.Conditions {
		out.Conditions = append(out.Conditions, conditionJSON{
			c.Step, c.Task, c.Protocol, number(c.Kappa), number(c.SigmaMax), number(c.SigmaMin), c.Rank, figure(c.Next),
			c.RidgeDominated, c.Degenerate, c.RankUnclear, c.Unresolved,
		})
	}
	for _, p := range o.Metrics {
		out.Metrics = append(out.Metrics, metricJSON{p.Name, p.Step, number(p.Value)})
	}
	for _, p := range o.Attacks {
		out.Attacks = append(out.Attacks, attackJSON{
			p.Attacker, p.Task, p.Step, figure(p.Loss), figure(p.Excess), figure(p.NormRatio), figure(p.Accuracy),
		})
	}
	for _, f := range o.Artifacts {
		out.Artifacts = append(out.Artifacts, artifactJSON(f))
	}
	for _, t := range d.Attempts {
		out.Attempts = append(out.Attempts, attemptJSON{
			t.Number, t.Status, t.Reason, t.Error, timeJSON(t.Started), timeJSON(t.Finished), t.WallSeconds, t.CPUSeconds, t.Host, t.GitCommit,
			t.Kernel, t.Shown, t.Log,
		})
	}
	enc := json.NewEncoder(a.env.Stdout)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		return failf("", "write run %s: %w", short(r.Key), err)
	}
	return nil
}

// timeJSON is null for no time.
func timeJSON(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func relativesJSON(list []store.Relative) []relativeJSON {
	out := []relativeJSON{}
	for _, r := range list {
		status := r.Status
		if r.Removed {
			status = "removed"
		}
		out = append(out, relativeJSON{r.Key, r.What, r.Method, status})
	}
	return out
}

// newResultJSON leaves out what does not apply.
func newResultJSON(f *store.Result) *resultJSON {
	if f == nil {
		return nil
	}
	out := &resultJSON{
		Steps: f.Steps, RIR: number(f.RIR), RatioHarmful: number(f.RatioHarmful), RatioPrimary: number(f.RatioPrimary),
		RIRRidge: number(f.RIRRidge), RatioHarmfulRidge: number(f.RatioHarmfulRidge), RatioPrimaryRidge: number(f.RatioPrimaryRidge),
		RidgeDominated: f.RidgeDominated, Loss: number(f.LossPrimary), DefA: f.DefA, DefB: f.DefB,
		LossBase: figure(f.LossBase), DefARidge: f.DefARidge, DefBRidge: f.DefBRidge,
		Bound: figure(f.Bound), Reached: figure(f.Reached), ReachedBound: figure(f.ReachedBound),
	}
	if !f.Unbounded {
		out.Ceiling = figure(f.Ceiling)
	}
	if !f.Deep { // of a net they do not apply
		kappa := number(f.KappaTheta)
		out.Unbounded, out.Freedom, out.KappaTheta, out.DefC = &f.Unbounded, &f.Freedom, &kappa, &f.DefC
	}
	return out
}
