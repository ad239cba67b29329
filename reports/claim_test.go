package reports

import (
	"math"
	"strings"
	"testing"

	"kappa/experiments"
	"kappa/store"
)

// column makes the answer of a claim's query.
func column(values ...any) [][]any {
	var out [][]any
	for _, v := range values {
		out = append(out, []any{v})
	}
	return out
}

func TestEvaluate(t *testing.T) {
	inf := math.Inf(1)
	order := []any{"optimum", "immunize", "identity"}
	for name, tc := range map[string]struct {
		op        string
		expect    float64
		tolerance float64
		values    [][]any
		want      string
		reason    string // part of it
	}{
		"< below":      {op: "<", expect: 1, values: column(0.9), want: Reproduced},
		"< equal":      {op: "<", expect: 1, values: column(1.0), want: NotReproduced},
		"<= equal":     {op: "<=", expect: 1, values: column(int64(1)), want: Reproduced},
		"<= above":     {op: "<=", expect: 1, values: column(1.0000001), want: NotReproduced},
		"> above":      {op: ">", expect: 1, values: column(2.15), want: Reproduced},
		"> equal":      {op: ">", expect: 1, values: column(1.0), want: NotReproduced},
		"> infinite":   {op: ">", expect: 1, values: column(inf), want: Reproduced},
		">= equal":     {op: ">=", expect: 1, values: column(1.0), want: Reproduced},
		">= below":     {op: ">=", expect: 1, values: column(0.5), want: NotReproduced},
		"= last bits":  {op: "=", expect: 3, values: column(3 * (1 + 9e-13)), want: Reproduced},
		"= too far":    {op: "=", expect: 3, values: column(3 * (1 + 2e-12)), want: NotReproduced},
		"= zero":       {op: "=", expect: 0, values: column(int64(0)), want: Reproduced},
		"= near zero":  {op: "=", expect: 0, values: column(1e-300), want: NotReproduced},
		"= count":      {op: "=", expect: 90, values: column(int64(90)), want: Reproduced},
		"within":       {op: "within", expect: 100, tolerance: 0.05, values: column(95.0), want: Reproduced},
		"within out":   {op: "within", expect: 100, tolerance: 0.05, values: column(94.9), want: NotReproduced},
		"within below": {op: "within", expect: -100, tolerance: 0.05, values: column(-104.0), want: Reproduced},
		"ratio up":     {op: "ratio", expect: 10, tolerance: 1, values: column(20.0), want: Reproduced},
		"ratio down":   {op: "ratio", expect: 10, tolerance: 1, values: column(5.0), want: Reproduced},
		"ratio out":    {op: "ratio", expect: 10, tolerance: 1, values: column(4.9), want: NotReproduced},
		"ratio minus":  {op: "ratio", expect: -10, tolerance: 1, values: column(-19.0), want: Reproduced},
		"ratio sign":   {op: "ratio", expect: 10, tolerance: 1, values: column(-10.0), want: NotReproduced},

		"sample above":     {op: ">", expect: 1, values: column(2.0, 2.1, 1.9, 2.0), want: Reproduced},
		"sample below":     {op: ">", expect: 3, values: column(2.0, 2.1, 1.9, 2.0), want: NotReproduced},
		"sample crosses":   {op: ">", expect: 2.02, values: column(2.0, 2.1, 1.9, 2.0), want: Undecided, reason: "interval of the mean crosses"},
		"sample of two":    {op: "<", expect: 2, values: column(1.0, 1.9), want: Undecided, reason: "interval"}, // t = 12.7
		"sample equal":     {op: ">=", expect: 2, values: column(2.0, 2.0, 2.0), want: Reproduced},
		"sample at bound":  {op: ">", expect: 2, values: column(2.0, 2.0, 2.0), want: NotReproduced},
		"sample within":    {op: "within", expect: 2, tolerance: 0.1, values: column(2.0, 2.1, 1.9), want: Undecided, reason: "interval"},
		"sample inside":    {op: "within", expect: 2, tolerance: 0.2, values: column(2.0, 2.01, 1.99), want: Reproduced},
		"sample outside":   {op: "within", expect: 3, tolerance: 0.1, values: column(2.0, 2.01, 1.99), want: NotReproduced},
		"sample infinite":  {op: ">", expect: 1, values: column(2.0, inf, 3.0), want: Undecided, reason: "1 of 3 values not finite"},
		"no rows":          {op: ">", expect: 1, want: Undecided, reason: "no rows"},
		"null":             {op: ">", expect: 1, values: column(nil), want: Undecided, reason: "no value (NULL)"},
		"null in a sample": {op: ">", expect: 1, values: column(2.0, nil), want: Undecided, reason: "row 2 has no value"},
		"text":             {op: ">", expect: 1, values: column("abc"), want: Undecided, reason: `text, not a number: "abc"`},

		"order":        {op: "order", values: column("optimum", "immunize", "identity"), want: Reproduced},
		"order turned": {op: "order", values: column("immunize", "optimum", "identity"), want: NotReproduced},
		"order short":  {op: "order", values: column("optimum", "immunize"), want: NotReproduced},
		"order long":   {op: "order", values: column("optimum", "immunize", "identity", "imma"), want: NotReproduced},
		"order null":   {op: "order", values: column("optimum", nil, "identity"), want: Undecided, reason: "row 2"},
		"order empty":  {op: "order", want: Undecided, reason: "no rows"},
		"order number": {op: "order", values: column(int64(1), "immunize", "identity"), want: NotReproduced},
	} {
		t.Run(name, func(t *testing.T) {
			cell := experiments.Cell{ID: "c", Claim: experiments.ClaimOptions{Op: tc.op, Expect: tc.expect, Tolerance: tc.tolerance, Order: order}}
			got := evaluate(cell, rows("value", tc.values...), []string{"a"})
			if got.Verdict != tc.want || !strings.Contains(got.Reason, tc.reason) || (got.Verdict == Undecided) != (got.Reason != "") {
				t.Errorf("evaluate(%s %v ± %v, %v) = %s (%s), want %s (%s)", tc.op, tc.expect, tc.tolerance, tc.values, got.Verdict, got.Reason, tc.want, tc.reason)
			}
		})
	}
}

