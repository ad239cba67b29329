package experiments

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func variants(t *testing.T, s *Spec, set ...string) []Combination {
	t.Helper()
	var axes []Axis
	for _, text := range set {
		a, err := ParseSet(text, testCatalog())
		if err != nil {
			t.Fatal(err)
		}
		axes = append(axes, a)
	}
	v, err := s.Combinations(axes)
	if err != nil {
		t.Fatal(err)
	}
	checkPatterns(t, s, axes, v)
	return v
}

// show writes the values of some paths in every variant; "-" is a setting that is not there.
func show(vs []Combination, paths ...string) string {
	var lines []string
	for _, v := range vs {
		var parts []string
		for _, p := range paths {
			if x, ok := v.Settings[p]; ok {
				parts = append(parts, fmt.Sprint(x))
			} else {
				parts = append(parts, "-")
			}
		}
		lines = append(lines, strings.Join(parts, " "))
	}
	return strings.Join(lines, "\n")
}

func TestCombinationsExample(t *testing.T) {
	s, err := Load(os.DirFS("testdata"), "example.toml", testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	vs := variants(t, s)
	if len(vs) != 90*7 {
		t.Fatalf("%d variants, want 630", len(vs))
	}
	want := Combination{
		Variant: -1,
		Settings: Settings{
			"primary.dataset": "digits", "primary.class": int64(0), "primary.task": "one-class",
			"harmful.dataset": "digits", "harmful.class": int64(1), "harmful.task": "one-class",
			"model.kind": "linear", "model.init": "identity",
			"train.method": "identity", "train.seed": int64(1), "train.keep": "final",
			"attack.0.method": "gd-exact", "attack.0.steps": int64(100), "attack.0.start": "zero",
		},
		Swept: []Assignment{{"primary.class", int64(0)}, {"harmful.class", int64(1)}, {"train.method", "identity"}},
	}
	if diff := cmp.Diff(want, vs[0]); diff != "" {
		t.Errorf("first variant, -want +got:\n%s", diff)
	}
	for i, v := range vs {
		if v.Ordinal != i {
			t.Fatalf("variant %d has ordinal %d", i, v.Ordinal)
		}
		if v.Settings["primary.class"] == v.Settings["harmful.class"] {
			t.Fatalf("variant %d is of one class only", i)
		}
		if got, want := v.Settings["train.learning_rate"], any(5e-3); v.Settings["train.method"] == "imma" && got != any(1e-3) {
			t.Fatalf("variant %d: imma with learning rate %v", i, got)
		} else if v.Settings["train.method"] == "immunize" && got != want {
			t.Fatalf("variant %d: immunize with learning rate %v", i, got)
		}
	}
	if again := variants(t, s); !reflect.DeepEqual(vs, again) {
		t.Error("a second call gives something else")
	}
}

func TestCombinations(t *testing.T) {
	for _, c := range []struct {
		name, text string
		set        []string
		paths      string
		want       string
	}{
		{"no sweep", "", nil, "train.method train.steps train.lambda_primary", "immunize 100 balance"},
		{"integer for a number", "train.learning_rate = 1\ntrain.lambda_harmful = 3", nil, "train.learning_rate train.lambda_harmful", "1 3"},
		{
			"first axis slowest", "[sweep]\n\"train.steps\" = [2, 1]\n\"train.seed\" = [3, 4]", nil, "train.steps train.seed",
			"2 3\n2 4\n1 3\n1 4",
		},
		{"path in parts", "[sweep]\ntrain.steps = [1, 2]\n'train.seed' = [3]", nil, "train.steps train.seed", "1 3\n2 3"},
		{
			"entry's default wins over the key's", "[sweep]\n\"train.method\" = [\"immunize\", \"rill-only\", \"identity\"]", nil,
			"train.step train.step_fraction train.steps", "fixed - 100\nnormalized 0.02 100\n- - -",
		},
		{"condition", "train.optimizer = 'sgd'", nil, "train.momentum train.balance_norm", "0.9 10"},
		{"no condition holds", "train.lambda_primary = 1\ntrain.lambda_harmful = 2.5", nil, "train.momentum train.balance_norm", "- -"},
		{
			"sweep < override < override < set",
			"[sweep]\n\"train.steps\" = [1, 2, 3, 4]\n[[override]]\nwhen = {\"train.steps\" = 2}\nset = {\"train.seed\" = 5, \"train.steps\" = 7}\n" +
				"[[override]]\nwhen = {\"train.steps\" = 7}\nset = {\"train.seed\" = 6}\n[[override]]\nwhen = {\"train.steps\" = 3}\nset = {\"train.trace\" = \"all\"}",
			[]string{"train.trace=none"},
			"train.steps train.seed train.trace", "1 1 none\n7 6 none\n3 1 none\n4 1 none",
		},
		{
			"override matches a default and what set says", "[[override]]\nwhen = {\"train.steps\" = 100, \"attack.0.steps\" = 20}\nset = {\"train.seed\" = 9}\n[[attack]]\nmethod = 'cg'",
			[]string{"train.method=released"},
			"train.method train.seed attack.0.steps", "released 9 20",
		},
		{
			"set replaces the swept axis in its place", "[sweep]\n\"train.steps\" = [1, 2]\n\"train.seed\" = [3, 4]",
			[]string{"train.steps=8,9"},
			"train.steps train.seed", "8 3\n8 4\n9 3\n9 4",
		},
		{
			"set sweeps last", "[sweep]\n\"train.steps\" = [1, 2]",
			[]string{"train.seed=3,4", "train.trace=all"},
			"train.steps train.seed train.trace", "1 3 all\n1 4 all\n2 3 all\n2 4 all",
		},
		{"last set wins", "", []string{"train.steps=1", "train.steps=2"}, "train.steps", "2"},
		{
			"distinct sees overrides and defaults", "[sweep]\n\"harmful.class\" = [2, 3, 4]\ndistinct = [[\"primary.class\", \"harmful.class\"]]\n" +
				"[[override]]\nwhen = {\"primary.class\" = 3}\nset = {\"primary.class\" = 4}", nil, "harmful.class", "2\n3",
		},
		{
			"a name replaces a table", "[sweep]\n\"harmful.dataset.csv\" = [\"a.csv\", \"b.csv\"]",
			[]string{"harmful.dataset=synthetic"},
			"harmful.dataset harmful.dataset.csv harmful.dataset.standardize harmful.class synthetic.angle", "synthetic - - - 0",
		},
		{
			"a table replaces a name", "[sweep]\n\"harmful.class\" = [7, 8]\n[[override]]\nwhen = {\"harmful.class\" = 8}\nset = {\"harmful.dataset.csv\" = \"a.csv\"}", nil,
			"harmful.dataset harmful.dataset.csv harmful.dataset.standardize harmful.class harmful.task primary.class synthetic.angle", "digits - - 7 one-class 3 -\n- a.csv false - - 3 -",
		},
		{
			"attacks by index", "[[attack]]\nmethod = 'cg'\nstart = 'random'\n[[attack]]\nmethod = 'least-squares'\n[sweep]\n\"attack.1.method\" = ['least-squares', 'gd-exact']", nil,
			"attack.0.steps attack.0.seeds attack.1.steps attack.1.seeds", "20 1 - -\n20 1 100 -",
		},
		{
			"a model's keys", "[sweep]\n\"model.kind\" = ['linear', 'mlp']", nil, "model.kind model.init model.width", "linear identity -\nmlp - 64",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := head
			if c.name == "a name replaces a table" {
				text = strings.Replace(head, `harmful = { dataset = "digits", class = 8 }`, `harmful.dataset.target = "y"`, 1)
			}
			got := show(variants(t, mustParse(t, text+c.text), c.set...), strings.Fields(c.paths)...)
			if got != c.want {
				t.Errorf("%s in %q with %q\ngot\n%s\nwant\n%s", c.paths, c.text, c.set, got, c.want)
			}
		})
	}
}

