package store

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// What SQLite checks of its files does not suffice where hardware has cut one off. It drops a log behind the first frame that is not
// valid, and takes what is left for all there ever was: right after a power cut, which cannot take what was synced, and wrong where the
// missing frames have been copied into the database before: then pages of two moments would be mixed. And it reads a page behind the
// end of the database as nothing but noughts. So both are looked for before a database is opened: see
// https://sqlite.org/fileformat2.html for the layout.

// errCutOff says that a database, or its log, lacks its end.
type errCutOff struct{ what, hint string }

const putBack = "put a backup in its place, or move the file and its log (-wal) away and run again: what is missing is executed anew"

func (e *errCutOff) Error() string { return e.what }

// checkWhole fails with ErrCorrupt where the database or its log lacks an end that cannot be made good. What is being written
// meanwhile may look like that for a moment, so it has to look so again and again.
func (db *DB) checkWhole(ctx context.Context) error {
	const looks, pause = 5, 10 * time.Millisecond
	for i := 1; ; i++ {
		doubtful, err := cutOff(db.path)
		var cut *errCutOff
		if !errors.As(err, &cut) { // whatever else is wrong is for SQLite to say
			if !doubtful {
				return nil
			}
			if err := db.lookAtAll(ctx); err != nil {
				return err
			}
			if db.mode == readWrite {
				foldMark(db.path + foldSuffix).remove() // it was folded to the end
			}
			return nil
		}
		if i == looks {
			return &Error{Path: db.path, Op: "open", Err: fmt.Errorf("%w: %s", ErrCorrupt, cut.what), Hint: cut.hint}
		}
		time.Sleep(pause)
	}
}

// lookAtAll has SQLite check every page, without writing any: as long as it is not known to be sound, no connection may fold the log in.
func (db *DB) lookAtAll(ctx context.Context) error {
	p := openPool(plainDriver(), db.path, readOnly, db.busy, 1)
	defer func() { _ = p.Close() }()
	err := sound(ctx, p)
	if c, _ := code(err); c != codeCorrupt && !errors.Is(err, ErrCorrupt) {
		return nil // locked, or foreign: said when it is opened
	}
	return &Error{
		Path: db.path, Op: "open", Err: fmt.Errorf("%w, or its log is another file's: %w", ErrCorrupt, err),
		Hint: "if a copy was put in the place of the file, remove the log (-wal) of the old one; else " + putBack,
	}
}

// cutOff looks at a database and its log as files. doubtful says that only a look at every page can tell.
func cutOff(path string) (doubtful bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	if _, err := os.Lstat(path + "-journal"); err == nil {
		return false, nil // not in WAL mode: the journal has what is missing
	}
	fi, err := f.Stat()
	if err != nil {
		return false, err
	}
	var head [100]byte
	if _, err := io.ReadFull(f, head[:]); err != nil || string(head[:16]) != "SQLite format 3\x00" {
		if l, err := readLog(path+"-wal", 0); err == nil && l.commits > 0 && fi.Size() == 0 { // SQLite would throw the log away
			return false, &errCutOff{"the file is empty, and its log is not", putBack}
		}
		return false, nil
	}
	size := int64(binary.BigEndian.Uint16(head[16:]))
	if size == 1 {
		size = 1 << 16
	}
	if size < 512 {
		return false, nil
	}
	pages := int64(binary.BigEndian.Uint32(head[28:]))
	l, err := readLog(path+"-wal", int(size))
	if err != nil {
		return false, err
	}
	if l.commits > 0 {
		pages = l.pages
	}
	missing := 0
	for p := fi.Size()/size + 1; p <= pages; p++ {
		if !l.holds[uint32(p)] {
			missing++
		}
	}
	if missing > 0 {
		return false, &errCutOff{fmt.Sprintf("the file is cut off: %d of its %d pages are missing", missing, pages), putBack}
	}
	begun, ok := foldMark(path + foldSuffix).read()
	switch {
	case !ok: // the file is older than its log, but where it was taken from elsewhere, and the log is another one's
		log, err := os.Stat(path + "-wal")
		return err == nil && l.commits > 0 && changeTime(fi).After(log.ModTime()), nil
	case l.salt == "": // all of it was folded in, and nobody came to say so; or it is gone
		return true, nil
	case l.salt == begun.salt && l.end < begun.bytes:
		return false, &errCutOff{fmt.Sprintf("its log is cut off: %d bytes are missing that the file holds in part", begun.bytes-l.end), putBack}
	}
	return false, nil
}

