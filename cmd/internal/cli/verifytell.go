package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"kappa/reports"
)

// changesShown is how many changed numbers of a report are listed.
const changesShown = 12

// screenful is how many of them are listed where there is nothing else to tell.
const screenful = 20

// tellVerified writes the findings for people, and ends with what is wrong in all.
func (a *app) tellVerified(results []*verified, o verifyFlags) error {
	w := a.env.Stdout
	var wrong, stale, none, broken int
	for _, v := range results {
		switch {
		case v.Skipped != "":
			if !o.quiet {
				fmt.Fprintf(w, "%s: %s\n", v.Spec, v.Skipped)
			}
			continue
		case v.Error != "" && v.Report.State == "": // said on stderr
			broken++
			continue
		}
		for _, c := range v.Claims {
			if !c.OK {
				wrong++
			}
		}
		if len(v.Report.Reasons) > 0 {
			stale++
		} else if slices.Contains(v.codes, exitStale) {
			none++
		}
		if !o.quiet || !v.OK {
			v.tell(w, o)
		}
	}
	var sums []string
	for _, s := range []struct {
		n        int
		one, all string
	}{
		{wrong, "1 claim is not as expected", "%d claims are not as expected"},
		{stale, "1 report does not stand", "%d reports do not stand"},
		{none, "1 spec has no report", "%d specs have no report"},
		{broken, "1 spec could not be checked", "%d specs could not be checked"},
	} {
		switch {
		case s.n == 1:
			sums = append(sums, s.one)
		case s.n > 1:
			sums = append(sums, fmt.Sprintf(s.all, s.n))
		}
	}
	if len(sums) > 0 {
		a.talk("kappa: verify: %s", strings.Join(sums, ", "))
	}
	return nil
}

// tell writes what was found out about one spec: one line where nothing is wrong.
func (v *verified) tell(w io.Writer, o verifyFlags) {
	text := fmt.Sprintf("%s: %s", v.Spec, runsWord(v.Runs))
	if v.Runs == 0 {
		text = v.Spec + ": runs not known"
	}
	if v.Missing > 0 {
		text += fmt.Sprintf(", %d missing", v.Missing)
	}
	text += "; report " + stateText(reports.Standing{State: reports.State(v.Report.State), Reasons: v.Report.Reasons, Unchecked: v.Report.Unchecked})
	if s := claimsText(v.Claims); s != "" {
		text += "; " + s
	}
	fmt.Fprintln(w, text)
	for _, c := range v.Claims {
		if c.OK && c.Verdict != reports.Undecided {
			continue
		}
		fmt.Fprintf(w, "  claim %s (line %d): %s", c.ID, c.Line, c.Verdict)
		if c.Verdict != c.Expected {
			fmt.Fprintf(w, ", expected: %s", c.Expected)
		}
		if c.Reason != "" {
			fmt.Fprintf(w, " – %s", c.Reason)
		}
		if c.Measured != "" {
			fmt.Fprintf(w, "; measured %s, claimed %s", c.Measured, c.Claimed)
		}
		if c.From == "report" {
			fmt.Fprint(w, ", as the report has it")
		}
		fmt.Fprintln(w)
	}
	for _, r := range v.Report.Reasons {
		fmt.Fprintf(w, "  %s: %s\n", r.Kind, r.Text)
		tellRuns(w, r)
		tellChanges(w, "    ", r.Changes, changesShown)
	}
	for _, u := range v.Report.Unchecked {
		fmt.Fprintf(w, "  not checked: %s\n", u)
	}
}

// tellRuns names the first of the runs that a reason is about.
func tellRuns(w io.Writer, r reports.Reason) {
	const few = 5
	if len(r.Runs) == 0 {
		return
	}
	names := make([]string, 0, few)
	for _, key := range r.Runs[:min(few, len(r.Runs))] {
		names = append(names, short(key))
	}
	more := ""
	if n := len(r.Runs) - few; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(w, "    runs %s%s\n", strings.Join(names, ", "), more)
}

// tellChanges writes changed numbers, a screenful at most.
func tellChanges(w io.Writer, indent string, changes []reports.Change, most int) {
	lines, more := reports.TellChanges(changes, most)
	for _, line := range lines {
		fmt.Fprintf(w, "%s%s\n", indent, line)
	}
	if more > 0 {
		fmt.Fprintf(w, "%sand %d more; --json lists all\n", indent, more)
	}
}

// claimsText counts claims.
func claimsText(claims []claimFinding) string {
	if len(claims) == 0 {
		return ""
	}
	t := claimTally{all: len(claims)}
	for _, c := range claims {
		t.count(c.Verdict, c.Expected)
	}
	return "claims: " + t.String()
}

// claimTally counts verdicts.
type claimTally struct{ all, reproduced, notReproduced, undecided, known, unexpected int }

func (t *claimTally) count(verdict, expected string) {
	switch verdict {
	case reports.Reproduced:
		t.reproduced++
	case reports.NotReproduced:
		t.notReproduced++
	default:
		t.undecided++
		return
	}
	switch {
	case verdict != expected:
		t.unexpected++
	case verdict == reports.NotReproduced:
		t.known++
	}
}

// String writes "3 of 6 reproduced, 1 known not to be, 1 undecided, 1 unexpected".
func (t claimTally) String() string {
	s := fmt.Sprintf("%d of %d reproduced", t.reproduced, t.all)
	if t.known > 0 {
		s += fmt.Sprintf(", %d known not to be", t.known)
	}
	if t.undecided > 0 {
		s += fmt.Sprintf(", %d undecided", t.undecided)
	}
	if t.unexpected > 0 {
		s += fmt.Sprintf(", %d unexpected", t.unexpected)
	}
	return s
}
