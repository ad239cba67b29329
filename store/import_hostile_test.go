package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// resum gives changed lines a last line that fits them, so that what they say is judged.
func resum(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	body := strings.Join(lines[:len(lines)-1], "\n") + "\n"
	sum := sha256.Sum256([]byte(body))
	return body + fmt.Sprintf("{\"end\":{\"lines\":%d,\"sha256\":%q}}\n", len(lines)-1, hex.EncodeToString(sum[:]))
}

// TestHostileLines: what is no export, or not a sound one, is refused with the number of the line, and nothing is added.
func TestHostileLines(t *testing.T) {
	t.Parallel()
	src := openTest(t, newPath(t), ticking())
	if err := src.RecordExperiment(t.Context(), specTest("e", "x", 1)); err != nil {
		t.Fatal(err)
	}
	a := claimTest(t, src, start(1), false)
	o := outcome(1)
	art, err := src.WriteArtifact(key(1), "theta", []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	o.Artifacts = []Artifact{art}
	if err := src.Finish(t.Context(), a, o); err != nil {
		t.Fatal(err)
	}
	good := exportTest(t, src, ExportOptions{})
	lines := strings.SplitAfter(good, "\n")
	line := func(begins string) string {
		for _, l := range lines {
			if strings.HasPrefix(l, begins) {
				return l
			}
		}
		t.Fatalf("no line begins with %s", begins)
		return ""
	}
	replace := func(old, by string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the export does not hold %s", old)
		}
		return resum(strings.Replace(good, old, by, 1))
	}
	target := openTest(t, newPath(t), Options{})
	before := listFiles(t, target.Dir())
	for _, c := range []struct{ name, text, says string }{
		{"empty", "", "the file is empty"},
		{"words", "words\n", "neither JSON lines nor a SQLite database"},
		{"other JSON", "{\"a\":1}\n", "line 1: it is no export of kappa"},
		{"an array", "{}\n[]\n", "line 1: it is no export of kappa"},
		{"newer format", replace(`"format":1`, `"format":2`), "line 1: the database was written by a newer kappa"},
		{"newer schema", replace(`"schema":4`, `"schema":99`), "use the newer kappa"},
		{"no schema", replace(`"schema":4`, `"schema":-1`), "there is no format 1 of schema -1"},
		{"unknown column", replace(`"metric":["name"`, `"metric":["nam"`), `line 1: metric has no column "nam"`},
		{"column twice", replace(`"metric":["name","step"`, `"metric":["name","name"`), "stands twice"},
		{"SQL as a column", replace(`"metric":["name"`, `"metric":["name) VALUES (1); DROP TABLE run; --"`), "metric has no column"},
		{"cut off", good[:len(good)-200], "was cut off"},
		{"cut between lines", strings.Join(lines[:len(lines)-3], ""), "the file was cut off: its last line is missing"},
		{"a line lost", strings.Replace(good, line(`{"metric"`), "", 1), "lines are missing"},
		{"a digit changed", strings.Replace(good, `"step limit"`, `"step limif"`, 1), "are not what was exported"},
		{"something follows", good + "{}\n", "something follows the last line"},
		{"blank line", good + "\n", "something follows the last line"},
		{"two members", replace(`{"param":`, `{"a":1,"param":`), "an object with one member is accepted, not with 2"},
		{"unknown kind", replace(`{"param":`, `{"parm":`), `there is no kind of line "parm"`},
		{"not UTF-8", replace(`"step limit"`, "\"\xff\""), "it is not UTF-8"},
		{"deep", replace(`{"param":`, `{"param":`+strings.Repeat("[", 100000)), "it nests deeper than 32"},
		{"many values", replace(`{"param":[`, `{"param":[`+strings.Repeat("[],", maxValues)), "it has more than 131072 values"},
		{"a long line", resum(lines[0] + `{"param":"` + strings.Repeat("x", maxLine) + "\"}\n" + lines[len(lines)-2]), "line 2: it is longer than 67108864 bytes"},
		{"metrics first", resum(lines[0] + line(`{"metric"`) + "{}\n"), "line 2: metric comes before any attempt"},
		{"no provenance", strings.Replace(good, line(`{"provenance"`), "", 1), "no line before it tells of the provenance"},
		{"key with a path", replace(`{"run":{"key":"`, `{"run":{"key":"../`), "a run's key is 64 lower-case hexadecimal digits"},
		{"key in capitals", replace(`{"run":{"key":"`, `{"run":{"key":"ABCD`), "a run's key is"},
		{"running", replace(`"status":"done"`, `"status":"running"`), "an attempt that is running is not exchanged"},
		{"unknown status", replace(`"status":"done"`, `"status":"fine"`), "CHECK constraint failed"},
		{"attempt 0", replace(`{"attempt":{"attempt":1`, `{"attempt":{"attempt":0`), "a whole number from 1 is accepted"},
		{"no time", replace(`"started":"`, `"started":"x`), "a time such as"},
		{"text for a number", replace(`["grad_well",0,1.0,null]`, `["grad_well",0,"1",null]`), `a number, "Infinity"`},
		{"number for a text", replace(`["grad_well",0,`, `[7,0,`), "a text is accepted, not the number 7"},
		{"beyond double", replace(`["grad_well",0,1.0,null]`, `["grad_well",0,1e999,null]`), "beyond the numbers of double precision"},
		{"beyond integer", replace(`["grad_well",0,`, `["grad_well",99999999999999999999,`), "a whole number between"},
		{"fraction of a step", replace(`["grad_well",0,`, `["grad_well",0.5,`), "a whole number between"},
		{"too few values", replace(`["grad_well",0,1.0,null]`, `["grad_well",0]`), "row 1 has 2 values, the heading names 4 columns of metric"},
		{"a row twice", replace(`["grad_well",0,1.0,null]`, `["grad_well",0,1.0,null],["grad_well",0,1.0,null]`), "UNIQUE constraint failed"},
		{"unknown kind of figure", replace(`["grad_well",0,1.0,null]`, `["grad_well",0,null,"odd"]`), "CHECK constraint failed"},
		{"tags that are none", replace(`"tags":"[]"`, `"tags":"x"`), "a JSON array of texts is accepted"},
		{"deep swept", replace(`"{\"seed\":1}"`, `"{\"a\":`+strings.Repeat("[", 50000)+`"`), "it nests deeper"},
		{"another spec", replace(`"bytes":"x"`, `"bytes":"y"`), "is not what its hash says"},
		{"a spec's name", replace(`"name":"e"`, `"name":"../e"`), "is no name of a spec"},
		{"base64 of plain text", replace(`"step limit"`, `{"base64":"c3RlcA=="}`), "what is UTF-8 is written as it is"},
		{"artifact's name", replace(`["theta",`, `["../../theta",`), "is no file name"},
		{"artifact's device", replace(`["theta",`, `["a:b",`), "is no file name"},
		{"artifact's dot", replace(`["theta",`, `[".theta",`), "is no file name"},
		{"artifact's extension", replace(`".npy"]`, `"/../../x"]`), "name, digest, bytes and extension"},
		{"artifact's digest", replace(`["theta","`, `["theta","..`), "64 lower-case hexadecimal digits are accepted"},
		{"content changed", replace(`{"data":"Y29udGVudA=="}`, `{"data":"Q29udGVudA=="}`), "the content of artifact"},
		{"content too long", replace(`{"data":"Y29udGVudA=="}`, "{\"data\":\"Y29udGVudA==\"}\n{\"data\":\"Y29udGVudA==\"}"), "has more than its 7 bytes"},
		{"content too short", replace(`{"data":"Y29udGVudA=="}`, `{"data":"Y29u"}`), "has 3 bytes, not 7"},
		{"content gone", resum(strings.Replace(strings.Replace(good, line(`{"file"`), "", 1), line(`{"data"`), "", 1)), "the content of the artifact"},
		{"content first", resum(lines[0] + line(`{"data"`) + "{}\n"), "data comes before any file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := target.ImportJSONL(t.Context(), "x.jsonl", strings.NewReader(c.text), ImportOptions{})
			if e, ok := errors.AsType[*Error](err); !ok || e.Path != "x.jsonl" || !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%.400v; want %q", err, c.says)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("the sentence has %d bytes", len(err.Error()))
			}
			if got := one(t, target, "SELECT (SELECT count(*) FROM run) + (SELECT count(*) FROM experiment) + (SELECT count(*) FROM provenance)"); got != int64(0) {
				t.Errorf("%v rows were added", got)
			}
			if now := listFiles(t, target.Dir()); len(now) != len(before) {
				t.Errorf("files: %v", now)
			}
		})
	}
	if r := importTest(t, target, good, ImportOptions{}); r.Runs != 1 || r.Files != 1 {
		t.Errorf("the file itself: %+v", r)
	}
}

