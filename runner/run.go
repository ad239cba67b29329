package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kappa/engine"
	"kappa/store"
)

// Database is what the runner needs of the store.
type Database interface {
	States(ctx context.Context, keys []string) (map[string]store.State, error)
	Claim(ctx context.Context, s store.Start, force bool) (attempt int64, ok bool, st store.State, err error)
	Heartbeat(ctx context.Context, attempts []int64) error
	Finish(ctx context.Context, attempt int64, o store.Outcome) error
	Outcome(ctx context.Context, key string) (store.Outcome, error)
	FindTheta(ctx context.Context, trainKey string) (store.Kept, bool, error)
	Trained(ctx context.Context, trainKeys []string) (map[string]bool, error)
	Kin(ctx context.Context, starts []store.Start) (map[string]store.Kin, error)
	WriteArtifact(key, name string, data []byte) (store.Artifact, error)
	ReadArtifact(a store.Artifact) ([]byte, error)
	WriteCheckpoint(key string, write func(w io.Writer) error) error
	ReadCheckpoint(key string) (data []byte, ok bool, err error)
	RemoveCheckpoint(key string) error
}

var _ Database = (*store.DB)(nil)

// Run executes the plan's runs that the database does not hold yet, in plan order, opt.Jobs at once. A run that fails is
// recorded and counted, and the others go on (unless opt.FailFast). When ctx ends, the runs in flight are recorded as
// interrupted and Run returns ctx's error. Any other error is the database's or the plan's.
func Run(ctx context.Context, plan *Plan, db Database, opt Options) (Summary, error) {
	if opt.Now == nil {
		return Summary{}, errors.New("run: Options.Now is nil")
	}
	decisions := opt.Decisions
	if decisions == nil {
		var err error
		if decisions, err = Decide(ctx, plan, db, opt.Force); err != nil {
			return Summary{}, err
		}
		decisions = Select(decisions, opt.Filter)
	}
	jobs := opt.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	s := &execution{
		plan: plan, db: db, opt: opt, problems: newProblemCache(opt.Data, problemsKept(jobs)),
		board: newBoard(plan, opt.Forecast, jobs, opt.Notify), live: make(map[int64]*inFlight),
	}
	s.board.queue(decisions)
	for _, d := range decisions {
		if !d.Execute {
			_ = s.clean(d.Run, d.State) // at the next opportunity, if not now
		}
	}
	s.schedule = newSchedule(decisions)
	s.schedule.room = newRoom(opt.MemoryLimit, opt.Sizes, s.problems.shed)

	ctx, deprive := context.WithCancelCause(ctx)
	defer deprive(nil)
	beatCtx, stopBeat := context.WithCancel(context.WithoutCancel(ctx))
	var beats sync.WaitGroup
	beats.Go(func() { s.beat(beatCtx, deprive) })
	g, gctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(gctx, s.schedule.stop)()
	lookCtx, stopLooking := context.WithCancel(gctx)
	var blind error
	beats.Go(func() { blind = s.look(lookCtx, lookout) })
	beats.Go(func() { s.watch(lookCtx) })
	for range min(jobs, len(s.schedule.items)) {
		g.Go(func() error {
			for gctx.Err() == nil {
				it, broken := s.schedule.next()
				if it == nil {
					break
				}
				state, err := s.execute(gctx, it, broken)
				if err != nil {
					return err
				}
				if state.again {
					s.schedule.alone(it)
					continue
				}
				if state.left {
					s.schedule.abandon(it)
				}
				s.schedule.ended(it, state.State)
			}
			return nil
		})
	}
	err := g.Wait()
	stopLooking()
	stopBeat()
	beats.Wait()
	if err == nil {
		err = ctx.Err()
	}
	if cause := context.Cause(ctx); errors.Is(cause, store.ErrMoved) {
		err = cause
	}
	if err == nil {
		err = blind
	}
	return s.board.summary(), err
}

