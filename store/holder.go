package store

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// holder names a process so that others can tell whether it still lives: on the same host, in the same boot of it and
// in the same process namespace (containers share a boot, not their process numbers) its number can be looked up. Its start
// tells it from a later process that was given the same number.
type holder struct {
	host, boot, namespace string
	pid                   int
	start                 string // when the process began, in the system's own notation; "": not known
}

// thisProcess is the holder that this process claims runs as.
func thisProcess() holder {
	host, err := os.Hostname()
	if err != nil {
		host = "" // no process of a host without a name can be looked for
	}
	pid := os.Getpid()
	_, start := lookUp(pid)
	return holder{host: host, boot: bootID(), namespace: processNamespace(), pid: pid, start: start}
}

// String is the form stored in the database; parseHolder reads it.
func (h holder) String() string {
	clean := strings.NewReplacer("|", "_", "\n", "_")
	return fmt.Sprintf("%s|%s|%s|%d|%s", clean.Replace(h.host), clean.Replace(h.boot), clean.Replace(h.namespace), h.pid, clean.Replace(h.start))
}

// parseHolder reads what String writes, with or without the start, which schema version 3 did not know.
func parseHolder(s string) (holder, bool) {
	f := strings.Split(s, "|")
	if len(f) == 4 {
		f = append(f, "")
	}
	if len(f) != 5 {
		return holder{}, false
	}
	pid, err := strconv.Atoi(f[3])
	if err != nil || pid <= 0 {
		return holder{}, false
	}
	return holder{host: f[0], boot: f[1], namespace: f[2], pid: pid, start: f[4]}, true
}

// sight is what one process can tell of another.
type sight int

const (
	unseen sight = iota // on another machine, in another container: it cannot be looked for
	alive
	gone
)

// sees looks for the process of the holder s, as seen from h.
func (h holder) sees(s string) sight {
	other, ok := parseHolder(s)
	if !ok || h.host == "" || h.boot == "" || other.boot == "" || other.host != h.host || other.namespace != h.namespace {
		return unseen
	}
	if other.boot != h.boot {
		return gone // the host has been started again since
	}
	lives, start := lookUp(other.pid)
	if !lives || start != "" && other.start != "" && start != other.start { // its number is another process's now
		return gone
	}
	return alive
}
