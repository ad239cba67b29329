package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTags(t *testing.T) {
	db, _ := removeTest(t)
	ctx := t.Context()
	for _, c := range []struct {
		selectors   []string
		add, remove []string
		changed     int
		want        string // of run 3, the latest
	}{
		{[]string{"@1"}, []string{"b", "a", "b"}, nil, 1, "a b"},
		{[]string{"digits"}, []string{"a"}, nil, 2, "a b"},
		{[]string{"digits", "@1"}, []string{"a"}, nil, 0, "a b"},
		{[]string{"@1"}, []string{"κ 𝛋"}, []string{"b", "never"}, 1, "a κ 𝛋"},
		{[]string{"digits"}, nil, []string{"a", "κ 𝛋"}, 3, ""},
	} {
		marked, err := db.Tag(ctx, c.selectors, c.add, c.remove)
		changed := 0
		for _, m := range marked {
			if m.Changed {
				changed++
			}
		}
		r, e := db.SelectOne(ctx, "@1")
		if got := strings.Join(r.Tags, " "); err != nil || e != nil || changed != c.changed || got != c.want {
			t.Errorf("%v +%v -%v: %d changed and tags %q, want %d and %q; %v %v", c.selectors, c.add, c.remove, changed, got, c.changed, c.want, err, e)
		}
	}
	if got := one(t, db, "SELECT group_concat(DISTINCT tags) FROM runs"); got != "[]" {
		t.Errorf("without tags the column holds %v", got)
	}
	for _, bad := range []string{"", " ", "x ", "a\nb", "\x00", "\xff", strings.Repeat("x", 201)} {
		if _, err := db.Tag(ctx, []string{"@1"}, []string{bad}, nil); err == nil {
			t.Errorf("the tag %.10q was taken", bad)
		}
	}
	if _, err := db.Tag(ctx, []string{"@1", "@44"}, []string{"x"}, nil); err == nil {
		t.Error("a run that there is none of was tagged")
	}
	if r, err := db.SelectOne(ctx, "@1"); err != nil || len(r.Tags) != 0 {
		t.Errorf("of two selectors one was wrong, and the other's run has %v, %v", r.Tags, err)
	}
}

func TestNotes(t *testing.T) {
	db, _ := removeTest(t)
	ctx := t.Context()
	long := strings.Repeat("κ", 1<<19)
	for _, note := range []string{"why", "why", "two\nlines\t𝛋 \U0001FAE0 \U00100000", long, ""} {
		marked, err := db.SetNote(ctx, []string{"@1:2"}, note)
		if err != nil || len(marked) != 2 {
			t.Fatalf("%.20q: %v", note, err)
		}
		rows, err := db.Select(ctx, "@1:2")
		if err != nil || rows[0].Note != note || rows[1].Note != note {
			t.Errorf("%.20q: reads %.20q, %v", note, rows[0].Note, err)
		}
	}
	if got := one(t, db, "SELECT count(note) FROM runs"); got != int64(0) {
		t.Errorf("%v notes, and all were taken away", got)
	}
	for _, bad := range []string{long + "x", "\xff", "a\x00b"} {
		if _, err := db.SetNote(ctx, []string{"@1"}, bad); err == nil {
			t.Errorf("the note %.10q was taken", bad)
		}
	}
	if marked, err := db.SetNote(ctx, []string{"@1"}, "x"); err != nil || !marked[0].Changed {
		t.Errorf("%+v, %v", marked, err)
	}
	if marked, err := db.SetNote(ctx, []string{"@1"}, "x"); err != nil || marked[0].Changed {
		t.Errorf("again: %+v, %v", marked, err)
	}
}

// TestDossier: all that is recorded of a run, number for number.
func TestDossier(t *testing.T) {
	db, _ := removeTest(t)
	ctx := t.Context()
	if err := db.RecordClaims(ctx, "digits", "1", []Claim{{ID: "c", Verdict: "reproduced", Value: 2, Op: ">", Runs: []string{key(1), key(2)}}}); err != nil {
		t.Fatal(err)
	}
	again := start(2)
	again.Depends = []Dependency{{Needs: key(1), What: "θ_0"}}
	if err := db.Finish(ctx, claimTest(t, db, again, true), Outcome{Status: Failed, Error: "no", Log: "l"}); err != nil {
		t.Fatal(err)
	}
	d, err := db.Dossier(ctx, key(2))
	if err != nil {
		t.Fatal(err)
	}
	o, err := db.Outcome(ctx, key(2))
	if diff := cmp.Diff(o, d.Outcome, cmpopts.EquateNaNs()); err != nil || diff != "" {
		t.Errorf("the outcome: %v\n%s", err, diff)
	}
	if d.TrainKey != start(2).TrainKey || d.PrimaryDigest != "p" || d.HarmfulDigest != "h" || len(d.Params) != 2 || d.Made.CPU != "c" {
		t.Errorf("%+v", d)
	}
	two := 2.0
	for name, diff := range map[string]string{
		"provenance":  cmp.Diff(start(2).Provenance.Argv, d.Made.Argv),
		"claims":      cmp.Diff([]Standing{{"digits", "c", "reproduced", &two, 2, d.Claims[0].Evaluated}}, d.Claims),
		"experiments": cmp.Diff([]Membership{{"digits", "", "1", d.Experiments[0].Recorded, true, 2, 3, "{}"}}, d.Experiments),
		"dependents":  cmp.Diff([]Relative(nil), d.Dependents),
	} {
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if len(d.Attempts) != 2 || !d.Attempts[0].Shown || d.Attempts[1].Status != Failed || d.Attempts[1].Error != "no" || d.Attempts[1].Log != "l" {
		t.Errorf("attempts: %+v", d.Attempts)
	}
	if d, err = db.Dossier(ctx, key(1)); err != nil || len(d.Dependents) != 1 || d.Dependents[0].Key != key(2) {
		t.Errorf("what needs run 1: %+v, %v", d.Dependents, err)
	}
}
