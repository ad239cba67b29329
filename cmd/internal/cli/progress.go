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
	event(e runner.Event)
	// line writes a sentence without tearing the progress line.
	line(format string, args ...any)
	close()
}

// newProgress chooses the progress for a stream: one line that is rewritten on a terminal, plain lines elsewhere.
func newProgress(w io.Writer, width int, name string, todo int, now func() time.Time) progress {
	if width > 0 {
		return newBar(w, width, name, todo)
	}
	return &plainLines{w: w, name: name, todo: todo, now: now, last: now()}
}

// silence is the progress of --quiet and --json: only sentences.
type silence struct{ w io.Writer }

func (silence) event(runner.Event)                {}
func (s silence) line(format string, args ...any) { fmt.Fprintf(s.w, format+"\n", args...) }
func (silence) close()                            {}

// score is a plan's state in words.
func score(c runner.Counts, eta time.Duration) string {
	s := fmt.Sprintf("%d done, %d failed, %d cached, %d left", c.Done, c.Failed, c.Cached, c.Left)
	if eta >= 0 && c.Left > 0 {
		s += ", ETA " + roundDuration(eta)
	}
	return s
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

func (p *plainLines) event(e runner.Event) {
	tenth := p.tenth
	if p.todo > 0 {
		tenth = 10 * (p.todo - e.Counts.Left) / p.todo
	}
	now := p.now()
	switch {
	case e.Counts.Left == 0: // the end has a line of its own
	case tenth > p.tenth && now.Sub(p.last) >= plainPause, now.Sub(p.last) >= plainInterval:
		p.last, p.tenth = now, tenth
		p.line("%s: %d %%: %s", p.name, 100*(p.todo-e.Counts.Left)/p.todo, score(e.Counts, e.ETA))
	}
}

func (p *plainLines) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

func (p *plainLines) close() {}

// bar is the progress line of a terminal.
type bar struct {
	w     io.Writer
	width int
	name  string
	todo  int
	bar   *progressbar.ProgressBar
}

const (
	barColumns  = 20
	barThrottle = 100 * time.Millisecond
	// barFrame is what stands on the line besides bar and description: percent, brackets, blanks.
	barFrame = 10
)

func newBar(w io.Writer, width int, name string, todo int) *bar {
	columns := barColumns
	if width < 72 {
		columns = 1
	}
	b := &bar{w: w, width: width, name: name, todo: todo}
	b.bar = progressbar.NewOptions(
		max(todo, 1),
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(columns),
		progressbar.OptionThrottle(barThrottle),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionShowDescriptionAtLineEnd(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionSetTheme(progressbar.Theme{
			Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: "",
		}),
		progressbar.OptionSetDescription(name),
	)
	return b
}

func (b *bar) event(e runner.Event) {
	text := fmt.Sprintf("%s: %s", b.name, score(e.Counts, e.ETA))
	b.bar.Describe(cut(text, b.width-barColumns-barFrame))
	if done := b.todo - e.Counts.Left; done < b.todo {
		_ = b.bar.Set(done) // a terminal that cannot be written to shows nothing; the run goes on
	}
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
	if n < 1 || utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}
