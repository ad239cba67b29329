package store

import "time"

// Status is where an attempt at a run stands.
type Status string

// The statuses of an attempt. Done and Diverged are finished: the run is not repeated.
const (
	Running     Status = "running"
	Done        Status = "done"
	Diverged    Status = "diverged"
	Failed      Status = "failed"
	TimedOut    Status = "timeout"
	Interrupted Status = "interrupted"
)

// Experiment is one version of a spec together with the runs it consists of.
type Experiment struct {
	Name, Title, Source string
	Hash                string   // SHA-256 of Bytes
	Bytes               []byte   // the spec file, exactly
	Runs                []string // keys in plan order
	Swept               []string // per run: JSON object, key path → value
}

// Start is everything known about an attempt before it runs.
type Start struct {
	Key, TrainKey string // 64 hex digits each
	Method, Model string
	Primary       DataRef
	Harmful       DataRef
	Seed          *int64 // nil where the method draws no random number
	Params        []Param
	Depends       []Dependency
	EngineVersion int
	Provenance    Provenance
	Tags          []string
	Note          string
	Over          int // of a forced claim: the latest finished attempt that may be repeated; 0: any
}

// Dependency says that a run needs another one to have finished, and what of it.
type Dependency struct {
	Needs string // the other one's key
	What  string // "θ_0", "base line"
}

// DataRef names one side of a problem.
type DataRef struct {
	Dataset string
	Class   *int64 // nil: no class
	Digest  string // SHA-256 of what was read
}

// Param is one resolved hyper-parameter. Exactly one of Number and Text is set (a boolean is Text "true"/"false").
type Param struct {
	Path   string
	Number *float64
	Text   *string
}

// Provenance says on what and from what an attempt was computed.
type Provenance struct {
	GoVersion, Kernel, CPU, OS, Host string
	GitCommit                        string
	GitDirty                         bool
	Argv                             []string
	Modules                          []string // path@version

	// What the tracked files had that the commit had not: the SHA-256 of the text of the changes, its length in bytes, and the text
	// itself where it was asked for. Zero: nothing, or not known. (Absent from the row's hash where they are zero, as before.)
	DiffHash  string `json:",omitempty"`
	DiffBytes int64  `json:",omitempty"`
	Diff      string `json:",omitempty"`
}

// Outcome is everything an attempt leaves behind; it is written in one transaction.
type Outcome struct {
	Status      Status
	Reason      string // why it stopped: "step limit", "converged", "diverged at step 12", …
	Error       string
	Log         string
	WallSeconds float64
	CPUSeconds  float64

	Metrics    []Metric
	Conditions []Condition
	Attacks    []AttackPoint
	Result     *Result    // nil unless Status is Done or Diverged
	Artifacts  []Artifact // files already written and synced
}

// Metric is one number at one step. Value may be NaN or infinite; the database keeps them apart.
type Metric struct {
	Name  string
	Step  int
	Value float64
}

// Condition is one condition number of one task's Hessian H(θ) at one step; σ are those of the Hessian.
type Condition struct {
	Step           int
	Task           string // primary | harmful
	Protocol       string // rank | ridge
	Kappa          float64
	SigmaMax       float64
	SigmaMin       float64
	Rank           int
	Next           float64 // σ_{k+1}; NaN where there is none
	RidgeDominated bool
	Degenerate     bool
	RankUnclear    bool
	Unresolved     bool // σ_k is below what double precision resolves: no number
}

// AttackPoint is one attacker's state at one step. NaN: does not apply, no figure is stored.
type AttackPoint struct {
	Attacker  string
	Task      string
	Step      int
	Loss      float64
	Excess    float64
	NormRatio float64
	Accuracy  float64
}

// Result is a finished run's final figures. NaN in a figure is stored as its kind, never as a number.
type Result struct {
	Steps                                          int
	RIR, RatioHarmful, RatioPrimary                float64 // rank protocol
	RIRRidge, RatioHarmfulRidge, RatioPrimaryRidge float64
	RidgeDominated                                 bool
	Ceiling                                        float64 // +Inf when unbounded
	Unbounded                                      bool
	Freedom                                        int
	KappaTheta                                     float64
	LossPrimary, LossBase                          float64 // with θ, and with θ = I
	DefA, DefB, DefC                               bool
	DefARidge, DefBRidge                           bool // Definition 3.1 (a) and (b) by the ridge protocol
	// Bound is the least of κ(θ)⁴, κ(θ)²κ(K_P) and the ceiling. Reached and ReachedBound are ln RIR over ln Ceiling and ln Bound.
	// NaN: does not apply, no figure is stored.
	Bound, Reached, ReachedBound float64
	// Deep says that it is of a deep net: Ceiling, Unbounded, Freedom, KappaTheta and DefC do not apply, and LossBase is the loss with
	// θ_0. A figure that is NaN then does not apply.
	Deep bool
}

// Artifact is one file kept for a run.
type Artifact struct {
	Name   string // "theta", "bias"
	Path   string // relative to the database's folder
	Digest string // SHA-256
	Bytes  int64
}

// State is what the database knows of one key.
type State struct {
	Key      string
	Status   Status // of the latest finished attempt, else of the latest
	Reason   string
	Error    string
	Attempt  int
	Live     bool      // an attempt is under way and its holder is at it; one behind a finished attempt leaves Status as it is
	Host     string    // where a Live attempt is under way; "": not known
	Foreign  bool      // of a Live one: nobody here can see whether its process lives, only whether its Beat grows
	Beat     int64     // of a Live one: grows with its signs of life
	Sign     time.Time // of a Live one: the last of them, by the clock of its holder
	Seconds  float64
	Finished time.Time
	Lost     bool // an end of it was acknowledged and is not here any more: see DB.Lost; the status is "" where nothing else is known
	Removed  bool // it was removed, and has not been restored: the status is "", or running where it is Live
}
