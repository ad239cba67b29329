package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"kappa/runner/dataset/fetch"
)

// clock is a time that passes when it is told to.
type clock struct{ t time.Time }

func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }
func newClock() *clock                { return &clock{time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)} }

func came(done, total int64) fetch.Event { return newsOf(fetch.Progress, done, total) }

func newsOf(kind fetch.Kind, done, total int64) fetch.Event {
	return fetch.Event{Kind: kind, File: "mnist/images.gz", URL: "https://mirror.example.org/mnist/images.gz", Done: done, Total: total}
}

func TestDownloadInPlainLines(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	d := &download{w: &out, width: columns(0), now: c.now}
	d.event(newsOf(fetch.Started, 1_000_000, 10_000_000))
	for done := int64(1_250_000); done < 10_000_000; done += 250_000 {
		c.pass(250 * time.Millisecond)
		d.event(came(done, 10_000_000))
	}
	if got, want := d.kept(), ": 9.8 MB of 10.0 MB of mnist/images.gz are kept"; got != want {
		t.Errorf("kept() = %q, want %q", got, want)
	}
	d.event(came(10_000_000, 10_000_000))
	retried := newsOf(fetch.Retried, 0, 0)
	retried.Err, retried.Pause = errors.New("the server answers 503 Service Unavailable"), 2*time.Second
	d.event(retried)
	failed := newsOf(fetch.Failed, 0, 0)
	failed.Err = errors.New("no")
	d.event(failed)
	d.event(newsOf(fetch.Restarted, 5000, 0))
	d.event(newsOf(fetch.Finished, 10_000_000, 10_000_000))
	want := `mnist/images.gz: from mirror.example.org, going on after 1.0 MB
mnist/images.gz: 20 %: 2.0 MB of 10.0 MB, 1.0 MB/s, ETA 8s
mnist/images.gz: 30 %: 3.0 MB of 10.0 MB, 1.0 MB/s, ETA 7s
mnist/images.gz: 40 %: 4.0 MB of 10.0 MB, 1.0 MB/s, ETA 6s
mnist/images.gz: 50 %: 5.0 MB of 10.0 MB, 1.0 MB/s, ETA 5s
mnist/images.gz: 60 %: 6.0 MB of 10.0 MB, 1.0 MB/s, ETA 4s
mnist/images.gz: 70 %: 7.0 MB of 10.0 MB, 1.0 MB/s, ETA 3s
mnist/images.gz: 80 %: 8.0 MB of 10.0 MB, 1.0 MB/s, ETA 2s
mnist/images.gz: 90 %: 9.0 MB of 10.0 MB, 1.0 MB/s, ETA 1s
kappa: mnist/images.gz: mirror.example.org: the server answers 503 Service Unavailable; trying again in 2s
kappa: mnist/images.gz: mirror.example.org: no; asking the next mirror
kappa: mnist/images.gz: mirror.example.org sends it from the beginning: the 5.0 kB that were here are thrown away
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if got := d.kept(); got != "" {
		t.Errorf("kept() = %q after the file is in its place", got)
	}
}

func TestDownloadWithoutALengthTellsNowAndThen(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	d := &download{w: &out, width: columns(0), now: c.now}
	d.event(newsOf(fetch.Started, 0, 0))
	for i := range int64(70) {
		c.pass(time.Second)
		d.event(came(1000*(i+1), -1))
	}
	if got := strings.Count(out.String(), "\n"); got != 3 || !strings.Contains(out.String(), "30.0 kB, 1.0 kB/s\n") {
		t.Errorf("%d lines:\n%s", got, out.String())
	}
}

func TestDownloadQuietTellsTroublesAlone(t *testing.T) {
	var out bytes.Buffer
	c := newClock()
	d := &download{w: &out, width: columns(80), now: c.now, quiet: true}
	for _, kind := range []fetch.Kind{fetch.Skipped, fetch.Started, fetch.Progress, fetch.Unpacking, fetch.Finished} {
		d.event(newsOf(kind, 1, 2))
	}
	if out.Len() > 0 {
		t.Errorf("it says %q", out.String())
	}
	d.event(newsOf(fetch.Failed, 0, 0))
	d.event(fetch.Event{Kind: fetch.Waiting, File: "mnist"})
	if !strings.Contains(out.String(), "asking the next mirror\n") || !strings.Contains(out.String(), "another kappa is writing mnist: waiting for it\n") {
		t.Errorf("it says %q", out.String())
	}
}

func TestDownloadOnATerminalKeepsToItsWidth(t *testing.T) {
	for _, width := range []int{1, 9, 10, 20, 40, 60, 80, 200} {
		var out bytes.Buffer
		c := newClock()
		d := &download{w: &out, width: columns(width), now: c.now}
		d.event(newsOf(fetch.Started, 0, 0))
		for done := int64(0); done < 50_000_000; done += 5_000_000 {
			c.pass(time.Second)
			time.Sleep(barThrottle / 50)
			d.event(came(done, 50_000_000))
			if n, text := fitFile(max(width, barFrame), came(done, 50_000_000), 5e6); n+utf8.RuneCountInString(text) > max(width, barFrame)-barFrame {
				t.Errorf("width %d: a bar of %d columns beside %q", width, n, text)
			}
		}
		d.event(newsOf(fetch.Finished, 50_000_000, 50_000_000))
		if width < barFrame {
			continue
		}
		if !strings.Contains(out.String(), "\r") || strings.Contains(out.String(), "\n") {
			t.Errorf("width %d: no line that is rewritten: %q", width, out.String())
		}
		for line := range strings.SplitSeq(ansi.Replace(out.String()), "\r") {
			if n := utf8.RuneCountInString(strings.TrimRight(line, " ")); n >= width {
				t.Errorf("width %d: a line of %d columns: %q", width, n, line)
			}
		}
	}
}
