package reports

import (
	"bytes"
	"strings"
	"testing"
)

// TestWindowsLines: a report that git has checked out with the line ends of Windows is as it was written, and left so; an edit in it is
// found all the same.
func TestWindowsLines(t *testing.T) {
	b := newBench(t)
	windows := func(name string) {
		putFile(t, b.dir, name, bytes.ReplaceAll(readFile(t, b.dir, name), []byte("\n"), []byte("\r\n")))
	}
	for _, name := range strings.Fields(listFiles(t, b.dir)) {
		windows(name)
	}
	text := readFile(t, b.dir, "small.md")
	if s := b.judge(nil); s.State != Current || len(s.Reasons) > 0 {
		t.Errorf("%s, %v", s.State, s.Reasons)
	}
	if err := Guard(b.dir, "small"); err != nil {
		t.Error(err)
	}
	if w := write(t, b.dir, b.build(), WriteOptions{}); !w.Unchanged || !bytes.Equal(text, readFile(t, b.dir, "small.md")) {
		t.Errorf("written anew: %+v", w)
	}
	b.edit("small.md", "Every run immunizes", "Some runs immunize")
	if s := b.judge(nil); s.State != Altered || len(s.Reasons) != 1 || s.Reasons[0].Kind != BecauseEdited || s.Reasons[0].Line != 7 {
		t.Errorf("with an edit: %s, %v", s.State, s.Reasons)
	}
}
