package cli

import (
	"math"
	"testing"

	"kappa/experiments"
)

// TestSweptJSON: what is written by hand is what the encoder writes.
func TestSweptJSON(t *testing.T) {
	for _, values := range [][]any{
		{},
		{int64(-3)},
		{int64(math.MaxInt64)},
		{"immunize"},
		{"a b", int64(0)},
		{`a"b`},
		{`a\b`},
		{"<a&b>"},
		{"ä"},
		{"a\nb"},
		{"\x7f"},
		{""},
		{1.5, "x"},
		{true},
		{[]any{int64(1), "a"}},
		{math.Inf(1)},
		{"same", "same"},
	} {
		var swept []experiments.Assignment
		g := &grid{}
		for i, v := range values {
			path := []string{"train.method", "primary.class"}[i]
			if v == "same" {
				path = "train.seed"
			}
			swept = append(swept, experiments.Assignment{Path: path, Value: v})
			g.columns = append(g.columns, path)
		}
		want, err := g.object(values)
		if len(values) == 0 {
			want = []byte("{}")
		}
		got, gotErr := sweptJSON(swept)
		if got != string(want) || (err == nil) != (gotErr == nil) {
			t.Errorf("%v: %s, %v; want %s, %v", values, got, gotErr, want, err)
		}
		if plain, ok := plainJSON(swept); ok && plain != string(want) {
			t.Errorf("%v: plainly %s, want %s", values, plain, want)
		}
	}
}
