package cli

import (
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/schollz/progressbar/v3"

	"kappa/runner"
)

// progress tells people how a plan is coming along.
type progress interface {
	// elsewhere are those of the cached runs that another process is executing.
	event(e runner.Event, elsewhere int)
	// line writes a sentence without tearing the progress line.
	line(format string, args ...any)
	close()
}

// newProgress chooses the progress for a stream: one line that is rewritten on a terminal that knows its width, plain lines
// elsewhere (width returns 0).
func newProgress(w io.Writer, width func() int, name string, todo int, now func() time.Time) progress {
	if width() > 0 {
		return newBar(w, width, name, todo)
	}
	return &plainLines{w: w, name: name, todo: todo, now: now, last: now()}
}

// silence is the progress of --quiet and --json: only sentences.
type silence struct{ w io.Writer }

func (silence) event(runner.Event, int)           {}
func (s silence) line(format string, args ...any) { fmt.Fprintf(s.w, format+"\n", args...) }
func (silence) close()                            {}

// score is a plan's state in words.
func score(c runner.Counts, elsewhere int, eta time.Duration) string {
	s := fmt.Sprintf("%d done, %d failed, %s, %d left", c.Done, c.Failed, others(c, elsewhere), c.Left)
	if eta >= 0 && c.Left > 0 {
		s += ", ETA " + roundDuration(eta)
	}
	return s
}

// others says what became of the runs that are not this process's work.
func others(c runner.Counts, elsewhere int) string {
	cached := c.Cached - min(elsewhere, c.Cached)
	if elsewhere > 0 {
		return fmt.Sprintf("%d cached, %d running elsewhere", cached, elsewhere)
	}
	return fmt.Sprintf("%d cached", cached)
}

// roundDuration leaves out the digits nobody waits for.
func roundDuration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// plainLines writes a line at every tenth of the work, and when half a minute has gone by.
type plainLines struct {
	w     io.Writer
	name  string
	todo  int
	now   func() time.Time
	last  time.Time
	tenth int
}

// Plain lines come at most every plainPause, and at least every plainInterval while something happens.
const (
	plainPause    = time.Second
	plainInterval = 30 * time.Second
)

func (p *plainLines) event(e runner.Event, elsewhere int) {
	tenth := p.tenth
	if p.todo > 0 {
		tenth = 10 * (p.todo - e.Counts.Left) / p.todo
	}
	now := p.now()
	switch {
	case e.Counts.Left == 0: // the end has a line of its own
	case tenth > p.tenth && now.Sub(p.last) >= plainPause, now.Sub(p.last) >= plainInterval:
		p.last, p.tenth = now, tenth
		p.line("%s: %d %%: %s", p.name, 100*(p.todo-e.Counts.Left)/p.todo, score(e.Counts, elsewhere, e.ETA))
	}
}

func (p *plainLines) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

func (p *plainLines) close() {}

// bar is the progress line of a terminal.
type bar struct {
	w     io.Writer
	width func() int // of the terminal, asked anew each time: people resize windows
	last  int        // the last known width
	name  string
	todo  int
	bar   *progressbar.ProgressBar
}

const (
	barColumns  = 20
	barLeast    = 8 // a shorter bar tells nothing
	barThrottle = 100 * time.Millisecond
	// barFrame is what stands on the line besides bar and description: percent, blanks, and the last column, behind which
	// some terminals begin a new line.
	barFrame = 10
)

func newBar(w io.Writer, width func() int, name string, todo int) *bar {
	b := &bar{w: w, width: width, last: width(), name: name, todo: todo}
	b.bar = newPlainBar(w, int64(max(todo, 1)))
	return b
}

// newPlainBar returns a bar without a clock of its own: what stands behind it is ours to say.
func newPlainBar(w io.Writer, todo int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(
		todo,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(0),
		progressbar.OptionThrottle(barThrottle),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetTheme(progressbar.Theme{
			Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: "",
		}),
	)
}

func (b *bar) event(e runner.Event, elsewhere int) {
	if width := b.width(); width > 0 {
		b.last = width
	}
	if b.last < barFrame {
		return // not even the percentage fits
	}
	columns, text := fit(b.last, b.name, b.todo, e, elsewhere)
	progressbar.OptionSetWidth(columns)(b.bar)
	b.bar.Describe(text)
	if done := b.todo - e.Counts.Left; done < b.todo {
		_ = b.bar.Set(done) // a terminal that cannot be written to shows nothing; the run goes on
	}
}

// fit chooses how long the bar is and what is said beside it on a line of width columns: the bar goes first, then words.
func fit(width int, name string, todo int, e runner.Event, elsewhere int) (columns int, text string) {
	room := width - barFrame
	text = name + ": " + score(e.Counts, elsewhere, e.ETA)
	n := utf8.RuneCountInString(text)
	if columns = min(barColumns, room-n); columns >= barLeast {
		return columns, text
	}
	bare := fmt.Sprintf("%d/%d", todo-e.Counts.Left, todo)
	brief := bare
	if e.Counts.Failed > 0 {
		brief += fmt.Sprintf(", %d failed", e.Counts.Failed)
	}
	if e.ETA >= 0 && e.Counts.Left > 0 {
		brief += ", ETA " + roundDuration(e.ETA)
	}
	for _, t := range []string{text, name + ": " + brief, brief, bare} {
		if utf8.RuneCountInString(t) <= room {
			return 0, t
		}
	}
	return 0, "" // half a number misleads
}

func (b *bar) line(format string, args ...any) {
	_ = b.bar.Clear()
	fmt.Fprintf(b.w, format+"\n", args...)
}

func (b *bar) close() {
	_ = b.bar.Clear()
	_ = b.bar.Exit()
}

// cut shortens a text to n characters.
func cut(text string, n int) string {
	switch {
	case n < 1:
		return ""
	case utf8.RuneCountInString(text) <= n:
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}
