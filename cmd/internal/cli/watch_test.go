package cli

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestWatchSeesWhatIsNeverStill: while runs are recorded one after the other the database changes at every look, and the watch renders
// all the same.
func TestWatchSeesWhatIsNeverStill(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.toml")
	if err := os.WriteFile(path, []byte("#"), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() {
		for n := 2; ctx.Err() == nil; n++ {
			_ = os.Truncate(path, int64(n))
			time.Sleep(watchPause / 20)
		}
	}()
	s := &sight{app: &app{env: Env{Getenv: os.Getenv}, cwd: dir}, args: []string{path}}
	began := time.Now()
	if _, ok := s.await(ctx, s.times()); !ok {
		t.Fatalf("nothing was seen in %v", time.Since(began).Round(time.Second))
	}
}
