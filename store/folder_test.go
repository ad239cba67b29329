package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestMakeFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b", "c")
	for range 2 {
		must(t, makeFolders(dir))
		if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
			t.Fatalf("%v, %v", fi, err)
		}
	}
	file := filepath.Join(dir, "f")
	must(t, os.WriteFile(file, nil, 0o600))
	for _, name := range []string{file, filepath.Join(file, "d")} {
		if err := makeFolders(name); err == nil {
			t.Errorf("%s is a folder", name)
		}
	}
}

// TestPlaceNew: what has come into being meanwhile is not overwritten.
func TestPlaceNew(t *testing.T) {
	dir := t.TempDir()
	tmp, dst := filepath.Join(dir, "tmp"), filepath.Join(dir, "dst")
	must(t, os.WriteFile(tmp, []byte("new"), 0o600))
	must(t, os.WriteFile(dst, []byte("old"), 0o600))
	if err := placeNew(tmp, dst); !errors.Is(err, ErrExists) {
		t.Errorf("%v, want ErrExists", err)
	}
	if b, err := os.ReadFile(dst); string(b) != "old" {
		t.Errorf("it holds %q, %v", b, err)
	}
	must(t, os.Remove(dst))
	must(t, placeNew(tmp, dst))
	if b, err := os.ReadFile(dst); string(b) != "new" {
		t.Errorf("it holds %q, %v", b, err)
	}
}
