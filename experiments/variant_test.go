package experiments

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const variantHead = `title = "t"
[primary]
dataset = "digits"
[harmful]
dataset = "digits"
class = 8
[train]
seed = 3
`

func TestVariants(t *testing.T) {
	s, err := Parse("v.toml", []byte(variantHead+`
[sweep]
"primary.class" = [1, 2]

[[variant]]
name = "plain"
set  = { "train.method" = "identity" }

[[variant]]
name = "steps"
set  = { "train.method" = "immunize", "train.steps" = 7 }
[variant.sweep]
"train.learning_rate" = [1e-3, 1e-2]

[[override]]
when = { "train.learning_rate" = 1e-2 }
set  = { "train.steps" = 9 }
`), testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	got := show(variants(t, s), "primary.class", "train.method", "train.steps", "train.learning_rate")
	want := `1 identity - -
1 immunize 7 0.001
1 immunize 9 0.01
2 identity - -
2 immunize 7 0.001
2 immunize 9 0.01`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var swept []string
	for _, c := range variants(t, s)[:3] {
		swept = append(swept, fmt.Sprintf("%d%v", c.Variant, c.Swept))
	}
	if diff := cmp.Diff([]string{
		"0[{primary.class 1} {variant plain} {train.method identity}]",
		"1[{primary.class 1} {variant steps} {train.method immunize} {train.steps 7} {train.learning_rate 0.001}]",
		"1[{primary.class 1} {variant steps} {train.method immunize} {train.steps 9} {train.learning_rate 0.01}]",
	}, swept); diff != "" {
		t.Errorf("swept, -want +got:\n%s", diff)
	}

	// The command line stands above variants: it replaces what one sets, and an axis of one.
	got = show(variants(t, s, "train.steps=5", "train.learning_rate=1e-4", "primary.class=4"), "primary.class", "train.method", "train.steps", "train.learning_rate")
	if want := "4 identity - -\n4 immunize 5 0.0001"; got != want {
		t.Errorf("with -S: got\n%s\nwant\n%s", got, want)
	}

	again, err := Parse("v.toml", s.Canonical(), testCatalog())
	if err != nil {
		t.Fatalf("the canonical form is refused: %v\n%s", err, s.Canonical())
	}
	if diff := cmp.Diff(s.Variants, again.Variants); diff != "" {
		t.Errorf("canonical form, -want +got:\n%s", diff)
	}
}

func TestVariantProblems(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no name", `[[variant]]
set = { "train.method" = "identity" }`, "name is missing"},
		{"name of a number", "[[variant]]\nname = 3\nset = { \"train.method\" = \"identity\" }", "3 is an integer"},
		{"name twice", `[[variant]]
name = "a"
set = { "train.method" = "identity" }
[[variant]]
name = "a"
set = { "train.method" = "immunize" }`, `"a" is the name of another variant`},
		{"unknown key", "[[variant]]\nname = \"a\"\nsets = 1", `unknown key – want name, set and sweep – did you mean "set"?`},
		{"unknown path", `[[variant]]
name = "a"
set = { "train.methods" = "identity" }`, `did you mean "train.method"?`},
		{"no method", `[[variant]]
name = "a"
set = { "train.method" = "identity" }
[[variant]]
name = "b"
set = { "train.steps" = 3 }`, "train: method is missing"},
		{"swept above", `[sweep]
"train.method" = ["identity", "immunize"]
[[variant]]
name = "a"
set = { "train.method" = "identity" }`, `contradicts the sweep of "train.method"`},
		{"set and swept", `[[variant]]
name = "a"
set = { "train.method" = "immunize", "train.steps" = 3 }
sweep = { "train.steps" = [1, 2] }`, `contradicts the setting of "train.steps"`},
		{"nobody reads it", `[[variant]]
name = "a"
set = { "train.method" = "identity", "train.steps" = 3 }`, "no run of the spec reads it"},
		{"axis that nobody reads", `[[variant]]
name = "a"
set = { "train.method" = "identity" }
sweep = { "train.steps" = [3] }`, "no run of the spec reads it"},
		{"empty sweep", `[[variant]]
name = "a"
set = { "train.method" = "identity" }
sweep = {}`, "want a table of key paths with lists"},
		{"no table", `variant = 3`, "want tables [[variant]]"},
		{"too many", `[[variant]]
name = "a"
set = { "train.method" = "immunize" }
sweep = { "train.seed" = [` + numbers(1001) + `], "train.steps" = [` + numbers(1001) + `] }`, "too many combinations"},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := variantHead
			if strings.HasPrefix(c.text, "variant") {
				head, c.text = c.text+"\n"+variantHead+"method = \"identity\"\n", ""
			}
			_, err := Parse("v.toml", []byte(strings.Replace(head, "class = 8", "class = 8\n", 1)+c.text), testCatalog())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func numbers(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprint(i)
	}
	return strings.Join(parts, ", ")
}
