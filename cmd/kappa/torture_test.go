package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var long = flag.Bool("long", false, "run the long tests in full")

// tortureSpec has runs of some 20 to 100 ms each.
const tortureSpec = `title = "Runs that are fought over"
[primary]
dataset = "synthetic"
[harmful]
dataset = "synthetic"
[synthetic]
dimension = 8
rows = 32
angle = 30
[train]
method = "immunize"
step = "normalized"
step_fraction = 1e-9
[sweep]
"train.steps" = [800, 1500, 2200, 2900, 3600]
"synthetic.seed" = [%s]
`

// TestTorture has many processes share one plan, and kills and restarts each of them at random until all runs are finished: every run is
// done once, none stays under way, the database is sound, and nobody has been told of a lock.
func TestTorture(t *testing.T) {
	if raceDetector {
		t.Skip("processes share no memory")
	}
	processes, runs, patience, life, kills := 3, 30, 60*time.Second, 600*time.Millisecond, 3 // kills of each process at most
	if *long {
		processes, runs, patience, life, kills = 8, 200, 170*time.Second, 2*time.Second, 1000
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var seeds []string
	for i := range runs / 5 {
		seeds = append(seeds, fmt.Sprint(i+1))
	}
	write(".git/HEAD", "")
	write("torture.toml", fmt.Sprintf(tortureSpec, strings.Join(seeds, ", ")))
	kappa := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "kappa", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "KAPPA_DB=", "KAPPA_DATA=", "HOME="+dir)
		return cmd
	}

	began := time.Now()
	var finished atomic.Bool
	var killed, ended, started atomic.Int32
	var wait sync.WaitGroup
	for p := range processes {
		wait.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(p), 11))
			mine := 0 // times that it was killed
			for !finished.Load() && time.Since(began) < patience {
				cmd := kappa("run", "torture", "-q", "--no-report", "-j", fmt.Sprint(1+rng.IntN(2)))
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				if err := cmd.Start(); err != nil {
					t.Error(err)
					return
				}
				started.Add(1)
				done := make(chan error, 1)
				go func() { done <- cmd.Wait() }()
				var err error
				how := "its end"
				end := time.After(life/5 + time.Duration(rng.Int64N(int64(life))))
				if mine == kills {
					end = nil
				}
				select {
				case err = <-done:
					ended.Add(1)
					if err == nil { // nothing is left for it, but others may be killed yet
						time.Sleep(time.Duration(rng.IntN(100)) * time.Millisecond)
					}
				case <-end:
					mine++
					signal := os.Signal(syscall.SIGKILL)
					if rng.IntN(4) == 0 {
						signal = os.Interrupt
					}
					how = fmt.Sprint("the signal ", signal)
					_ = cmd.Process.Signal(signal)
					err = <-done
					killed.Add(1)
				}
				code := cmd.ProcessState.ExitCode()
				switch {
				case err == nil, strings.Contains(how, "signal") && code == -1: // ended in time, or killed
				case strings.Contains(how, "interrupt") && code == 130:
				default:
					t.Errorf("process %d, after %s: %v, exit code %d", p, how, err, code)
				}
				said := strings.TrimSpace(stderr.String())
				if said != "" && !(strings.Contains(how, "interrupt") && strings.HasPrefix(said, "kappa: interrupted") && !strings.Contains(said, "\n")) {
					t.Errorf("process %d, after %s, said:\n%s", p, how, said)
				}
			}
		})
	}
	query := func(sql string) string {
		t.Helper()
		out, err := kappa("query", "--format", "csv", sql).CombinedOutput()
		if err != nil {
			return fmt.Sprint(err, ": ", string(out))
		}
		_, value, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		return value
	}
	for time.Since(began) < patience {
		if query("SELECT count(*) FROM runs WHERE status = 'done'") == fmt.Sprint(runs) {
			break
		}
		time.Sleep(200 * time.Millisecond)
	}
	finished.Store(true)
	took := time.Since(began)
	wait.Wait()
	t.Logf("%d runs in %v: %d processes started, %d killed, %d ended by themselves", runs, took.Round(time.Millisecond), started.Load(), killed.Load(), ended.Load())

	out, err := kappa("run", "torture", "--no-report", "--json").CombinedOutput()
	var summary []struct{ Total, Done, Failed, Cached, Left int }
	if e := json.Unmarshal(out, &summary); err != nil || e != nil || len(summary) != 1 || summary[0].Cached != runs || summary[0].Total != runs {
		t.Errorf("the last run: %v, %v: %s; want all %d of %d cached", err, e, out, runs, runs)
	}
	for sql, want := range map[string]string{
		"SELECT count(*), count(DISTINCT run) FROM attempts WHERE status = 'done'":                                                fmt.Sprintf("%d,%d", runs, runs),
		"SELECT count(*) FROM attempts WHERE status NOT IN ('done', 'interrupted')":                                               "0",
		"SELECT count(*) FROM results":                                                                                            fmt.Sprint(runs),
		"SELECT count(*) FROM (SELECT run FROM metrics GROUP BY run)":                                                             fmt.Sprint(runs),
		"SELECT round(avg(wall_seconds), 3) BETWEEN 0 AND 60, min(finished >= started) FROM runs":                                 "1,1",
		"SELECT count(*) FROM attempts AS a JOIN attempts AS b USING (run) WHERE a.attempt + 1 < b.attempt AND a.status = 'done'": "0",
	} {
		if got := query(sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
	if out, err := kappa("db", "check").CombinedOutput(); err != nil || !strings.Contains(string(out), "sound") {
		t.Errorf("db check: %v: %s", err, out)
	}
	if killed.Load() == 0 {
		t.Error("no process was killed: the test shows nothing")
	}
}
