package cli

import (
	"strings"
	"testing"
	"time"

	"kappa/runner"
)

func TestPlainLinesAreFew(t *testing.T) {
	var b strings.Builder
	now := time.Unix(0, 0)
	p := newProgress(&b, columns(0), "x", 200, func() time.Time { return now })
	for done := 1; done <= 200; done++ {
		now = now.Add(100 * time.Millisecond)
		p.event(runner.Event{Kind: runner.Finished, Counts: runner.Counts{Total: 210, Cached: 10, Done: done, Left: 200 - done}, ETA: time.Minute}, 0)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 9 {
		t.Fatalf("200 runs: %d lines, want one for each tenth but the last:\n%s", len(lines), b.String())
	}
	if want := "x: 10 %: 20 done, 0 failed, 10 cached, 180 left, ETA 1m0s"; lines[0] != want {
		t.Errorf("first line %q, want %q", lines[0], want)
	}
}

func TestPlainLinesComeEveryHalfMinute(t *testing.T) {
	var b strings.Builder
	now := time.Unix(0, 0)
	p := newProgress(&b, columns(0), "x", 1000, func() time.Time { return now })
	for range 61 {
		now = now.Add(time.Second)
		p.event(runner.Event{Kind: runner.Stepped, Counts: runner.Counts{Total: 1000, Left: 1000, Running: 1}, ETA: -1}, 0)
	}
	if got := strings.Count(b.String(), "\n"); got != 2 {
		t.Errorf("61 s: %d lines, want 2:\n%s", got, b.String())
	}
	if strings.Contains(b.String(), "ETA") {
		t.Errorf("an ETA that is not known was told: %s", b.String())
	}
}

func columns(n int) func() int { return func() int { return n } }

// ansi are the sequences by which a terminal clears a line.
var ansi = strings.NewReplacer("\x1b[2K", "", "\x1b[0K", "")

func TestBarKeepsToOneLine(t *testing.T) {
	for width := 1; width <= 200; width++ {
		for _, name := range []string{"x", "digits", strings.Repeat("long-name-", 9)} {
			var b strings.Builder
			p := newProgress(&b, columns(width), name, 600, time.Now)
			p.event(runner.Event{Counts: runner.Counts{Total: 630, Cached: 30, Left: 201, Failed: 10, Done: 389}, ETA: 12*time.Hour + 34*time.Minute}, 0)
			p.line("kappa: trouble")
			p.event(runner.Event{Counts: runner.Counts{Total: 630, Done: 600}, ETA: 0}, 0)
			p.close()
			out := b.String()
			if got := strings.Count(out, "\n"); got != 1 || !strings.Contains(out, "kappa: trouble\n") {
				t.Fatalf("%s at %d columns: %d line breaks, want the sentence's alone: %q", name, width, got, out)
			}
			out = strings.Replace(out, "kappa: trouble\n", "", 1)
			for line := range strings.SplitSeq(ansi.Replace(out), "\r") {
				if n := len([]rune(line)); n > width || n == width && strings.TrimSpace(line) != "" && !strings.HasSuffix(line, " ") {
					t.Errorf("%s: %d characters on a line of %d: %q", name, n, width, line)
				}
			}
			if strings.HasSuffix(out, "\n") || out != "" && !strings.HasSuffix(out, "\r") {
				t.Errorf("%s at %d columns: the line is not cleared at the end: %q", name, width, out)
			}
		}
	}
}

func TestFitGivesUpTheBarBeforeWords(t *testing.T) {
	e := runner.Event{Counts: runner.Counts{Total: 630, Cached: 30, Left: 600, Running: 2}, ETA: 90 * time.Second}
	for _, tt := range []struct {
		width, columns int
		text           string
	}{
		{120, 20, "digits: 0 done, 0 failed, 30 cached, 600 left, ETA 1m30s"},
		{80, 14, "digits: 0 done, 0 failed, 30 cached, 600 left, ETA 1m30s"},
		{70, 0, "digits: 0 done, 0 failed, 30 cached, 600 left, ETA 1m30s"},
		{60, 0, "digits: 0/600, ETA 1m30s"},
		{30, 0, "0/600, ETA 1m30s"},
		{20, 0, "0/600"},
		{14, 0, ""},
	} {
		if columns, text := fit(tt.width, "digits", 600, e, 0); columns != tt.columns || text != tt.text {
			t.Errorf("fit(%d) = %d, %q; want %d, %q", tt.width, columns, text, tt.columns, tt.text)
		}
	}
}

func TestBarFollowsTheWindow(t *testing.T) {
	var b strings.Builder
	width := 100
	p := newBar(&b, func() int { return width }, "digits", 10)
	e := runner.Event{Counts: runner.Counts{Total: 10, Left: 9, Done: 1}, ETA: time.Minute}
	for _, width = range []int{100, 40, 0} {
		p.event(e, 0)
	}
	if p.last != 40 {
		t.Errorf("the width is %d, want the last that was known, 40", p.last)
	}
}

func TestRoundDuration(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{1234567 * time.Nanosecond, "0s"},
		{123 * time.Millisecond, "120ms"},
		{1234 * time.Millisecond, "1.2s"},
		{61499 * time.Millisecond, "1m1s"},
	} {
		if got := roundDuration(tt.d); got != tt.want {
			t.Errorf("roundDuration(%v) = %s, want %s", tt.d, got, tt.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		n    int
		want string
	}{{-1, ""}, {0, ""}, {1, "…"}, {2, "κ…"}, {3, "κθσ"}, {9, "κθσ"}} {
		if got := cut("κθσ", tt.n); got != tt.want {
			t.Errorf("cut(%d) = %q, want %q", tt.n, got, tt.want)
		}
	}
}

func TestScoreTellsRunsElsewhere(t *testing.T) {
	c := runner.Counts{Total: 9, Cached: 5, Done: 1, Left: 3}
	if got, want := score(c, 2, -1), "1 done, 0 failed, 3 cached, 2 running elsewhere, 3 left"; got != want {
		t.Errorf("score = %q, want %q", got, want)
	}
}
