package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"
)

// diskSync measures how long the disk under the first of some folders that is there takes to keep what was written: the end of a run waits for
// two such syncs, one of the database's log and one of the list of what was recorded. It takes a second at most, or one sync.
func diskSync(ctx context.Context, dir, instead string, now func() time.Time) finding {
	const (
		times = 15
		most  = time.Second
		slow  = 50 * time.Millisecond
	)
	f := finding{what: "disk sync", state: stateOK}
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		dir = instead
	}
	took, err := syncTimes(ctx, dir, times, most, now)
	if err != nil || len(took) == 0 {
		f.state, f.value, f.hint = stateWarn, fmt.Sprintf("%s: not measured: %v", dir, cause(errors.Join(err, ctx.Err()))), "see the folders above"
		return f
	}
	median := took[len(took)/2]
	f.value = fmt.Sprintf("%s for 4 KiB, the slowest of %d %s; the end of a run waits for two",
		median.Round(10*time.Microsecond), len(took), took[len(took)-1].Round(10*time.Microsecond))
	if median > slow {
		f.state, f.hint = stateWarn, "--db FILE on another disk records faster"
	}
	return f
}

// syncTimes appends pages to a temporary file in dir, syncs it after each, and returns how long that took, from the shortest on.
func syncTimes(ctx context.Context, dir string, times int, most time.Duration, now func() time.Time) (took []time.Duration, err error) {
	const page = 4096
	file, err := os.CreateTemp(dir, ".kappa-doctor.*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	for begun := now(); len(took) < times && now().Sub(begun) < most && ctx.Err() == nil; {
		start := now()
		if _, err := file.Write(make([]byte, page)); err != nil {
			return nil, err
		}
		if err := file.Sync(); err != nil {
			return nil, err
		}
		took = append(took, now().Sub(start))
	}
	slices.Sort(took)
	return took, nil
}
