//go:build unix

package store

import (
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
)

// lowered runs children that permissions hold for: root may write everywhere, so its children become nobody.
type lowered struct {
	dir    string // a folder that they can read
	binary string
	lower  func(cmd *exec.Cmd)
}

func readersWithoutRights(t *testing.T) lowered {
	t.Helper()
	if os.Geteuid() != 0 {
		return lowered{t.TempDir(), os.Args[0], func(*exec.Cmd) {}}
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "kappa-store-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "store.test")
	copyFile(t, binary, os.Args[0])
	return lowered{dir, binary, func(cmd *exec.Cmd) {
		cmd.Dir = dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}}
}

// ignoreSizeLimit lets a write beyond the limit of file sizes fail, as the command does.
func ignoreSizeLimit() { signal.Ignore(syscall.SIGXFSZ) }
