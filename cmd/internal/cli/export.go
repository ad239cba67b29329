package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kappa/runner/dataset/fetch"
	"kappa/store"
)

// exchangeFormats are the forms in which runs travel, with the extensions that mean them.
var exchangeFormats = map[string]string{".db": "db", ".sqlite": "db", ".sqlite3": "db", ".jsonl": "jsonl", ".ndjson": "jsonl"}

func (a *app) exportCommand() *cobra.Command {
	var (
		o              store.ExportOptions
		format, output string
		force, asJSON  bool
	)
	c := &cobra.Command{
		Use: "export [RUN…] -o FILE", Short: "Write runs to a file that another notebook can import",
		Long: `Writes runs with everything that is recorded of them: parameters, every attempt with its provenance and log,
metrics, condition numbers, attacks, results, what they depend on, tags, notes, the specs and plans they belong to
with the verdicts on their claims, and the files they have kept. Without RUN and --experiment these are all runs.
Runs that others need come along; those under way, and removed ones, stay here.

FILE.jsonl is JSON lines: the same runs give the same bytes. FILE.db is a SQLite database, which --db and any other
program can read as it is. "-" writes JSON lines to stdout.

` + selectorHelp,
		Example: `  kappa export -o all.db
  kappa export --experiment digits --no-artifacts -o digits.jsonl
  kappa export 'digits:best(rir)' -o - | ssh elsewhere kappa import -`,
		RunE: run(func(ctx context.Context, args []string) error {
			if output == "" {
				return usagef("-o runs.jsonl, -o runs.db, or -o - for JSON lines on stdout", "export: a file to write is needed")
			}
			if format == "" {
				if format = exchangeFormats[strings.ToLower(filepath.Ext(output))]; output == "-" {
					format = "jsonl"
				}
			}
			switch {
			case format != "db" && format != "jsonl" && format != "":
				return usagef("", "--format %s: db, jsonl are accepted", format)
			case format == "":
				return usagef("--format says which it is", "export to %s: FILE.db and FILE.jsonl are accepted", output)
			case format == "db" && output == "-":
				return usagef("-o FILE.db, or --format jsonl", "a database cannot be written to stdout")
			}
			return a.exportRuns(ctx, args, format, output, force, asJSON, o)
		}),
	}
	f := c.Flags()
	f.StringVarP(&output, "output", "o", "", "`FILE` to write; - is stdout")
	f.StringArrayVar(&o.Experiments, "experiment", nil, "every run of the experiment `NAME` (repeatable)")
	f.StringVar(&format, "format", "", "`FORMAT`: db, jsonl (default: by FILE's extension)")
	f.BoolVar(&o.NoArtifacts, "no-artifacts", false, "leave out the files that runs have kept, such as θ")
	f.BoolVarP(&force, "force", "f", false, "replace FILE if it exists")
	f.BoolVar(&asJSON, "json", false, "write what was exported as JSON")
	return c
}

func (a *app) exportRuns(ctx context.Context, selectors []string, format, output string, force, asJSON bool, o store.ExportOptions) error {
	path := onDisk(a.cwd, output)
	if info, err := os.Stat(filepath.Dir(path)); output != "-" && (err != nil || !info.IsDir()) {
		why := "it is no folder"
		if err != nil {
			why = cause(err).Error()
		}
		return failf("make it, or name another", "export to %s: its folder %s: %s", output, shown(a.cwd, filepath.Dir(path)), why)
	}
	if _, err := os.Lstat(path); err == nil && output != "-" && !force {
		return usagef("--force replaces it", "export to %s: it exists", output)
	}
	if format != "db" {
		if err := a.replaceable(output); err != nil {
			return err
		}
	}
	db, err := a.openRead(ctx)
	if err != nil {
		return err
	}
	defer db.Close()
	if len(selectors) > 0 {
		rows, err := db.SelectMany(ctx, selectors)
		if err != nil {
			return err
		}
		for _, r := range rows {
			o.Keys = append(o.Keys, r.Key)
		}
	}
	counter := a.newCounter()
	defer counter.close()
	o.Progress = func(done, total int) { counter.tell("export", int64(done), int64(total)) }
	var r store.ExportReport
	switch {
	case output == "-":
		r, err = db.ExportJSONL(ctx, a.env.Stdout, o)
	case format == "db":
		if r, err = exportDB(ctx, db, path, force, o); notWritten(err, path) {
			e, _ := errors.AsType[*store.Error](err)
			err = failf("", "write %s: %v", path, cause(e.Err))
		}
	default:
		r, err = exportLines(ctx, db, path, o)
	}
	counter.close()
	if errors.Is(err, store.ErrNotFound) {
		return usagef("`kappa query \"SELECT DISTINCT name FROM experiments\"` lists them", "%w", err)
	}
	if err != nil {
		return err
	}
	return a.sayExported(r, output, asJSON)
}

