package store

import (
	"testing"
	"time"
)

// TestClockJumps sets the clock by hours while runs are under way: nothing is taken from a process that lives, nothing of a process that
// is gone is stuck, and no run ends before it began.
func TestClockJumps(t *testing.T) {
	for _, jump := range []time.Duration{-5 * time.Hour, 5 * time.Hour} {
		clk := newClock()
		path := newPath(t)
		self := thisProcess()
		dead := self
		dead.pid, dead.start = deadPid(t), "1"
		reused := self // its number is this process's now
		reused.start = "1"
		mine := openTest(t, path, Options{Now: clk.now, Elapsed: clk.elapsed})
		a := claimTest(t, mine, start(1), false)
		for i, h := range []holder{dead, reused, {"far", "boot", "ns", 17, "1"}} {
			claimTest(t, openTest(t, path, Options{Now: clk.now, Elapsed: clk.elapsed, Holder: h.String()}), start(2+i), false)
		}
		yours := openTest(t, path, Options{Now: clk.now, Elapsed: clk.elapsed})
		clk.set(jump)
		_, taken, _, err := yours.Claim(t.Context(), start(1), false)
		must(t, err)
		if taken {
			t.Errorf("%v: the run of a process that lives was taken", jump)
		}
		if self.boot != "" {
			for i := 2; i <= 3; i++ {
				if _, taken, st, err := yours.Claim(t.Context(), start(i), false); err != nil || !taken {
					t.Errorf("%v: run %d of a process that is gone is stuck: %+v, %v", jump, i, st, err)
				}
			}
		}
		if _, taken, _, err := yours.Claim(t.Context(), start(4), false); err != nil || taken {
			t.Errorf("%v: the run of a process elsewhere was taken at first sight: %v", jump, err)
		}
		clk.set(-jump)
		clk.advance(Lease / 2)
		clk.set(jump)
		if _, taken, _, err := yours.Claim(t.Context(), start(4), false); err != nil || taken {
			t.Errorf("%v: the run of a process elsewhere was taken after half its time: %v", jump, err)
		}
		clk.advance(Lease)
		claimTest(t, yours, start(4), false)

		o := outcome(1)
		o.WallSeconds = 90
		must(t, mine.Finish(t.Context(), a, o))
		if got := one(t, mine, "SELECT min(finished >= started) FROM attempts WHERE finished IS NOT NULL"); got != int64(1) {
			t.Errorf("%v: an attempt ends before it began", jump)
		}
		if jump < 0 {
			if got := one(t, mine, "SELECT round((julianday(finished) - julianday(started)) * 86400) FROM runs WHERE key = '"+key(1)+"'"); got != 90.0 {
				t.Errorf("%v: it ends %v s after its beginning, want the 90 that it took", jump, got)
			}
		}
		mustCheck(t, mine)
	}
}
