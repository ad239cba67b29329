package runner

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kappa/store"
)

// between is a database in which something happens when a run has failed, before it is tried again.
type between struct {
	*store.DB
	happens func()
}

func (b *between) Finish(ctx context.Context, attempt int64, o store.Outcome) error {
	err := b.DB.Finish(ctx, attempt, o)
	if o.Status == store.TimedOut && b.happens != nil {
		b.happens()
		b.happens = nil
	}
	return err
}

// TestRetriesGoOverNothingNew: what somebody else has finished between two tries is not executed again, not by --force either; what was
// finished before a repetition began is in no one's way.
func TestRetriesGoOverNothingNew(t *testing.T) {
	text := strings.Replace(small, "steps = 3", "steps = 2000000\ntrace = \"none\"", 1)
	text = strings.Replace(text, `["identity", "immunize", "released", "optimum"]`, `["immunize"]`, 1)
	text, _, _ = strings.Cut(text, "[[override]]")
	plan := planOf(t, text)
	for _, tt := range []struct {
		name                   string
		before, meanwhile      bool // somebody else finishes it
		force                  bool
		retried, failed, tries int
	}{
		{"finished meanwhile", false, true, false, 1, 0, 1},
		{"nothing happens", false, false, false, 1, 1, 2},
		{"a repetition", true, false, true, 1, 1, 2},
		{"a repetition, finished meanwhile", true, true, true, 1, 0, 1},
		{"forced, finished for the first time meanwhile", false, true, true, 1, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), ".kappa", "runs.db")
			open := func() *store.DB {
				db, err := store.Open(t.Context(), path, store.Options{Now: time.Now})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = db.Close() })
				return db
			}
			mine, theirs := open(), open()
			finish := func() {
				a, ok, _, err := theirs.Claim(t.Context(), start(plan.Runs[0], Options{Now: time.Now}), true)
				if err == nil && ok {
					err = theirs.Finish(t.Context(), a, store.Outcome{Status: store.Done})
				}
				if err != nil || !ok {
					t.Errorf("somebody else: %v, %v", ok, err)
				}
			}
			if tt.before {
				finish()
			}
			db := &between{DB: mine}
			if tt.meanwhile {
				db.happens = finish
			}
			var retried int
			sum, err := Run(t.Context(), plan, db, Options{
				Jobs: 1, Timeout: 10 * time.Millisecond, Retries: 1, Force: tt.force, Now: time.Now,
				Notify: func(e Event) {
					if e.Kind == Retried {
						retried++
					}
				},
			})
			if err != nil || retried != tt.retried || sum.Failed != tt.failed {
				t.Errorf("retried %d, failed %d, error %v; want %d, %d and none", retried, sum.Failed, err, tt.retried, tt.failed)
			}
			if n := count(t, mine, "SELECT count(*) FROM attempts WHERE status = 'timeout'"); n != int64(tt.tries) {
				t.Errorf("it was executed %d times, want %d", n, tt.tries)
			}
		})
	}
}
