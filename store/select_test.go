package store

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseSelector(t *testing.T) {
	for text, want := range map[string]Selector{
		"3fa0":                   {Kind: SelectWord, Word: "3fa0"},
		"digits":                 {Kind: SelectWord, Word: "digits"},
		"a:b":                    {Kind: SelectWord, Word: "a:b"},
		"@1":                     {Kind: SelectRecent, From: 1, To: 1},
		"@2:5":                   {Kind: SelectRecent, From: 2, To: 5},
		"@5:2":                   {Kind: SelectRecent, From: 5, To: 2},
		"digits:@1":              {Kind: SelectRecent, Experiment: "digits", From: 1, To: 1},
		"digits:@2:5":            {Kind: SelectRecent, Experiment: "digits", From: 2, To: 5},
		"a:b:@3":                 {Kind: SelectRecent, Experiment: "a:b", From: 3, To: 3},
		"digits:all":             {Kind: SelectAll, Experiment: "digits"},
		"digits:best(rir)":       {Kind: SelectBest, Experiment: "digits", Metric: "rir"},
		"ü 𝛋:worst(loss_base)":   {Kind: SelectWorst, Experiment: "ü 𝛋", Metric: "loss_base"},
		"x:best(y):worst(def_a)": {Kind: SelectWorst, Experiment: "x:best(y)", Metric: "def_a"},
	} {
		want.Text = text
		got, err := ParseSelector(text)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%q: %v\n%s", text, err, d)
		}
	}
	for text, says := range map[string]string{
		"":                      "it names nothing",
		" ":                     "it names nothing",
		"@":                     "is no number",
		"@0":                    "numbers begin at 1",
		"@-1":                   "is no number",
		"@x":                    "is no number",
		"@1:":                   "is no number",
		"@2:0":                  "numbers begin at 1",
		"@99999999999999999999": "more runs than there can be",
		":@1":                   "no experiment stands before the colon",
		":best(rir)":            "needs an experiment",
		"digits:best()":         "is no column of results",
		"digits:best(rir, x)":   "is no column of results",
		"digits:@":              "is no number",
	} {
		_, err := ParseSelector(text)
		if e, ok := errors.AsType[*SelectorError](err); !ok || e.Selector != text || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want %q", text, err, says)
		}
	}
}

// FuzzSelector: what is read, written and read again is the same; and reading never panics.
func FuzzSelector(f *testing.F) {
	for _, text := range []string{"3fa0", "@1", "@2:5", "a:@5:2", "a:all", "a:best(rir)", "b:worst(def_a)", ":@", "@1:all", "a:best(b):@1", "\xff:@1", "a\n:@1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSelector(text)
		if err != nil {
			if _, ok := errors.AsType[*SelectorError](err); !ok || s != (Selector{}) {
				t.Fatalf("%q: %v (%T), %+v", text, err, err, s)
			}
			return
		}
		again, err := ParseSelector(s.String())
		s.Text, again.Text = "", ""
		if err != nil || again != s {
			t.Fatalf("%q is %+v, written %q and read again %+v, %v", text, s, s.String(), again, err)
		}
	})
}

