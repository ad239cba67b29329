package store

import (
	"fmt"
	"strings"
)

// column is a column of a view that a report lays over the plan.
type column struct {
	name string
	kind columnKind
}

// columnKind says how a report shows a column. A figure is a number that came out of a run; reading it makes the run one
// of those behind the query. A coordinate says which run, task or step a row is about, and is left as it is: a query that
// picks rows by it reads nothing of the other rows' runs.
type columnKind byte

const (
	coordinate columnKind = iota
	realFigure
	integerFigure
)

// view is one of main's views that a report narrows to its plan.
type view struct {
	name    string
	key     string // the column that holds the run's key
	columns []column
	order   string // within a run
}

// reportViews are the views that mean this plan's runs in a report.
var reportViews = []view{
	{"runs", "key", columns("key experiment status reason method model primary_dataset primary_class harmful_dataset " +
		"harmful_class seed attempt started finished wall_seconds:r cpu_seconds:r engine_version go_version kernel cpu os " +
		"git_commit git_dirty argv error tags note host modules git_diff git_diff_bytes"), ""},
	resultsView(),
	{"metrics", "run", columns("run name step value:r kind"), "name, step"},
	{"condition_numbers", "run", columns("run step task protocol kappa:r log10_kappa:r sigma_max:r sigma_min:r rank:i next:r " +
		"ridge_dominated:i degenerate:i kind"), "task, protocol, step"},
	{"attacks", "run", columns("run attacker task step loss:r excess:r norm_ratio:r accuracy:r"), "attacker, task, step"},
	{"params", "run", columns("run path number text"), "path"},
	{"dependencies", "run", columns("run needs what"), "needs"},
	{"artifacts", "run", columns("run name path digest bytes"), "name"},
}

func resultsView() view {
	return view{"results", "run", columns("run experiment status method model primary_dataset primary_class harmful_dataset " +
		"harmful_class seed steps:i rir:r ratio_harmful:r ratio_primary:r rir_ridge:r ratio_harmful_ridge:r " +
		"ratio_primary_ridge:r ridge_dominated:i ceiling:r unbounded freedom kappa_theta:r loss_primary:r def_a:i " +
		"def_b:i def_c:i swept def_a_ridge:i def_b_ridge:i loss_base:r bound:r reached:r reached_bound:r"), ""}
}

// columns reads a list of names; :r marks a real figure, :i an integer one.
func columns(list string) []column {
	var out []column
	for _, f := range strings.Fields(list) {
		name, kind, _ := strings.Cut(f, ":")
		c := column{name: name}
		switch kind {
		case "r":
			c.kind = realFigure
		case "i":
			c.kind = integerFigure
		}
		out = append(out, c)
	}
	return out
}

// create is the statement that makes v a temporary view over temp.plan. The cast gives the column its affinity back,
// which a function's result has not; it changes no value.
func (v view) create(swept []sweptColumn) string {
	var list []string
	for _, c := range v.columns {
		from := "v." + c.name
		switch {
		case c.name == v.key:
			from = "p.run" // it has the plan's order
		case c.name == "experiment":
			from = "ifnull(p.experiment, v.experiment)"
		case v.name == "results" && c.name == "swept":
			from = "s.json" // this plan's, which the newest spec's may not be
		case c.kind == realFigure:
			from = fmt.Sprintf("CAST(%s(v.%s, p.ordinal) AS REAL)", figureFunction, c.name)
		case c.kind == integerFigure:
			from = fmt.Sprintf("CAST(%s(v.%s, p.ordinal) AS INTEGER)", figureFunction, c.name)
		}
		list = append(list, from+" AS "+quoteName(c.name))
	}
	from := "temp.plan AS p CROSS JOIN "
	if v.name == "results" {
		from += "temp.swept AS s ON s.ordinal = p.ordinal CROSS JOIN "
		for _, s := range swept {
			list = append(list, "s."+quoteName(s.column)+" AS "+quoteName(s.column))
		}
	}
	return fmt.Sprintf("CREATE TEMP VIEW %s AS SELECT %s FROM %smain.%s AS v ON v.%s = p.run",
		v.name, strings.Join(list, ", "), from, v.name, v.key)
}
