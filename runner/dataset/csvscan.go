package dataset

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// scanCSV calls visit for each record of the file at path and returns the digest of its bytes. A byte order mark is skipped. The
// record is valid during the call only; line gives the line, from 1, on which field j of it begins.
func scanCSV(fsys fs.FS, path string, visit func(i int, rec []string, line func(j int) int) error) (digest string, err error) {
	f, err := openFile(fsys, path)
	if err != nil {
		return "", err
	}
	defer f.Close()

	limited := &recordLimit{r: bufio.NewReader(f)}
	if err := limited.skipMark(); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	r := csv.NewReader(limited)
	r.FieldsPerRecord = -1 // checked by the caller, who can say how many there should be
	r.ReuseRecord = true
	line := func(j int) int { l, _ := r.FieldPos(j); return l }
	for i := 0; ; i++ {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", csvError(path, err)
		}
		limited.done = r.InputOffset()
		if err := visit(i, rec, line); err != nil {
			return "", err
		}
	}
	return f.digest()
}

// csvError names the file in an error of encoding/csv, and says what would be accepted.
func csvError(path string, err error) error {
	p, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return fmt.Errorf("%s: %w", path, err)
	}
	switch {
	case errors.Is(p.Err, csv.ErrBareQuote):
		return fmt.Errorf("%s: line %d, byte %d: a quote stands inside a field that does not begin with one; accepted: fields with quotes written as \"a \"\"quoted\"\" word\"", path, p.Line, p.Column)
	case errors.Is(p.Err, csv.ErrQuote):
		return fmt.Errorf("%s: line %d, byte %d: a quoted field that began on line %d is not closed as it should be; accepted: a quote, then a comma or the end of the line", path, p.Line, p.Column, p.StartLine)
	default:
		return fmt.Errorf("%s: line %d: %w", path, p.Line, p.Err)
	}
}

// recordLimit ends the reading when one record grows longer than MaxRecordBytes: a quote that is never closed would otherwise
// pull the rest of the file into memory.
type recordLimit struct {
	r    *bufio.Reader
	read int64 // bytes handed out
	done int64 // bytes of finished records
}

func (l *recordLimit) Read(p []byte) (int, error) {
	if l.read-l.done > MaxRecordBytes {
		return 0, fmt.Errorf("the record that begins at byte %d is longer than %d bytes; accepted: at most that many (is a quote left open?)", l.done+1, MaxRecordBytes)
	}
	n, err := l.r.Read(p)
	l.read += int64(n)
	return n, err
}

// skipMark skips a UTF-8 byte order mark and refuses those of UTF-16, and files that show to be something else.
func (l *recordLimit) skipMark() error {
	start, err := l.r.Peek(sniffed)
	if err != nil && err != io.EOF {
		return err
	}
	if other := sniff(start); other != "" {
		return fmt.Errorf("%s; accepted: a file of comma-separated values", other)
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xEF\xBB\xBF")):
		_, err = l.r.Discard(3) // its length
		return err
	case bytes.HasPrefix(start, []byte("\xFF\xFE")), bytes.HasPrefix(start, []byte("\xFE\xFF")):
		return errors.New("the file is written in UTF-16; accepted: UTF-8")
	}
	return nil
}
