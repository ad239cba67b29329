package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// writeError says that something could not be written in the data folder. No other mirror helps.
type writeError struct {
	path string
	err  error
}

func (e *writeError) Error() string { return fmt.Sprintf("write %s: %v", e.path, e.err) }
func (e *writeError) Unwrap() error { return e.err }

// DiskFullError says that a file does not fit.
type DiskFullError struct {
	Path string
	Need int64 // bytes that are still to be written, at least
	Free int64 // that the disk can still take; −1 if it does not say
}

func (e *DiskFullError) Error() string {
	free := ""
	if e.Free >= 0 {
		free = ", " + Size(e.Free) + " are free"
	}
	return fmt.Sprintf("write %s: the disk is full: %s more are needed%s", e.Path, Size(e.Need), free)
}

// Attempt is how one mirror failed.
type Attempt struct {
	URL string
	Err error
}

// Host is the host of the address.
func (a Attempt) Host() string {
	if u, err := url.Parse(a.URL); err == nil && u.Host != "" {
		return u.Host
	}
	return a.URL
}

// shown is the address without a password.
func (a Attempt) shown() string {
	if u, err := url.Parse(a.URL); err == nil {
		return u.Redacted()
	}
	return a.URL
}

// MirrorsError says that no mirror gave a file.
type MirrorsError struct {
	File     string // in the data folder
	Attempts []Attempt
	Kept     int64 // bytes that are kept, for a next time
}

// Error names the hosts if none could be reached, and what was wrong with each answer otherwise.
func (e *MirrorsError) Error() string {
	if e.Offline() {
		var hosts []string
		for _, a := range e.Attempts {
			hosts = append(hosts, fmt.Sprintf("%s (%s)", a.Host(), briefly(a.Err)))
		}
		return fmt.Sprintf("fetch %s: no mirror can be reached; tried: %s", e.File, strings.Join(hosts, ", "))
	}
	var parts []string
	for _, a := range e.Attempts {
		parts = append(parts, fmt.Sprintf("%s: %s", a.shown(), briefly(a.Err)))
	}
	return fmt.Sprintf("fetch %s: no mirror gave it: %s", e.File, strings.Join(parts, "; "))
}

// Offline says whether no mirror was reached at all, as without a network.
func (e *MirrorsError) Offline() bool {
	for _, a := range e.Attempts {
		if !unreachable(a.Err) {
			return false
		}
	}
	return len(e.Attempts) > 0
}

// briefly is why a connection was not made, without the addresses that are named already.
func briefly(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err.Error()
	}
	return err.Error()
}

// unreachable says whether no connection was made.
func unreachable(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// statusError is an answer that holds no file.
type statusError struct {
	code  int
	after time.Duration // how long the server wants to be left alone; 0 if it does not say
}

func (e *statusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("the server answers %d %s", e.code, http.StatusText(e.code)))
}

// passing says whether the same question may have a better answer in a while.
func (e *statusError) passing() bool {
	switch e.code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// answerError is an answer that cannot be the file, whatever follows.
type answerError struct{ text string }

func (e *answerError) Error() string { return e.text }

// changedError says that what is there is no beginning of what the server has now, and that it has been thrown away.
type changedError struct{ text string }

func (e *changedError) Error() string { return e.text }

// cutError says that an answer ended before the file did.
type cutError struct{ err error }

func (e *cutError) Error() string {
	if e.err == nil {
		return "the connection ended in the middle"
	}
	return fmt.Sprintf("the connection was cut off: %v", e.err)
}
func (e *cutError) Unwrap() error { return e.err }

// idleError says that a server fell silent.
type idleError struct{ after time.Duration }

func (e *idleError) Error() string { return fmt.Sprintf("nothing came for %v", e.after) }

// overallError says that the time for everything is over.
type overallError struct{ after time.Duration }

func (e *overallError) Error() string { return fmt.Sprintf("it is not done after %v", e.after) }
func (e *overallError) Unwrap() error { return context.DeadlineExceeded }

// again says whether the same mirror may be asked again.
func again(err error) bool {
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.passing()
	}
	_, cut := errors.AsType[*cutError](err)
	_, idle := errors.AsType[*idleError](err)
	_, changed := errors.AsType[*changedError](err)
	return cut || idle || changed
}

// requestError strips what a failed request says beside its reason, the address being named already, and marks the failures
// of a connection that was there.
func requestError(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if unreachable(err) {
		return err
	}
	_, network := errors.AsType[net.Error](err)
	if network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &cutError{err}
	}
	return err
}
