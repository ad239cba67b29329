package reports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kappa/experiments"
	"kappa/store"
)

// plan is the runs a report is about, with names for people.
type plan struct {
	keys    []string
	ordinal map[string]int
	swept   map[string][]sweptValue // of each run, in the order of the spec
}

// sweptValue is one swept key path with its value, as people read them.
type sweptValue struct{ path, value string }

func (v sweptValue) String() string {
	if v.path == experiments.VariantPath {
		return v.value
	}
	return strings.TrimPrefix(v.path, "train.") + " " + v.value
}

// seedPath is the swept key that repeats a setting.
const seedPath = "train.seed"

// newPlan reads the swept values of each run.
func newPlan(spec *experiments.Spec, rows []store.PlanRow) plan {
	p := plan{ordinal: map[string]int{}, swept: map[string][]sweptValue{}}
	var paths []string
	for _, a := range spec.Sweep {
		paths = append(paths, a.Path)
	}
	if len(spec.Variants) > 0 {
		paths = append(paths, experiments.VariantPath)
	}
	for i, r := range rows {
		p.keys = append(p.keys, r.Key)
		p.ordinal[r.Key] = i
		var swept map[string]any
		d := json.NewDecoder(strings.NewReader(r.Swept))
		d.UseNumber()                // integers stay what they are
		if d.Decode(&swept) != nil { // an empty text, for a plan without a sweep
			swept = nil
		}
		variant, _ := swept[experiments.VariantPath].(string)
		named := spec.Named(variant)
		for _, path := range sweptPaths(paths, swept) {
			if named[path] {
				continue
			}
			p.swept[r.Key] = append(p.swept[r.Key], sweptValue{path, jsonText(swept[path])})
		}
	}
	return p
}

// setting is a run's swept values without the seed: runs with equal ones differ in the seed alone.
func (p plan) setting(key string) string {
	var parts []string
	for _, v := range p.swept[key] {
		if v.path != seedPath {
			parts = append(parts, v.String())
		}
	}
	return strings.Join(parts, ", ")
}

// name is a run's name: its swept values, or its key where it has none.
func (p plan) name(key string) string { return p.nameBut(key, nil) }

// nameBut is name without some of the values.
func (p plan) nameBut(key string, left []sweptValue) string {
	var parts []string
	for _, v := range p.swept[key] {
		if !slices.Contains(left, v) {
			parts = append(parts, v.String())
		}
	}
	if len(parts) == 0 {
		return code(shortKey(key))
	}
	return escape(strings.Join(parts, ", "))
}

// list names some runs, in plan order: all of the plan, or all with one swept value, in a word; else one by one, what they have in common
// first and the seeds of a setting together.
func (p plan) list(keys []string) string {
	if len(keys) < 2 || len(p.swept[keys[0]]) == 0 {
		return p.oneByOne(keys, nil)
	}
	if len(keys) == len(p.keys) {
		return fmt.Sprintf("all %d", len(keys))
	}
	var common []sweptValue
	for _, v := range p.swept[keys[0]] {
		has := func(key string) bool { return slices.Contains(p.swept[key], v) }
		if slices.ContainsFunc(keys, func(k string) bool { return !has(k) }) {
			continue
		}
		common = append(common, v)
		all := 0
		for _, k := range p.keys {
			if has(k) {
				all++
			}
		}
		if all == len(keys) {
			return fmt.Sprintf("all %d with %s", all, escape(v.String()))
		}
	}
	if len(common) == 0 {
		return p.oneByOne(keys, nil)
	}
	parts := make([]string, len(common))
	for i, v := range common {
		parts[i] = v.String()
	}
	return escape(strings.Join(parts, ", ")) + ", with " + p.oneByOne(keys, common)
}

// oneByOne names runs without the values they have in common.
func (p plan) oneByOne(keys []string, common []sweptValue) string {
	var names []string
	for i := 0; i < len(keys); {
		j := i + 1
		setting := p.setting(keys[i])
		for j < len(keys) && setting != "" && p.setting(keys[j]) == setting {
			j++
		}
		var name strings.Builder
		name.WriteString(p.nameBut(keys[i], common))
		for _, k := range keys[i+1 : j] {
			v := p.swept[k]
			if s := slices.IndexFunc(v, func(v sweptValue) bool { return v.path == seedPath }); s >= 0 {
				name.WriteString(", " + escape(v[s].value))
			}
		}
		names = append(names, name.String())
		i = j
	}
	return strings.Join(names, "; ")
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
	case json.Number:
		if _, err := v.Int64(); err == nil {
			return v.String()
		}
		if x, err := v.Float64(); err == nil {
			return text(x)
		}
		return v.String()
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

// recorded says whether an attempt came to an end of its own.
func recorded(status string) bool {
	switch store.Status(status) {
	case store.Done, store.Diverged, store.Failed, store.TimedOut:
		return true
	}
	return false
}

// hasResult says whether an attempt came to an end with figures to report.
func hasResult(status string) bool {
	return store.Status(status) == store.Done || store.Status(status) == store.Diverged
}

// withStatus counts the recorded runs of a status.
func (b *builder) withStatus(status store.Status) int {
	n := 0
	for _, r := range b.runs {
		if r.status == string(status) {
			n++
		}
	}
	return n
}

func (b *builder) missingError() *MissingError {
	return &MissingError{len(b.doc.Missing), len(b.plan.keys), b.withStatus(store.Failed), b.withStatus(store.TimedOut)}
}

// lack says why the missing runs have no result.
func (b *builder) lack() string {
	e := b.missingError()
	var parts []string
	for _, n := range []struct {
		runs int
		what string
	}{{e.Failed, "failed"}, {e.TimedOut, "ran out of time"}, {e.Missing - e.Failed - e.TimedOut, "not run to the end"}} {
		if n.runs > 0 {
			parts = append(parts, strconv.Itoa(n.runs)+" "+n.what)
		}
	}
	return strings.Join(parts, ", ")
}

// missing lists the runs of the plan without a result.
func (b *builder) missing() []string {
	have := map[string]bool{}
	for _, r := range b.runs {
		have[r.key] = hasResult(r.status)
	}
	var out []string
	for _, key := range b.plan.keys {
		if !have[key] {
			out = append(out, key)
		}
	}
	return out
}
