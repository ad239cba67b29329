package cli

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kappa/reports"
)

// TestJUnit: whatever stands in specs and errors, the file is well-formed, its counts are those of its cases, and each finding is what
// CI makes of it.
func TestJUnit(t *testing.T) {
	hostile := "a < b & \"c\" 'd' ]]> \x00 \x1b[31m κ\u202e \uFFFE\n<!--"
	claim := func(verdict, expected string, ok bool) claimFinding {
		return claimFinding{ID: "c", Line: 7, Text: hostile, Verdict: verdict, Expected: expected, OK: ok, Reason: hostile, Measured: hostile}
	}
	results := []*verified{
		{
			Spec: hostile + ".toml", Experiment: hostile,
			Report: reportFinding{Path: hostile, State: "stale", Reasons: []reports.Reason{{Kind: "rows", Text: hostile, Changes: []reports.Change{{Kind: "number", Where: hostile, Old: &hostile, New: &hostile}}}, {Kind: "spec"}}},
			Claims: []claimFinding{
				claim("reproduced", "reproduced", true), claim("not reproduced", "reproduced", false), claim("reproduced", "not reproduced", false),
				claim("undecided", "reproduced", true), claim("not reproduced", "not reproduced", true),
			},
		},
		{Spec: "broken.toml", Error: hostile},
		{Spec: "never.toml", Skipped: "never run"},
		{Spec: "none.toml", Report: reportFinding{State: "none"}, Claims: []claimFinding{claim("undecided", "reproduced", false)}},
		{Spec: "good.toml", Report: reportFinding{State: "present"}},
	}
	for _, tc := range []struct {
		strict bool
		want   string // of each case: - passed, F failed, E error, S skipped
	}{{false, "F-FFS- E S SF -"}, {true, "F-FFS- E S FF -"}} {
		dir := t.TempDir()
		a := &app{cwd: dir, env: Env{Stdout: io.Discard, Stderr: io.Discard}}
		if err := a.writeJUnit("out.xml", junitReport(results, tc.strict, 1500*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(dir, "out.xml"))
		if err != nil {
			t.Fatal(err)
		}
		for d := xml.NewDecoder(bytes.NewReader(data)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("not well-formed: %v\n%s", err, data)
			}
		}
		var all junitSuites
		if err := xml.Unmarshal(data, &all); err != nil {
			t.Fatal(err)
		}
		// encoding/xml cannot read a field without a name in the tag that it wrote by the type's name.
		var read struct {
			Suites []struct {
				Attrs []xml.Attr `xml:",any,attr"`
				Cases []struct {
					Failure *junitMessage `xml:"failure"`
					Error   *junitMessage `xml:"error"`
					Skipped *junitMessage `xml:"skipped"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		if err := xml.Unmarshal(data, &read); err != nil {
			t.Fatal(err)
		}
		var got []string
		sum := map[string]int{}
		for _, s := range read.Suites {
			var b strings.Builder
			count := map[string]int{}
			for _, c := range s.Cases {
				count["tests"]++
				switch {
				case c.Error != nil:
					b.WriteByte('E')
					count["errors"]++
				case c.Failure != nil:
					b.WriteByte('F')
					count["failures"]++
					if c.Failure.Message == "" {
						t.Error("a failure says nothing")
					}
				case c.Skipped != nil:
					b.WriteByte('S')
					count["skipped"]++
				default:
					b.WriteByte('-')
				}
			}
			for _, at := range s.Attrs {
				if n, counted := map[string]bool{"tests": true, "failures": true, "errors": true, "skipped": true}[at.Name.Local]; counted && n && at.Value != fmt.Sprint(count[at.Name.Local]) {
					t.Errorf("suite says %s=%s, want %d", at.Name.Local, at.Value, count[at.Name.Local])
				}
			}
			for k, n := range count {
				sum[k] += n
			}
			got = append(got, b.String())
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("strict %v: %s, want %s\n%s", tc.strict, s, tc.want, data)
		}
		if all.Tests != sum["tests"] || all.Failures != sum["failures"] || all.Errors != sum["errors"] || all.Skipped != sum["skipped"] || all.Time != "1.500" {
			t.Errorf("all in all %+v, want %v", all, sum)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("left behind: %v", entries)
		}
	}
}
