package store

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// On a network file system SQLite's locks and shared memory cannot be trusted. There the file of the database is never written in
// place: it is only replaced, by a rename, by whoever holds the lock file. A process works on a copy of its own on a local disk.
//
//	runs.db             the notebook; readers copy it
//	inbox/lock          held by who replaces it
//	inbox/NAME-N.jsonl  what the process NAME has recorded since, one file a transaction, each complete when it has its name
//	inbox/NAME.alive    that the process is there: its holder, and a number that grows
//	inbox/claims/KEY    the run is NAME's, or was: "NAME running", "NAME done"
//
// A reader takes the notebook and then the files of the inbox. A process that ends puts both together into the next notebook.

// networkSwitch is the environment variable that says that a file system is (1) or is not (0) a network's.
const networkSwitch = "KAPPA_NETWORK"

// networkKind names the network file system that path's folder lies on; "" for a local one. An inbox beside it says that some
// process has found it so: then it is so for all.
func networkKind(path string) string {
	switch os.Getenv(networkSwitch) {
	case "0":
		return ""
	case "1":
		return "as " + networkSwitch + " says"
	}
	dir := filepath.Dir(path)
	if fi, err := os.Stat(filepath.Join(dir, inboxFolder)); err == nil && fi.IsDir() {
		return "as its inbox says"
	}
	for { // the folder may be about to be made
		kind, err := fileSystem(dir)
		if err == nil {
			return kind
		}
		up := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || up == dir {
			return ""
		}
		dir = up
	}
}

const (
	inboxFolder  = "inbox"
	claimsFolder = "claims"
	mergeAfter   = 200 // files of its own that a process leaves before it merges them
)

// network is what a database on a network file system has besides its local copy.
type network struct {
	main  string // the notebook
	inbox string
	name  string // of this process
	share bool   // others work at the same time; else the lock is held until Close

	mu      sync.Mutex
	lock    *netLock
	base    fs.FileInfo     // the notebook as the copy holds it; nil: there was none
	taken   map[string]bool // files of the inbox that the copy holds
	n       int             // files left since the last merge
	beat    int
	claims  map[int64]string // keys by attempt
	looked  time.Duration    // when the inbox was last looked at
	changed bool             // the copy holds what the notebook does not
	opened  string           // what the copy's files looked like then
	watch   watch
}

// openNetwork opens a copy of the notebook at path.
func openNetwork(ctx context.Context, path, kind string, o Options, write bool) (db *DB, err error) {
	at, err := newDB(path, o, readOnly)
	if err != nil {
		return nil, err
	}
	n := &network{
		main: at.path, inbox: filepath.Join(at.Dir(), inboxFolder), share: o.Share, taken: map[string]bool{}, claims: map[int64]string{},
		name: fmt.Sprintf("%s-%d-%x", plainName(at.self.host), at.self.pid, time.Now().UnixNano()), watch: watch{elapsed: at.watch.elapsed},
	}
	if write {
		if err := at.makeFolder(); err != nil {
			return nil, err
		}
		if err := makeFolders(filepath.Join(n.inbox, claimsFolder)); err != nil {
			return nil, &Error{Path: at.path, Op: "make its inbox", Err: err}
		}
	} else if _, err := os.Stat(at.path); errors.Is(err, fs.ErrNotExist) && len(n.pending()) == 0 {
		return nil, &Error{Path: at.path, Op: "open", Err: ErrMissing, Hint: "`kappa run` makes one"}
	}
	if write && !o.Share {
		if o.try {
			n.lock, err = n.tryLock(at)
		} else {
			n.lock, err = at.waitLock(ctx, n)
		}
		if err != nil || n.lock == nil {
			return nil, err
		}
	}
	known, _, knownErr := ackFile(at.path + "-acked").tail() // before the copy is made: all of it should be in it
	asked := o
	dir, err := os.MkdirTemp("", "kappa-network-*")
	if err == nil {
		n.base, err = copyNotebook(at.path, filepath.Join(dir, "runs.db"))
	}
	if err == nil {
		o.scratch, o.local = true, true
		db, err = Open(ctx, filepath.Join(dir, "runs.db"), o)
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		n.lock.release()
		if e, ok := errors.AsType[*Error](err); ok {
			return nil, &Error{Path: at.path, Op: e.Op, Err: e.Err, Hint: e.Hint}
		}
		return nil, &Error{Path: at.path, Op: "open", Err: err}
	}
	db.remove, db.net = dir, n
	n.changed = n.base == nil
	switch behind := false; {
	case n.lock != nil:
		err = n.reconcile(ctx, db)
	case knownErr == nil:
		if behind, err = fileAhead(ctx, db.r, known); behind && write && !o.noted {
			asked.noted = true
			err = n.merge(ctx, db, true) // which notes it, for all
			if err = errors.Join(err, db.Close()); err != nil {
				return nil, err
			}
			return openNetwork(ctx, path, kind, asked, write)
		}
		if behind && err == nil {
			err = n.miss(ctx, db, known.last())
		}
	}
	if err == nil {
		err = n.tellLost(ctx, db)
	}
	if err == nil {
		err = n.look(ctx, db, true)
	}
	if err == nil && write && o.Share {
		if err = n.alive(db); err == nil && n.base == nil {
			err = n.merge(ctx, db, false) // so that there is a notebook
		}
	}
	n.opened = n.stamp(db)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	if !write {
		err = db.w.Close()
		db.w = nil
	}
	if kind == "" {
		return db, nil // a merge of one that has said it
	}
	db.notify("%s lies on a network file system (%s): each command works on a copy, and what runs leave goes through %s", n.main, kind, n.inbox)
	return db, err
}

