package dataset

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// filesOf makes a file system of the given contents.
func filesOf(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

// wantError fails unless err holds every one of the words.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}

// realData is the folder of downloaded data sets, from KAPPA_DATA.
func realData(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("KAPPA_DATA")
	if dir == "" {
		t.Skip("KAPPA_DATA is not set: no folder of data to test against")
	}
	if !filepath.IsAbs(dir) {
		t.Fatalf("KAPPA_DATA is %q; it must be an absolute path", dir)
	}
	return dir
}
