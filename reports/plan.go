package reports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kappa/experiments"
	"kappa/store"
)

// plan is the runs a report is about, with names for people.
type plan struct {
	keys    []string
	ordinal map[string]int
	names   map[string]string
	setting map[string]string // swept values without the seed: runs with equal ones differ in the seed alone
}

// seedPath is the swept key that repeats a setting.
const seedPath = "train.seed"

// newPlan names each run by its swept values in the order of the spec.
func newPlan(spec *experiments.Spec, rows []store.PlanRow) plan {
	p := plan{ordinal: map[string]int{}, names: map[string]string{}, setting: map[string]string{}}
	var paths []string
	for _, a := range spec.Sweep {
		paths = append(paths, a.Path)
	}
	for i, r := range rows {
		p.keys = append(p.keys, r.Key)
		p.ordinal[r.Key] = i
		var swept map[string]any
		if json.Unmarshal([]byte(r.Swept), &swept) != nil { // an empty text, for a plan without a sweep
			swept = nil
		}
		var parts, same []string
		for _, path := range sweptPaths(paths, swept) {
			part := strings.TrimPrefix(path, "train.") + " " + jsonText(swept[path])
			parts = append(parts, part)
			if path != seedPath {
				same = append(same, part)
			}
		}
		p.setting[r.Key] = strings.Join(same, ", ")
		p.names[r.Key] = escape(strings.Join(parts, ", "))
		if len(parts) == 0 {
			p.names[r.Key] = code(shortKey(r.Key))
		}
	}
	return p
}

// sweptPaths lists the swept paths of a run: in the spec's order, and what the spec does not name in the order of the alphabet.
func sweptPaths(spec []string, swept map[string]any) []string {
	var paths, other []string
	for _, path := range spec {
		if _, ok := swept[path]; ok {
			paths = append(paths, path)
		}
	}
	for path := range swept {
		if !slices.Contains(paths, path) {
			other = append(other, path)
		}
	}
	slices.Sort(other)
	return append(paths, other...)
}

func jsonText(v any) string {
	switch v := v.(type) {
	case float64:
		return text(v)
	case string:
		return v
	}
	b, err := json.Marshal(v)
	if err != nil { // what came from JSON goes to JSON
		return fmt.Sprint(v)
	}
	return string(b)
}

// runState is what the database says of one run of the plan.
type runState struct {
	key, status, reason, fault string
	row                        map[string]any // the columns of provenanceColumns
}

// provenanceColumns are the columns of runs that differ between two computations of the same plan.
var provenanceColumns = []string{
	"started", "finished", "wall_seconds", "cpu_seconds", "attempt",
	"engine_version", "go_version", "kernel", "cpu", "os", "git_commit", "git_dirty",
}

// states reads the runs of the plan.
func (b *builder) states() error {
	rows, err := b.query("SELECT key, status, reason, error, " + strings.Join(provenanceColumns, ", ") + " FROM runs")
	if err != nil {
		return err
	}
	for _, r := range rows.Values {
		s := runState{key: text(r[0]), status: text(r[1]), reason: text(r[2]), fault: text(r[3]), row: map[string]any{}}
		for i, c := range provenanceColumns {
			s.row[c] = r[4+i]
		}
		if _, ok := b.plan.ordinal[s.key]; ok && recorded(s.status) {
			b.runs = append(b.runs, s)
		}
	}
	return nil
}

// recorded says whether an attempt came to an end of its own: its run is not missing.
func recorded(status string) bool {
	switch store.Status(status) {
	case store.Done, store.Diverged, store.Failed, store.TimedOut:
		return true
	}
	return false
}

// missing lists the runs of the plan without such an attempt.
func (b *builder) missing() []string {
	have := map[string]bool{}
	for _, r := range b.runs {
		have[r.key] = true
	}
	var out []string
	for _, key := range b.plan.keys {
		if !have[key] {
			out = append(out, key)
		}
	}
	return out
}
