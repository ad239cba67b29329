package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected outputs in testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kappa": main})
}

// TestScripts runs the command as its users do, one script per behaviour. Beside the commands of testscript there are
//
//	exits CODE PROGRAM ARGS…     run a program that must end with that exit code
//	poll PATTERN PROGRAM ARGS…   run a program again and again until its stdout matches
//	newer FILE                   make a database look as if a later kappa had written it
//	unprivileged CODE PROGRAM…   run a program as a user whom permissions bind, who is not root
//	serve DIR                    start a mirror that serves a folder, well and badly, at $SERVER
//
// and in every script's folder tiny.toml and slow.toml from testdata.
func TestScripts(t *testing.T) {
	p := params("testdata/script")
	if raceDetector {
		// Only those in which goroutines meet.
		p.Dir = ""
		for _, name := range []string{"run", "failures", "interrupt", "share"} {
			p.Files = append(p.Files, "testdata/script/"+name+".txtar")
		}
	}
	testscript.Run(t, p)
}

func params(dir string) testscript.Params {
	return testscript.Params{
		Dir: dir, RequireExplicitExec: true, RequireUniqueNames: true, UpdateScripts: *update,
		Setup: setup, Condition: condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "poll": poll, "newer": newer, "unprivileged": unprivileged, "serve": serve,
		},
	}
}

// setup makes the surroundings of a script those of a fresh user: no settings, a home of its own.
func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.Mkdir(home, 0o755); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	env.Setenv("KAPPA_DB", "")
	env.Setenv("KAPPA_DATA", "")
	env.Setenv("REAL_DATA", os.Getenv("KAPPA_DATA"))
	env.Setenv("TZ", "UTC")
	for _, name := range []string{"tiny.toml", "slow.toml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s ended with exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

func poll(ts *testscript.TestScript, neg bool, args []string) {
	const patience, pause = 15 * time.Second, 20 * time.Millisecond
	if neg || len(args) < 2 {
		ts.Fatalf("usage: poll PATTERN PROGRAM ARGS…")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		_ = ts.Exec(args[1], args[2:]...) // may fail until it succeeds
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never matched %s in %v", strings.Join(args[1:], " "), args[0], patience)
		}
	}
}

// newer raises the user_version in the header of a SQLite file.
func newer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: newer FILE")
	}
	const userVersionAt = 60 // the file format's offset; four bytes, big-endian
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = f.WriteAt([]byte{0, 0, 0x27, 0x0f}, userVersionAt)
	ts.Check(err)
	ts.Check(f.Close())
}

// TestReadmeCommands executes the sh blocks of the documents in order, each document in a folder where the experiment tiny
// has been run and the files of the section on auditing lie, so that what they show is true. A block whose info string is "sh no-test" is left out. In a block
//
//   - "go run ./cmd/kappa ARGS" runs kappa, with --dry-run where it would execute a shipped experiment;
//   - "go build -o kappa ./cmd/kappa" puts kappa into the folder;
//   - "go test ./..." is what runs this; other tests and benchmarks run in this project, benchmarks once, and small ones;
//   - other people's programs run where they are installed.
func TestReadmeCommands(t *testing.T) {
	if raceDetector {
		t.Skip("the commands start one after another: nothing for the race detector to see")
	}
	documents := map[string]int{"README.md": 5, "store/README.md": 1, "experiments/README.md": 0, "engine/README.md": 3}
	dir := t.TempDir()
	for name, least := range documents {
		text, err := os.ReadFile(filepath.Join("../..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		lines := shellLines(string(text))
		if len(lines) < least {
			t.Errorf("%s shows %d commands, want at least %d: the sh blocks were not found", name, len(lines), least)
		}
		var script strings.Builder
		script.WriteString("exec kappa run tiny -q\n")
		for _, line := range lines {
			if strings.HasPrefix(line, "go test -") {
				benchmarkOnce(t, name, line)
				continue
			}
			command, err := scriptLine(line)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			script.WriteString("# " + line + "\n" + command)
		}
		file := strings.ReplaceAll(strings.TrimSuffix(name, ".md"), "/", "-") + ".txtar"
		if err := os.WriteFile(filepath.Join(dir, file), []byte(script.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := params(dir)
	p.Setup = copyAuditFiles
	testscript.Run(t, p)
}

// benchmarkOnce runs a line that begins with "go test" in the project's folder, each benchmark once. It has to find some.
func benchmarkOnce(t *testing.T, document, line string) {
	t.Helper()
	args, found := strings.CutPrefix(line, "go test ")
	if !found || !strings.Contains(args, "-bench ") {
		t.Errorf("%s: it shows %q, and this test knows benchmarks alone", document, line)
		return
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "go test -short -benchtime 1x "+args)
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "ns/op") {
		t.Errorf("%s: %s: %v\n%s", document, line, err, out)
	}
}

// scriptLine is a shell command as a line of a script.
func scriptLine(line string) (string, error) {
	shell := func(command string) string { return "exec sh -c '" + strings.ReplaceAll(command, "'", "''") + "'\n" }
	program, _, _ := strings.Cut(line, " ")
	switch {
	case line == "go test ./...":
		return "", nil
	case line == "go build -o kappa ./cmd/kappa":
		return shell(`ln -s "$(command -v kappa)" kappa`), nil
	case strings.HasPrefix(line, "go run ./cmd/kappa run "):
		return shell(strings.TrimPrefix(line, "go run ./cmd/") + " --dry-run"), nil
	case strings.HasPrefix(line, "go run ./cmd/kappa "):
		return shell(strings.TrimPrefix(line, "go run ./cmd/")), nil
	case program == "go":
		return "", fmt.Errorf("it shows %q, and this test does not know how to run that", line)
	case program == "kappa", program == "./kappa":
		return shell(line), nil
	}
	return "[exec:" + program + "] " + shell(line), nil
}

// shellLines returns the commands of the sh blocks of a Markdown text; a trailing backslash joins lines.
func shellLines(text string) []string {
	var out []string
	inside, joining := false, false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			inside = !inside && line == "```sh"
			joining = false
		case !inside || line == "" || strings.HasPrefix(line, "#"):
		default:
			whole, more := strings.CutSuffix(line, `\`)
			if joining {
				out[len(out)-1] += " " + strings.TrimSpace(whole)
			} else {
				out = append(out, strings.TrimSpace(whole))
			}
			joining = more
		}
	}
	return out
}
