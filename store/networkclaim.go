package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// netLock is the lock file of an inbox, held by this process.
type netLock struct {
	path, text string
	stop       chan struct{}
	done       chan struct{}
}

// create makes a file that must not exist.
func create(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// replaceText replaces a small file whole; it need not survive a power cut.
func replaceText(path, text string) error {
	tmp := filepath.Join(filepath.Dir(path), fmt.Sprintf("%s%s-%d-%x", partialPrefix, filepath.Base(path), os.Getpid(), time.Now().UnixNano()))
	if err := os.WriteFile(tmp, []byte(text), 0o666); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		_ = os.Remove(tmp)
		return err
	}
	return nil
}

// tryLock takes the lock, or returns nil where another process that lives has it.
func (n *network) tryLock(db *DB) (*netLock, error) {
	path := filepath.Join(n.inbox, "lock")
	text := func(beat int) string { return fmt.Sprintf("%s\n%s\n%d\n", db.holder, n.name, beat) }
	for range 2 {
		err := create(path, text(0))
		if err == nil {
			l := &netLock{path: path, text: n.name, stop: make(chan struct{}), done: make(chan struct{})}
			go l.keep(text)
			return l, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, &Error{Path: n.main, Op: "lock", Err: err, Hint: "is the folder " + n.inbox + " writable?"}
		}
		old, err := os.ReadFile(path)
		if err != nil || n.lives(db, string(old), "lock") {
			return nil, nil
		}
		// Its holder is gone. Of several that find it so one takes it away: the file is given another name first.
		aside := fmt.Sprintf("%s.gone-%s", path, n.name)
		if now, err := os.ReadFile(path); err != nil || string(now) != string(old) || os.Rename(path, aside) != nil {
			return nil, nil
		}
		if now, err := os.ReadFile(aside); err == nil && string(now) != string(old) {
			_ = os.Link(aside, path) // it was another one's already
		}
		_ = os.Remove(aside)
	}
	return nil, nil
}

// keep lets the lock's file say that its holder lives, as long as it is its own: one that was silent for too long has lost it.
func (l *netLock) keep(text func(beat int) string) {
	defer close(l.done)
	t := time.NewTicker(Beat)
	defer t.Stop()
	for beat := 1; ; beat++ {
		select {
		case <-l.stop:
			return
		case <-t.C:
			if l.held() {
				_ = replaceText(l.path, text(beat))
			}
		}
	}
}

// held says whether the lock is still this process's: whoever was put to sleep may have lost it.
func (l *netLock) held() bool {
	b, err := os.ReadFile(l.path)
	return err == nil && strings.Contains(string(b), "\n"+l.text+"\n")
}

// release lets go of the lock; nil is no lock.
func (l *netLock) release() {
	if l == nil {
		return
	}
	select {
	case <-l.done:
		return // let go before
	default:
	}
	close(l.stop)
	<-l.done
	if l.held() {
		_ = os.Remove(l.path)
	}
}

// lockWait is how long a command waits for the lock besides the time that a dead holder takes to be found out.
const lockWait = 2 * Lease

