package store

import (
	"context"
	"errors"
	"time"
)

var errTodo = errors.New("not yet")

// Lease is how long a claim stands without a heartbeat, Beat how often a holder renews it.
const (
	Lease = 15 * time.Second
	Beat  = 3 * time.Second
)

// DB is a notebook's database.
type DB struct{}

// Options are the settings of Open; the zero value is usable.
type Options struct {
	Now    func() time.Time // the clock; nil: time.Now
	Holder string           // who claims runs; "": this host, boot and process
	Busy   time.Duration    // how long to wait for another writer; 0: 10 s
}

// Rows is a query's answer. A value is nil, int64, float64, string or []byte.
type Rows struct {
	Columns   []string
	Values    [][]any
	Runs      []string // keys, in plan order: the runs whose figures the query read (Report.Query only)
	Truncated bool     // there were more rows than the limit
}

// QueryOptions bound a query over the whole history.
type QueryOptions struct {
	Limit   int           // rows; 0: no limit
	Timeout time.Duration // 0: none but ctx's
	Params  map[string]any
}

// PlanRow is one run of a plan.
type PlanRow struct {
	Key   string
	Swept string // JSON object: key path → value; "" or "{}": none
}

// Report is a pinned, read-only view of a database through one plan.
type Report struct{}

// Claim is the verdict on one claim of a spec.
type Claim struct {
	ID, Verdict string
	Value, SD   float64 // NaN: none
	N           int
	Low, High   float64 // NaN: none
	Expect      any     // nil, float64 or string (JSON, for the operator "order")
	Op          string
	Tolerance   float64 // NaN: none
	PaperValue  float64 // NaN: none
	Runs        []string
}

// Kept is a finished run whose θ is on disk.
type Kept struct {
	Run       string
	Attempt   int64
	Status    Status
	Artifacts []Artifact
}

// Kin is a finished run of the same parameters under another key: computed by another engine version or from other data.
type Kin struct {
	Key                          string
	EngineVersion                int
	PrimaryDigest, HarmfulDigest string
}

// RunRow is one row of the view runs.
type RunRow struct {
	Key, Experiment                string
	Status                         Status
	Reason, Method, Model          string
	PrimaryDataset, HarmfulDataset string
	PrimaryClass, HarmfulClass     *int64
	Seed                           *int64
	Attempt                        int
	Started, Finished              time.Time // zero: not yet
	WallSeconds                    float64
	EngineVersion                  int
	Error                          string
	Tags                           []string
	Note                           string
}

// Filter selects runs; empty fields select everything.
type Filter struct {
	Experiment, Method, Tag, Prefix string
	Status                          Status
	Limit                           int
}

// DurationKey is what a run's duration mostly depends on.
type DurationKey struct{ Method, Model, Dataset string }

// Info is what a database is and holds.
type Info struct {
	Path          string
	Bytes         int64
	SchemaVersion int
	JournalMode   string
	Statuses      map[Status]int // runs by status
	Experiments   int            // versions of specs
	Attempts      int
	Artifacts     int
	ArtifactBytes int64
	SQLite        string
}

func Open(ctx context.Context, path string, o Options) (*DB, error)                { return nil, errTodo }
func OpenReadOnly(ctx context.Context, path string) (*DB, error)                   { return nil, errTodo }
func Empty(ctx context.Context) (*DB, error)                                       { return nil, errTodo }
func (db *DB) Close() error                                                        { return nil }
func (db *DB) Path() string                                                        { return "" }
func (db *DB) RecordExperiment(ctx context.Context, e Experiment) error            { return errTodo }
func (db *DB) RecordClaims(ctx context.Context, hash string, claims []Claim) error { return errTodo }
func (db *DB) States(ctx context.Context, keys []string) (map[string]State, error) {
	return nil, errTodo
}
func (db *DB) Claim(ctx context.Context, s Start, force bool) (attempt int64, ok bool, st State, err error) {
	return 0, false, State{}, errTodo
}
func (db *DB) Heartbeat(ctx context.Context, attempts []int64) error      { return errTodo }
func (db *DB) Finish(ctx context.Context, attempt int64, o Outcome) error { return errTodo }
func (db *DB) Outcome(ctx context.Context, key string) (Outcome, error)   { return Outcome{}, errTodo }
func (db *DB) Digests(ctx context.Context) (map[string]string, error)     { return nil, errTodo }
func (db *DB) RecordDigest(ctx context.Context, ref, digest string) error { return errTodo }
func (db *DB) WriteArtifact(key, name string, data []byte) (Artifact, error) {
	return Artifact{}, errTodo
}
func (db *DB) ReadArtifact(a Artifact) ([]byte, error) { return nil, errTodo }
func (db *DB) Artifact(ctx context.Context, prefix, name string) (Artifact, error) {
	return Artifact{}, errTodo
}
func (db *DB) FindTheta(ctx context.Context, trainKey string) (Kept, bool, error) {
	return Kept{}, false, errTodo
}
func (db *DB) Kin(ctx context.Context, starts []Start) (map[string]Kin, error) { return nil, errTodo }
func (db *DB) RunsList(ctx context.Context, f Filter) ([]RunRow, error)        { return nil, errTodo }
func (db *DB) RunByPrefix(ctx context.Context, prefix string) (RunRow, error) {
	return RunRow{}, errTodo
}
func (db *DB) Durations(ctx context.Context) (map[DurationKey]float64, error) { return nil, errTodo }
func (db *DB) Info(ctx context.Context) (Info, error)                         { return Info{}, errTodo }
func (db *DB) Check(ctx context.Context) (problems []string, err error)       { return nil, errTodo }
func (db *DB) Backup(ctx context.Context, dst string) error                   { return errTodo }
func (db *DB) Query(ctx context.Context, sql string, o QueryOptions) (*Rows, error) {
	return nil, errTodo
}
func (db *DB) OpenReport(ctx context.Context, plan []PlanRow) (*Report, error) { return nil, errTodo }
func (r *Report) Query(ctx context.Context, sql string, args ...any) (*Rows, error) {
	return nil, errTodo
}
func (r *Report) Prepare(sql string) error                           { return errTodo }
func (r *Report) NonFinite(ctx context.Context) ([]NonFinite, error) { return nil, errTodo }
func (r *Report) Close() error                                       { return nil }

// NonFinite is a recorded figure that is not an ordinary number.
type NonFinite struct {
	Run, View, Column, Of string // Of: the metric's name, "primary rank", "gd-exact harmful", or ""
	Step                  int    // -1: none
	Kind                  string // +inf, -inf, nan, -0, unresolved
}
