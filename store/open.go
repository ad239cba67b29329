package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
)

// DB is a notebook's database. Close it.
type DB struct {
	path   string // absolute
	mode   mode
	now    func() time.Time
	self   holder
	holder string
	busy   time.Duration

	onFold   func(text string) // of tests: nil
	logLimit int64             // bytes of the log from which it is folded into the file
	ready    bool              // it was found good

	w *sql.DB // one connection; nil: the database is only read
	r *sql.DB // reading connections

	acked   ackFile // beside the file: what was told to be recorded
	ackSeen atomic.Pointer[ackSight]
	unsaved []ack // what of it is lost, as far as a database that is only read does not say so itself
	watch   watch // signs of life of processes elsewhere

	home     os.FileInfo // the file as it was opened
	rescueMu sync.Mutex
	rescued  string // where it was saved after it was taken away

	noticeMu sync.Mutex
	notices  []string

	scratch bool // nothing is listed as recorded

	fleeting bool   // it is removed when it is closed: nothing waits for the disk
	remove   string // a folder to remove on Close

	net *network // on a network file system, where path is a copy; else nil
}

// Options are the settings of Open; the zero value is usable.
type Options struct {
	Now    func() time.Time // the clock; nil: time.Now
	Holder string           // who claims runs; "": this host, boot and process
	Busy   time.Duration    // how long to wait for another writer; 0: 10 s
	// Elapsed is a clock that nobody sets, by which the silence of processes elsewhere is measured; nil: the system's monotonic one.
	Elapsed func() time.Duration

	// Share says that other processes record runs at the same time. It matters on a network file system alone, where a database that
	// is opened for writing without it is kept from all others until Close.
	Share bool

	scratch bool // nobody will ask for what is recorded

	fleeting bool // it goes when it is closed
	local    bool // whatever file system it lies on
	try      bool // without waiting for others, on a network file system; nil if there are any
	noted    bool // what a notebook on a network file system has lost was noted
}

const (
	defaultBusy = 10 * time.Second
	readers     = 4 // reading connections at most

	defaultLogLimit = 4 << 20 // as many pages as SQLite's own limit, 1000
)

// Open opens the database at path for reading and writing. It creates the folder, the file and, in a folder named
// .kappa, a .gitignore; it brings an older file up to date after a backup beside it (runs.db.v1-…), and marks the
// attempts whose process is gone as interrupted. Several processes may do so at once.
//
// A file of a newer kappa (ErrNewer), of another program (ErrForeign), or that is no database (ErrNotDatabase) is
// refused untouched.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if !o.scratch && !o.local {
		if kind := networkKind(path); kind != "" {
			return openNetwork(ctx, path, kind, o, true)
		}
	}
	return openAt(ctx, path, o, migrations())
}

