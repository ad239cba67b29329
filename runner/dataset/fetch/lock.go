package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"time"

	"kappa/runner/dataset"
)

// errLocked says that another process holds a lock.
var errLocked = errors.New("another process holds it")

// lockPause is how long to wait before a lock that is held is tried again.
const lockPause = 200 * time.Millisecond

// lock makes the folder of a data set, and this process the only one that writes there, until the function that it returns is
// called. While another process does, it waits, and calls waiting first. Where the file system knows no locks there is none:
// then two processes may spoil each other's downloads, which the digests show.
func (f *Folder) lock(ctx context.Context, p dataset.Publication, waiting func()) (func(), error) {
	folder := home(p)
	if err := f.root.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("data folder %s cannot be written: %w", f.dir, cause(err))
	}
	name := path.Join(folder, ".lock")
	for told := false; ; {
		file, err := f.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, fmt.Errorf("data folder %s cannot be written: %w", f.dir, cause(err))
		}
		err = lockFile(file)
		if err == nil {
			mine, e := file.Stat()
			if here, e2 := f.root.Stat(name); e == nil && e2 == nil && os.SameFile(mine, here) {
				f.sweep(p)
				return func() {
					_ = f.root.Remove(name) // while it is held, so that nobody gets hold of one that is going
					_ = file.Close()
					_ = f.root.Remove(folder) // which fails unless nothing has come
				}, nil
			}
			_ = file.Close() // whoever held it has removed it
			continue
		}
		_ = file.Close()
		if !errors.Is(err, errLocked) {
			return nil, fmt.Errorf("lock %s: %w", f.path(name), err)
		}
		if !told {
			waiting()
			told = true
		}
		if err := pause(ctx, lockPause); err != nil {
			return nil, err
		}
	}
}

// pause waits, or returns why the context ended.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}
