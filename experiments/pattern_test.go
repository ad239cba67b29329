package experiments

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// oneByOne resolves every combination by itself, as the patterns must not be seen to do it.
func oneByOne(s *Spec, set []Axis) []Combination {
	r := newResolver(s, set)
	var out []Combination
	for g, index := range r.combinations(nil) {
		c := r.resolve(g, index)
		if !c.distinct {
			continue
		}
		v := Combination{Ordinal: len(out), Variant: g.variant, Settings: c.settings}
		for _, path := range g.swept {
			if path == VariantPath {
				v.Swept = append(v.Swept, Assignment{path, s.Variants[g.variant].Name})
			} else if value, ok := c.settings[path]; ok {
				v.Swept = append(v.Swept, Assignment{path, value})
			}
		}
		out = append(out, v)
	}
	return out
}

// checkPatterns: what combinations share changes none of them.
func checkPatterns(t *testing.T, s *Spec, set []Axis, got []Combination) {
	t.Helper()
	want := oneByOne(s, set)
	for i := range min(len(got), len(want)) {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("combination %d, -one by one +by patterns:\n%s", i, cmp.Diff(want[i], got[i]))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d combinations, one by one %d", len(got), len(want))
	}
}

// TestPatterns: sweeps whose values meet every kind of condition.
func TestPatterns(t *testing.T) {
	for name, text := range map[string]string{
		"an override on some of many values": `[sweep]
"train.seed" = [1, 2, 3, 4]
"train.steps" = [5, 6, 7]
[[override]]
when = { "train.seed" = 2, "train.steps" = 6 }
set = { "train.learning_rate" = 1e-4, "train.steps" = 60 }
[[override]]
when = { "train.steps" = 60 }
set = { "train.seed" = 9 }`,
		"distinct among values that an override changes": `[sweep]
"primary.class" = [0, 1, 2, 3]
"harmful.class" = [0, 1, 2, 3]
distinct = [["primary.class", "harmful.class"]]
[[override]]
when = { "harmful.class" = 2 }
set = { "primary.class" = 3 }`,
		"numbers written in two ways": `[sweep]
"train.learning_rate" = [1, 0.5, 2.0]
[[override]]
when = { "train.learning_rate" = 1 }
set = { "train.steps" = 3 }
[[override]]
when = { "train.learning_rate" = 2 }
set = { "train.learning_rate" = 4 }`,
		"methods that read other keys": `[sweep]
"train.method" = ["identity", "immunize", "imma"]
"train.learning_rate" = [1e-3, 1e-2]
"train.seed" = [1, 2]`,
		"variants with axes of their own": `[sweep]
"train.seed" = [1, 2]
[[variant]]
name = "a"
set = { "train.steps" = 7 }
[[variant]]
name = "b"
[variant.sweep]
"train.steps" = [8, 9]
"train.learning_rate" = [0.1, 0.2]`,
		"conditions of attacks": `[[attack]]
method = "cg"
[[attack]]
method = "gd-exact"
[sweep]
"attack.0.start" = ["zero", "random"]
"attack.1.start" = ["zero", "random"]
"attack.1.steps" = [3, 4]`,
	} {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, head+text)
			for _, set := range [][]string{nil, {"train.seed=1,2,3"}, {"train.steps=6,60"}, {"primary.class=2"}} {
				variants(t, s, set...) // which checks them
			}
		})
	}
}

// TestPatternsAreFew: a sweep of seeds has one pattern, whatever their number.
func TestPatternsAreFew(t *testing.T) {
	var seeds []string
	for i := range 5000 {
		seeds = append(seeds, fmt.Sprint(i))
	}
	s := mustParse(t, head+"[sweep]\n\"train.method\" = ['immunize', 'imma']\n\"train.seed\" = ["+strings.Join(seeds, ", ")+"]\n"+
		"[[override]]\nwhen = { \"train.seed\" = 3 }\nset = { \"train.steps\" = 4 }")
	r := newResolver(s, nil)
	p := r.patterns()
	for g, index := range r.combinations(nil) {
		p.of(g, index)
	}
	if n := len(p.known[&r.groups[0]]); n != 4 { // two methods, the seed 3 and all others
		t.Errorf("%d patterns of a sweep of two methods and 5000 seeds, one of which an override names; want 4", n)
	}
}

// TestSamples: they have every set of paths, and every value of the paths asked for.
func TestSamples(t *testing.T) {
	s, err := Load(os.DirFS("testdata"), "example.toml", testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	set := []Axis{{"train.seed", []any{int64(1), int64(2), int64(3)}}, {"train.learning_rate", []any{0.1, 0.2}}}
	all, err := s.Combinations(set)
	if err != nil {
		t.Fatal(err)
	}
	const asked = "train.learning_rate"
	samples, err := s.Samples(set, func(path string) bool { return path == asked })
	if err != nil {
		t.Fatal(err)
	}
	if len(samples) >= len(all) {
		t.Errorf("%d samples of %d combinations", len(samples), len(all))
	}
	see := func(list []Combination) map[string]bool {
		seen := make(map[string]bool)
		for _, c := range list {
			var paths []string
			for path := range c.Settings {
				paths = append(paths, path)
			}
			slices.Sort(paths)
			seen[fmt.Sprint(paths, c.Settings[asked], c.Settings[methodKey])] = true
		}
		return seen
	}
	if diff := cmp.Diff(see(all), see(samples)); diff != "" {
		t.Errorf("what is to be seen of all combinations and of the samples, -all +samples:\n%s", diff)
	}
	for i, c := range samples {
		if c.Ordinal != i {
			t.Fatalf("sample %d has ordinal %d", i, c.Ordinal)
		}
	}
	if _, err := s.Samples([]Axis{{"train.nonsense", []any{int64(1)}}}, func(string) bool { return false }); err == nil {
		t.Error("an unknown path is sampled")
	}
}

// TestEachCombination: the parts of a sweep are all of it, each combination in one.
func TestEachCombination(t *testing.T) {
	s, err := Load(os.DirFS("testdata"), "example.toml", testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	all := variants(t, s)
	for _, parts := range []int{1, 2, 3, 50} {
		got := make([]Combination, len(all))
		seen := 0
		for part := range parts {
			last := -1
			err := s.EachCombination(nil, part, parts, func(c Combination) {
				if c.Ordinal <= last {
					t.Errorf("%d parts: combination %d comes after %d", parts, c.Ordinal, last)
				}
				got[c.Ordinal], last = c, c.Ordinal
				seen++
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if seen != len(all) || !reflect.DeepEqual(got, all) {
			t.Errorf("%d parts have %d combinations of %d, or others", parts, seen, len(all))
		}
	}
	if err := s.EachCombination([]Axis{{"train.nonsense", []any{int64(1)}}}, 0, 1, func(Combination) {}); err == nil {
		t.Error("an unknown path is swept")
	}
}