// TestHostileDatabases: a database that is not what it seems is refused, and what its artifacts' paths say is not followed.
func TestHostileDatabases(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	make := func(change func(db *DB)) string {
		db, err := Open(ctx, newPath(t), ticking())
		if err != nil {
			t.Fatal(err)
		}
		a := claimTest(t, db, start(1), false)
		o := outcome(1)
		art, err := db.WriteArtifact(key(1), "theta", []byte("content"))
		if err != nil {
			t.Fatal(err)
		}
		o.Artifacts = []Artifact{art}
		if err := db.Finish(ctx, a, o); err != nil {
			t.Fatal(err)
		}
		if change != nil {
			change(db)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return db.Path()
	}
	run := func(statements ...string) func(*DB) {
		return func(db *DB) {
			for _, s := range statements {
				if _, err := db.w.ExecContext(ctx, s); err != nil {
					t.Fatalf("%s: %v", s, err)
				}
			}
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, says string
		is               error
		missing          int
	}{
		{"trigger", make(run("CREATE TRIGGER g AFTER INSERT ON run BEGIN SELECT 1; END")), "a trigger or virtual table", ErrForeign, 0},
		{"virtual table", make(run("CREATE VIRTUAL TABLE f USING fts5(x)")), "a trigger or virtual table", ErrForeign, 0},
		{"a view for a table", make(run("PRAGMA foreign_keys = 0", "DROP TABLE digest", "CREATE VIEW digest AS SELECT 'a' AS ref, 'b' AS digest, 'c' AS recorded")), "its table digest is not what version", ErrForeign, 0},
		{"another column", make(run("ALTER TABLE digest ADD COLUMN x TEXT")), "its table digest is not what version", ErrForeign, 0},
		{"newer", make(run("PRAGMA user_version = 99")), "newer kappa", ErrNewer, 0},
		{"foreign", make(run("PRAGMA application_id = 7")), "another program", ErrForeign, 0},
		{"key", make(run("UPDATE run SET key = '../../x'")), "table run, row 1: run key", ErrRefused, 0},
		{"tags", make(run("UPDATE run SET tags = '{'")), "a JSON array of texts is accepted", ErrRefused, 0},
		{"name", make(run("UPDATE artifact SET name = '../x'")), "is no file name", ErrRefused, 0},
		{"path up", make(run("UPDATE artifact SET path = '../../../secret'")), "", nil, 1},
		{"absolute path", make(run("UPDATE artifact SET path = " + quoteText(secret))), "", nil, 1},
		{"path of a link", make(func(db *DB) {
			if err := os.Symlink(secret, filepath.Join(db.Dir(), "link.npy")); err != nil {
				t.Fatal(err)
			}
			run("UPDATE artifact SET path = 'link.npy'")(db)
		}), "", nil, 1},
		{"odd extension", make(run("UPDATE artifact SET path = path || '/../../x.$(reboot)'")), "", nil, 1},
		{"changed file", make(func(db *DB) {
			for _, f := range listFiles(t, filepath.Join(db.Dir(), artifactFolder)) {
				if strings.HasSuffix(f, ".npy") {
					if err := os.WriteFile(f, []byte("Content"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
		}), "", nil, 1},
		{"content that is computed", make(run("CREATE TABLE exported_file (digest TEXT, ordinal INTEGER, data BLOB AS (zeroblob(900000000)))")), "its table exported_file is not what version", ErrForeign, 0},
		{"a piece without end", make(run(createExchangeFiles, "INSERT INTO exported_file SELECT digest, 0, zeroblob(2000000) FROM artifact", "UPDATE artifact SET bytes = 2000000")), "", nil, 1},
		{"content without end", make(run(createExchangeFiles, "INSERT INTO exported_file SELECT digest, i, zeroblob(1000) FROM artifact, (WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99) SELECT i FROM n)")), "", nil, 1},
		{"good", make(nil), "", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := openTest(t, newPath(t), Options{})
			r, err := target.Import(ctx, c.path, ImportOptions{})
			if c.is != nil {
				if !errors.Is(err, c.is) || !strings.Contains(fmt.Sprint(err), c.says) || !strings.Contains(fmt.Sprint(err), c.path) {
					t.Errorf("%v; want %q", err, c.says)
				}
				if got := one(t, target, "SELECT count(*) FROM run"); got != int64(0) {
					t.Errorf("%v runs were added", got)
				}
				return
			}
			if err != nil || r.Runs != 1 || len(r.Missing) != c.missing || r.Files != 1-c.missing {
				t.Errorf("%+v, %v", r, err)
			}
			mustCheck(t, target)
		})
	}
	damaged := make(nil)
	b, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096 * 3; i < len(b)-4096; i += 97 {
		b[i] ^= 0x5a
	}
	if err := os.WriteFile(damaged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	target := openTest(t, newPath(t), Options{})
	if _, err := target.Import(ctx, damaged, ImportOptions{}); err == nil {
		t.Error("a damaged database was imported")
	}
	if _, err := target.Import(ctx, target.Path(), ImportOptions{}); !errors.Is(err, ErrRefused) {
		t.Errorf("its own database: %v", err)
	}
	if _, err := target.Import(ctx, t.TempDir(), ImportOptions{}); !errors.Is(err, ErrRefused) {
		t.Errorf("a folder: %v", err)
	}
}

// olderTest makes a database of version 3 with one run.
func olderTest(t *testing.T, path string) {
	t.Helper()
	old := openPool(plainDriver(), path, readWrite, time.Second, 1)
	for _, s := range append(migrations()[:3:3],
		fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = 3", applicationID),
		"INSERT INTO run (key, kin, method) VALUES ('"+key(1)+"', '"+key(9)+"', 'identity')",
		"INSERT INTO provenance (hash, git_dirty, argv, modules) VALUES ('"+key(2)+"', 0, '[]', '[]')",
		"INSERT INTO attempt (run, attempt, status, started, finished, provenance, holder, lease) VALUES (1, 1, 'done', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z', 1, '', 0)",
		"INSERT INTO metric VALUES (1, 'm', 0, 2.5, NULL)", "UPDATE run SET shown = 1",
	) {
		if _, err := old.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestImportOlder: a database of an earlier schema is imported, and stays as it is.
func TestImportOlder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "old.db")
	olderTest(t, path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	target := openTest(t, newPath(t), Options{})
	for i := range 2 {
		r, err := target.Import(t.Context(), path, ImportOptions{})
		if err != nil || r.Attempts != 1-i || r.Same != i {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if got := one(t, target, "SELECT value FROM metrics"); got != 2.5 {
		t.Errorf("the metric is %v", got)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file has changed: %v", err)
	}
	if left := listFiles(t, filepath.Dir(path)); len(left) != 2 { // the folder and the file
		t.Errorf("beside it lie %v", left)
	}
}

// FuzzLines: whatever the lines say, the reader neither panics nor accepts what cannot be written again as it was.
func FuzzLines(f *testing.F) {
	ctx := context.Background()
	src, err := Empty(ctx)
	if err != nil {
		f.Fatal(err)
	}
	defer src.Close()
	var b strings.Builder
	if _, err := src.ExportJSONL(ctx, &b, ExportOptions{}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.String())
	f.Add(resum(strings.Replace(b.String(), "{\"end\"", `{"run":{"key":"`+key(1)+`","tags":"[]"}}`+"\n"+`{"param":[["a",1.5,null],["b",null,{"base64":"/w=="}]]}`+"\n{\"end\"", 1)))
	f.Add("{\"kappa\":\"runs\",\"format\":1,\"schema\":4}\n{\"file\":{\"digest\":\"" + key(1) + "\",\"bytes\":1}}\n{\"data\":\"AA==\"}\n")
	columns, err := travelling(ctx, src.r)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := src.w.ExecContext(ctx, createExchangeFiles); err != nil {
		f.Fatal(err)
	}
	undo := errors.New("undo")
	f.Fuzz(func(t *testing.T, text string) {
		text = resum(text)
		err := src.write(ctx, false, func(tx *sql.Tx) error {
			if err := load(ctx, tx, columns, strings.NewReader(text), false, nil); err != nil {
				return err
			}
			return undo
		})
		if !errors.Is(err, undo) && !errors.Is(err, ErrRefused) {
			t.Fatalf("%v", err)
		}
	})
}
