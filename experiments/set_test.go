package experiments

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseSet(t *testing.T) {
	for _, c := range []struct {
		text string
		want Axis
	}{
		{"train.steps=1,2", Axis{"train.steps", []any{int64(1), int64(2)}}},
		{" train.steps = 1_000 ", Axis{"train.steps", []any{int64(1000)}}},
		{"train.learning_rate=1,1e-3", Axis{"train.learning_rate", []any{1.0, 1e-3}}},
		{"train.lambda_primary=balance,2", Axis{"train.lambda_primary", []any{"balance", 2.0}}},
		{`train.lambda_primary="balance"`, Axis{"train.lambda_primary", []any{"balance"}}},
		{"train.trace=5,all", Axis{"train.trace", []any{int64(5), "all"}}},
		{"train.method=immunize,rill-only", Axis{"train.method", []any{"immunize", "rill-only"}}},
		{"model.init=true", Axis{"model.init", []any{"true"}}},
		{"model.init=12", Axis{"model.init", []any{"12"}}},
		{`model.init="a,b",c=d`, Axis{"model.init", []any{"a,b", "c=d"}}},
		{`model.init='a"b',"c\",d"`, Axis{"model.init", []any{`a"b`, `c",d`}}},
		{"model.init=nan", Axis{"model.init", []any{"nan"}}},
		{"model.init=a b # c", Axis{"model.init", []any{"a b # c"}}},
		{"primary.dataset.standardize=true,false", Axis{"primary.dataset.standardize", []any{true, false}}},
		{`primary.dataset.drop=["a","b"],[]`, Axis{"primary.dataset.drop", []any{[]any{"a", "b"}, []any{}}}},
		{"synthetic.spectrum_primary=[1, 2.5]", Axis{"synthetic.spectrum_primary", []any{[]any{1.0, 2.5}}}},
		{"attack.2.steps=3", Axis{"attack.2.steps", []any{int64(3)}}},
	} {
		got, err := ParseSet(c.text, testCatalog())
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q, -want +got:\n%s", c.text, diff)
		}
	}
}

func TestParseSetRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"train.steps", `"train.steps" is no setting – want key=value, such as train.steps=200`},
		{"=3", `"=3" is no setting – want key=value, such as train.steps=200`},
		{"train.steps=", "train.steps: no value – want an integer ≥ 0 and ≤ 1e7"},
		{"train.steps=1,,2", "train.steps: no value – want an integer ≥ 0 and ≤ 1e7"},
		{"train.stepz=1", `train.stepz: unknown key path – did you mean "train.steps"?`},
		{"attack.0.stepz=1", `attack.0.stepz: unknown key path – did you mean "attack.0.steps"?`},
		{"attack.steps=1", `attack.steps: which attack? – attacks are counted from 0: "attack.0.steps"`},
		{"train.steps=many", `train.steps: "many" is a string – want an integer ≥ 0 and ≤ 1e7`},
		{"train.steps=1.5", "train.steps: 1.5 is a float – want an integer ≥ 0 and ≤ 1e7"},
		{"train.steps=-1", "train.steps: -1 is out of range – want an integer ≥ 0 and ≤ 1e7"},
		{"train.learning_rate=nan", "train.learning_rate: nan is not a finite number – want a number > 0"},
		{"train.lambda_primary=-1", `train.lambda_primary: -1 is out of range – want a number ≥ 0 or "balance"`},
		{"train.lambda_primary=balanced", `train.lambda_primary: unknown value "balanced" – want a number ≥ 0 or "balance" – did you mean "balance"?`},
		{"train.method=imunize", `train.method: unknown method "imunize" – want "identity", "immunize", "released", "rill-only", "imma", "opt-kappa" or "optimum" – did you mean "immunize"?`},
		{"train.steps=1,1", "train.steps: 1 is listed twice"},
		{"train.steps=1\nb=2", "train.steps: \"1\\nb=2\" is a string – want an integer ≥ 0 and ≤ 1e7"},
	} {
		_, err := ParseSet(c.text, testCatalog())
		if _, ok := errors.AsType[Problem](err); !ok || err.Error() != c.want {
			t.Errorf("%q: %v\nwant %s", c.text, err, c.want)
		}
	}
}
