package store

import (
	"context"
)

// NonFinite is a figure of a plan's run that is not an ordinary number.
type NonFinite struct {
	Run    string
	View   string // metrics, condition_numbers, attacks, results
	Column string
	Of     string // the metric's name; task and protocol; attacker and task; "" for results
	Step   int    // -1 for results
	Kind   string // +inf, -inf, nan, -0, unresolved
}

// NonFinite lists every figure behind the report that is not finite, in plan order: a report names their runs.
func (r *Report) NonFinite(ctx context.Context) ([]NonFinite, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []NonFinite
	err := each(ctx, r.c, `
		SELECT run, view, column, of, step, kind FROM (
			SELECT p.ordinal, p.run, 'metrics' AS view, 'value' AS column, m.name AS of, m.step, m.kind
			  FROM temp.plan AS p CROSS JOIN main.run AS r ON r.key = p.run AND r.removed IS NULL CROSS JOIN main.metric AS m ON m.attempt = r.shown
			 WHERE m.kind IS NOT NULL
			UNION ALL
			SELECT p.ordinal, p.run, 'condition_numbers', 'kappa', c.task || ' ' || c.protocol, c.step, c.kind
			  FROM temp.plan AS p CROSS JOIN main.run AS r ON r.key = p.run AND r.removed IS NULL
			 CROSS JOIN main.condition_number AS c ON c.attempt = r.shown WHERE c.kind IS NOT NULL
			UNION ALL
			SELECT p.ordinal, p.run, 'attacks', j.key, k.attacker || ' ' || k.task, k.step, j.value
			  FROM temp.plan AS p CROSS JOIN main.run AS r ON r.key = p.run AND r.removed IS NULL CROSS JOIN main.attack AS k ON k.attempt = r.shown
			 CROSS JOIN json_each(k.kinds) AS j WHERE k.kinds IS NOT NULL
			UNION ALL
			SELECT p.ordinal, p.run, 'results', j.key, '', -1, j.value
			  FROM temp.plan AS p CROSS JOIN main.run AS r ON r.key = p.run AND r.removed IS NULL CROSS JOIN main.result AS s ON s.attempt = r.shown
			 CROSS JOIN json_each(s.kinds) AS j WHERE s.kinds IS NOT NULL)
		 ORDER BY ordinal, view, of, column, step`, nil, func(scan func(...any) error) error {
		var n NonFinite
		err := scan(&n.Run, &n.View, &n.Column, &n.Of, &n.Step, &n.Kind)
		out = append(out, n)
		return err
	})
	return out, r.db.fault("look for figures that are not finite", err)
}
