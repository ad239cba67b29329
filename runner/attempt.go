package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kappa/store"
)

// defaultGrace is how long a run that is to stop is waited for: every loop of the engine looks at its context once a step.
const defaultGrace = 10 * time.Second

// MemoryLimit is the reason of a run that was stopped because the process neared its limit.
const MemoryLimit = "memory limit"

// errTimeout is the cause of a context that ran into Options.Timeout.
var errTimeout = errors.New("the run's time limit is over")

// ended is what became of an attempt.
type ended struct {
	outcome store.Outcome
	err     error
	// left says that the attempt was told to stop and has not: what it still does nobody waits for.
	left bool
}

// attempt computes one run and turns whatever happens into an outcome. It returns at the latest when the run was told to stop, by ctx, its
// time limit or the watchdog, and the grace period has passed since.
func (s *execution) attempt(ctx context.Context, id int64, run Planned, seat *seat) ended {
	runCtx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s.stoppable(id, stop)
	if s.opt.Timeout > 0 {
		var cancel context.CancelFunc
		runCtx, cancel = context.WithTimeoutCause(runCtx, s.opt.Timeout, errTimeout)
		defer cancel()
	}
	t := &trial{ctx: runCtx, run: run, of: s, seat: seat}
	done := make(chan ended, 1)
	go func() {
		out, err := s.opt.compute(t)
		done <- ended{outcome: out, err: err}
	}()
	var e ended
	select {
	case e = <-done:
	case <-runCtx.Done():
		grace := time.NewTimer(s.grace())
		defer grace.Stop()
		select {
		case e = <-done:
		case <-grace.C:
			e = ended{left: true, err: runCtx.Err()}
		}
	}
	if e.err == nil {
		return e
	}
	e.outcome, e.err = s.stopped(ctx, runCtx, t.log.String(), e)
	return e
}

// stopped is the outcome of an attempt that has come to no end of its own.
func (s *execution) stopped(ctx, runCtx context.Context, log string, e ended) (store.Outcome, error) {
	err := e.err
	out := store.Outcome{Log: log, Error: err.Error()}
	memory, full := errors.AsType[*memoryError](context.Cause(runCtx))
	switch {
	case errors.Is(context.Cause(runCtx), errTimeout):
		out.Status, out.Reason = store.TimedOut, fmt.Sprintf("time limit of %v", s.opt.Timeout)
		out.Error = strings.ReplaceAll(out.Error, context.DeadlineExceeded.Error(), out.Reason)
		err = errors.New(out.Error)
	case full:
		out.Status, out.Reason, out.Error = store.Failed, MemoryLimit, memory.Error()
		err = memory
		if e.left {
			out.Status = store.TimedOut
		}
	case ctx.Err() != nil:
		out.Status, out.Reason, out.Error = store.Interrupted, "interrupted", ""
	default:
		out.Status, out.Reason = store.Failed, "failed"
	}
	if e.left {
		said := fmt.Sprintf("it did not stop within %v of being told to (%s), and was given up", s.grace(), out.Reason)
		out.Log += said + "\n"
		out.Reason += "; did not stop"
		if out.Error != "" {
			out.Error += ": " + said
			err = errors.New(out.Error)
		}
	}
	return out, err
}

// grace is how long a run that is to stop is waited for.
func (s *execution) grace() time.Duration {
	if s.opt.Grace > 0 {
		return s.opt.Grace
	}
	return defaultGrace
}

// compute runs a trial; tests put something else in its place.
func (o Options) compute(t *trial) (store.Outcome, error) {
	if o.hook != nil {
		return o.hook(t)
	}
	return t.guarded()
}
