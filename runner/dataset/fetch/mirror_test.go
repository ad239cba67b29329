package fetch

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFetchTakesTheNextMirror(t *testing.T) {
	content := noise(20_000, 8)
	packed := zipped(t, content)
	other := noise(20_000, 9)
	loop := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }
	damaged := slices.Clone(packed)
	damaged[len(damaged)/2] ^= 1
	bomb := zipped(t, make([]byte, 4_000_000))
	page := []byte("\n<!DOCTYPE html><html>log in first</html>")
	endless := func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(content); err != nil {
				return
			}
		}
	}
	silent := func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(content[:1000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	tests := []struct {
		name string
		bad  answer
		gzip bool
		says string
		asks int // requests to the bad mirror
	}{
		{"404", status(404), false, "the server answers 404 Not Found", 1},
		{"403", status(403), false, "403 Forbidden", 1},
		{"500", status(500), false, "500 Internal Server Error", 3},
		{"503", status(503), false, "503 Service Unavailable", 3},
		{"redirects in circles", loop, false, "sends elsewhere more than 10 times", 10},
		{"a page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write(make([]byte, 20_000))
		}, false, "a page of HTML", 1},
		{"a page that does not say so", raw(page, len(page)), true, "a page of HTML", 1},
		{"nothing", raw(nil, 0), false, "the server sends nothing", 1},
		{"wrong content of the right length", good(other, ""), false, "its SHA-256 is " + digest(other), 1},
		{"wrong content, compressed", good(zipped(t, other), ""), true, "its SHA-256, uncompressed, is " + digest(other), 1},
		{"a length too short", raw(content[:500], 500), false, "the server sends 500 bytes, 20000 are expected", 1},
		{"a length too long", raw(append(slices.Clone(content), 1), 20_001), false, "the server sends 20001 bytes, 20000 are expected", 1},
		{"a length too short, compressed", raw(packed[:5000], 5000), true, "ends in the middle", 1},
		{"a length far too short, compressed", raw(packed[:12], 12), true, "the server sends 12 bytes, too few", 1},
		{"a length far too long, compressed", raw(packed, 1_000_000), true, "the server sends 1000000 bytes, at most", 1},
		{"a body shorter than its length", cut(raw(content, 20_000), 9000), false, "cut off", 3},
		{"without end", endless, false, "which cannot be right", 1},
		{"a damaged gzip file", good(damaged, ""), true, "gzip stream is damaged", 1},
		{"a gzip bomb", raw(bomb, -1), true, "more than the 20000 bytes, uncompressed, that are expected", 1},
		{"silence", silent, false, "nothing came for 50ms", 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, bad := folder(t), serve(t, test.bad)
			served := content
			if test.gzip {
				served = packed
			}
			fine := serve(t, good(served, ""))
			var events []Event
			o := quick(&events)
			o.Idle = 50 * time.Millisecond
			p := published(content, test.gzip, bad.base(), fine.base())
			found, err := f.Fetch(t.Context(), p, o)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(found[0].From, fine.base()) || bad.count() != test.asks {
				t.Errorf("from %s after %d requests to the bad mirror, want %d", found[0].From, bad.count(), test.asks)
			}
			i := slices.IndexFunc(events, func(e Event) bool { return e.Kind == Failed })
			if i < 0 {
				t.Fatalf("nobody was told that the mirror failed: %+v", events)
			}
			says(t, events[i].Err, test.says)
			holds(t, f, map[string][]byte{"set/file" + map[bool]string{true: ".gz"}[test.gzip]: served})

			// And without another mirror: an error, and nothing that a reader could take for the file.
			f = folder(t)
			p.Mirrors = p.Mirrors[:1]
			_, err = f.Fetch(t.Context(), p, o)
			says(t, err, "fetch set/file", bad.base(), test.says)
			if f.Present(p).Here != 0 {
				t.Error("something is here all the same")
			}
			if mirrors, ok := errors.AsType[*MirrorsError](err); !ok || mirrors.Offline() {
				t.Errorf("error %#v", err)
			}
		})
	}
}

func TestFetchWaitsAsTheServerAsks(t *testing.T) {
	content := noise(1000, 10)
	busy := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	s, f := serve(t, busy, status(500), status(502), good(content, "")), folder(t)
	var waits []time.Duration
	o := quick(nil)
	o.Tries = 4
	o.wait = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	if _, err := f.Fetch(t.Context(), published(content, false, s.base()), o); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{7 * time.Second, 2 * time.Second, 4 * time.Second}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
}

