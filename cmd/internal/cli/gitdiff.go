package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// maxDiff is the longest text of uncommitted changes that is recorded, in bytes.
const maxDiff = 1 << 20

// git is a question to git about a folder, by which nothing is changed and no program is run but the filters
// that the user's own settings name for a file.
func git(ctx context.Context, dir string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "-c", "core.fsmonitor=false"}, args...)...)
	c.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0")
	return c
}

// uncommitted is what the tracked files of a project have that its commit has not.
type uncommitted struct {
	hash  string // SHA-256 of the text; "": nothing, or not known
	bytes int64
	text  string // at most maxDiff of it, and a sentence where that is not all
}

// gitDiff asks git for the changes of tracked files, staged or not, since the commit: all of them are read, however many there are, until
// ctx ends. keep says whether their text is wanted.
func gitDiff(ctx context.Context, dir string, keep bool) uncommitted {
	// Of binary files the text names the digests. What somebody's settings would change in the text is set: it is known by its digest.
	c := git(ctx, dir, "diff", "HEAD", "-O/dev/null", "--no-ext-diff", "--no-textconv", "--no-color", "--full-index",
		"--src-prefix=a/", "--dst-prefix=b/", "--diff-algorithm=default", "--unified=3", "--inter-hunk-context=0", "--find-renames",
		"--no-indent-heuristic", "--submodule=short", "--ignore-submodules=none", "--no-relative")
	out, err := c.StdoutPipe()
	if err != nil || c.Start() != nil {
		return uncommitted{}
	}
	u, err := readDiff(out, keep)
	if c.Wait() != nil || err != nil {
		return uncommitted{}
	}
	return u
}

// readDiff reads a text of changes to its end.
func readDiff(r io.Reader, keep bool) (u uncommitted, err error) {
	sum := sha256.New()
	var text strings.Builder
	buf := make([]byte, 64<<10)
	for {
		n, err := r.Read(buf)
		sum.Write(buf[:n])
		u.bytes += int64(n)
		if room := maxDiff - text.Len(); keep && room > 0 {
			text.Write(buf[:min(n, room)])
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return uncommitted{}, err
		}
	}
	if u.bytes == 0 {
		return u, nil
	}
	u.hash = hex.EncodeToString(sum.Sum(nil))
	if !keep {
		return u, nil
	}
	u.text = strings.ToValidUTF8(strings.ReplaceAll(text.String(), "\x00", "\uFFFD"), "\uFFFD")
	if u.bytes > maxDiff {
		u.text += fmt.Sprintf("\n[cut: %d of %d bytes are recorded]\n", maxDiff, u.bytes)
	}
	return u, nil
}