// selectTest is a database with the runs 1 to 6 of "digits", of which 6 belongs to "face" too; 7 belongs to none, and 5 failed.
func selectTest(t *testing.T) *DB {
	t.Helper()
	clk := newClock()
	db := openTest(t, newPath(t), Options{Now: clk.now})
	e := Experiment{Name: "digits", Hash: "1"}
	for i := range 6 {
		e.Runs = append(e.Runs, key(i+1))
	}
	face := Experiment{Name: "face", Hash: "1", Runs: []string{key(6)}}
	for _, e := range []Experiment{face, e, {Name: "empty", Hash: "1"}} {
		if err := db.RecordExperiment(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for i, rir := range []float64{5, 2, 7, 7, nan, math.Inf(1), 99} {
		clk.advance(time.Second)
		a := claimTest(t, db, start(i+1), false)
		o := outcome(i + 1)
		o.Result.RIR, o.Result.LossPrimary = rir, rir
		if math.IsNaN(rir) {
			o.Status, o.Result = Failed, nil
		}
		if err := db.Finish(t.Context(), a, o); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestSelect(t *testing.T) {
	db := selectTest(t)
	for selector, want := range map[string][]int{
		key(3)[:8]:                   {3},
		strings.ToUpper(key(3)[:8]):  {3},
		"@1":                         {7},
		"@2:4":                       {6, 5, 4},
		"@4:2":                       {4, 5, 6},
		"digits:@1":                  {6},
		"digits:@2:3":                {5, 4},
		"digits":                     {6, 5, 4, 3, 2, 1},
		"digits:all":                 {6, 5, 4, 3, 2, 1},
		"face":                       {6},
		"digits:best(rir)":           {4}, // 3 has the same and is older; 6 is infinite, 7 belongs to another
		"digits:worst(rir)":          {2},
		"digits:best(loss_primary)":  {2},
		"digits:worst(loss_primary)": {4},
		"digits:best(steps)":         {6}, // all the same: the latest
	} {
		rows, err := db.Select(t.Context(), selector)
		var got []int
		for _, r := range rows {
			got = append(got, int(*r.Seed))
		}
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", selector, err, d)
		}
	}
	rows, err := db.SelectMany(t.Context(), []string{"@2", "digits:@1:2", key(1)})
	if err != nil || len(rows) != 3 || rows[0].Key != key(6) || rows[2].Key != key(1) {
		t.Errorf("three selectors: %v, %d rows", err, len(rows))
	}
}

func TestSelectErrors(t *testing.T) {
	db := selectTest(t)
	for _, c := range []struct {
		selector, says string
		known          string
	}{
		{"digist", "no experiment has that name", "digits"},
		{"digist:best(rir)", `no experiment "digist" is recorded`, "digits"},
		{"digits:best(rri)", `results has no figure "rri"`, "loss_primary"},
		{"digits:best(method)", `results has no figure "method"`, "rir"},
		{"digits:best(ceiling)", "no finished run of digits has a finite ceiling", ""},
		{"digits:@7", "only 6 runs of digits are recorded", ""},
		{"@8", "only 7 runs are recorded", ""},
		{"face:@2:3", "only 1 run of face is recorded", ""},
		{"empty", "no run of empty is recorded", ""},
		{"ffff0000ffff", "not recorded", ""},
		{"@", "is no number", ""},
	} {
		_, err := db.Select(t.Context(), c.selector)
		e, ok := errors.AsType[*SelectorError](err)
		if !ok || !strings.Contains(err.Error(), c.says) || c.known != "" && !strings.Contains(fmt.Sprint(e.Known), c.known) {
			t.Errorf("%s: %v; want %q", c.selector, err, c.says)
		}
		if want := !strings.HasPrefix(c.selector, "@") || c.selector == "@8"; errors.Is(err, ErrNotFound) != want {
			t.Errorf("%s: not found is %v, want %v", c.selector, !want, want)
		}
	}
	for i := 8; i < 400; i++ {
		claimTest(t, db, start(i), false)
	}
	if _, err := db.Select(t.Context(), "a"); err == nil || !strings.Contains(err.Error(), "more") {
		t.Errorf("an ambiguous prefix: %v", err)
	} else if _, ok := errors.AsType[*AmbiguousError](err); !ok {
		t.Errorf("an ambiguous prefix: %T", err)
	}
	if _, err := db.SelectMany(t.Context(), []string{"nothing", "@0", "@1"}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two of three selectors are wrong: %v", err)
	}
	if _, err := db.SelectMany(t.Context(), nil); err == nil {
		t.Error("no selector selected something")
	}
	for selector, says := range map[string]string{"digits": "digits:@1", "digits:@1:2": "digits:@1", "@3:1": "@3"} {
		if _, err := db.SelectOne(t.Context(), selector); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("one of %s: %v; want %q", selector, err, says)
		}
	}
	if r, err := db.SelectOne(t.Context(), "digits:best(rir)"); err != nil || r.Key != key(4) {
		t.Errorf("one: %v, %v", r.Key, err)
	}
	// A name that is a key's beginning is neither.
	hex := key(2)[:5]
	if err := db.RecordExperiment(t.Context(), Experiment{Name: hex, Hash: "1", Runs: []string{key(1)}}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Select(t.Context(), hex); err == nil || !strings.Contains(err.Error(), hex+":all") {
		t.Errorf("a name that is a key's beginning: %v", err)
	}
	if r, err := db.SelectOne(t.Context(), hex+":all"); err != nil || r.Key != key(1) {
		t.Errorf("its runs: %v, %v", r.Key, err)
	}
}

// TestSelectorMetrics: best and worst go by every figure that a report counts as one, and by no other column.
func TestSelectorMetrics(t *testing.T) {
	known := map[string]bool{"unbounded": true, "freedom": true}
	for _, c := range resultsView().columns {
		known[c.name] = known[c.name] || c.kind != coordinate
	}
	for _, m := range selectorMetrics {
		if !known[m.name] {
			t.Errorf("%s is no figure of results", m.name)
		}
		delete(known, m.name)
	}
	for name, figure := range known {
		if figure {
			t.Errorf("%s is missing", name)
		}
	}
}