func openAt(ctx context.Context, path string, o Options, steps []string) (*DB, error) {
	db, err := newDB(path, o, readWrite)
	if err != nil {
		return nil, err
	}
	if err := db.makeFolder(); err != nil {
		return nil, err
	}
	if err := db.checkWhole(ctx); err != nil {
		return nil, err
	}
	db.w = openPool(plainDriver(), db.path, readWrite, db.busy, 1)
	db.r = openPool(plainDriver(), db.path, readOnly, db.busy, readers)
	err = db.prepare(ctx, steps)
	if err == nil {
		err = db.lookForLost(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, db.fault("open", err)
	}
	db.ready = true
	db.home, _ = os.Stat(db.path)
	return db, nil
}

// OpenReadOnly opens the database at path for reading only; methods that write then fail with ErrReadOnly. In a folder
// that cannot be written, without a write-ahead log, the file is read without any lock, as if it never changed. It
// fails with ErrMissing where there is no file.
func OpenReadOnly(ctx context.Context, path string) (*DB, error) {
	if kind := networkKind(path); kind != "" {
		return openNetwork(ctx, path, kind, Options{}, false)
	}
	db, err := newDB(path, Options{}, readOnly)
	if err != nil {
		return nil, err
	}
	switch fi, err := os.Stat(db.path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{Path: db.path, Op: "open", Err: ErrMissing, Hint: "`kappa run` makes one"}
	case err != nil:
		return nil, &Error{Path: db.path, Op: "open", Err: err}
	case fi.IsDir():
		return nil, db.isFolder()
	}
	if err := db.checkWhole(ctx); err != nil {
		return nil, err
	}
	db.r = openPool(plainDriver(), db.path, readOnly, db.busy, readers)
	err = db.checkVersion(ctx, len(migrations()))
	for range 2 {
		if !isCannotShare(err) || db.hasLog() {
			break
		}
		time.Sleep(10 * time.Millisecond) // whoever has closed it last may be taking the log away
		err = db.checkVersion(ctx, len(migrations()))
	}
	if isCannotShare(err) && !db.hasLog() {
		_ = db.r.Close()
		db.mode = immutable
		db.r = openPool(plainDriver(), db.path, immutable, db.busy, readers)
		err = db.checkVersion(ctx, len(migrations()))
	}
	if err == nil {
		err = db.lookForLost(ctx)
	}
	if err != nil {
		_ = db.Close()
		return nil, db.fault("open", err)
	}
	return db, nil
}

// Empty makes a temporary database of the current schema without any run, to prepare queries against. Close removes it.
func Empty(ctx context.Context) (*DB, error) {
	dir, err := os.MkdirTemp("", "kappa-empty-")
	if err != nil {
		return nil, &Error{Path: os.TempDir(), Op: "make a temporary database", Err: err}
	}
	db, err := Open(ctx, filepath.Join(dir, "runs.db"), Options{scratch: true, fleeting: true})
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	db.remove = dir
	return db, nil
}

func newDB(path string, o Options, m mode) (*DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, &Error{Path: path, Op: "open", Err: err}
	}
	db := &DB{path: abs, mode: m, now: o.Now, busy: o.Busy, self: thisProcess(), holder: o.Holder, acked: ackFile(abs + "-acked"), logLimit: defaultLogLimit}
	db.scratch, db.fleeting = o.scratch, o.fleeting
	if db.watch.elapsed = o.Elapsed; o.Elapsed == nil {
		opened := time.Now()
		db.watch.elapsed = func() time.Duration { return time.Since(opened) }
	}
	if db.now == nil {
		db.now = time.Now
	}
	if db.busy == 0 {
		db.busy = defaultBusy
	}
	if db.holder == "" {
		db.holder = db.self.String()
	}
	return db, nil
}

// Path is the absolute path of the database file.
func (db *DB) Path() string {
	if db.net != nil {
		return db.net.main
	}
	return db.path
}

// Dir is the absolute path of the folder of the database; the paths of artifacts are relative to it.
func (db *DB) Dir() string { return filepath.Dir(db.Path()) }

// ReadOnly says whether the database can only be read.
func (db *DB) ReadOnly() bool { return db.w == nil }

// Close closes every connection. Reports of the database stay open until they are closed themselves.
func (db *DB) Close() error {
	var errs []error
	if db.net != nil {
		errs = append(errs, db.net.close(db))
	}
	if db.r != nil {
		errs = append(errs, db.r.Close())
	}
	if db.w != nil { // last: it folds the write-ahead log into the file
		if _, gone := db.moved(); !gone { // else the log there is another one's
			db.foldLast()
		}
		errs = append(errs, db.w.Close())
	}
	if db.remove != "" {
		errs = append(errs, os.RemoveAll(db.remove))
	}
	if err := errors.Join(errs...); err != nil {
		return db.fault("close", err)
	}
	return nil
}

func (db *DB) isFolder() error {
	return &Error{Path: db.path, Op: "open", Err: errors.New("it is a folder"), Hint: "name a file, such as .kappa/runs.db"}
}

