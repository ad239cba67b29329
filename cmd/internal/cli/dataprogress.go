package cli

import (
	"fmt"
	"io"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"kappa/runner/dataset/fetch"
)

// download tells people how files are coming: one line that is rewritten on a terminal that knows its width, plain lines
// elsewhere.
type download struct {
	w     io.Writer
	width func() int
	now   func() time.Time
	quiet bool // only troubles

	bar   *progressbar.ProgressBar // of the file under way; nil where there is no terminal
	last  fetch.Event              // the latest that says how much is here
	began time.Time                // of the file under way
	held  int64                    // bytes that were here then
	said  time.Time                // of the latest plain line
	tenth int64                    // that it told
}

func (a *app) newDownload(quiet bool) *download {
	return &download{w: a.env.Stderr, width: func() int { return terminalWidth(a.env.Stderr) }, now: a.env.Now, quiet: quiet}
}

// event is told by [fetch.Options].
func (d *download) event(e fetch.Event) {
	switch e.Kind {
	case fetch.Waiting:
		d.line("kappa: another kappa is writing %s: waiting for it", e.File)
	case fetch.Started:
		d.start(e)
	case fetch.Progress:
		d.last = e
		d.progress(e)
	case fetch.Restarted:
		d.line("kappa: %s: %s sends it from the beginning: the %s that were here are thrown away", e.File, host(e.URL), fetch.Size(e.Done))
		d.held, d.began = 0, d.now()
	case fetch.Retried:
		d.line("kappa: %s: %s: %v; trying again in %s", e.File, host(e.URL), e.Err, roundDuration(e.Pause))
	case fetch.Failed:
		d.line("kappa: %s: %s: %v; asking the next mirror", e.File, host(e.URL), e.Err)
	case fetch.Unpacking:
		d.close()
		if !d.quiet {
			fmt.Fprintf(d.w, "%s: unpacking\n", e.File)
		}
	case fetch.Finished:
		d.close()
		d.last = fetch.Event{}
	}
}

func (d *download) start(e fetch.Event) {
	d.close()
	d.last, d.began, d.held, d.said, d.tenth = e, d.now(), e.Done, d.now(), 0
	if d.quiet {
		return
	}
	if d.width() > 0 {
		d.bar = newPlainBar(d.w, 1)
		return
	}
	from := ""
	if e.Done > 0 {
		from = fmt.Sprintf(", going on after %s", fetch.Size(e.Done))
	}
	fmt.Fprintf(d.w, "%s: from %s%s\n", e.File, host(e.URL), from)
}

func (d *download) progress(e fetch.Event) {
	now := d.now()
	switch {
	case d.quiet:
	case d.bar != nil:
		width := d.width()
		if width < barFrame {
			return // not even the percentage fits
		}
		columns, text := fitFile(width, e, d.rate(e, now))
		progressbar.OptionSetWidth(columns)(d.bar)
		d.bar.Describe(text)
		if e.Total > 0 && e.Done < e.Total {
			d.bar.ChangeMax64(e.Total)
			_ = d.bar.Set64(e.Done) // a terminal that cannot be written to shows nothing; the download goes on
		}
	case e.Total > 0:
		tenth := 10 * e.Done / e.Total
		if e.Done < e.Total && (tenth > d.tenth && now.Sub(d.said) >= plainPause || now.Sub(d.said) >= plainInterval) {
			d.said, d.tenth = now, tenth
			fmt.Fprintf(d.w, "%s: %d %%: %s\n", e.File, 100*e.Done/e.Total, amount(e, d.rate(e, now)))
		}
	case now.Sub(d.said) >= plainInterval:
		d.said = now
		fmt.Fprintf(d.w, "%s: %s\n", e.File, amount(e, d.rate(e, now)))
	}
}

// rate is how many bytes came a second since the file was begun; 0 if that says nothing yet.
func (d *download) rate(e fetch.Event, now time.Time) float64 {
	const soon = 500 * time.Millisecond
	elapsed := now.Sub(d.began)
	if elapsed < soon || e.Done <= d.held {
		return 0
	}
	return float64(e.Done-d.held) / elapsed.Seconds()
}

// line writes a sentence without tearing the progress line.
func (d *download) line(format string, args ...any) {
	if d.bar != nil {
		_ = d.bar.Clear()
	}
	fmt.Fprintf(d.w, format+"\n", args...)
}

// close ends the progress line.
func (d *download) close() {
	if d.bar != nil {
		_ = d.bar.Clear()
		_ = d.bar.Exit()
		d.bar = nil
	}
}

// kept says how much of a file that was cut off is here.
func (d *download) kept() string {
	if d.last.Done == 0 {
		return ""
	}
	if d.last.Total > 0 {
		return fmt.Sprintf(": %s of %s of %s are kept", fetch.Size(d.last.Done), fetch.Size(d.last.Total), d.last.File)
	}
	return fmt.Sprintf(": %s of %s are kept", fetch.Size(d.last.Done), d.last.File)
}

// amount says how much is here, and how fast the rest comes.
func amount(e fetch.Event, rate float64) string {
	text := fetch.Size(e.Done)
	if e.Total > 0 {
		text += " of " + fetch.Size(e.Total)
	}
	if rate > 0 {
		text += fmt.Sprintf(", %s/s", fetch.Size(int64(rate)))
		if e.Total > e.Done {
			text += ", ETA " + roundDuration(time.Duration(float64(e.Total-e.Done)/rate*float64(time.Second)))
		}
	}
	return text
}

// fitFile chooses how long the bar is and what is said beside it on a line of width columns: the bar goes first, then words.
func fitFile(width int, e fetch.Event, rate float64) (columns int, text string) {
	room := width - barFrame
	text = e.File + ": " + amount(e, rate)
	if columns = min(barColumns, room-utf8.RuneCountInString(text)); columns >= barLeast {
		return columns, text
	}
	for _, t := range []string{text, amount(e, rate), amount(e, 0), fetch.Size(e.Done)} {
		if utf8.RuneCountInString(t) <= room {
			return 0, t
		}
	}
	return 0, ""
}

// host is the host of an address.
func host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}
