//go:build unix

package cli

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestStreamFileIntoPipe: what is no regular file, such as a pipe or /dev/null, is written to and stays what it is.
func TestStreamFileIntoPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	read := make(chan string, 1)
	go func() {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		read <- string(data)
	}()
	err := streamFile(path, func(w io.Writer) error {
		_, err := io.WriteString(w, "a line\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
		t.Fatalf("the pipe was replaced: %v", err)
	}
	if got := <-read; got != "a line\n" {
		t.Errorf("read %q from the pipe", got)
	}
}