// execution is one call of Run.
type execution struct {
	plan     *Plan
	db       Database
	opt      Options
	problems *problemCache
	board    *board
	schedule *schedule

	mu    sync.Mutex
	live  map[int64]*inFlight // attempts in flight
	begun int                 // attempts that have ever been
	used  time.Duration       // CPU time that has been shared out
}

// inFlight is an attempt that is under way.
type inFlight struct {
	run   Planned
	order int                     // of its beginning, among all
	cpu   time.Duration           // its share of the CPU time
	stop  context.CancelCauseFunc // nil: it is not computing
	told  bool                    // to stop, by the watchdog
}

// enter adds an attempt to those in flight.
func (s *execution) enter(attempt int64, run Planned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.share()
	s.begun++
	s.live[attempt] = &inFlight{run: run, order: s.begun}
}

// stoppable says how an attempt in flight is stopped.
func (s *execution) stoppable(attempt int64, stop context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.live[attempt]; f != nil {
		f.stop = stop
	}
}

// spent returns an attempt's CPU time so far.
func (s *execution) spent(attempt int64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.share()
	if f := s.live[attempt]; f != nil {
		return f.cpu
	}
	return 0
}

// leave takes an attempt out.
func (s *execution) leave(attempt int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.share()
	delete(s.live, attempt)
}

// share splits the CPU time since the last call evenly among the attempts in flight: a goroutine has no CPU clock of its own.
// The sum over all attempts is exact.
func (s *execution) share() {
	if s.opt.CPU == nil {
		return
	}
	now := s.opt.CPU()
	for _, f := range s.live {
		f.cpu += (now - s.used) / time.Duration(len(s.live))
	}
	s.used = now
}

// beat renews the leases of the attempts in flight until ctx ends. A failed renewal is not fatal: the next one may go
// through, and a lease that is lost is seen when the run is recorded. But where the database was taken away nothing more can be recorded:
// deprive then ends the call.
func (s *execution) beat(ctx context.Context, deprive func(cause error)) {
	tick := time.NewTicker(store.Beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		var attempts []int64
		for a := range s.live {
			attempts = append(attempts, a)
		}
		s.mu.Unlock()
		if len(attempts) > 0 {
			if err := s.db.Heartbeat(ctx, attempts); errors.Is(err, store.ErrMoved) {
				deprive(err)
			}
		}
	}
}

// standpoint is how a run stands when a worker is done with it.
type standpoint struct {
	store.State
	again bool // it is to be tried once more when nothing else runs
	left  bool // what computes it has not stopped
}

