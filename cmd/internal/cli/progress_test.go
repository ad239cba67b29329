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
	p := newProgress(&b, 0, "x", 200, func() time.Time { return now })
	for done := 1; done <= 200; done++ {
		now = now.Add(100 * time.Millisecond)
		p.event(runner.Event{Kind: runner.Finished, Counts: runner.Counts{Total: 210, Cached: 10, Done: done, Left: 200 - done}, ETA: time.Minute})
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
	p := newProgress(&b, 0, "x", 1000, func() time.Time { return now })
	for range 61 {
		now = now.Add(time.Second)
		p.event(runner.Event{Kind: runner.Stepped, Counts: runner.Counts{Total: 1000, Left: 1000, Running: 1}, ETA: -1})
	}
	if got := strings.Count(b.String(), "\n"); got != 2 {
		t.Errorf("61 s: %d lines, want 2:\n%s", got, b.String())
	}
	if strings.Contains(b.String(), "ETA") {
		t.Errorf("an ETA that is not known was told: %s", b.String())
	}
}

func TestBarKeepsToOneLine(t *testing.T) {
	var b strings.Builder
	p := newProgress(&b, 80, strings.Repeat("long-name-", 9), 3, time.Now)
	p.event(runner.Event{Counts: runner.Counts{Total: 3, Left: 2, Done: 1}, ETA: time.Hour})
	p.line("kappa: trouble")
	p.event(runner.Event{Counts: runner.Counts{Total: 3, Done: 3}, ETA: 0})
	p.close()
	out := b.String()
	if got := strings.Count(out, "\n"); got != 1 || !strings.Contains(out, "kappa: trouble\n") {
		t.Errorf("%d line breaks, want the sentence's alone: %q", got, out)
	}
	for _, shownLine := range strings.FieldsFunc(out, func(r rune) bool { return r == '\r' || r == '\n' }) {
		if n := len([]rune(shownLine)); n > 80+len("\x1b[2K\x1b[0K") {
			t.Errorf("%d characters on a line of 80: %q", n, shownLine)
		}
	}
	if strings.HasSuffix(out, "\n") || !strings.HasSuffix(out, "\r") {
		t.Errorf("the line is not cleared at the end: %q", out)
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
