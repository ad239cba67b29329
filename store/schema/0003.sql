-- Version 3. Runs that need others to have finished, and the results of deep nets, to which some figures do not apply.

CREATE TABLE dependency (                    -- a run needs another one to have finished
  run   INTEGER NOT NULL REFERENCES run (id),
  needs INTEGER NOT NULL REFERENCES run (id),
  what  TEXT NOT NULL,                       -- what it needs of it
  PRIMARY KEY (run, needs)
) STRICT, WITHOUT ROWID;
CREATE INDEX dependency_by_needs ON dependency (needs);

ALTER TABLE result ADD COLUMN deep INTEGER NOT NULL DEFAULT 0 CHECK (deep IN (0, 1));  -- of a net: no ceiling, no freedom, no (c)

-- The views, those of version 2 but for what does not apply to nets; claims again, to keep their order.

DROP VIEW claims;
DROP VIEW results;

CREATE VIEW results AS
SELECT r.key AS run,
       (SELECT e.name FROM experiment_runs AS x JOIN experiment AS e ON e.id = x.experiment
         WHERE x.run = r.id ORDER BY e.touched DESC LIMIT 1) AS experiment,
       a.status, r.method, r.model,
       r.primary_dataset, r.primary_class, r.harmful_dataset, r.harmful_class, r.seed,
       s.steps, s.rir, s.ratio_harmful, s.ratio_primary, s.rir_ridge, s.ratio_harmful_ridge, s.ratio_primary_ridge,
       s.ridge_dominated, s.ceiling, iif(s.deep, NULL, s.unbounded) AS unbounded, iif(s.deep, NULL, s.freedom) AS freedom,
       s.kappa_theta, s.loss_primary,
       iif(s.ratio_harmful IS NULL, NULL, s.def_a) AS def_a, iif(s.ratio_primary IS NULL, NULL, s.def_b) AS def_b,
       iif(s.loss_primary IS NULL OR s.deep, NULL, s.def_c) AS def_c,
       (SELECT x.swept FROM experiment_runs AS x JOIN experiment AS e ON e.id = x.experiment
         WHERE x.run = r.id ORDER BY e.touched DESC LIMIT 1) AS swept,
       iif(s.ratio_harmful_ridge IS NULL, NULL, s.def_a_ridge) AS def_a_ridge,
       iif(s.ratio_primary_ridge IS NULL, NULL, s.def_b_ridge) AS def_b_ridge,
       s.loss_base, s.bound, s.reached, s.reached_bound
  FROM run AS r
 CROSS JOIN attempt AS a ON a.id = r.shown
 CROSS JOIN result AS s ON s.attempt = a.id;

CREATE VIEW claims AS
SELECT e.name AS experiment, c.id, c.verdict, c.value, c.sd, c.n, c.low, c.high, c.expect, c.op, c.tolerance,
       c.paper_value, c.runs, v.evaluated
  FROM evaluation AS v
  JOIN experiment AS e ON e.id = v.experiment
 CROSS JOIN claim AS c ON c.evaluation = v.id
 WHERE v.id = (SELECT max(w.id) FROM experiment AS f JOIN evaluation AS w ON w.experiment = f.id WHERE f.name = e.name);

CREATE VIEW dependencies AS
SELECT r.key AS run, n.key AS needs, d.what
  FROM run AS r
 CROSS JOIN dependency AS d ON d.run = r.id
 CROSS JOIN run AS n ON n.id = d.needs;
