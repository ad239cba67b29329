package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
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
	Kin(ctx context.Context, starts []store.Start) (map[string]store.Kin, error)
	WriteArtifact(key, name string, data []byte) (store.Artifact, error)
	ReadArtifact(a store.Artifact) ([]byte, error)
	WriteCheckpoint(key string, write func(w io.Writer) error) error
	ReadCheckpoint(key string) (data []byte, ok bool, err error)
	RemoveCheckpoint(key string) error
}

var _ Database = (*store.DB)(nil)

// errTimeout is the cause of a context that ran into Options.Timeout.
var errTimeout = errors.New("the run's time limit is over")

// Run executes the plan's runs that the database does not hold yet, in plan order, opt.Jobs at once. A run that fails is
// recorded and counted, and the others go on (unless opt.FailFast). When ctx ends, the runs in flight are recorded as
// interrupted and Run returns ctx's error. Any other error is the database's or the plan's.
func Run(ctx context.Context, plan *Plan, db Database, opt Options) (Summary, error) {
	if opt.Now == nil {
		return Summary{}, errors.New("run: Options.Now is nil")
	}
	decisions, err := Decide(ctx, plan, db, opt.Force)
	if err != nil {
		return Summary{}, err
	}
	decisions = Select(decisions, opt.Filter)
	jobs := opt.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	s := &execution{
		plan: plan, db: db, opt: opt, problems: newProblemCache(opt.Data, problemsKept(jobs)),
		board: newBoard(plan, opt.Forecast, jobs, opt.Notify), live: make(map[int64]time.Duration),
	}
	s.board.queue(decisions)
	s.schedule = newSchedule(decisions)

	beatCtx, stopBeat := context.WithCancel(context.WithoutCancel(ctx))
	var beats sync.WaitGroup
	beats.Go(func() { s.beat(beatCtx) })
	g, gctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(gctx, s.schedule.stop)()
	lookCtx, stopLooking := context.WithCancel(gctx)
	var blind error
	beats.Go(func() { blind = s.look(lookCtx, lookout) })
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
				s.schedule.ended(it, state)
			}
			return nil
		})
	}
	err = g.Wait()
	stopLooking()
	stopBeat()
	beats.Wait()
	if err == nil {
		err = ctx.Err()
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

	mu   sync.Mutex
	live map[int64]time.Duration // attempts in flight, with their shares of the CPU time
	used time.Duration           // CPU time that has been shared out
}

// enter adds an attempt to those in flight.
func (s *execution) enter(attempt int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.share()
	s.live[attempt] = 0
}

// spent returns an attempt's CPU time so far.
func (s *execution) spent(attempt int64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.share()
	return s.live[attempt]
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
	for attempt := range s.live {
		s.live[attempt] += (now - s.used) / time.Duration(len(s.live))
	}
	s.used = now
}

// beat renews the leases of the attempts in flight until ctx ends. A failed renewal is not fatal: the next one may go
// through, and a lease that is lost is seen when the run is recorded.
func (s *execution) beat(ctx context.Context) {
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
			_ = s.db.Heartbeat(ctx, attempts)
		}
	}
}

// execute runs one decision with its retries, or, where it cannot have what it needs of broken, records that. It returns how the
// run stands then, and an error only for trouble that ends the call.
func (s *execution) execute(ctx context.Context, it, broken *item) (store.State, error) {
	run := it.Run
	seat := occupy()
	defer func() { seat.leave() }() // the one that it has then
	for try := 0; ; try++ {
		again := s.opt.Force || it.Reason == ReasonLost
		attempt, ok, state, err := s.db.Claim(ctx, start(run, s.opt), again && try == 0 || try > 0)
		if err != nil {
			if ctx.Err() != nil {
				return store.State{Status: store.Interrupted}, nil
			}
			return state, fmt.Errorf("run %s: claim: %w", short(run.Key), err)
		}
		if !ok {
			s.board.elsewhere(run, state)
			return state, nil
		}
		s.enter(attempt)
		s.board.started(run)
		if s.opt.Force && try == 0 { // a repetition is one from the beginning
			if err := s.removeCheckpoint(run); err != nil {
				return state, err
			}
		}
		began := s.opt.Now()
		var outcome store.Outcome
		var runErr error
		if broken != nil {
			runErr = without(it, broken)
			outcome = store.Outcome{Status: store.Failed, Reason: "not begun", Error: runErr.Error()}
		} else {
			outcome, runErr = s.attempt(ctx, run, seat)
		}
		outcome.WallSeconds = s.opt.Now().Sub(began).Seconds()
		outcome.CPUSeconds = s.spent(attempt).Seconds()
		// What was computed is recorded even when ctx has ended meanwhile: that is what an interruption means. The lease is
		// renewed until then, however long other writers keep the database.
		err = s.db.Finish(context.WithoutCancel(ctx), attempt, outcome)
		s.leave(attempt)
		if err != nil {
			return state, fmt.Errorf("run %s: record: %w", short(run.Key), err)
		}
		if outcome.Status.Finished() {
			if err := s.removeCheckpoint(run); err != nil {
				return state, err
			}
		}
		retry := broken == nil && (outcome.Status == store.Failed || outcome.Status == store.TimedOut) && try < s.opt.Retries
		s.board.finished(run, outcome, runErr, retry)
		if !retry {
			if runErr != nil && outcome.Status != store.Interrupted && s.opt.FailFast {
				s.schedule.stop()
			}
			return store.State{Key: run.Key, Status: outcome.Status, Reason: outcome.Reason, Error: outcome.Error}, nil
		}
	}
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

// attempt computes one run and turns whatever happens into an outcome.
func (s *execution) attempt(ctx context.Context, run Planned, seat *seat) (out store.Outcome, err error) {
	runCtx := ctx
	if s.opt.Timeout > 0 {
		var cancel context.CancelFunc
		runCtx, cancel = context.WithTimeoutCause(ctx, s.opt.Timeout, errTimeout)
		defer cancel()
	}
	t := &trial{ctx: runCtx, run: run, of: s, seat: seat}
	out, err = t.guarded()
	if err == nil {
		return out, nil
	}
	partial := store.Outcome{Log: t.log.String(), Error: err.Error()}
	switch {
	case errors.Is(context.Cause(runCtx), errTimeout):
		partial.Status = store.TimedOut
		partial.Reason = fmt.Sprintf("time limit of %v", s.opt.Timeout)
		partial.Error = strings.ReplaceAll(partial.Error, context.DeadlineExceeded.Error(), partial.Reason)
		err = errors.New(partial.Error)
	case ctx.Err() != nil:
		partial.Status = store.Interrupted
		partial.Reason = "interrupted"
		partial.Error = ""
	default:
		partial.Status = store.Failed
		partial.Reason = "failed"
	}
	return partial, err
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
