-- Version 4. Runs that were removed and can be restored, the order in which ends were acknowledged, leases that do not depend on
-- anybody's clock, and what a working tree had that its commit had not.

ALTER TABLE run ADD COLUMN removed TEXT;            -- when it was removed; NULL: it was not. No view shows a removed run
ALTER TABLE attempt ADD COLUMN seq INTEGER;         -- 1, 2, … in the order in which ends were recorded; NULL: it has not ended
ALTER TABLE attempt ADD COLUMN beat INTEGER NOT NULL DEFAULT 0;  -- grows with every sign of life of its holder
ALTER TABLE provenance ADD COLUMN diff_hash TEXT;   -- SHA-256 of what was not committed; NULL: nothing, or not known
ALTER TABLE provenance ADD COLUMN diff_bytes INTEGER;
ALTER TABLE provenance ADD COLUMN diff TEXT;        -- the text itself, where it was asked for

UPDATE attempt SET seq = o.n
  FROM (SELECT id, row_number() OVER (ORDER BY finished, id) AS n FROM attempt WHERE status <> 'running') AS o
 WHERE o.id = attempt.id;
CREATE UNIQUE INDEX attempt_by_seq ON attempt (seq) WHERE seq IS NOT NULL;
CREATE INDEX run_removed ON run (removed) WHERE removed IS NOT NULL;

-- A report names every figure that is not finite: few among millions.
CREATE INDEX metric_not_finite ON metric (attempt, kind) WHERE kind IS NOT NULL;
CREATE INDEX condition_number_not_finite ON condition_number (attempt, kind) WHERE kind IS NOT NULL;
CREATE INDEX attack_not_finite ON attack (attempt, kinds) WHERE kinds IS NOT NULL;

CREATE TABLE lost (                -- ends that were acknowledged and that are not here: until their runs have ended again
  seq        INTEGER PRIMARY KEY,
  key        TEXT NOT NULL,        -- of the run
  attempt    INTEGER NOT NULL,
  status     TEXT NOT NULL,
  experiment TEXT NOT NULL         -- its name; '': not known
) STRICT;
CREATE INDEX lost_by_key ON lost (key);

CREATE TABLE plan_digest (         -- what experiment_runs holds of a version, so that the same need not be written again
  experiment INTEGER PRIMARY KEY,
  digest     TEXT NOT NULL,        -- SHA-256 of keys and swept values
  sum        INTEGER NOT NULL      -- over the rows, by which it is seen that they still stand
) STRICT;

-- The views, those of version 3 but for removed runs and for new columns at the end of runs.

DROP VIEW dependencies;
DROP VIEW claims;
DROP VIEW results;
DROP VIEW attacks;
DROP VIEW condition_numbers;
DROP VIEW metrics;
DROP VIEW params;
DROP VIEW attempts;
DROP VIEW runs;

CREATE VIEW runs AS
SELECT r.key,
       (SELECT e.name FROM experiment_runs AS x JOIN experiment AS e ON e.id = x.experiment
         WHERE x.run = r.id ORDER BY e.touched DESC LIMIT 1) AS experiment,
       a.status, a.reason, r.method, r.model,
       r.primary_dataset, r.primary_class, r.harmful_dataset, r.harmful_class, r.seed,
       a.attempt, a.started, a.finished, a.wall_seconds, a.cpu_seconds,
       r.engine_version, p.go_version, p.kernel, p.cpu, p.os, p.git_commit, p.git_dirty, p.argv,
       a.error, r.tags, r.note, p.host, p.modules, p.diff_hash AS git_diff, p.diff_bytes AS git_diff_bytes
  FROM run AS r
 CROSS JOIN attempt AS a ON a.id = r.shown
 CROSS JOIN provenance AS p ON p.id = a.provenance
 WHERE r.removed IS NULL;

CREATE VIEW attempts AS
SELECT r.key AS run, a.attempt, a.status, a.reason, a.started, a.finished, a.error, a.log
  FROM run AS r
 CROSS JOIN attempt AS a ON a.run = r.id
 WHERE r.removed IS NULL;

CREATE VIEW params AS
SELECT r.key AS run, p.path, p.number, p.text
  FROM run AS r
 CROSS JOIN param AS p ON p.run = r.id
 WHERE r.removed IS NULL;

CREATE VIEW metrics AS
SELECT r.key AS run, m.name, m.step, m.value, ifnull(m.kind, 'finite') AS kind
  FROM run AS r
 CROSS JOIN metric AS m ON m.attempt = r.shown
 WHERE r.removed IS NULL;

CREATE VIEW condition_numbers AS
SELECT r.key AS run, c.step, c.task, c.protocol, c.kappa, c.log10_kappa, c.sigma_max, c.sigma_min, c.rank, c.next,
       c.ridge_dominated, c.degenerate, ifnull(c.kind, 'finite') AS kind
  FROM run AS r
 CROSS JOIN condition_number AS c ON c.attempt = r.shown
 WHERE r.removed IS NULL;

CREATE VIEW attacks AS
SELECT r.key AS run, k.attacker, k.task, k.step, k.loss, k.excess, k.norm_ratio, k.accuracy
  FROM run AS r
 CROSS JOIN attack AS k ON k.attempt = r.shown
 WHERE r.removed IS NULL;

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
 CROSS JOIN result AS s ON s.attempt = a.id
 WHERE r.removed IS NULL;

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
 CROSS JOIN run AS n ON n.id = d.needs
 WHERE r.removed IS NULL;

CREATE VIEW artifacts AS
SELECT r.key AS run, f.name, f.path, f.digest, f.bytes
  FROM run AS r
 CROSS JOIN artifact AS f ON f.attempt = r.shown
 WHERE r.removed IS NULL;