// prepare brings the schema up to date, sets the journal mode, looks for what was lost, marks abandoned attempts and clears away
// what they have left half written. It fails where the file cannot be written.
func (db *DB) prepare(ctx context.Context, steps []string) error {
	before, err := readStamp(ctx, db.w)
	if err != nil {
		return err
	}
	if err := db.migrate(ctx, steps); err != nil {
		return err
	}
	fresh, err := db.freshExport(ctx)
	if err != nil {
		return err
	}
	if err := db.useLog(ctx); err != nil {
		return err
	}
	return db.write(ctx, false, func(tx *sql.Tx) error {
		if err := db.reconcile(ctx, tx, fresh || before.version < ackedSince); err != nil {
			return err
		}
		if _, err := db.interruptAbandoned(ctx, tx, ""); err != nil {
			return err
		}
		var running int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM attempt WHERE status = 'running'").Scan(&running)
		if err == nil && running == 0 { // and none begins before this transaction ends
			db.clearPartial()
		}
		return err
	})
}

// freshExport says whether the database is an exported one that nobody has opened for writing yet: it still has the journal with which
// exports travel, and no file of acknowledged ends.
func (db *DB) freshExport(ctx context.Context) (bool, error) {
	var journal string
	if err := db.w.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil || journal == "wal" {
		return false, ignoreBusy(err)
	}
	n, err := count(ctx, db.w, "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?", exchangeFiles)
	return n > 0, ignoreBusy(err)
}

// ignoreBusy leaves an error out that only says that another process has the lock: whoever opens first is the one to tell.
func ignoreBusy(err error) error {
	if isBusy(err) {
		return nil
	}
	return err
}

// useLog sets WAL mode. Where the file system cannot do it, the old journal stays: slower, and as safe.
func (db *DB) useLog(ctx context.Context) error {
	for deadline := time.Now().Add(db.busy); ; {
		var m string
		err := db.w.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&m)
		if err == nil && m != "wal" {
			err = db.w.QueryRowContext(ctx, "PRAGMA journal_mode = wal").Scan(&m)
		}
		if err == nil || !isBusy(err) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond) // the change of mode does not always wait for the lock itself
	}
}

// hasLog says whether there is a write-ahead log with something in it.
func (db *DB) hasLog() bool {
	fi, err := os.Stat(db.path + "-wal")
	return err == nil && fi.Size() > 0
}

// code is SQLite's result code in err: the primary one, and the extended one.
func code(err error) (primary, extended int) {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() & 0xff, e.Code()
	}
	return 0, 0
}

// SQLite's primary result codes that matter here.
const (
	codePerm     = 3
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
	codeIO       = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeProtocol = 15 // SQLite has tried again and again to read how far the log goes
	codeNotADB   = 26
)

func isBusy(err error) bool {
	p, _ := code(err)
	return p == codeBusy || p == codeLocked || p == codeProtocol
}

// isCannotShare says whether err means that the shared-memory file of a WAL could not be made.
func isCannotShare(err error) bool {
	p, _ := code(err)
	return p == codeCantOpen || p == codeReadOnly
}

// fault gives err the form that callers see: *Error with a sentinel; what is not recorded and the context's error stay
// as they are.
func (db *DB) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	if _, ok := errors.AsType[*Error](err); ok || errors.Is(err, ErrNotFound) { // not found: nothing is wrong with the file
		return err
	}
	e := &Error{Path: db.path, Op: op, Err: err}
	kind := func(sentinel error, hint string) {
		e.Err, e.Hint = fmt.Errorf("%w: %w", sentinel, err), hint
	}
	switch p, _ := code(err); p {
	case codeBusy, codeLocked, codeProtocol:
		kind(ErrLocked, fmt.Sprintf("another program has been writing for %v; close it, or try again", db.busy))
	case codeReadOnly, codePerm:
		kind(ErrReadOnly, "check the permissions of the file and of its folder")
	case codeIO, codeFull:
		kind(ErrDisk, "is there space left?")
	case codeCorrupt:
		kind(ErrCorrupt, putBack)
	case codeNotADB:
		kind(ErrNotDatabase, "name another file, or move it away")
	case codeCantOpen:
		e.Hint = "is the folder readable and writable?"
		if db.mode != readWrite && db.hasLog() {
			e.Hint = "it has a write-ahead log and its folder cannot be written: copy the .db and .db-wal files to a folder that can"
		}
	default:
		if errors.Is(err, ErrCorrupt) {
			e.Hint = putBack
		}
		if errors.Is(err, ErrReadOnly) {
			e.Hint = "it was opened for reading only"
		}
	}
	return e
}