func TestFetchFollowsAServerThatSendsElsewhere(t *testing.T) {
	content := noise(1000, 11)
	there := serve(t, good(content, ""))
	here := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, there.URL+"/elsewhere", http.StatusMovedPermanently)
	})
	f := folder(t)
	if _, err := f.Fetch(t.Context(), published(content, false, here.base()), quick(nil)); err != nil {
		t.Fatal(err)
	}
	secure, open := httpRequest(t, "https://a/"), httpRequest(t, "http://a/")
	if err := checkRedirect(open, []*http.Request{secure}); err == nil {
		t.Error("from https to http: no error")
	}
	if err := checkRedirect(secure, []*http.Request{open}); err != nil {
		t.Errorf("from http to https: %v", err)
	}
}

func httpRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFetchWithoutNetworkNamesTheHosts(t *testing.T) {
	content := noise(1000, 12)
	gone := serve(t, status(500))
	gone.Close()
	f := folder(t)
	p := published(content, false, gone.base(), "http://nowhere.invalid/")
	_, err := f.Fetch(t.Context(), p, quick(nil))
	says(t, err, "no mirror can be reached; tried: 127.0.0.1:", "nowhere.invalid (")
	if mirrors, ok := errors.AsType[*MirrorsError](err); !ok || !mirrors.Offline() {
		t.Errorf("error %#v", err)
	}
	holds(t, f, map[string][]byte{})
	if entries, err := os.ReadDir(f.Dir()); err != nil || len(entries) > 0 {
		t.Errorf("an empty folder is left behind: %v, %v", entries, err)
	}
}

func TestFetchFromAnotherAddress(t *testing.T) {
	content := noise(5000, 18)
	s, f := serve(t, good(content, "")), folder(t)
	o := quick(nil)
	o.From = s.URL + "/some/where"
	found, err := f.Fetch(t.Context(), published(content, false, "http://nowhere.invalid/"), o)
	if err != nil || found[0].From != s.URL+"/some/where/file" {
		t.Errorf("from %s, %v", found[0].From, err)
	}
	for _, bad := range []string{"", "data", "ftp://a/b", "file:///tmp", "http://", "http://a/?q=1", "http://a/#x", "http://[::1"} {
		says(t, CheckAddress(bad), "accepted: http://HOST/FOLDER/")
	}
}

// Whatever a mirror does, there is the right file in the end, or none.
func TestFetchUnderRandomFaults(t *testing.T) {
	content, other := noise(3000, 21), noise(3000, 22)
	packed := zipped(t, content)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		served, gzip := content, r.IntN(2) == 0
		if gzip {
			served = packed
		}
		var answers []answer
		for range r.IntN(6) {
			tag := []string{"", `"1"`, `"2"`, `W/"1"`}[r.IntN(4)]
			n := r.IntN(len(served))
			answers = append(answers, []answer{
				cut(good(served, tag), n), cut(good(other, tag), n), good(other, tag), status(500), status(416),
				raw(served[:n], -1), raw(served[:n], n), cut(raw(served, len(served)), n), raw(other[:n], len(served)),
			}[r.IntN(9)])
		}
		answers = append(answers, good(served, ""))
		s, f := serve(t, answers...), folder(t)
		p := published(content, gzip, s.base(), s.URL+"/e/")
		var err error
		for range 8 { // as a user would
			if _, err = f.Fetch(t.Context(), p, quick(nil)); err == nil {
				break
			}
			if f.Present(p).Here != 0 {
				t.Fatalf("seed %d: after %v something is here", seed, err)
			}
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		found, err := f.Verify(t.Context(), p)
		if err != nil || len(found) != 1 || found[0].State != Right {
			t.Fatalf("seed %d: %+v, %v", seed, found, err)
		}
		s.Close()
	}
}

// TestPasswordIsNotShown: an address with a password is named without it.
func TestPasswordIsNotShown(t *testing.T) {
	e := &MirrorsError{File: "x", Attempts: []Attempt{{URL: "http://me:secret@host/x", Err: &answerError{"the server answers 403 Forbidden"}}}}
	if got := e.Error(); strings.Contains(got, "secret") || !strings.Contains(got, "http://me:xxxxx@host/x") {
		t.Error(got)
	}
}
