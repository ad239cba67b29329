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

// writeJSON writes the whole run: every step of its trace and of its attacks.
func (s *sheet) writeJSON(a *app) error {
	type condition struct {
		Step           int    `json:"step"`
		Task           string `json:"task"`
		Protocol       string `json:"protocol"`
		Kappa          number `json:"kappa"`
		SigmaMax       number `json:"sigma_max"`
		SigmaMin       number `json:"sigma_min"`
		Rank           int    `json:"rank"`
		RidgeDominated bool   `json:"ridge_dominated"`
		Degenerate     bool   `json:"degenerate"`
		Unresolved     bool   `json:"unresolved"`
	}
	type metric struct {
		Name  string `json:"name"`
		Step  int    `json:"step"`
		Value number `json:"value"`
	}
	type attack struct {
		Attacker  string  `json:"attacker"`
		Task      string  `json:"task"`
		Step      int     `json:"step"`
		Loss      *number `json:"loss"`
		Excess    *number `json:"excess"`
		NormRatio *number `json:"norm_ratio"`
		Accuracy  *number `json:"accuracy"`
	}
	type result struct {
		Steps        int     `json:"steps"`
		RIR          number  `json:"rir"`
		RIRRidge     number  `json:"rir_ridge"`
		Ceiling      *number `json:"ceiling"`
		Unbounded    *bool   `json:"unbounded"`
		Freedom      *int    `json:"freedom"`
		KappaTheta   *number `json:"kappa_theta"`
		Loss         number  `json:"loss_primary"`
		LossBase     *number `json:"loss_base"`
		DefA         bool    `json:"def_a"`
		DefB         bool    `json:"def_b"`
		DefC         *bool   `json:"def_c"`
		DefARidge    bool    `json:"def_a_ridge"`
		DefBRidge    bool    `json:"def_b_ridge"`
		Bound        *number `json:"bound"`
		Reached      *number `json:"reached"`
		ReachedBound *number `json:"reached_bound"`
	}
	type dependency struct {
		Run  any `json:"run"`
		What any `json:"what"`
	}
	r, o := s.row, s.outcome
	out := struct {
		Run        string           `json:"run"`
		Experiment string           `json:"experiment"`
		Status     store.Status     `json:"status"`
		Reason     string           `json:"reason"`
		Error      string           `json:"error"`
		Method     string           `json:"method"`
		Attempt    int              `json:"attempt"`
		Started    time.Time        `json:"started"`
		Finished   time.Time        `json:"finished"`
		Seconds    float64          `json:"seconds"`
		Params     map[string]any   `json:"params"`
		Depends    []dependency     `json:"depends"`
		Result     *result          `json:"result"`
		Conditions []condition      `json:"condition_numbers"`
		Metrics    []metric         `json:"metrics"`
		Attacks    []attack         `json:"attacks"`
		Artifacts  []store.Artifact `json:"artifacts"`
		Log        string           `json:"log"`
	}{
		Run: r.Key, Experiment: r.Experiment, Status: r.Status, Reason: r.Reason, Error: r.Error, Method: r.Method,
		Attempt: r.Attempt, Started: r.Started, Finished: r.Finished, Seconds: r.WallSeconds,
		Params: make(map[string]any), Depends: []dependency{}, Conditions: []condition{}, Metrics: []metric{}, Attacks: []attack{},
		Artifacts: append([]store.Artifact{}, o.Artifacts...), Log: o.Log,
	}
	for _, part := range s.sections {
		if part.title == "parameters" {
			for _, row := range part.grid.rows {
				name, _ := row[0].(string)
				out.Params[name] = row[1]
			}
		}
	}
	for _, part := range s.sections {
		if part.title == "depends on" {
			for _, row := range part.grid.rows {
				out.Depends = append(out.Depends, dependency{row[1], row[0]})
			}
		}
	}
	if f := o.Result; f != nil {
		out.Result = &result{
			Steps: f.Steps, RIR: number(f.RIR), RIRRidge: number(f.RIRRidge),
			Loss: number(f.LossPrimary), DefA: f.DefA, DefB: f.DefB,
			LossBase: figure(f.LossBase), DefARidge: f.DefARidge, DefBRidge: f.DefBRidge,
			Bound: figure(f.Bound), Reached: figure(f.Reached), ReachedBound: figure(f.ReachedBound),
		}
		if !f.Unbounded {
			out.Result.Ceiling = figure(f.Ceiling)
		}
		if !f.Deep { // of a net they do not apply
			kappa := number(f.KappaTheta)
			out.Result.Unbounded, out.Result.Freedom, out.Result.KappaTheta, out.Result.DefC = &f.Unbounded, &f.Freedom, &kappa, &f.DefC
		}
	}
	for _, c := range o.Conditions {
		out.Conditions = append(out.Conditions, condition{
			c.Step, c.Task, c.Protocol, number(c.Kappa), number(c.SigmaMax), number(c.SigmaMin), c.Rank,
			c.RidgeDominated, c.Degenerate, c.Unresolved,
		})
	}
	for _, m := range o.Metrics {
		out.Metrics = append(out.Metrics, metric{m.Name, m.Step, number(m.Value)})
	}
	for _, p := range o.Attacks {
		out.Attacks = append(out.Attacks, attack{
			p.Attacker, p.Task, p.Step, figure(p.Loss), figure(p.Excess), figure(p.NormRatio), figure(p.Accuracy),
		})
	}
	enc := json.NewEncoder(a.env.Stdout)
	enc.SetIndent("", " ")
	if err := enc.Encode(out); err != nil {
		return failf("", "write run %s: %w", short(r.Key), err)
	}
	return nil
}
