package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ackFile is the file of acknowledged ends, runs.db-acked: what was told to be recorded, so that the loss of it can be told too.
// Lines are added at its end, in about the order of their seq: two processes that end at once may swap them.
type ackFile string

// ackTail is how much of the file's end is looked at: some eighty lines, more than processes have ends under way at once.
const ackTail = 8 << 10

var (
	errAcksMissing = errors.New("it is not there")
	errAcksForeign = errors.New("it is not what kappa has written")
)

// tail reads the end of the file. whole says that this is all of it. It fails with errAcksMissing, with errAcksForeign where the end
// holds no line that can be read, and with the system's error.
func (f ackFile) tail() (r acks, whole bool, err error) {
	file, err := os.Open(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return acks{}, true, errAcksMissing
	}
	if err != nil {
		return acks{}, false, err
	}
	defer func() { _ = file.Close() }()
	fi, err := file.Stat()
	if err != nil {
		return acks{}, false, err
	}
	if !fi.Mode().IsRegular() {
		return acks{}, false, fmt.Errorf("%w: it is no file", errAcksForeign)
	}
	from := max(fi.Size()-ackTail, 0)
	text := make([]byte, ackTail+4096) // and what is being added
	n, err := file.ReadAt(text, from)
	if err != nil && !errors.Is(err, io.EOF) {
		return acks{}, false, err
	}
	text = text[:n]
	r = parseAcks(text, from > 0)
	if len(r.lines) == 0 && (from > 0 || !strings.HasPrefix(string(text), acksHeader)) {
		return r, from == 0, errAcksForeign
	}
	return r, from == 0, nil
}

// all reads the whole file.
func (f ackFile) all() (acks, error) {
	text, err := os.ReadFile(string(f))
	if err != nil {
		return acks{}, err
	}
	return parseAcks(text, false), nil
}

// add appends lines with one write and syncs them. The file must be there.
func (f ackFile) add(lines []ack) error {
	_, err := f.extend(lines, nil)
	return err
}

// ackSight is the file as it was seen last, and the greatest seq in it: as long as it is the same file, as long and as old, it need not be read.
type ackSight struct {
	file fs.FileInfo
	last int64
}

// same says whether the file is what was seen.
func (s *ackSight) same(fi fs.FileInfo) bool {
	return s != nil && fi.Mode().IsRegular() && os.SameFile(s.file, fi) && s.file.Size() == fi.Size() && s.file.ModTime().Equal(fi.ModTime())
}

// look returns the greatest seq of the file's end. It reads the file unless it is still what was seen.
func (f ackFile) look(seen *ackSight) (*ackSight, error) {
	fi, err := os.Stat(string(f))
	if err == nil && seen.same(fi) {
		return seen, nil
	}
	t, _, tailErr := f.tail()
	if tailErr != nil {
		return nil, tailErr
	}
	if err != nil {
		return &ackSight{last: t.last()}, nil
	}
	return &ackSight{file: fi, last: t.last()}, nil // read after the look: it may know more than what was seen, not less
}

// extend is add where the file was seen before. It returns what it is then, nil where somebody else may have added to it.
func (f ackFile) extend(lines []ack, seen *ackSight) (now *ackSight, err error) {
	file, err := os.OpenFile(string(f), os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var b strings.Builder
	fi, err := file.Stat()
	if err != nil {
		return nil, err
	}
	end := []byte{'\n'}
	if n := fi.Size(); n > 0 {
		if _, err := file.ReadAt(end, n-1); err != nil {
			return nil, err
		}
	}
	if end[0] != '\n' { // a power cut or a full disk has torn the last line: the next one begins anew
		b.WriteByte('\n')
	}
	for _, a := range lines {
		b.WriteString(a.line())
	}
	if _, err := file.WriteString(b.String()); err != nil {
		return nil, err
	}
	if err := file.Sync(); err != nil {
		return nil, err
	}
	after, err := file.Stat()
	if err != nil || !seen.same(fi) || after.Size() != fi.Size()+int64(b.Len()) {
		return nil, nil // which is no failure: the next look reads it
	}
	now = &ackSight{after, seen.last}
	for _, a := range lines {
		now.last = max(now.last, a.Seq)
	}
	return now, nil
}

// replace writes the file anew: under a temporary name, synced, renamed. The caller holds the database's write lock: nobody else
// is at it.
func (f ackFile) replace(lines []ack) (err error) {
	part := string(f) + ".new"
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	var b strings.Builder
	b.WriteString(acksHeader)
	for _, a := range lines {
		b.WriteString(a.line())
	}
	_, err = file.WriteString(b.String())
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(part, string(f)); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(string(f)))
}

// setAside moves whatever has the file's name out of the way, and returns where.
func (f ackFile) setAside() (string, error) {
	for i := 1; ; i++ {
		name := string(f) + ".damaged"
		if i > 1 {
			name = fmt.Sprintf("%s-%d", name, i)
		}
		if _, err := os.Lstat(name); err == nil && i < 100 {
			continue
		}
		return name, os.Rename(string(f), name)
	}
}
