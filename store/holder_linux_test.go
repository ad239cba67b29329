package store

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestHolderUnburied: a process that was killed and whose parent has not yet asked for its end is gone.
func TestHolderUnburied(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for range 200 { // until the kernel has ended it
		if lives, _ := lookUp(cmd.Process.Pid); !lives {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if lives, _ := lookUp(cmd.Process.Pid); lives {
		t.Error("a killed process counts as alive until it is waited for")
	}
	_ = cmd.Wait()
	if lives, start := lookUp(os.Getpid()); !lives || start == "" {
		t.Error("this process does not live")
	}
}