func TestCombinationsTypes(t *testing.T) {
	s := mustParse(t, head+"train.learning_rate = 1\n[sweep]\n\"train.lambda_primary\" = [\"balance\", 2]\n\"train.trace\" = [\"log\", 3]")
	vs := variants(t, s)
	for _, c := range []struct {
		got, want any
	}{
		{vs[3].Settings["train.learning_rate"], 1.0},
		{vs[3].Settings["train.lambda_primary"], 2.0},
		{vs[3].Settings["train.trace"], int64(3)},
		{vs[0].Settings["train.steps"], int64(100)},
	} {
		if c.got != c.want {
			t.Errorf("%T %v, want %T %v", c.got, c.got, c.want, c.want)
		}
	}
}

func TestSweptFollowsSettings(t *testing.T) {
	s := mustParse(t, head+`[sweep]
"train.method" = ["identity", "immunize"]
"train.steps"  = [10]
[[override]]
when = { "train.method" = "immunize" }
set  = { "train.steps" = 20 }`)
	vs := variants(t, s)
	want := [][]Assignment{{{"train.method", "identity"}}, {{"train.method", "immunize"}, {"train.steps", int64(20)}}}
	for i, v := range vs {
		if diff := cmp.Diff(want[i], v.Swept); diff != "" {
			t.Errorf("variant %d, -want +got:\n%s", i, diff)
		}
	}
}

