package store

import (
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
