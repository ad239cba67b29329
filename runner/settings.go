package runner

import (
	"slices"
	"strconv"
	"sync"

	"kappa/experiments"
)

// reader reads settings that the loader has checked: a key that is absent reads as the zero value.
type reader struct{ s experiments.Settings }

func (r reader) has(path string) bool { _, ok := r.s[path]; return ok }

func (r reader) str(path string) string { v, _ := r.s[path].(string); return v }

func (r reader) boolean(path string) bool { v, _ := r.s[path].(bool); return v }

func (r reader) integer(path string) int {
	switch v := r.s[path].(type) {
	case int64:
		return int(v)
	case float64:
		return int(v)
	}
	return 0
}

func (r reader) number(path string) float64 {
	switch v := r.s[path].(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return 0
}

// class returns the class of one side ("primary", "harmful"), nil where it has none.
func (r reader) class(side string) *int64 {
	v, ok := r.s[side+".class"].(int64)
	if !ok {
		return nil
	}
	return &v
}

func (r reader) numbers(path string) []float64 {
	list, _ := r.s[path].([]any)
	var out []float64
	for _, v := range list {
		out = append(out, reader{experiments.Settings{"v": v}}.number("v"))
	}
	return out
}

func (r reader) strings(path string) []string {
	list, _ := r.s[path].([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// attacks returns the names of the attackers in the order of the spec.
func (r reader) attacks() []string {
	var out []string
	for i := 0; r.has(attackKey(i, "method")); i++ {
		out = append(out, r.str(attackKey(i, "method")))
	}
	return out
}

func attackKey(i int, name string) string { return "attack." + strconv.Itoa(i) + "." + name }

// usesKey says whether the run's method reads a key of [train].
func (r reader) usesKey(path string) bool {
	m, ok := methodNamed(r.str("train.method"))
	return ok && slices.Contains(m.Uses, path)
}

// The tables of names as they are looked up in, made once: a plan asks for each of its runs.
var (
	methodTable   = sync.OnceValue(methods)
	attackerTable = sync.OnceValue(attackers)
)

func methodNamed(name string) (method, bool) {
	for _, m := range methodTable() {
		if m.Name == name {
			return m, true
		}
	}
	return method{}, false
}

func attackerNamed(name string) (attacker, bool) {
	for _, a := range attackerTable() {
		if a.Name == name {
			return a, true
		}
	}
	return attacker{}, false
}
