-- Version 1. The views at the end are the public interface; README.md documents each column. The tables are not: they
-- hold small integer ids where the views show keys, and NULL where a view says "finite".

CREATE TABLE experiment (                    -- one version of a spec
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  title    TEXT NOT NULL,
  source   TEXT,
  hash     TEXT NOT NULL,                    -- SHA-256 of bytes
  bytes    BLOB NOT NULL,
  recorded TEXT NOT NULL,
  touched  INTEGER NOT NULL,                 -- grows whenever a version is recorded, also again: the greatest is current
  UNIQUE (name, hash)
) STRICT;

CREATE TABLE run (                           -- what a key stands for; only the key is known until the first claim
  id              INTEGER PRIMARY KEY,
  key             TEXT NOT NULL UNIQUE,
  train_key       TEXT,
  kin             TEXT,                      -- SHA-256 of everything in the key but data digests and engine version
  method          TEXT,
  model           TEXT,
  primary_dataset TEXT,
  primary_class   INTEGER,
  primary_digest  TEXT,
  harmful_dataset TEXT,
  harmful_class   INTEGER,
  harmful_digest  TEXT,
  seed            INTEGER,
  engine_version  INTEGER,
  tags            TEXT NOT NULL DEFAULT '[]',
  note            TEXT,
  shown           INTEGER REFERENCES attempt (id)  -- the latest finished attempt, else the latest
) STRICT;
CREATE INDEX run_by_train_key ON run (train_key);
CREATE INDEX run_by_kin ON run (kin);
CREATE INDEX run_by_shown ON run (shown);

