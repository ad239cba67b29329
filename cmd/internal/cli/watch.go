package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"kappa/store"
)

// A watch looks at the files' times every pause, and waits until they have been still for one: editors and commits write in steps. It
// waits for so many pauses at most: while short runs are recorded the database is never still.
const (
	watchPause = 250 * time.Millisecond
	watchMost  = 4
)

// watch renders reports, and again whenever a spec or a run of it changes, until it is interrupted: that is how it ends well.
func (a *app) watch(ctx context.Context, args []string, o reportFlags) error {
	for _, arg := range args {
		if _, err := findSpec(a.cwd, arg); err != nil {
			return err // a slip in the call is nothing to wait for
		}
	}
	s := &sight{app: a, args: args, flags: o}
	again := func() {
		if err := a.report(ctx, args, o); err != nil && ctx.Err() == nil {
			say(a.env.Stderr, err)
		}
	}
	times := s.times() // before the contents, so that nothing that changes meanwhile is missed
	was := s.contents(ctx)
	again()
	if !o.quiet && ctx.Err() == nil {
		a.talk("watching %s; Ctrl-C ends it", strings.Join(args, ", "))
	}
	for {
		var ok bool
		if times, ok = s.await(ctx, times); !ok {
			return nil
		}
		now := s.contents(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if now != was { // a sign of life of another process touches the database too
			was = now
			again()
		}
	}
}

// sight is what a watch looks at.
type sight struct {
	app   *app
	args  []string
	flags reportFlags
}

// await waits until the files have changed from what they were and are still again, or go on changing; ok is false when ctx ends.
func (s *sight) await(ctx context.Context, was string) (now string, ok bool) {
	ticker := time.NewTicker(watchPause)
	defer ticker.Stop()
	before, waited := was, 0
	for {
		select {
		case <-ctx.Done():
			return "", false
		case <-ticker.C:
		}
		now = s.times()
		if now != was {
			if waited++; now == before || waited > watchMost {
				return now, true
			}
		}
		before = now
	}
}

// times are the sizes and times of the specs' files and of their databases.
func (s *sight) times() string {
	var b strings.Builder
	for _, arg := range s.args {
		file, err := findSpec(s.app.cwd, arg)
		if err != nil {
			fmt.Fprintf(&b, "%v\n", err)
			continue
		}
		db := s.app.dbPathFor(file.Root)
		for _, path := range []string{file.Path, db, db + "-wal"} {
			if info, err := os.Stat(path); err == nil {
				fmt.Fprintf(&b, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return b.String()
}

// contents tell apart what reports are made from: the specs, how each run ended, and its tags and notes. What cannot be read is its
// error.
func (s *sight) contents(ctx context.Context) string {
	var b strings.Builder
	dbs := &databases{opener: s.app.openOrEmpty}
	for _, arg := range s.args {
		if err := s.content(ctx, &b, dbs, arg); err != nil {
			fmt.Fprintf(&b, "%v\n", err)
		}
	}
	_ = dbs.close() // it was only read
	return b.String()
}

func (s *sight) content(ctx context.Context, b *strings.Builder, dbs *databases, arg string) error {
	file, err := findSpec(s.app.cwd, arg)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "%s\n%s\n", file.Path, file.Bytes)
	targets, err := s.app.load(ctx, []string{arg}, s.flags.specFlags)
	if err != nil {
		return err
	}
	db, err := dbs.get(ctx, s.app.dbPathFor(file.Root))
	if err != nil {
		return err
	}
	t := targets[0]
	if err := t.makePlan(ctx, db); err != nil {
		return err
	}
	figures, err := db.Figures(ctx, t.plan.Keys())
	if err != nil {
		return err
	}
	marks, err := db.Query(ctx, "SELECT key, tags, note FROM runs WHERE tags <> '[]' OR note IS NOT NULL ORDER BY key", store.QueryOptions{})
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "%s\n%v\n", strings.Join(figures, " "), marks.Values)
	return nil
}