// TestEvaluateSample checks the numbers of a sample against Student's t by hand: 1, 2, 3, 4 has mean 2.5, sd 1.29099 and half-width
// 3.18245·1.29099/2 = 2.05426.
func TestEvaluateSample(t *testing.T) {
	c := evaluate(experiments.Cell{Claim: experiments.ClaimOptions{Op: ">"}}, rows("v", column(1.0, 2.0, 3.0, int64(4))...), nil)
	for _, x := range []struct {
		name      string
		got, want float64
	}{{"mean", c.Value, 2.5}, {"sd", c.SD, 1.290994448736}, {"low", c.Low, 0.445739743239}, {"high", c.High, 4.554260256761}} {
		if math.Abs(x.got-x.want) > 1e-10 {
			t.Errorf("%s = %.12f, want %.12f", x.name, x.got, x.want)
		}
	}
	if c.N != 4 || c.Verdict != Reproduced {
		t.Errorf("n = %d, %s; want 4, reproduced", c.N, c.Verdict)
	}
}

func TestEvaluateMinRunsAndKnown(t *testing.T) {
	cell := experiments.Cell{Claim: experiments.ClaimOptions{Op: ">", Expect: 1, MinRuns: 3}}
	if c := evaluate(cell, rows("v", column(2.0)...), []string{"a", "b"}); c.Verdict != Undecided || !c.Mismatch() || c.Reason != "2 runs behind it, 3 wanted" {
		t.Errorf("two of three runs: %s (%s)", c.Verdict, c.Reason)
	}
	if c := evaluate(cell, rows("v", column(2.0)...), []string{"a", "b", "c"}); c.Verdict != Reproduced || c.Mismatch() {
		t.Errorf("three of three runs: %s", c.Verdict)
	}
	cell.Claim.Known = NotReproduced
	if c := evaluate(cell, rows("v", column(2.0)...), []string{"a", "b", "c"}); c.Verdict != Reproduced || !c.Mismatch() {
		t.Errorf("known to fail, but %s: no mismatch", c.Verdict)
	}
	if c := evaluate(cell, rows("v", column(0.5)...), []string{"a", "b", "c"}); c.Verdict != NotReproduced || c.Mismatch() {
		t.Errorf("known to fail, and %s: a mismatch", c.Verdict)
	}
}

func TestDifference(t *testing.T) {
	paper := 356.2
	for _, tc := range []struct {
		paper *float64
		value any
		want  string
	}{
		{nil, 2.0, "–"},
		{&paper, 356.2, "0 (0 %)"},
		{&paper, 95.3, "−261 (−73.2 %)"},
		{&paper, 400.0, "+43.8 (+12.3 %)"},
		{&paper, nil, "–"},
		{new(0.0), 1.5, "+1.50"},
	} {
		c := evaluate(experiments.Cell{Claim: experiments.ClaimOptions{Op: ">", PaperValue: tc.paper}}, rows("v", column(tc.value)...), nil)
		if got := c.difference(); got != tc.want {
			t.Errorf("difference of %v from the paper = %q, want %q", tc.value, got, tc.want)
		}
	}
}

// TestMeasuredDigits: the value is written so that a reader sees whether it is within the tolerance.
func TestMeasuredDigits(t *testing.T) {
	for _, tc := range []struct {
		op        string
		tolerance float64
		want      string
	}{
		{"within", 0.1, "201700"},
		{"within", 1e-3, "201700"},
		{"within", 1e-6, "201728.9"},
		{"ratio", 1e-4, "201730"},
		{"within", 1e-300, "201728.884912"},
		{">", 0, "201700"},
	} {
		c := ClaimResult{Claim: store.Claim{Op: tc.op, Tolerance: tc.tolerance, Value: 201728.88491234, N: 1}}
		if got := c.measured(); got != tc.want {
			t.Errorf("%s ± %v: measured %s, want %s", tc.op, tc.tolerance, got, tc.want)
		}
	}
}