// logged is what the valid part of a write-ahead log holds.
type logged struct {
	salt    string // of its header, in hexadecimal digits: another one each time the log begins anew; "": it has none
	end     int64  // of the valid part, in bytes
	commits int
	pages   int64           // of the database after the last of them
	holds   map[uint32]bool // pages
}

// readLog reads a write-ahead log as far as it is valid, up to its last whole transaction; pageSize 0 takes the one that it names. A log that is not there holds nothing.
func readLog(path string, pageSize int) (l logged, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return logged{}, nil
	}
	if err != nil {
		return logged{}, err
	}
	defer func() { _ = file.Close() }()
	in := bufio.NewReaderSize(file, 1<<16)
	b := make([]byte, logHeader)
	if whole, err := readWhole(in, b); !whole {
		return logged{}, err
	}
	magic := binary.BigEndian.Uint32(b)
	if pageSize == 0 {
		pageSize = int(binary.BigEndian.Uint32(b[8:]))
	}
	if magic&^1 != 0x377f0682 || int(binary.BigEndian.Uint32(b[8:])) != pageSize || pageSize < 512 || pageSize > 1<<16 {
		return logged{}, nil
	}
	sum := logSum{bigEndian: magic&1 != 0}
	if sum.add(b[:24]); !sum.is(b[24:]) {
		return logged{}, nil
	}
	salt := string(b[16:24])
	l.salt, l.end, l.holds = hex.EncodeToString(b[16:24]), logHeader, make(map[uint32]bool)
	var open []uint32 // pages of a transaction that has not ended
	at := l.end
	for b = make([]byte, logFrame+pageSize); ; {
		if whole, err := readWhole(in, b); !whole || string(b[8:16]) != salt {
			return l, err
		}
		at += int64(len(b))
		sum.add(b[:8])
		sum.add(b[logFrame:])
		page, after := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		if !sum.is(b[16:]) || page == 0 {
			return l, nil
		}
		open = append(open, page)
		if after == 0 {
			continue
		}
		for _, p := range open {
			l.holds[p] = true
		}
		l.commits, l.pages, l.end, open = l.commits+1, int64(after), at, open[:0]
	}
}

// Bytes of the header of a write-ahead log, and of that of each frame.
const logHeader, logFrame = 32, 24

// readWhole fills b; whole is false where the file ends before that.
func readWhole(in io.Reader, b []byte) (whole bool, err error) {
	_, err = io.ReadFull(in, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return false, nil
	}
	return err == nil, err
}

// logSum is the check sum of a write-ahead log, over all that was added.
type logSum struct {
	a, b      uint32
	bigEndian bool
}

// add adds bytes, a multiple of 8 of them.
func (s *logSum) add(data []byte) {
	a, b := s.a, s.b
	if s.bigEndian {
		for ; len(data) >= 8; data = data[8:] {
			a += binary.BigEndian.Uint32(data) + b
			b += binary.BigEndian.Uint32(data[4:]) + a
		}
	} else {
		for ; len(data) >= 8; data = data[8:] {
			a += binary.LittleEndian.Uint32(data) + b
			b += binary.LittleEndian.Uint32(data[4:]) + a
		}
	}
	s.a, s.b = a, b
}

// is compares the sum with one that was written down.
func (s *logSum) is(written []byte) bool {
	return binary.BigEndian.Uint32(written) == s.a && binary.BigEndian.Uint32(written[4:]) == s.b
}
