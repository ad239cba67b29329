package budget

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// reportCells are ten tables and ten figures of all that is recorded of a run, of the kinds that the shipped experiments show.
func reportCells() string {
	tables := []string{
		"SELECT method, median(rir) AS median, ci95(rir) AS ci, count(rir) AS n FROM results GROUP BY method",
		"SELECT method, avg(ratio_harmful) AS harmful, stddev(ratio_harmful) AS sd FROM results GROUP BY method",
		"SELECT method, avg(ratio_primary) AS prim, stddev(ratio_primary) AS sd FROM results GROUP BY method",
		"SELECT primary_class, median(rir) AS median, count(rir) AS n FROM results GROUP BY primary_class",
		"SELECT harmful_class, median(rir) AS median, quantile(rir, 0.9) AS high FROM results GROUP BY harmful_class",
		"SELECT primary_class, harmful_class, max(rir) AS best FROM results GROUP BY primary_class, harmful_class",
		"SELECT method, sum(def_a) AS a, sum(def_b) AS b, sum(def_c) AS c FROM results GROUP BY method",
		"SELECT r.method, c.task, median(c.kappa) AS median FROM results AS r JOIN condition_numbers AS c ON c.run = r.run WHERE c.step = 500 AND c.protocol = 'rank' GROUP BY r.method, c.task",
		"SELECT attacker, task, median(loss) AS median FROM attacks WHERE step = 100 GROUP BY attacker, task",
		"SELECT method, count(*) AS n, avg(kappa_theta) AS mean FROM results GROUP BY method",
	}
	figures := []string{
		"type = \"heatmap\"\nsql = \"SELECT primary_class, harmful_class, median(log10(rir)) AS z FROM results GROUP BY primary_class, harmful_class\"\nx = \"primary_class\"\ny = \"harmful_class\"\nz = \"z\"",
		"type = \"box\"\nsql = \"SELECT method, log10(rir) AS l FROM results\"\nx = \"method\"\ny = \"l\"",
		"type = \"bar\"\nsql = \"SELECT method, avg(rir) AS y, ci95_low(rir) AS low, ci95_high(rir) AS high FROM results GROUP BY method\"\nx = \"method\"\ny = \"y\"\nlow = \"low\"\nhigh = \"high\"",
		"type = \"histogram\"\nsql = \"SELECT log10(rir) AS x FROM results\"\nx = \"x\"",
		"type = \"line\"\nsql = \"SELECT c.step, avg(c.log10_kappa) AS y, r.method FROM runs AS r JOIN condition_numbers AS c ON c.run = r.key WHERE c.task = 'harmful' AND c.protocol = 'rank' GROUP BY c.step, r.method\"\nx = \"step\"\ny = \"y\"\ngroup = \"method\"",
		"type = \"line\"\nsql = \"SELECT step, avg(loss) AS y, attacker FROM attacks WHERE task = 'harmful' GROUP BY step, attacker\"\nx = \"step\"\ny = \"y\"\ngroup = \"attacker\"",
		"type = \"line\"\nsql = \"SELECT step, avg(value) AS y FROM metrics WHERE name = 'r_ill' GROUP BY step\"\nx = \"step\"\ny = \"y\"",
		"type = \"scatter\"\nsql = \"SELECT kappa_theta, rir, method FROM results WHERE train_steps = 500\"\nx = \"kappa_theta\"\ny = \"rir\"\ngroup = \"method\"",
		"type = \"scatter\"\nsql = \"SELECT ratio_harmful, rir FROM results WHERE method = 'immunize' AND primary_class = 3\"\nx = \"ratio_harmful\"\ny = \"rir\"",
		"type = \"bar\"\nsql = \"SELECT primary_class, median(rir) AS y FROM results GROUP BY primary_class\"\nx = \"primary_class\"\ny = \"y\"",
	}
	var b strings.Builder
	for i, sql := range tables {
		fmt.Fprintf(&b, "\n[[cell]]\nkind = \"table\"\nid = \"table-%d\"\nsql = %q\n", i, sql)
	}
	for i, figure := range figures {
		fmt.Fprintf(&b, "\n[[cell]]\nkind = \"figure\"\nid = \"figure-%d\"\n%s\ncaption = \"Figure %d.\"\n", i, figure, i)
	}
	return b.String()
}

// BenchmarkReport: budget 2 s, for ten tables and ten figures of 10,000 runs. Each call renders everything anew.
func BenchmarkReport(b *testing.B) {
	dir := made(b, "history", makeHistory)
	folder := filepath.Join(dir, "report")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.Fatal(err)
	}
	writeSpec(b, folder, "all", sweepSpec("All methods", methods, (historyRuns/len(methods)+89)/90)+reportCells())
	within(b, "kappa report, 10 tables and 10 figures of 10,000 runs", 2*time.Second, func() {
		_ = os.RemoveAll(filepath.Join(folder, "all_files"))
		_ = os.Remove(filepath.Join(folder, "all.md"))
		kappa(b, dir, 0, "report", "report/all.toml", "-q")
	})
}
