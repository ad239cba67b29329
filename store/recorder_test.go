package store

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// diskOp is something that was done to a file.
type diskOp struct {
	file string // base name
	kind diskKind
	at   int64 // of a write; of a truncation, the length
	data []byte
}

type diskKind int

const (
	written diskKind = iota
	truncated
	removed
	synced
)

// recorder notes what SQLite does to its files, in order.
type recorder struct {
	mu  sync.Mutex
	ops []diskOp
}

func (r *recorder) add(op diskOp) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op)
}

// len is how much has been noted.
func (r *recorder) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ops)
}

// The functions below are SQLite's: a file system that hands everything on to the system's, and notes writes, truncations and syncs.
// SQLite calls plain functions, so what they know is kept here.
var recording struct {
	sync.Mutex
	to      *recorder
	files   map[uintptr]string
	methods map[uintptr]uintptr // the system's for ours
	vfs     uintptr             // the system's
}

// at is the memory that SQLite means by p.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// asC is a Go function as SQLite calls it, and asGo one of SQLite's as Go calls it.
func asC[F any](f F) uintptr      { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }
func asGo[F any](p uintptr) (f F) { return *(*F)(unsafe.Pointer(&struct{ p uintptr }{p})) }

func recordOpen(tls *libc.TLS, _, name, file uintptr, flags int32, out uintptr) int32 {
	recording.Lock()
	defer recording.Unlock()
	open := asGo[func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32](at[sqlite3.Tsqlite3_vfs](recording.vfs).FxOpen)
	rc := open(tls, recording.vfs, name, file, flags, out)
	f := at[sqlite3.Tsqlite3_file](file)
	if rc != sqlite3.SQLITE_OK || f.FpMethods == 0 || name == 0 {
		return rc
	}
	ours, known := uintptr(0), false
	for o, theirs := range recording.methods {
		if theirs == f.FpMethods {
			ours, known = o, true
		}
	}
	if !known {
		ours = libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
		m := at[sqlite3.Tsqlite3_io_methods](ours)
		*m = *at[sqlite3.Tsqlite3_io_methods](f.FpMethods)
		m.FxWrite, m.FxTruncate, m.FxSync, m.FxClose = asC(recordWrite), asC(recordTruncate), asC(recordSync), asC(recordClose)
		recording.methods[ours] = f.FpMethods
	}
	f.FpMethods = ours
	recording.files[file] = filepath.Base(libc.GoString(name))
	return rc
}

// recorded returns the system's methods of a file, and its name.
func recorded(file uintptr) (*sqlite3.Tsqlite3_io_methods, string, *recorder) {
	recording.Lock()
	defer recording.Unlock()
	return at[sqlite3.Tsqlite3_io_methods](recording.methods[at[sqlite3.Tsqlite3_file](file).FpMethods]), recording.files[file], recording.to
}

func recordWrite(tls *libc.TLS, file, data uintptr, n int32, offset sqlite3.Tsqlite3_int64) int32 {
	m, name, to := recorded(file)
	to.add(diskOp{name, written, int64(offset), slices.Clone(unsafe.Slice(at[byte](data), n))})
	return asGo[func(*libc.TLS, uintptr, uintptr, int32, sqlite3.Tsqlite3_int64) int32](m.FxWrite)(tls, file, data, n, offset)
}

func recordTruncate(tls *libc.TLS, file uintptr, size sqlite3.Tsqlite3_int64) int32 {
	m, name, to := recorded(file)
	to.add(diskOp{name, truncated, int64(size), nil})
	return asGo[func(*libc.TLS, uintptr, sqlite3.Tsqlite3_int64) int32](m.FxTruncate)(tls, file, size)
}

func recordSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	m, name, to := recorded(file)
	rc := asGo[func(*libc.TLS, uintptr, int32) int32](m.FxSync)(tls, file, flags)
	to.add(diskOp{name, synced, 0, nil})
	return rc
}

func recordClose(tls *libc.TLS, file uintptr) int32 {
	m, _, _ := recorded(file)
	rc := asGo[func(*libc.TLS, uintptr) int32](m.FxClose)(tls, file)
	recording.Lock()
	defer recording.Unlock()
	delete(recording.files, file)
	return rc
}

// registerRecorder gives SQLite the file system "recorded", once.
var registerRecorder = sync.OnceValue(func() error {
	tls := libc.NewTLS() // for as long as the process lives: SQLite keeps what it is given
	name, err := libc.CString("recorded")
	if err != nil {
		return err
	}
	recording.vfs = sqlite3.Xsqlite3_vfs_find(tls, 0)
	recording.files, recording.methods = make(map[uintptr]string), make(map[uintptr]uintptr)
	vfs := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	v := at[sqlite3.Tsqlite3_vfs](vfs)
	*v = *at[sqlite3.Tsqlite3_vfs](recording.vfs)
	v.FpNext, v.FzName, v.FxOpen = 0, name, asC(recordOpen)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, vfs, 0); rc != sqlite3.SQLITE_OK {
		return fmt.Errorf("register a file system with SQLite: code %d", rc)
	}
	return nil
})

// recordDisk makes the database write through a recorder from now on.
func recordDisk(t *testing.T, db *DB) *recorder {
	t.Helper()
	must(t, registerRecorder())
	r := new(recorder)
	recording.Lock()
	recording.to = r
	recording.Unlock()
	must(t, db.w.Close())
	db.w = sql.OpenDB(connector{plainDriver(), dsn(db.path, readWrite, time.Second) + "&vfs=recorded"})
	db.w.SetMaxOpenConns(1)
	return r
}
