package store

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// holder names a process so that others can tell whether it still lives: on the same host, in the same boot of it and
// in the same process namespace (containers share a boot, not their process numbers) its number can be looked up.
type holder struct {
	host, boot, namespace string
	pid                   int
}

// thisProcess is the holder that this process claims runs as.
func thisProcess() holder {
	host, err := os.Hostname()
	if err != nil {
		host = "" // no process of a host without a name is ever declared dead before its lease ends
	}
	return holder{host: host, boot: bootID(), namespace: processNamespace(), pid: os.Getpid()}
}

// String is the form stored in the database; parseHolder reads it.
func (h holder) String() string {
	clean := strings.NewReplacer("|", "_", "\n", "_")
	return fmt.Sprintf("%s|%s|%s|%d", clean.Replace(h.host), clean.Replace(h.boot), clean.Replace(h.namespace), h.pid)
}

func parseHolder(s string) (holder, bool) {
	f := strings.Split(s, "|")
	if len(f) != 4 {
		return holder{}, false
	}
	pid, err := strconv.Atoi(f[3])
	if err != nil || pid <= 0 {
		return holder{}, false
	}
	return holder{host: f[0], boot: f[1], namespace: f[2], pid: pid}, true
}

// gone says whether the holder s is known to have ended, seen from h. It is false in doubt: then the lease decides.
func (h holder) gone(s string) bool {
	other, ok := parseHolder(s)
	if !ok || h.host == "" || h.boot == "" {
		return false
	}
	if other.host != h.host || other.namespace != h.namespace {
		return false
	}
	if other.boot == "" {
		return false
	}
	if other.boot != h.boot {
		return true // the host has been started again since
	}
	return !processLives(other.pid)
}
