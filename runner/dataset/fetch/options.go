package fetch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kappa/runner/dataset"
)

// Options are how to fetch. The zero value of each means its default.
type Options struct {
	// Client asks the servers; its transport is used as it is, with the proxies it knows. nil means http.DefaultClient.
	Client *http.Client
	// From is the address of a folder that takes the place of all mirrors; "" means those of the data set.
	From string
	// Idle is how long a server may be silent; 0 means 30 s.
	Idle time.Duration
	// Overall is how long a data set may take, waiting for other processes included; 0 means 2 h.
	Overall time.Duration
	// Tries is how many times in a row one mirror may fail without having sent anything worth while; 0 means 3.
	Tries int
	// Backoff is the pause before the second try, which doubles from try to try up to 16 times itself; 0 means 1 s.
	Backoff time.Duration
	// Notify is told how it goes, one event after another; nil: nobody is.
	Notify func(Event)

	free func() (int64, bool)                       // tests: what the disk can still take
	wait func(context.Context, time.Duration) error // tests: no pause
}

// Event is news of a file.
type Event struct {
	Kind  Kind
	File  string        // in the data folder, as published
	URL   string        // the address it comes from
	Done  int64         // bytes that are here
	Total int64         // bytes there will be; −1 or 0 if nobody knows
	Err   error         // of Failed and Retried
	Pause time.Duration // of Retried
}

// Kind is what happened.
type Kind int

// What can happen.
const (
	Waiting   Kind = iota // another process fetches the same data set: its end is waited for
	Skipped               // the file is here, and right
	Started               // a mirror is asked; Done bytes are here from an earlier time
	Progress              // bytes came
	Restarted             // the server sends the file from its beginning: Done bytes are thrown away
	Retried               // the mirror failed with Err and is asked again after Pause
	Failed                // the mirror failed with Err for good: the next one is asked
	Unpacking             // the archive is here, and right: its files are taken out
	Finished              // the file is in its place
)

const (
	defaultIdle    = 30 * time.Second
	defaultOverall = 2 * time.Hour
	defaultTries   = 3
	defaultBackoff = time.Second

	backoffLimit   = 16       // times the first pause
	worthWhile     = 64 << 10 // bytes with which a try that failed was none in vain
	triesPerMirror = 100      // however much each brings
	maxRedirects   = 10
)

// getter fills in what the options leave open.
func (f *Folder) getter(p dataset.Publication, o Options) (*getter, error) {
	if o.From != "" {
		base, err := baseAddress(o.From)
		if err != nil {
			return nil, err
		}
		p.Mirrors = []string{base}
	}
	if o.Idle == 0 {
		o.Idle = defaultIdle
	}
	if o.Overall == 0 {
		o.Overall = defaultOverall
	}
	if o.Tries == 0 {
		o.Tries = defaultTries
	}
	if o.Backoff == 0 {
		o.Backoff = defaultBackoff
	}
	if o.wait == nil {
		o.wait = pause
	}
	if o.free == nil {
		o.free = f.free
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	client := *o.Client
	client.CheckRedirect = checkRedirect
	return &getter{Options: o, folder: f, client: &client, set: p}, nil
}

// CheckAddress says whether s can be the address of a folder at a mirror.
func CheckAddress(s string) error {
	_, err := baseAddress(s)
	return err
}

// baseAddress is the address of a folder with a slash at its end.
func baseAddress(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("address %q: accepted: http://HOST/FOLDER/ or https://HOST/FOLDER/, of the folder that holds the files", s)
	}
	if !strings.HasSuffix(u.Path, "/") {
		u.Path += "/"
		u.RawPath = ""
	}
	return u.String(), nil
}

// checkRedirect follows a server that sends elsewhere, but not round in circles, nor from a protected address to an open one.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return &answerError{fmt.Sprintf("the server sends elsewhere more than %d times", maxRedirects)}
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return &answerError{"the server sends from https to " + req.URL.Scheme}
	}
	return nil
}