// plainName is a host's name as part of a file's.
func plainName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, s)
	return "of-" + s[:min(len(s), 60)]
}

// pending lists the files of the inbox that are not merged, in order.
func (n *network) pending() []string {
	entries, err := os.ReadDir(n.inbox)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".jsonl") && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out
}

// look takes into the copy what others have recorded since; not more often than twice a second, unless at once.
func (n *network) look(ctx context.Context, db *DB, now bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if at := n.watch.elapsed(); !now && n.looked > 0 && at-n.looked < 500*time.Millisecond {
		return nil
	} else {
		n.looked = max(at, 1)
	}
	if db.w == nil {
		return nil
	}
	for range 3 {
		if err := n.takePending(ctx, db); err != nil {
			return err
		}
		again, err := n.takeNotebook(ctx, db)
		if err != nil || !again {
			return err
		}
	}
	return nil
}

// takePending takes files of the inbox.
func (n *network) takePending(ctx context.Context, db *DB) error {
	for _, name := range n.pending() {
		if n.taken[name] {
			continue
		}
		f, err := os.Open(filepath.Join(n.inbox, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just been merged
		}
		if err != nil {
			return db.fault("read the inbox", err)
		}
		_, err = db.importLines(ctx, filepath.Join(n.inbox, name), f, ImportOptions{part: true})
		_ = f.Close()
		if err != nil {
			return err
		}
		n.taken[name], n.changed = true, true
	}
	return nil
}

// merge puts the notebook and the inbox together into the next notebook, for a process that shares it; without wait, only if nobody
// else is at it.
func (n *network) merge(ctx context.Context, db *DB, wait bool) error {
	m, err := openNetwork(ctx, n.main, "", Options{Now: db.now, Holder: db.holder, Busy: db.busy, try: !wait}, true)
	if err != nil || m == nil {
		return err
	}
	m.net.changed = true
	return m.Close()
}

// leave puts what o chooses of the copy into the inbox; it is on the share when leave returns.
func (n *network) leave(ctx context.Context, db *DB, part exportPart) error {
	if !n.share {
		return nil
	}
	n.mu.Lock()
	n.n++
	name, many := fmt.Sprintf("%s-%x.jsonl", n.name, time.Now().UnixNano()), n.n >= mergeAfter
	err := writeFile(filepath.Join(n.inbox, name), func(f *os.File) error {
		_, err := db.exportJSONL(ctx, f, ExportOptions{part: &part})
		return err
	})
	n.taken[name] = err == nil
	if many {
		n.n = 0
	}
	n.mu.Unlock()
	if err != nil || !many {
		return db.fault("write to the inbox", err)
	}
	_ = n.merge(ctx, db, false) // what is left is there, merged or not
	return nil
}

// close merges what this process has left, if nobody else is at it, and takes its claims away.
func (n *network) close(db *DB) error {
	if db.w == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	var err error
	if n.share {
		n.mu.Lock()
		for _, key := range n.claims {
			n.dropClaim(key)
		}
		n.mu.Unlock()
		_ = os.Remove(n.aliveFile(n.name))
		if len(n.pending()) > 0 {
			_ = n.merge(ctx, db, true) // where that fails the files wait for the next command
		}
		return nil
	}
	if n.changed || n.stamp(db) != n.opened {
		err = n.replace(ctx, db)
	}
	n.lock.release()
	return err
}

// hashName is a number for a name.
func hashName(s string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return int64(h.Sum64())
}

// took notes the claim of an attempt, or gives it back where there is none.
func (n *network) took(attempt int64, key string, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if ok {
		n.claims[attempt] = key
	} else {
		n.dropClaim(key)
	}
}

// finished leaves what an attempt has recorded, and gives its claim back.
func (n *network) finished(ctx context.Context, db *DB, attempt int64, s Status) error {
	err := n.leave(ctx, db, exportPart{attempt: attempt})
	if n.share {
		n.ended(attempt, err == nil && s.Finished())
	}
	return err
}
