package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestNetworkLockLost: a process that was put to sleep with the lock, and was taken for dead, neither takes it back nor undoes what
// others have put into the notebook since.
func TestNetworkLockLost(t *testing.T) {
	t.Setenv(networkSwitch, "1")
	for _, c := range []struct {
		name  string
		other func(path, lock string) error
	}{
		{"the lock is another's", func(_, lock string) error { return os.WriteFile(lock, []byte("far|b|n|7|1\nof-far-7\n3\n"), 0o666) }},
		{"the notebook is another one", func(path, _ string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.Remove(path), os.WriteFile(path, b, 0o666), os.Chtimes(path, time.Time{}, time.Unix(1, 0)))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := newPath(t)
			first, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			must(t, first.RecordExperiment(t.Context(), specTest("e", "x", 1)))
			must(t, first.Close())
			sleeper, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			record(t, sleeper, 1)
			lock := filepath.Join(filepath.Dir(path), inboxFolder, "lock")
			must(t, c.other(path, lock))
			wantLock, _ := os.ReadFile(lock)
			want, err := os.ReadFile(path)
			must(t, err)
			if err := sleeper.Close(); !errors.Is(err, ErrLocked) {
				t.Errorf("Close: %v, want ErrLocked", err)
			}
			if got, _ := os.ReadFile(path); string(got) != string(want) {
				t.Error("the notebook was replaced")
			}
			if got, _ := os.ReadFile(lock); c.name == "the lock is another's" && string(got) != string(wantLock) {
				t.Errorf("the other's lock is now %q", got)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), partialPrefix+"*")); len(left) > 0 {
				t.Errorf("half-written files are left: %v", left)
			}
		})
	}
}

// TestNetworkOwnerLives: who cannot be looked for is judged by its beat, also a machine of the same name, which is not this one before
// its last restart; a process that had nothing to do for long counts from the claim on; and a claim whose file was never written to
// its end is nobody's after a while.
func TestNetworkOwnerLives(t *testing.T) {
	t.Setenv(networkSwitch, "1")
	path := newPath(t)
	clk := newClock()
	open := func(holder string) *DB {
		db, err := Open(t.Context(), path, Options{Share: true, Holder: holder, Elapsed: clk.elapsed})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	mine, far := open(""), open("far|boot|ns|17|1")
	must(t, mine.RecordExperiment(t.Context(), specTest("e", "x", 1, 2, 3)))

	text := fmt.Sprintf("%s|another|%s|%d|1\nof-twin\n1\n", mine.self.host, mine.self.namespace, deadPid(t))
	if !mine.net.lives(mine, text, "alive") {
		t.Error("a machine of the same name counts as this one before a restart")
	}
	clk.advance(Lease + time.Second)
	if mine.net.lives(mine, text, "alive") {
		t.Error("it lives although its beat stands still")
	}

	a := claimTest(t, far, start(1), false)
	if _, ok, st, err := mine.Claim(t.Context(), start(1), false); ok || !st.Live || err != nil {
		t.Fatalf("claimed twice: %v, %+v, %v", ok, st, err)
	}
	must(t, far.Finish(t.Context(), a, outcome(1)))
	clk.advance(Lease + time.Second) // idle: no heartbeat
	claimTest(t, far, start(2), false)
	if _, ok, st, err := mine.Claim(t.Context(), start(2), false); ok || !st.Live || err != nil {
		t.Errorf("a run was taken from a process that had just claimed it: %v, %+v, %v", ok, st, err)
	}

	must(t, os.WriteFile(mine.net.claimFile(key(3)), nil, 0o666))
	if _, ok, st, err := mine.Claim(t.Context(), start(3), false); ok || !st.Live || err != nil {
		t.Errorf("a claim that is being written was taken: %v, %+v, %v", ok, st, err)
	}
	clk.advance(Lease + time.Second)
	claimTest(t, mine, start(3), false)
}

// TestNetworkLockHeld: where another process keeps the lock for long, a run whose claim would have to be taken away counts as under way
// elsewhere: it is looked at again, and no command fails for it.
func TestNetworkLockHeld(t *testing.T) {
	t.Setenv(networkSwitch, "1")
	path := newPath(t)
	clk := newClock()
	open := func(holder string) *DB {
		db, err := Open(t.Context(), path, Options{Share: true, Holder: holder, Elapsed: clk.elapsed})
		must(t, err)
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	mine, far := open(""), open("far|boot|ns|17|1")
	must(t, mine.RecordExperiment(t.Context(), specTest("e", "x", 1)))
	must(t, os.WriteFile(mine.net.claimFile(key(1)), []byte("nobody running\n"), 0o666)) // its process has ended
	lock, err := far.net.tryLock(far)
	if err != nil || lock == nil {
		t.Fatalf("the lock: %v, %v", lock, err)
	}
	done := make(chan struct{})
	go func() { // time flies, and the lock's holder gives signs of life
		beat := 1
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				beat++
				_ = replaceText(lock.path, fmt.Sprintf("%s\n%s\n%d\n", far.holder, far.net.name, beat))
				clk.advance(Lease / 8)
			}
		}
	}()
	_, ok, st, err := mine.Claim(t.Context(), start(1), false)
	close(done)
	if ok || err != nil || !st.Live || !st.Foreign {
		t.Errorf("%v, %+v, %v; want it to be under way elsewhere", ok, st, err)
	}
	lock.release()
	claimTest(t, mine, start(1), false)
}