// waitLock takes the lock.
func (db *DB) waitLock(ctx context.Context, n *network) (*netLock, error) {
	for begun := n.watch.elapsed(); ; {
		l, err := n.tryLock(db)
		if err != nil || l != nil {
			return l, err
		}
		if n.watch.elapsed()-begun > lockWait+db.busy {
			return nil, &Error{Path: n.main, Op: "lock", Err: ErrLocked, Hint: "another kappa is changing it; if none is, remove " + filepath.Join(n.inbox, "lock")}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// lives says whether the process that wrote a text of "holder, name, beat" lives: by its process number where that can be looked
// up, else by whether its beat grows.
func (n *network) lives(db *DB, text, what string) bool {
	lines := strings.Split(text, "\n")
	if len(lines) < 3 { // it is just being written
		return n.watch.silence(hashName(what), hashName(text)) <= Lease
	}
	if lines[1] == n.name {
		return true
	}
	switch db.self.sees(lines[0]) {
	case alive:
		return true
	case gone:
		if other, _ := parseHolder(lines[0]); other.boot == db.self.boot { // else it may be another machine of the same name
			return false
		}
	}
	beat, _ := strconv.ParseInt(lines[2], 10, 64)
	return n.watch.silence(hashName(what+"\n"+lines[1]), beat) <= Lease
}

func (n *network) aliveFile(name string) string { return filepath.Join(n.inbox, name+".alive") }

// alive says that this process is there.
func (n *network) alive(db *DB) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.beat++
	return replaceText(n.aliveFile(n.name), fmt.Sprintf("%s\n%s\n%d\n", db.holder, n.name, n.beat))
}

// ownerLives says whether the process of a claim lives.
func (n *network) ownerLives(db *DB, name string) bool {
	if name == n.name {
		return true
	}
	b, err := os.ReadFile(n.aliveFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false // it has ended
	}
	return err != nil || n.lives(db, string(b), "alive")
}

func (n *network) claimFile(key string) string { return filepath.Join(n.inbox, claimsFolder, key) }

// dropClaim takes a claim of this process away.
func (n *network) dropClaim(key string) {
	if name, _, ok := n.readClaim(key); ok && name == n.name {
		_ = os.Remove(n.claimFile(key))
	}
}

// readClaim says whose a run is and whether it is done.
func (n *network) readClaim(key string) (name string, done, ok bool) {
	b, err := os.ReadFile(n.claimFile(key))
	if err != nil {
		return "", false, false
	}
	name, state, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	return name, state == "done", true
}

// take claims a run among all processes. Where it is another's, ok is false.
func (n *network) take(ctx context.Context, db *DB, key string, force bool) (ok bool, st State, err error) {
	state := func() error {
		if err := n.look(ctx, db, true); err != nil {
			return err
		}
		states, err := db.states(ctx, db.r, []string{key})
		st = states[key]
		return err
	}
	if err := n.alive(db); err != nil { // whoever has watched it stand still since the last claim must not take this one for a dead process's
		return false, State{}, db.fault("claim a run", err)
	}
	for range 5 {
		err := create(n.claimFile(key), n.name+" running\n")
		if err == nil {
			if err := state(); err != nil {
				n.dropClaim(key)
				return false, State{}, err
			}
			if st.Status.Finished() && !force && !st.Lost { // since the copy was made
				n.dropClaim(key)
				return false, st, nil
			}
			return true, st, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return false, State{}, db.fault("claim a run", err)
		}
		name, done, there := n.readClaim(key)
		switch {
		case !there, name == "" && n.watch.silence(hashName("claim\n"+key), 0) <= Lease:
			time.Sleep(5 * time.Millisecond) // it is just being written, or taken away
			continue
		case name == n.name && !done:
			return true, st, state()
		case done && !force:
			if err := state(); err != nil {
				return false, State{}, err
			}
			if st.Status.Finished() {
				return false, st, nil
			}
		case !done && n.ownerLives(db, name):
			err := state()
			st.Key, st.Live = key, true
			return false, st, err
		}
		err = n.clearClaim(ctx, db, key, name, done)
		if errors.Is(err, ErrLocked) { // somebody changes the notebook for long: the run is looked at again
			err := state()
			st.Key, st.Live, st.Foreign = key, true, true
			return false, st, err
		}
		if err != nil {
			return false, State{}, err
		}
	}
	return false, State{Key: key, Live: true}, nil
}

// clearClaim takes away a claim whose process is gone, or which is to be made again, under the lock.
func (n *network) clearClaim(ctx context.Context, db *DB, key, name string, done bool) error {
	lock, err := db.waitLock(ctx, n)
	if err != nil {
		return err
	}
	defer lock.release()
	if now, nowDone, ok := n.readClaim(key); ok && now == name && nowDone == done {
		_ = os.Remove(n.claimFile(key))
	}
	return nil
}

// ended says that a run of this process has ended; the claim of a finished one stays until the notebook holds it.
func (n *network) ended(attempt int64, finished bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	key, ok := n.claims[attempt]
	if !ok {
		return
	}
	delete(n.claims, attempt)
	if !finished || replaceText(n.claimFile(key), n.name+" done\n") != nil {
		n.dropClaim(key)
	}
}

// clearClaims takes away, under the lock, claims on runs that the notebook now holds, and of processes that are gone.
func (n *network) clearClaims(ctx context.Context, db *DB) error {
	for key, c := range n.claimed() {
		finished := false
		if c.done {
			states, err := db.states(ctx, db.r, []string{key})
			if err != nil {
				return err
			}
			finished = states[key].Status.Finished()
		}
		if finished || !c.done && c.name != "" && c.name != n.name && !n.ownerLives(db, c.name) {
			if name, done, ok := n.readClaim(key); ok && c == (netClaim{name, done}) { // nobody else's meanwhile
				_ = os.Remove(n.claimFile(key))
			}
		}
	}
	entries, _ := os.ReadDir(n.inbox)
	for _, e := range entries { // what a killed process leaves
		if name, ok := strings.CutSuffix(e.Name(), ".alive"); ok && !n.ownerLives(db, name) {
			_ = os.Remove(n.aliveFile(name))
		}
	}
	return nil
}

type netClaim struct {
	name string
	done bool
}

// claimed lists the claims that stand.
func (n *network) claimed() map[string]netClaim {
	entries, err := os.ReadDir(filepath.Join(n.inbox, claimsFolder))
	if err != nil {
		return nil
	}
	out := make(map[string]netClaim, len(entries))
	for _, e := range entries {
		if name, done, ok := n.readClaim(e.Name()); ok && checkKey(e.Name()) == nil {
			out[e.Name()] = netClaim{name, done}
		}
	}
	return out
}

// addLive marks the runs that other processes are at.
func (n *network) addLive(db *DB, keys []string, m map[string]State) {
	claimed := n.claimed()
	if len(claimed) == 0 {
		return
	}
	for _, key := range keys {
		c, ok := claimed[key]
		if !ok || c.done || c.name == n.name || !n.ownerLives(db, c.name) {
			continue
		}
		st, known := m[key]
		if !known {
			st = State{Key: key, Status: Running}
		}
		st.Live = true
		m[key] = st
	}
}