CREATE TABLE experiment_runs (               -- the plan of a version
  experiment INTEGER NOT NULL REFERENCES experiment (id),
  ordinal    INTEGER NOT NULL,
  run        INTEGER NOT NULL REFERENCES run (id),
  swept      TEXT NOT NULL,                  -- JSON object: key path → value
  PRIMARY KEY (experiment, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX experiment_runs_by_run ON experiment_runs (run);

CREATE TABLE provenance (                    -- shared by the attempts of one command
  id         INTEGER PRIMARY KEY,
  hash       TEXT NOT NULL UNIQUE,           -- SHA-256 of the other columns
  go_version TEXT,
  kernel     TEXT,
  cpu        TEXT,
  os         TEXT,
  host       TEXT,
  git_commit TEXT,
  git_dirty  INTEGER NOT NULL CHECK (git_dirty IN (0, 1)),
  argv       TEXT NOT NULL,
  modules    TEXT NOT NULL
) STRICT;

CREATE TABLE attempt (
  id           INTEGER PRIMARY KEY,
  run          INTEGER NOT NULL REFERENCES run (id),
  attempt      INTEGER NOT NULL,             -- 1, 2, … of its run
  status       TEXT NOT NULL CHECK (status IN ('running', 'done', 'diverged', 'failed', 'timeout', 'interrupted')),
  reason       TEXT,
  started      TEXT NOT NULL,
  finished     TEXT,
  wall_seconds REAL,
  cpu_seconds  REAL,
  error        TEXT,
  log          TEXT,
  provenance   INTEGER NOT NULL REFERENCES provenance (id),
  holder       TEXT NOT NULL,                -- host, boot, process namespace and process
  lease        INTEGER NOT NULL,             -- the claim stands until then: milliseconds since 1970
  UNIQUE (run, attempt)
) STRICT;
CREATE UNIQUE INDEX attempt_running ON attempt (run) WHERE status = 'running';
CREATE INDEX attempt_by_provenance ON attempt (provenance);

CREATE TABLE param (
  run    INTEGER NOT NULL REFERENCES run (id),
  path   TEXT NOT NULL,
  number REAL,
  text   TEXT,
  PRIMARY KEY (run, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric (
  attempt INTEGER NOT NULL REFERENCES attempt (id),
  name    TEXT NOT NULL,
  step    INTEGER NOT NULL,
  value   REAL,
  kind    TEXT CHECK (kind IN ('+inf', '-inf', 'nan', '-0')),   -- NULL: finite
  PRIMARY KEY (attempt, name, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE condition_number (
  attempt         INTEGER NOT NULL REFERENCES attempt (id),
  task            TEXT NOT NULL CHECK (task IN ('primary', 'harmful')),
  protocol        TEXT NOT NULL CHECK (protocol IN ('rank', 'ridge')),
  step            INTEGER NOT NULL,
  kappa           REAL,
  log10_kappa     REAL,
  sigma_max       REAL,
  sigma_min       REAL,
  rank            INTEGER NOT NULL,
  next            REAL,
  ridge_dominated INTEGER NOT NULL CHECK (ridge_dominated IN (0, 1)),
  degenerate      INTEGER NOT NULL CHECK (degenerate IN (0, 1)),
  rank_unclear    INTEGER NOT NULL CHECK (rank_unclear IN (0, 1)),
  kind            TEXT CHECK (kind IN ('+inf', '-inf', 'nan', '-0', 'unresolved')),
  PRIMARY KEY (attempt, task, protocol, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE attack (
  attempt    INTEGER NOT NULL REFERENCES attempt (id),
  attacker   TEXT NOT NULL,
  task       TEXT NOT NULL,
  step       INTEGER NOT NULL,
  loss       REAL,
  excess     REAL,
  norm_ratio REAL,
  accuracy   REAL,
  kinds      TEXT,                           -- JSON object: column → kind, of those that are not finite; NULL: none
  PRIMARY KEY (attempt, attacker, task, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE result (
  attempt             INTEGER PRIMARY KEY REFERENCES attempt (id),
  steps               INTEGER NOT NULL,
  rir                 REAL,
  ratio_harmful       REAL,
  ratio_primary       REAL,
  rir_ridge           REAL,
  ratio_harmful_ridge REAL,
  ratio_primary_ridge REAL,
  ridge_dominated     INTEGER NOT NULL CHECK (ridge_dominated IN (0, 1)),
  ceiling             REAL,
  unbounded           INTEGER NOT NULL CHECK (unbounded IN (0, 1)),
  freedom             INTEGER NOT NULL,
  kappa_theta         REAL,
  loss_primary        REAL,
  def_a               INTEGER NOT NULL CHECK (def_a IN (0, 1)),
  def_b               INTEGER NOT NULL CHECK (def_b IN (0, 1)),
  def_c               INTEGER NOT NULL CHECK (def_c IN (0, 1)),
  kinds               TEXT                   -- as in attack
) STRICT;

CREATE TABLE artifact (
  attempt INTEGER NOT NULL REFERENCES attempt (id),
  name    TEXT NOT NULL,
  path    TEXT NOT NULL,                     -- relative to the database's folder, with slashes
  digest  TEXT NOT NULL,                     -- SHA-256
  bytes   INTEGER NOT NULL,
  PRIMARY KEY (attempt, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE digest (                        -- what was last read for a data reference
  ref      TEXT PRIMARY KEY,
  digest   TEXT NOT NULL,
  recorded TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE evaluation (                    -- one judging of all claims of a version
  id         INTEGER PRIMARY KEY,
  experiment INTEGER NOT NULL REFERENCES experiment (id),
  evaluated  TEXT NOT NULL
) STRICT;
CREATE INDEX evaluation_by_experiment ON evaluation (experiment);

CREATE TABLE claim (
  evaluation  INTEGER NOT NULL REFERENCES evaluation (id),
  ordinal     INTEGER NOT NULL,
  id          TEXT NOT NULL,
  verdict     TEXT NOT NULL,
  value       REAL,
  sd          REAL,
  n           INTEGER NOT NULL,
  low         REAL,
  high        REAL,
  expect      ANY,
  op          TEXT NOT NULL,
  tolerance   REAL,
  paper_value REAL,
  runs        TEXT NOT NULL,                 -- JSON array of keys
  PRIMARY KEY (evaluation, ordinal),
  UNIQUE (evaluation, id)
) STRICT, WITHOUT ROWID;

-- The public interface. CROSS JOIN fixes the order of the loops: runs outside, their figures inside.

CREATE VIEW experiments AS
SELECT id, name, title, source, hash, bytes, recorded FROM experiment;

CREATE VIEW runs AS
SELECT r.key,
       (SELECT e.name FROM experiment_runs AS x JOIN experiment AS e ON e.id = x.experiment
         WHERE x.run = r.id ORDER BY e.touched DESC LIMIT 1) AS experiment,
       a.status, a.reason, r.method, r.model,
       r.primary_dataset, r.primary_class, r.harmful_dataset, r.harmful_class, r.seed,
       a.attempt, a.started, a.finished, a.wall_seconds, a.cpu_seconds,
       r.engine_version, p.go_version, p.kernel, p.cpu, p.os, p.git_commit, p.git_dirty, p.argv,
       a.error, r.tags, r.note
  FROM run AS r
 CROSS JOIN attempt AS a ON a.id = r.shown
 CROSS JOIN provenance AS p ON p.id = a.provenance;

CREATE VIEW attempts AS
SELECT r.key AS run, a.attempt, a.status, a.reason, a.started, a.finished, a.error, a.log
  FROM run AS r
 CROSS JOIN attempt AS a ON a.run = r.id;

CREATE VIEW params AS
SELECT r.key AS run, p.path, p.number, p.text
  FROM run AS r
 CROSS JOIN param AS p ON p.run = r.id;

CREATE VIEW metrics AS
SELECT r.key AS run, m.name, m.step, m.value, ifnull(m.kind, 'finite') AS kind
  FROM run AS r
 CROSS JOIN metric AS m ON m.attempt = r.shown;

CREATE VIEW condition_numbers AS
SELECT r.key AS run, c.step, c.task, c.protocol, c.kappa, c.log10_kappa, c.sigma_max, c.sigma_min, c.rank, c.next,
       c.ridge_dominated, c.degenerate, ifnull(c.kind, 'finite') AS kind
  FROM run AS r
 CROSS JOIN condition_number AS c ON c.attempt = r.shown;

CREATE VIEW attacks AS
SELECT r.key AS run, k.attacker, k.task, k.step, k.loss, k.excess, k.norm_ratio, k.accuracy
  FROM run AS r
 CROSS JOIN attack AS k ON k.attempt = r.shown;

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
         WHERE x.run = r.id ORDER BY e.touched DESC LIMIT 1) AS swept
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