// execute runs one decision with its retries, or, where it cannot have what it needs of broken, records that. It returns how the
// run stands then, and an error only for trouble that ends the call.
func (s *execution) execute(ctx context.Context, it, broken *item) (standpoint, error) {
	run := it.Run
	seat := occupy()
	defer seat.leave()
	for try := it.tries; ; try++ {
		again, claim := s.opt.Force || it.Reason == ReasonLost, start(run, s.opt)
		if try > 0 { // what has ended since the first one, by somebody else, stands
			again, claim.Over = it.over > 0, it.over
		}
		attempt, ok, state, err := s.db.Claim(ctx, claim, again)
		if err != nil {
			if ctx.Err() != nil {
				return standpoint{State: store.State{Status: store.Interrupted}}, nil
			}
			return standpoint{State: state}, fmt.Errorf("run %s: %w", short(run.Key), err) // which says that it was to be claimed
		}
		if !ok {
			if err := s.clean(run, state); err != nil {
				return standpoint{State: state}, err
			}
			s.board.elsewhere(run, state)
			return standpoint{State: state}, nil
		}
		if try == 0 && again && state.Status.Finished() {
			it.over = state.Attempt
		}
		s.enter(attempt, run)
		s.board.started(run)
		if s.opt.Force && try == 0 { // a repetition is one from the beginning
			if err := s.removeCheckpoint(run); err != nil {
				return standpoint{State: state}, err
			}
		}
		began := s.opt.Now()
		var e ended
		if broken != nil {
			e.err = without(it, broken)
			e.outcome = store.Outcome{Status: store.Failed, Reason: "not begun", Error: e.err.Error()}
		} else {
			e = s.attempt(ctx, attempt, run, seat)
		}
		full := diskTrouble(e.err)
		if full {
			e.outcome = store.Outcome{Status: store.Interrupted, Reason: "interrupted", Error: e.outcome.Error, Log: e.outcome.Log}
		}
		outcome := e.outcome
		outcome.WallSeconds = s.opt.Now().Sub(began).Seconds()
		outcome.CPUSeconds = s.spent(attempt).Seconds()
		// What was computed is recorded even when ctx has ended meanwhile: that is what an interruption means. The lease is
		// renewed until then, however long other writers keep the database.
		err = s.db.Finish(context.WithoutCancel(ctx), attempt, outcome)
		s.leave(attempt)
		if full {
			return standpoint{State: state}, fmt.Errorf("run %s: %w", short(run.Key), e.err)
		}
		if err != nil {
			return standpoint{State: state}, fmt.Errorf("run %s: %w", short(run.Key), err) // which says that it was to be recorded
		}
		if outcome.Status.Finished() {
			if err := s.removeCheckpoint(run); err != nil {
				return standpoint{State: state}, err
			}
		}
		_, crowded := errors.AsType[*memoryError](e.err)
		retry := broken == nil && !e.left && (outcome.Status == store.Failed || outcome.Status == store.TimedOut) && try < s.opt.Retries
		s.board.finished(run, outcome, e.err, retry)
		if e.left {
			s.board.gaveUp(run, outcome)
		}
		if retry && crowded {
			it.tries = try + 1
			return standpoint{again: true}, nil
		}
		if !retry {
			if e.err != nil && outcome.Status != store.Interrupted && s.opt.FailFast {
				s.schedule.stop()
			}
			return standpoint{State: store.State{Key: run.Key, Status: outcome.Status, Reason: outcome.Reason, Error: outcome.Error}, left: e.left}, nil
		}
	}
}

// diskTrouble says whether a run could not keep its files beside the database: the next one would meet the same.
func diskTrouble(err error) bool {
	return errors.Is(err, store.ErrDisk) || errors.Is(err, store.ErrReadOnly)
}

// clean removes the checkpoint of a run that is on record as finished: a process that was killed between the two has left it.
func (s *execution) clean(run Planned, st store.State) error {
	if st.Live || !st.Status.Finished() {
		return nil
	}
	return s.removeCheckpoint(run)
}

// removeCheckpoint removes what an attempt at a run has left to go on from.
func (s *execution) removeCheckpoint(run Planned) error {
	if !(reader{run.Settings}).net() {
		return nil
	}
	if err := s.db.RemoveCheckpoint(run.Key); err != nil {
		return fmt.Errorf("run %s: %w", short(run.Key), err)
	}
	return nil
}

// start describes a run to the database before it begins.
func start(run Planned, opt Options) store.Start {
	r := reader{run.Settings}
	st := store.Start{
		Key: run.Key, TrainKey: run.TrainKey, Method: run.Method(), Model: r.str("model.kind"),
		Primary:       store.DataRef{Dataset: datasetName(r, "primary"), Class: r.class("primary"), Digest: run.Data[0]},
		Params:        params(run.Settings),
		EngineVersion: engine.Version, Provenance: opt.Provenance, Tags: opt.Tags, Note: opt.Note,
	}
	if run.Method() != pretrainMethod {
		st.Harmful = store.DataRef{Dataset: datasetName(r, "harmful"), Class: r.class("harmful"), Digest: run.Data[1]}
	}
	for _, path := range []string{"train.seed", "pretrain.seed"} {
		if seed, ok := run.Settings[path].(int64); ok && st.Seed == nil {
			st.Seed = &seed
		}
	}
	for _, d := range run.Depends {
		st.Depends = append(st.Depends, store.Dependency{Needs: d.Key, What: d.What})
	}
	return st
}

// short is a key as people see it.
func short(key string) string { return key[:min(12, len(key))] }
