-- Version 2. Definition 3.1 by the ridge protocol, the loss with θ = I, the bound at κ(θ), and what a run reached of it and of the
-- ceiling. Of the runs that version 1 recorded, what their stored figures do not tell stays NULL.

ALTER TABLE result ADD COLUMN loss_base REAL;
ALTER TABLE result ADD COLUMN def_a_ridge INTEGER CHECK (def_a_ridge IN (0, 1));
ALTER TABLE result ADD COLUMN def_b_ridge INTEGER CHECK (def_b_ridge IN (0, 1));
ALTER TABLE result ADD COLUMN bound REAL;
ALTER TABLE result ADD COLUMN reached REAL;
ALTER TABLE result ADD COLUMN reached_bound REAL;

UPDATE result SET def_a_ridge = ratio_harmful_ridge >= 10, def_b_ridge = ratio_primary_ridge <= 1 + 1e-9;
UPDATE result SET reached = ln(rir) / ln(ceiling) WHERE unbounded = 0 AND ln(ceiling) > 1e-6 AND rir > 0;

-- The views, those of version 1 but for the new columns at the end of results; claims again, to keep their order.

DROP VIEW claims;
DROP VIEW results;

CREATE VIEW results AS
SELECT r.key AS run,
       (SELECT e.name FROM experiment_runs AS x JOIN experiment AS e ON e.id = x.experiment
         WHERE x.run = r.id ORDER BY e.touched DESC LIMIT 1) AS experiment,
       a.status, r.method, r.model,
       r.primary_dataset, r.primary_class, r.harmful_dataset, r.harmful_class, r.seed,
       s.steps, s.rir, s.ratio_harmful, s.ratio_primary, s.rir_ridge, s.ratio_harmful_ridge, s.ratio_primary_ridge,
       s.ridge_dominated, s.ceiling, s.unbounded, s.freedom, s.kappa_theta, s.loss_primary,
       iif(s.ratio_harmful IS NULL, NULL, s.def_a) AS def_a, iif(s.ratio_primary IS NULL, NULL, s.def_b) AS def_b,
       iif(s.loss_primary IS NULL, NULL, s.def_c) AS def_c,
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
