// Package runner does what a spec says: it turns a spec into a plan, runs what the database does not hold yet, and records
// every run.
//
//	spec ─ NewPlan (pure) ─▶ plan ─ Run ─▶ dataset ▸ immunize ▸ audit ▸ probe ─▶ store (one transaction a run)
//	                                       dataset ▸ nn ▸ deep (of nets)      ─▶
//
// # Planning
//
// [NewPlan] is a pure function of the spec and of the digests of the data it reads. It resolves every combination of the
// sweep, gives each a key and merges those that would compute the same thing (a method that draws no random number runs
// once however many seeds are swept).
//
// # Keys
//
// A key is a SHA-256 over what decides a run's figures, written out field by field in key.go, and nothing else. It has two
// parts: train (everything up to θ) and run (train and the attacks), so that a new attack on a kept θ costs the attack alone.
//
// # Execution
//
// [Run] executes runs in plan order on a number of workers. A run is claimed in the database before it starts and recorded
// in one transaction when it ends, so that any number of processes can share a plan and a process that is killed loses at
// most the runs in flight. A panic in a run is that run's recorded failure.
//
// Cores go to runs first: each run in flight occupies one (blas.Occupy) from its claim until it is recorded, and the matrix
// products inside a run share themselves out over those that no run occupies, so that the last runs of a plan, or a single one,
// have them all. No figure depends on it.
//
// # Nets
//
// A run on a net needs others: the one that pre-trains its θ_0, and, where it is attacked, the one that is attacked on θ_0 alike. NewPlan
// adds those that a sweep lacks ([Planned.Depends]), and Run starts a run when all that it needs has finished, here or in another
// process; a finished run that another process repeats is waited for again. What needs a run that failed or diverged fails with a sentence
// that names it.
//
// A run on a net leaves checkpoints, from which the next attempt at it goes on to the same bits: a pre-training after each epoch; another
// run after a step of its method, a part of its measurement, an attacker or an epoch of an attacker's training, at most one a minute. Each
// replaces the one before, and a run that is done leaves none. One that is damaged, of another format or of something else, is passed over; the
// log says so, and where a run went on. [Options.Force] begins without. The optimum of a linear probe and what the frozen blocks give for an
// attack's images are computed again.
//
// # Limits
//
// [Memory] predicts what a run takes from its shapes, at its peak and within a factor of two. Runs that do not fit beside those in flight
// wait; where the process nears [Options.MemoryLimit] nevertheless, the newest run is stopped and fails, and from then on fewer run at once.
//
// A run is told to stop by its context: of the time limit, of the call, or of the watchdog. The engine looks at it once a step; what is one
// step to it is a factorisation of the data, a spectrum, a pass of a net over a batch, a Newton minimisation of a logistic loss, the ceiling, the
// drawing or reading of a data set. A run that has not stopped [Options.Grace] later is recorded, and what computes it is left to itself:
// its worker goes on with the next one, and [Summary.GivenUp] names it.
//
// # Time
//
// [Predict] says beforehand how long runs will take. The catalog gives each method and attacker a cost, which says how its time
// grows with the sizes of the data and the steps (cost.go); recorded runs say what it is on this machine, those of the same
// method and of near sizes first. The ETA of an [Event] begins with that and follows what runs turn out to take.
//
// The package does not compute (engine), does not know SQL (store) and prints nothing: it reports through [Options.Notify].
package runner
