package cli

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"kappa/reports"
)

// junitSuites is the file that GitHub, GitLab and Jenkins read: a suite for each spec, with a case for its report and one for each of
// its claims.
type junitSuites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []*junitSuite
}

type junitSuite struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"`
	Cases    []*junitCase
}

type junitCase struct {
	XMLName xml.Name      `xml:"testcase"`
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr,omitempty"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure"`
	Error   *junitMessage `xml:"error"`
	Skipped *junitMessage `xml:"skipped"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// junitReport turns findings into suites. An undecided claim is skipped, or fails where strict.
func junitReport(results []*verified, strict bool, took time.Duration) *junitSuites {
	all := &junitSuites{Name: "kappa verify", Time: junitSeconds(took.Seconds())}
	for _, v := range results {
		s := v.junit(strict)
		all.Suites = append(all.Suites, s)
		all.Tests, all.Failures = all.Tests+s.Tests, all.Failures+s.Failures
		all.Errors, all.Skipped = all.Errors+s.Errors, all.Skipped+s.Skipped
	}
	return all
}

func junitSeconds(s float64) string { return fmt.Sprintf("%.3f", s) }

// junit is the suite of one spec.
func (v *verified) junit(strict bool) *junitSuite {
	s := &junitSuite{Name: v.Spec, Time: junitSeconds(v.Seconds)}
	add := func(name string, line int) *junitCase {
		c := &junitCase{Class: v.Experiment, Name: name, File: filepath.ToSlash(v.Spec), Line: line, Time: junitSeconds(0)}
		if c.Class == "" {
			c.Class = v.Spec
		}
		s.Cases = append(s.Cases, c)
		return c
	}
	report := add("report", 0)
	report.Time = junitSeconds(v.Seconds)
	switch {
	case v.Error != "":
		message, _, _ := strings.Cut(v.Error, "\n")
		report.Error = &junitMessage{Message: message, Type: "error", Text: v.Error}
	case v.Skipped != "":
		report.Skipped = &junitMessage{Message: v.Skipped}
	case len(v.Report.Reasons) > 0:
		var texts []string
		for _, r := range v.Report.Reasons {
			texts = append(texts, r.Kind+": "+r.Text)
			lines, more := reports.TellChanges(r.Changes, changesShown)
			texts = append(texts, lines...)
			if more > 0 {
				texts = append(texts, fmt.Sprintf("and %d more", more))
			}
		}
		report.Failure = &junitMessage{Message: v.Report.Path + ": " + v.Report.Reasons[0].Text, Type: v.Report.Reasons[0].Kind, Text: strings.Join(texts, "\n")}
	case v.Report.State == string(reports.NoReport) && strict:
		report.Failure = &junitMessage{Message: "there is no report", Type: v.Report.State}
	case v.Report.State == string(reports.NoReport):
		report.Skipped = &junitMessage{Message: "there is no report"}
	}
	for _, f := range v.Claims {
		name := "claim " + f.ID
		if f.Text != "" {
			name += ": " + f.Text
		}
		c := add(name, f.Line)
		message := fmt.Sprintf("%s, expected: %s", f.Verdict, f.Expected)
		if f.Reason != "" {
			message += " – " + f.Reason
		}
		switch {
		case !f.OK:
			c.Failure = &junitMessage{Message: message, Type: "claim", Text: f.Measured + ", claimed " + f.Claimed}
		case f.Verdict == reports.Undecided && f.Expected != reports.Undecided:
			c.Skipped = &junitMessage{Message: message}
		}
	}
	s.Tests = len(s.Cases)
	for _, c := range s.Cases {
		switch {
		case c.Error != nil:
			s.Errors++
		case c.Failure != nil:
			s.Failures++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	return s
}

// writeJUnit writes the file whole or not at all.
func (a *app) writeJUnit(name string, suites *junitSuites) error {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(suites); err != nil {
		return failf("", "write %s: %v", name, err)
	}
	b.WriteByte('\n')
	if err := writeFile(onDisk(a.cwd, name), b.Bytes()); err != nil {
		hint := ""
		if errors.Is(err, fs.ErrNotExist) {
			hint = "is its folder there?"
		}
		return failf(hint, "write %s: %v", name, cause(err))
	}
	return nil
}
