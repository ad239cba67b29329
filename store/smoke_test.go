package store

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"
)

func TestSmoke(t *testing.T) {
	ctx := context.Background()
	db, err := Open(ctx, filepath.Join(t.TempDir(), ".kappa", "runs.db"), Options{})
	if err != nil { t.Fatal(err) }
	defer db.Close()
	var e Experiment
	e.Name, e.Hash = "x", "h"
	N := 1000
	for i := range N {
		e.Runs = append(e.Runs, fmt.Sprintf("%064x", i))
		e.Swept = append(e.Swept, fmt.Sprintf(`{"primary.class":%d,"train.method":"m%d","train.learning_rate":0.5}`, i%10, i%7))
	}
	if err := db.RecordExperiment(ctx, e); err != nil { t.Fatal(err) }
	t0 := time.Now()
	for i := range N {
		c := int64(i % 10)
		a, ok, st, err := db.Claim(ctx, Start{Key: e.Runs[i], TrainKey: e.Runs[i], Method: fmt.Sprint("m", i%7), Model: "linear", Primary: DataRef{"digits", &c, "d"}, Harmful: DataRef{"digits", &c, "d"}, EngineVersion: 1}, false)
		if err != nil || !ok { t.Fatal(ok, st, err) }
		var o Outcome
		o.Status = Done
		o.WallSeconds = 1
		for j := range 100 { o.Metrics = append(o.Metrics, Metric{fmt.Sprint("m", j/10), j%10, float64(i+j)}) }
		for j := range 9 { for _, task := range []string{"primary", "harmful"} { for _, p := range []string{"rank", "ridge"} {
			o.Conditions = append(o.Conditions, Condition{Step: j, Task: task, Protocol: p, Kappa: float64(j)+1.5, SigmaMax: 3, SigmaMin: 2, Rank: 5, Next: math.NaN()}) } } }
		for j := range 20 { for _, task := range []string{"primary", "harmful"} {
			o.Attacks = append(o.Attacks, AttackPoint{"gd-exact", task, j, 1, 2, 3, math.NaN()}) } }
		o.Result = &Result{Steps: 100, RIR: float64(i), Ceiling: math.Inf(1), Unbounded: true, KappaTheta: math.Inf(1)}
		if err := db.Finish(ctx, a, o); err != nil { t.Fatal(err) }
	}
	t.Log("write per run", time.Since(t0)/time.Duration(N))
	in, _ := db.Info(ctx)
	t.Logf("%+v", in)
	var plan []PlanRow
	for i := range N { plan = append(plan, PlanRow{e.Runs[N-1-i], e.Swept[N-1-i]}) }
	t0 = time.Now()
	r, err := db.OpenReport(ctx, plan)
	if err != nil { t.Fatal(err) }
	t.Log("open", time.Since(t0))
	for _, q := range []string{
		"SELECT count(*) FROM results",
		"SELECT median(rir) FROM results WHERE method='m1'",
		"SELECT rir FROM results WHERE method='m1' ORDER BY rir DESC",
		"SELECT method, median(rir), ci95(rir), count(rir) FROM results GROUP BY method",
		"SELECT primary_class, rir FROM results WHERE train_method='m3'",
		"SELECT avg(value) FROM metrics WHERE name='m3' AND step=5",
		"SELECT sum(value), avg(value) FROM metrics",
		"SELECT sum(value), avg(value) FROM main.metrics",
		"SELECT run, value FROM metrics",
		"SELECT * FROM metrics",
		"SELECT * FROM condition_numbers",
		"SELECT * FROM main.condition_numbers",
		"SELECT r.method, avg(m.value) FROM results r JOIN metrics m USING (run) WHERE m.name='m3' GROUP BY 1",
		"SELECT r.method, m.step, avg(m.value), stddev(m.value) FROM runs r JOIN metrics m ON m.run = r.key WHERE m.name='m3' AND r.method='m2' GROUP BY 1,2",
		"WITH a AS (SELECT run, rir FROM results), b AS (SELECT run, method FROM results) SELECT b.method, median(a.rir) FROM a JOIN b USING(run) GROUP BY 1",
		"SELECT run, kappa FROM condition_numbers c WHERE task='harmful' AND protocol='rank' AND step=(SELECT max(step) FROM condition_numbers d WHERE d.run=c.run)",
		"SELECT method, rir FROM results WHERE method IN ('m1','m2') UNION ALL SELECT 'x', ceiling FROM results WHERE method='m3'",
		"SELECT run, rank() OVER (ORDER BY rir) FROM results WHERE method='m4'",
		"SELECT typeof(rir), typeof(steps), typeof(ceiling), typeof(primary_class), typeof(train_learning_rate) FROM results LIMIT 1",
		"SELECT count(*) FROM results WHERE rir='5'",
	} {
		t0 := time.Now()
		rows, err := r.Query(ctx, q)
		if err != nil { t.Error(q, err); continue }
		t.Logf("%-40s rows %d runs %d: %v  first %v", q, len(rows.Values), len(rows.Runs), time.Since(t0), rows.Values[0])
	}
}
