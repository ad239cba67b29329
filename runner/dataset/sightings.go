package dataset

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"sync"
	"time"
)

// Sightings remember files by size and time of modification, so that one that changes between two readings is refused: pictures of a folder are
// read anew for each batch, long after their digest was taken. They can be used by several goroutines at once; nil remembers nothing. Cost: some
// fifty bytes a file.
type Sightings struct {
	mu   sync.Mutex
	seen map[uint64]sighting // by a hash of the name, which may be long
}

type sighting struct {
	size     int64
	modified time.Time
}

// Observer is a file system that remembers what its files were when their digests were taken.
type Observer interface{ Sightings() *Sightings }

// sightingsOf are those of a file system, or new ones.
func sightingsOf(fsys fs.FS) *Sightings {
	if o, ok := fsys.(Observer); ok {
		if s := o.Sightings(); s != nil {
			return s
		}
	}
	return new(Sightings)
}

// check remembers a file, or says that it is not what it was.
func (s *Sightings) check(name string, info fs.FileInfo) error {
	if s == nil {
		return nil
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	now := sighting{info.Size(), info.ModTime()}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = make(map[uint64]sighting)
	}
	was, ok := s.seen[h.Sum64()]
	switch {
	case !ok:
		s.seen[h.Sum64()] = now
	case was.size != now.size:
		return fmt.Errorf("it had %d bytes when it was planned with, and now has %d: the same command plans with what it is now", was.size, now.size)
	case !was.modified.Equal(now.modified):
		return fmt.Errorf("it was modified since it was planned with, at %s: the same command plans with what it is now", now.modified.UTC().Format(time.RFC3339))
	}
	return nil
}
