package store

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documentedView is a view as README.md documents it.
type documentedView struct {
	name    string
	columns []documentedColumn
}

type documentedColumn struct{ Name, Type, Meaning string }

func (v documentedView) names() (out []string) {
	for _, c := range v.columns {
		out = append(out, c.Name)
	}
	return out
}

// documentedViews reads the tables below the headings "### `view`".
func documentedViews(t *testing.T) (views []documentedView) {
	t.Helper()
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	heading := regexp.MustCompile("^### `(\\w+)`")
	row := regexp.MustCompile("^\\| `(\\w+)` \\| (\\w+) \\| (.+) \\|$")
	current := -1
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\n")
		switch m, r := heading.FindStringSubmatch(line), row.FindStringSubmatch(line); {
		case m != nil:
			views = append(views, documentedView{name: m[1]})
			current = len(views) - 1
		case strings.HasPrefix(line, "## "):
			current = -1
		case current >= 0 && r != nil:
			views[current].columns = append(views[current].columns, documentedColumn{r[1], r[2], r[3]})
		}
	}
	return views
}

// published is the public interface: no column of it is renamed, moved or taken away.
var published = map[string]string{
	"experiments":       "id, name, title, source, hash, bytes, recorded",
	"runs":              "key, experiment, status, reason, method, model, primary_dataset, primary_class, harmful_dataset, harmful_class, seed, attempt, started, finished, wall_seconds, cpu_seconds, engine_version, go_version, kernel, cpu, os, git_commit, git_dirty, argv, error, tags, note, host, modules, git_diff, git_diff_bytes",
	"attempts":          "run, attempt, status, reason, started, finished, error, log",
	"params":            "run, path, number, text",
	"metrics":           "run, name, step, value, kind",
	"condition_numbers": "run, step, task, protocol, kappa, log10_kappa, sigma_max, sigma_min, rank, next, ridge_dominated, degenerate, kind",
	"attacks":           "run, attacker, task, step, loss, excess, norm_ratio, accuracy",
	"results":           "run, experiment, status, method, model, primary_dataset, primary_class, harmful_dataset, harmful_class, seed, steps, rir, ratio_harmful, ratio_primary, rir_ridge, ratio_harmful_ridge, ratio_primary_ridge, ridge_dominated, ceiling, unbounded, freedom, kappa_theta, loss_primary, def_a, def_b, def_c, swept, def_a_ridge, def_b_ridge, loss_base, bound, reached, reached_bound",
	"claims":            "experiment, id, verdict, value, sd, n, low, high, expect, op, tolerance, paper_value, runs, evaluated",
	"dependencies":      "run, needs, what",
	"artifacts":         "run, name, path, digest, bytes",
}

// TestViewsDocumented holds the database, README.md and the list above together.
func TestViewsDocumented(t *testing.T) {
	db := openTest(t, newPath(t), Options{})
	rows, err := db.Query(t.Context(), "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY rowid", QueryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	inDatabase := firstColumn(rows)
	documented := documentedViews(t)
	var inReadme []string
	for _, v := range documented {
		inReadme = append(inReadme, v.name)
		if got := strings.Join(v.names(), ", "); got != published[v.name] {
			t.Errorf("README.md: columns of %s\n%s, want\n%s", v.name, got, published[v.name])
		}
		rows, err := db.Query(t.Context(), "SELECT name, type FROM pragma_table_info('"+v.name+"')", QueryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var got, want [][]any
		for i, row := range rows.Values {
			got = append(got, row)
			if i < len(v.columns) {
				typ := any(v.columns[i].Type)
				switch {
				case row[1] == "": // a column that the view computes has no declared type
					typ = ""
				case typ == "ANY": // as a view tells it
					typ = "BLOB"
				}
				want = append(want, []any{v.columns[i].Name, typ})
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("columns of %s (-README.md +database):\n%s", v.name, d)
		}
	}
	if d := cmp.Diff(inReadme, inDatabase); d != "" {
		t.Errorf("views (-README.md +database):\n%s", d)
	}
	if len(published) != len(inDatabase) {
		t.Errorf("%d views, want %d", len(inDatabase), len(published))
	}
}

// TestHelpersDocumented holds README.md's list of helpers against the registered ones.
func TestHelpersDocumented(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range helpers {
		arg := "(x)"
		if h.args == 2 {
			arg = "(x, p)"
		}
		if !strings.Contains(string(b), "`"+h.name+arg+"`") {
			t.Errorf("README.md does not document %s%s", h.name, arg)
		}
	}
}