// exportDB writes a database; an export that exists is replaced once the new one is whole, with what opening it has put beside it.
func exportDB(ctx context.Context, db *store.DB, path string, force bool, o store.ExportOptions) (store.ExportReport, error) {
	if !force {
		return db.ExportDB(ctx, path, o)
	}
	if err := notInUse(db, path); err != nil {
		return store.ExportReport{}, err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".kappa-export-*")
	if err != nil {
		return store.ExportReport{}, failf("", "write %s: %v", path, cause(err))
	}
	defer os.RemoveAll(tmp)
	whole := filepath.Join(tmp, filepath.Base(path))
	r, err := db.ExportDB(ctx, whole, o)
	if err != nil {
		return r, err
	}
	for _, end := range []string{"-acked", "-shm"} { // of the old one: they would tell of losses, and of another log
		if err := os.Remove(path + end); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r, failf("", "export to %s: %v", path, err)
		}
	}
	if err := os.Rename(whole, path); err != nil {
		return r, failf("", "export to %s: %v", path, cause(err))
	}
	return r, nil
}

// notWritten says whether it is the file of an export that cannot be written, not the database that is at fault.
func notWritten(err error, path string) bool {
	e, ok := errors.AsType[*store.Error](err)
	_, system := errors.AsType[syscall.Errno](err)
	return ok && system && e.Path == path
}

// notInUse refuses to replace the database that is exported, and one with a log, which SQLite would take for the new one's.
func notInUse(db *store.DB, path string) error {
	old, err := os.Stat(path)
	if err != nil {
		return nil // the export says what is wrong with it
	}
	if own, err := os.Stat(db.Path()); err == nil && os.SameFile(own, old) {
		return usagef("name another file", "export to %s: it is the database that is exported", path)
	}
	for _, end := range []string{"-wal", "-journal"} {
		if log, err := os.Stat(path + end); err == nil && log.Size() > 0 {
			return usagef("wait until nothing uses it, or name another file", "export to %s: it is in use, or a program that used it was killed: there is its log %s", path, filepath.Base(path)+end)
		}
	}
	return nil
}

// exportLines writes a file of JSON lines whole or not at all.
func exportLines(ctx context.Context, db *store.DB, path string, o store.ExportOptions) (r store.ExportReport, err error) {
	var told error
	err = streamFile(path, func(w io.Writer) error {
		r, told = db.ExportJSONL(ctx, w, o)
		return told
	})
	if err != nil && told == nil { // which the store has put into words
		err = failf("", "write %s: %v", path, cause(err))
	}
	return r, err
}

// sayExported says what a file holds.
func (a *app) sayExported(r store.ExportReport, output string, asJSON bool) error {
	out := a.env.Stdout
	if output == "-" {
		out = a.env.Stderr
	}
	if asJSON {
		g := &grid{columns: []string{"file", "runs", "attempts", "experiments", "evaluations", "artifacts", "artifact_bytes", "running", "missing"}}
		g.add(output, r.Runs, r.Attempts, r.Experiments, r.Evaluations, r.Files, r.FileBytes, r.Running, orEmpty(r.Missing))
		return g.jsonl(out)
	}
	text := counted(r.Runs, "run") + ", " + counted(r.Attempts, "attempt") + ", " + counted(r.Experiments, "spec")
	if r.Files > 0 {
		text += fmt.Sprintf(", %s (%s)", counted(r.Files, "artifact"), fetch.Size(r.FileBytes))
	}
	if _, err := fmt.Fprintf(out, "%s: %s\n", output, text); err != nil {
		return failf("", "write the answer: %w", err)
	}
	if r.Running > 0 {
		a.talk("kappa: %s under way: left out", counted(r.Running, "attempt"))
	}
	a.sayMissing(r.Missing)
	return nil
}

// sayMissing names files of artifacts that could not be taken along.
func (a *app) sayMissing(missing []string) {
	if n := len(missing); n > 0 {
		a.talk("kappa: %s left out, gone or changed since they were recorded: %s", counted(n, "artifact"), fewOf(missing, 3))
	}
}

// fewOf names a few of many.
func fewOf(names []string, most int) string {
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// orEmpty is a list that JSON writes as one, also where there is none.
func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// counter tells people how far something is: one line that is rewritten, on a terminal alone, once it takes a while.
type counter struct {
	a     *app
	began time.Time
	last  time.Time
	drawn bool
}

func (a *app) newCounter() *counter { return &counter{a: a, began: a.env.Now()} }

func (c *counter) tell(what string, done, total int64) {
	now := c.a.env.Now()
	if now.Sub(c.began) < time.Second || now.Sub(c.last) < 100*time.Millisecond || terminalWidth(c.a.env.Stderr) == 0 {
		return
	}
	c.last, c.drawn = now, true
	text := fmt.Sprintf("%s: %d", what, done)
	if total > 0 {
		text += fmt.Sprintf(" of %d (%d %%)", total, 100*done/total)
	}
	fmt.Fprintf(c.a.env.Stderr, "\r\x1b[K%s", text)
}

// close takes the line away.
func (c *counter) close() {
	if c.drawn {
		fmt.Fprint(c.a.env.Stderr, "\r\x1b[K")
		c.drawn = false
	}
}
