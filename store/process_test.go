package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain makes the test binary a second process where a test asks for one.
func TestMain(m *testing.M) {
	if what := os.Getenv("KAPPA_STORE_CHILD"); what != "" {
		if err := child(what, os.Getenv("KAPPA_STORE_PATH")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is what a second process does.
func child(what, path string) error {
	ctx := context.Background()
	verb, arg, _ := strings.Cut(what, " ")
	if verb == "read" { // as far as a database can be read where nothing can be written
		db, err := OpenReadOnly(ctx, path)
		if err != nil {
			return err
		}
		rows, err := db.Query(ctx, "SELECT count(*) FROM results", QueryOptions{})
		if err != nil {
			return err
		}
		r, err := db.OpenReport(ctx, nil)
		if err != nil {
			return err
		}
		fmt.Printf("%v results, mode %s\n", rows.Values[0][0], db.mode)
		return errors.Join(r.Close(), db.Close())
	}
	if verb == "share" {
		return shareChild(ctx, path, arg)
	}
	db, err := Open(ctx, path, Options{})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	switch verb {
	case "full": // write what is too large for the limit
		ignoreSizeLimit()
		large := bytes.Repeat([]byte("x"), 4<<20)
		if _, err := db.WriteArtifact(key(1), "theta", large); !errors.Is(err, ErrDisk) {
			return fmt.Errorf("an artifact: %w; want that the disk is full", err)
		}
		err := db.WriteCheckpoint(key(1), func(w io.Writer) error {
			_, err := w.Write(large)
			return err
		})
		if !errors.Is(err, ErrDisk) {
			return fmt.Errorf("a checkpoint: %w; want that the disk is full", err)
		}
	case "claim": // claim the runs below arg, print those it got
		n, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		for i := range n {
			a, ok, _, err := db.Claim(ctx, start(i), false)
			if err != nil {
				return err
			}
			if ok {
				fmt.Println(i)
				if err := db.Finish(ctx, a, outcome(i)); err != nil {
					return err
				}
			}
		}
	case "gc":
		_, err := db.Collect(ctx, 0)
		return err
	case "write": // record runs until killed, print each that is on the disk
		for i := 0; ; i++ {
			a, ok, _, err := db.Claim(ctx, start(i), false)
			if err != nil {
				return err
			}
			if ok {
				theta, err := db.WriteArtifact(key(i), "theta", []byte(key(i)))
				if err != nil {
					return err
				}
				o := outcome(i)
				o.Artifacts = []Artifact{theta}
				if err := db.Finish(ctx, a, o); err != nil {
					return err
				}
				fmt.Println(i)
			}
		}
	}
	return nil
}

func childCommand(t *testing.T, binary, what, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = append(os.Environ(), "KAPPA_STORE_CHILD="+what, "KAPPA_STORE_PATH="+path)
	return cmd
}

// TestProcesses has several processes work on one database: every run is done once.
func TestProcesses(t *testing.T) {
	path := newPath(t)
	const n = 12
	var cmds []*exec.Cmd
	var outs []*strings.Builder
	for range 3 {
		cmd := childCommand(t, os.Args[0], fmt.Sprint("claim ", n), path)
		out := new(strings.Builder)
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	times := map[string]int{}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Errorf("process %d: %v: %s", i, err, outs[i])
		}
		for _, run := range strings.Fields(outs[i].String()) {
			times[run]++
		}
	}
	for i := range n {
		if times[fmt.Sprint(i)] != 1 {
			t.Errorf("run %d was done %d times", i, times[fmt.Sprint(i)])
		}
	}
	db := openTest(t, path, Options{})
	mustCheck(t, db)
	if got := one(t, db, "SELECT count(*) FROM results"); got != int64(n) {
		t.Errorf("%v results, want %d", got, n)
	}
}

// TestKill kills a process that writes, several times: what it had said was on the disk is there, and nothing is damaged.
func TestKill(t *testing.T) {
	path := newPath(t)
	if db, err := Open(t.Context(), path, Options{}); err != nil || db.Close() != nil { // a slow process may be killed before it has made it
		t.Fatalf("make the database: %v", err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	recorded := 0
	for round := range 3 {
		cmd := childCommand(t, os.Args[0], "write", path)
		out := new(strings.Builder)
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(60*time.Millisecond + time.Duration(rng.IntN(100))*time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		recorded += strings.Count(out.String(), "\n")

		ro, err := OpenReadOnly(t.Context(), path) // with the log that the process has left behind
		if err != nil {
			t.Fatalf("round %d: read what was left: %v", round, err)
		}
		if got := one(t, ro, "SELECT count(*) FROM results").(int64); got < int64(recorded) {
			t.Errorf("round %d: reading finds %d results of %d", round, got, recorded)
		}
		if err := ro.Close(); err != nil {
			t.Fatal(err)
		}

		db := openTest(t, path, Options{})
		got := one(t, db, "SELECT count(*) FROM results").(int64)
		if got < int64(recorded) || got > int64(recorded)+1 {
			t.Errorf("round %d: %d results, want the %d that were reported, or one more", round, got, recorded)
		}
		recorded = int(got)
		if got := one(t, db, "SELECT count(*) FROM results LEFT JOIN attacks USING (run) WHERE attacks.run IS NULL"); got != int64(0) {
			t.Errorf("round %d: %v runs are there in part", round, got)
		}
		problems, notes, err := db.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("round %d: %s", round, p)
		}
		for _, n := range notes {
			if thisProcess().boot != "" && strings.Contains(n, partialPrefix) {
				t.Errorf("round %d: %s", round, n)
			}
		}
		if thisProcess().boot != "" {
			if got := one(t, db, "SELECT count(*) FROM attempts WHERE status = 'running'"); got != int64(0) {
				t.Errorf("round %d: %v attempts still run", round, got)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if recorded == 0 {
		t.Error("no process recorded anything: the test shows nothing")
	}
}

// TestSQLite3 reads every view with the plain sqlite3 program.
func TestSQLite3(t *testing.T) {
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("there is no sqlite3 program")
	}
	db, _, _ := reportOf(t, 3)
	for _, v := range documentedViews(t) {
		query := fmt.Sprintf("SELECT %s FROM %s", strings.Join(v.names(), ", "), v.name)
		out, err := exec.CommandContext(t.Context(), program, "-readonly", db.Path(), query).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v: %s", query, err, out)
		}
	}
	out, err := exec.CommandContext(t.Context(), program, "-readonly", db.Path(), "SELECT count(*) FROM results; PRAGMA integrity_check").CombinedOutput()
	if err != nil || string(out) != "6\nok\n" {
		t.Errorf("sqlite3 says %q, %v", out, err)
	}
}

// copyFile copies a file for everybody to read and execute.
func copyFile(t *testing.T, dst, src string) {
	t.Helper()
	data, err := os.ReadFile(src)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dst, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestUnwritable reads and opens a database where nothing may be written.
func TestUnwritable(t *testing.T) {
	readers := readersWithoutRights(t)
	dir := filepath.Join(readers.dir, ".kappa")
	path := filepath.Join(dir, "runs.db")
	db := openTest(t, path, Options{})
	record(t, db, 1)
	if err := db.Close(); err != nil { // folds the write-ahead log in
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })

	run := func(what, path string) (string, error) {
		cmd := childCommand(t, readers.binary, what, path)
		readers.lower(cmd)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := run("read", path); err != nil || out != "1 results, mode immutable\n" {
		t.Errorf("reading in a folder that cannot be written: %q, %v", out, err)
	}
	if left := listFiles(t, dir); len(left) != 4 { // the folder, .gitignore, the database, its list of what was recorded
		t.Errorf("reading left %v", left)
	}
	for what, path := range map[string]string{"the database": path, "a new database": filepath.Join(dir, "sub", "runs.db")} {
		out, err := run("claim 1", path)
		if err == nil || !strings.Contains(out, path) {
			t.Errorf("writing %s in a folder that cannot be written: %q, %v; want an error that names it", what, out, err)
		}
	}
}
