package experiments

import (
	"slices"
	"strings"
)

// paths returns the key paths that a run with these settings can have, in the order of the key table, attacks by index.
func (t *keyTable) paths(s Settings) []string {
	attacks := s.attacks()
	out := make([]string, 0, len(t.keys))
	for _, k := range t.keys {
		if !strings.HasPrefix(k.Path, "attack.") {
			out = append(out, k.Path)
			continue
		}
		for i := range attacks {
			out = append(out, joinAttack(i, k.Path))
		}
	}
	return out
}

// attacks counts the attacks that the settings name.
func (s Settings) attacks() int {
	n := 0
	for path := range s {
		if i, key := splitAttack(path); key == attackerKey {
			n = max(n, i+1)
		}
	}
	return n
}

// owners returns the catalog's entries that decide whether a run reads the key at path: its method, its attacker, its model
// or its data sets. known is false if one of them is not in the catalog.
func (t *keyTable) owners(path string, s Settings) (out []Entry, known bool) {
	index, key := splitAttack(path)
	name, _, _ := strings.Cut(key, ".")
	pick := func(entries []Entry, at string) ([]Entry, bool) {
		i := t.find(entries, t.nameAt(at, s), t.family(s))
		if i < 0 {
			return nil, false
		}
		return entries[i : i+1], true
	}
	switch name {
	case "train":
		return pick(t.cat.Methods, methodKey)
	case "model", "pretrain":
		return pick(t.cat.Models, modelKey)
	case "attack":
		return pick(t.cat.Attackers, joinAttack(index, attackerKey))
	case "primary", "harmful":
		d, ok := t.dataset(name, s)
		return []Entry{d.Entry}, ok
	}
	p, okP := t.dataset("primary", s)
	h, okH := t.dataset("harmful", s)
	return []Entry{p.Entry, h.Entry}, okP && okH
}

// nameAt returns the name that the settings hold at a key, its default if none.
func (t *keyTable) nameAt(path string, s Settings) string {
	name, ok := s[path].(string)
	if !ok {
		if k, found := t.lookup(path); found {
			name, _ = k.Default.(string)
		}
	}
	return name
}

// family returns the family of a run's model.
func (t *keyTable) family(s Settings) string {
	name := t.nameAt(modelKey, s)
	for _, m := range t.cat.Models {
		if m.Name == name {
			return m.Family
		}
	}
	return ""
}

// of says whether the entry goes with the models of a family.
func (e Entry) of(family string) bool { return e.Family == "" || family == "" || e.Family == family }

// find returns the index of the entry of a name that goes with a family, −1 if there is none.
func (t *keyTable) find(entries []Entry, name, family string) int {
	return slices.IndexFunc(entries, func(e Entry) bool { return e.Name == name && e.of(family) })
}

// dataset returns the data set of one side: the one named, or the form of the inline table.
func (t *keyTable) dataset(side string, s Settings) (DatasetEntry, bool) {
	name, isName := s[side+".dataset"].(string)
	family := t.family(s)
	for _, d := range t.cat.Datasets {
		if !d.of(family) {
			continue
		}
		if slices.Contains(t.forms, d.Name) {
			if _, ok := s[side+".dataset."+d.Name]; ok && !isName {
				return d, true
			}
		} else if isName && d.Name == name {
			return d, true
		}
	}
	return DatasetEntry{}, false
}

// defaultOf returns the default that a key has in a run with these settings, nil if none.
func (t *keyTable) defaultOf(path string, s Settings) any {
	k, ok := t.lookup(path)
	if !ok {
		return nil
	}
	for _, side := range sides {
		if strings.HasPrefix(path, side+".dataset.") {
			if d, ok := t.dataset(side, s); !ok || !slices.Contains(t.forms, d.Name) {
				return nil
			}
		}
	}
	owners, _ := t.owners(path, s)
	for _, e := range owners {
		if v, ok := e.Defaults[k.Path]; ok {
			if v, message, _ := k.check(v); message == "" {
				return v
			}
		}
	}
	return k.Default
}

// reads says whether a run with these settings, defaults included, reads the key at path.
func (t *keyTable) reads(path string, s Settings) bool {
	index, key := splitAttack(path)
	switch key {
	case seedKey, methodKey, attackerKey, modelKey, "primary.dataset", "harmful.dataset":
		return true
	}
	owners, known := t.owners(path, s)
	table, _, _ := strings.Cut(key, ".")
	namesake := slices.ContainsFunc(t.cat.Datasets, func(d DatasetEntry) bool { return d.Name == table })
	if known && (t.shared[key] || namesake) {
		used := slices.ContainsFunc(owners, func(e Entry) bool {
			return slices.Contains(e.Uses, key) || namesake && e.Name == table && !t.shared[key]
		})
		if !used {
			return false
		}
	}
	if slices.ContainsFunc(owners, func(e Entry) bool { return slices.Contains(e.Always, key) }) {
		return true
	}
	k, _ := t.lookup(path)
	return len(k.When) == 0 || slices.ContainsFunc(k.When, func(when Settings) bool {
		for p, want := range when {
			got, ok := s[joinAttackOf(index, p)]
			if !ok || !equal(got, want) {
				return false
			}
		}
		return true
	})
}

// joinAttackOf puts the index of an attack into a path of [[attack]] and leaves other paths alone.
func joinAttackOf(index int, path string) string {
	if strings.HasPrefix(path, "attack.") {
		return joinAttack(index, path)
	}
	return path
}

// readers lists the entries whose Uses has the key; one that shares its name with another is called by its family too.
func (t *keyTable) readers(key string) []string {
	entries := t.entries()
	var out []string
	for _, e := range entries {
		if !slices.Contains(e.Uses, key) {
			continue
		}
		name := e.Name
		if slices.ContainsFunc(entries, func(o Entry) bool { return o.Name == e.Name && o.Family != e.Family }) {
			name += " (" + e.Family + ")"
		}
		out = append(out, name)
	}
	return out
}