func TestCombinationsRefuses(t *testing.T) {
	s := mustParse(t, head+"[[attack]]\nmethod = 'cg'\n[sweep]\n\"harmful.class\" = [8, 9]\ndistinct = [[\"primary.class\", \"harmful.class\"]]")
	for _, c := range []struct {
		set  Axis
		want string
	}{
		{Axis{"train.stepz", []any{int64(1)}}, `train.stepz: unknown key path – did you mean "train.steps"?`},
		{Axis{"train.steps", nil}, "train.steps: no values"},
		{Axis{"train.steps", []any{"x"}}, `train.steps: "x" is a string`},
		{Axis{"attack.steps", []any{int64(1)}}, `attack.steps: which attack? – attacks are counted from 0: "attack.0.steps"`},
		{Axis{"attack.1.steps", []any{int64(1)}}, "attack.1.steps: there is no attack 1 – the spec has 1"},
		{Axis{"train.momentum", []any{0.5}}, "train.momentum: no run of the spec reads it – read by immunize, rill-only – only with train.optimizer = \"sgd\""},
		{Axis{"primary.class", []any{int64(10)}}, `primary.class: the data set "digits" has no class 10`},
		{Axis{"harmful.class", []any{int64(3)}}, "no run is left"},
		{Axis{"train.seed", integers(0, maxCombinations)}, "test.toml: too many combinations"},
	} {
		if got, err := s.Combinations([]Axis{c.set}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v: %d variants, error %v, want %s", c.set.Path, len(got), err, c.want)
		}
	}
	both := []Axis{{"harmful.dataset", []any{"digits"}}, {"harmful.dataset.csv", []any{"a"}}}
	if _, err := s.Combinations(both); err == nil || !strings.Contains(err.Error(), "contradicts") {
		t.Errorf("name and table: %v", err)
	}
}

// TestCombinationsWithoutCatalog: a spec put together by hand has no defaults and loses nothing.
func TestCombinationsWithoutCatalog(t *testing.T) {
	s := &Spec{Base: Settings{"a.b": int64(1)}, Sweep: []Axis{{"c.d", []any{"x", "y"}}}}
	got, err := s.Combinations([]Axis{{"a.b", []any{int64(2)}}})
	if err != nil {
		t.Fatal(err)
	}
	if text := show(got, "a.b", "c.d"); text != "2 x\n2 y" {
		t.Errorf("got\n%s", text)
	}
}

func TestNoValuesNoCombinations(t *testing.T) {
	s := &Spec{Sweep: []Axis{{"a.b", nil}}}
	if got, err := s.Combinations(nil); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

func BenchmarkCombinations(b *testing.B) {
	s, err := Load(os.DirFS("testdata"), "example.toml", testCatalog())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Combinations(nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	data, err := os.ReadFile("testdata/example.toml")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Parse("example.toml", data, testCatalog()); err != nil {
			b.Fatal(err)
		}
	}
}
