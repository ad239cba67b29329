package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// shareChild runs the runs below n, some milliseconds each, until all are finished, and prints those that it has finished.
func shareChild(ctx context.Context, path, arg string) error {
	n, err := strconv.Atoi(arg)
	if err != nil {
		return err
	}
	db, err := Open(ctx, path, Options{Share: true})
	if err != nil {
		return err
	}
	if err := db.RecordExperiment(ctx, specTest("shared", "x", rangeOf(n)...)); err != nil {
		return err
	}
	keys := make([]string, n)
	for i := range keys {
		keys[i] = key(i)
	}
	for {
		done := 0
		for i := range n {
			a, ok, st, err := db.Claim(ctx, start(i), false)
			if err != nil {
				return err
			}
			if !ok {
				if st.Status.Finished() {
					done++
				} else if !st.Live {
					return fmt.Errorf("run %d is neither finished nor anybody's: %+v", i, st)
				}
				continue
			}
			time.Sleep(5 * time.Millisecond)
			theta, err := db.WriteArtifact(key(i), "theta", []byte(key(i)))
			if err != nil {
				return err
			}
			o := outcome(i)
			o.Artifacts = []Artifact{theta}
			if err := errors.Join(db.Heartbeat(ctx, []int64{a}), db.Finish(ctx, a, o)); err != nil {
				return err
			}
			fmt.Println(i)
			done++
		}
		if done == n {
			return db.Close()
		}
		if _, err := db.States(ctx, keys); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func rangeOf(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// TestNetwork has processes share the runs of a plan on what they take for a network file system, and kills one: each run that was
// told to be finished is there once, and what the others see is the same.
func TestNetwork(t *testing.T) {
	t.Setenv(networkSwitch, "1")
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := newPath(t)
	const n, processes = 24, 3
	var cmds []*exec.Cmd
	outs := make([]bytes.Buffer, processes)
	for i := range processes {
		c := childCommand(t, binary, fmt.Sprintf("share %d", n), path)
		c.Stdout, c.Stderr = &outs[i], &outs[i]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		cmds = append(cmds, c)
	}
	killed := -1
	waitFor(t, func() bool { // one has recorded something
		for i, c := range cmds {
			files, _ := filepath.Glob(filepath.Join(filepath.Dir(path), inboxFolder, fmt.Sprintf("*-%d-*.jsonl", c.Process.Pid)))
			if len(files) > 2 {
				killed = i
				return true
			}
		}
		return false
	})
	if err := cmds[killed].Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for i, c := range cmds {
		if err := c.Wait(); err != nil && i != killed {
			t.Errorf("process %d: %v\n%s", i, err, outs[i].String())
		}
	}
	told := map[string]int{}
	for i := range outs {
		for _, f := range strings.Fields(outs[i].String()) {
			told[f]++
		}
	}
	ro, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for q, want := range map[string]any{
		"SELECT count(*) FROM results": int64(n), "SELECT count(*) FROM attempts WHERE status = 'done'": int64(n),
		"SELECT count(*) FROM artifacts": int64(n), "SELECT count(*) FROM experiments": int64(1),
		"SELECT count(*) FROM attempts WHERE status = 'running'": int64(0),
	} {
		if got := one(t, ro, q); got != want {
			t.Errorf("%s: %v, want %v", q, got, want)
		}
	}
	mustCheck(t, ro)
	if note := strings.Join(ro.Notices(), "\n"); !strings.Contains(note, path+" lies on a network file system") {
		t.Errorf("said: %s", note)
	}
	if err := ro.Close(); err != nil {
		t.Error(err)
	}
	for i := range n {
		if told[fmt.Sprint(i)] > 1 {
			t.Errorf("run %d was finished %d times", i, told[fmt.Sprint(i)])
		}
	}
	// A command that writes merges what is left, and nothing stays.
	db, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, f := range listFiles(t, filepath.Join(filepath.Dir(path), inboxFolder)) {
		if fi, err := os.Stat(f); err == nil && !fi.IsDir() {
			left = append(left, filepath.Base(f))
		}
	}
	if len(left) > 0 {
		t.Errorf("the inbox holds %v", left)
	}
	t.Setenv(networkSwitch, "0") // the notebook alone, as any SQLite reads it
	whole, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got := one(t, whole, "SELECT count(*) FROM results"); got != int64(n) {
		t.Errorf("the notebook holds %v results", got)
	}
	if err := whole.Close(); err != nil {
		t.Error(err)
	}
}

func waitFor(t *testing.T, f func() bool) {
	t.Helper()
	for range 1500 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it never came")
}

// TestNetworkChanges: what is changed without sharing is in the notebook after Close, and kept from others until then.
func TestNetworkChanges(t *testing.T) {
	t.Setenv(networkSwitch, "1")
	path := newPath(t)
	db, err := Open(t.Context(), path, Options{Share: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.RecordExperiment(t.Context(), specTest("e", "x", 1, 2)); err != nil {
		t.Fatal(err)
	}
	record(t, db, 1)
	if db.Path() != path || db.Dir() != filepath.Dir(path) {
		t.Errorf("path %s, folder %s", db.Path(), db.Dir())
	}
	other, err := OpenReadOnly(t.Context(), path) // sees what has ended, while it goes on
	if err != nil {
		t.Fatal(err)
	}
	if got := one(t, other, "SELECT count(*) FROM results"); got != int64(1) {
		t.Errorf("a reader sees %v results", got)
	}
	a := claimTest(t, db, start(2), false)
	m, err := other.States(t.Context(), []string{key(1), key(2)})
	if err != nil || m[key(1)].Status != Done || !m[key(2)].Live {
		t.Errorf("a reader sees %+v, %v", m, err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if err := errors.Join(db.Finish(t.Context(), a, Outcome{Status: Failed, Error: "no"}), db.Close()); err != nil {
		t.Fatal(err)
	}
	change, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := change.net.tryLock(change); l != nil || err != nil {
		t.Errorf("the lock was had twice: %v", err)
	}
	if _, err := change.w.ExecContext(t.Context(), "UPDATE run SET note = 'n'"); err != nil {
		t.Fatal(err)
	}
	if err := change.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got := one(t, again, "SELECT group_concat(status || note, ' ' ORDER BY status) FROM runs"); got != "donen failedn" {
		t.Errorf("runs are %v", got)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestNetworkOlder: an older notebook is brought up to date after a copy of it was put beside it.
func TestNetworkOlder(t *testing.T) {
	t.Setenv(networkSwitch, "1")
	path := newPath(t)
	must(t, os.MkdirAll(filepath.Dir(path), 0o777))
	olderTest(t, path)
	before, err := os.ReadFile(path)
	must(t, err)
	for range 2 {
		db, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		must(t, errors.Join(db.RecordExperiment(t.Context(), specTest("e", "x", 1)), db.Close()))
	}
	kept, _ := filepath.Glob(path + ".v3-*")
	if len(kept) != 1 {
		t.Fatalf("copies of the older notebook: %v, want one", kept)
	}
	t.Setenv(networkSwitch, "0")
	must(t, os.RemoveAll(filepath.Join(filepath.Dir(path), inboxFolder)))
	if got, err := os.ReadFile(kept[0]); err != nil || len(got) == 0 || len(got) > 2*len(before) {
		t.Errorf("%s has %d bytes, %v", kept[0], len(got), err)
	}
	if _, err := OpenReadOnly(t.Context(), kept[0]); err == nil || !strings.Contains(err.Error(), "its schema is version 3") {
		t.Errorf("the copy is not of version 3: %v", err)
	}
	ro, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if got := one(t, ro, "SELECT count(*) FROM metrics"); got != int64(1) {
		t.Errorf("the notebook holds %v metrics", got)
	}
	must(t, ro.Close())
}
