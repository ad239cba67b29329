package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestFetchPutsAFileInItsPlaceAndLeavesNothingElse(t *testing.T) {
	content := noise(300_000, 1)
	packed := zipped(t, content)
	tests := []struct {
		name   string
		gzip   bool // published compressed
		served []byte
		want   string // file in the folder
		kept   []byte
	}{
		{"as published, compressed", true, packed, "set/file.gz", packed},
		{"as published, plain", false, content, "set/file", content},
		{"decompressed by the server", true, content, "set/file", content},
		{"compressed by the server", false, packed, "set/file", content},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, f := serve(t, good(test.served, `"1"`)), folder(t)
			p := published(content, test.gzip, s.base())
			var events []Event
			found, err := f.Fetch(t.Context(), p, quick(&events))
			if err != nil {
				t.Fatal(err)
			}
			holds(t, f, map[string][]byte{test.want: test.kept})
			if len(found) != 1 || found[0].State != Fetched || found[0].File != test.want || found[0].Bytes != int64(len(test.kept)) {
				t.Errorf("findings %+v", found)
			}
			if got := kinds(events); !slices.Equal(got, []Kind{Started, Finished}) {
				t.Errorf("events %v", got)
			}
			found, err = f.Fetch(t.Context(), p, quick(nil))
			if err != nil || found[0].State != Right || s.count() != 1 {
				t.Errorf("again: %+v, %v, %d requests in all; the file is here", found, err, s.count())
			}
			if got := f.Present(p); !got.Complete() {
				t.Errorf("Present: %+v", got)
			}
		})
	}
}

func TestFetchGoesOnWhereItWasCutOff(t *testing.T) {
	content := noise(400_000, 2)
	whole := good(content, `"v1"`)
	s, f := serve(t, cut(whole, 100_000), cut(whole, 150_000), whole), folder(t)
	var events []Event
	if _, err := f.Fetch(t.Context(), published(content, false, s.base()), quick(&events)); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"set/file": content})
	if got := kinds(events); !slices.Equal(got, []Kind{Started, Retried, Retried, Finished}) {
		t.Errorf("events %v", got)
	}
	if r, c := s.header(1, "Range"), s.header(1, "If-Range"); r != "bytes=100000-" || c != `"v1"` {
		t.Errorf("second request: Range %q, If-Range %q", r, c)
	}
	if r := s.header(2, "Range"); r != "bytes=250000-" {
		t.Errorf("third request: Range %q", r)
	}
}

// A server that cuts off again and again is asked on as long as it brings something.
func TestFetchIsPatientWithAServerThatBringsSomething(t *testing.T) {
	content := noise(1_000_000, 3)
	s, f := serve(t, cut(good(content, `"v1"`), 2*worthWhile)), folder(t)
	if _, err := f.Fetch(t.Context(), published(content, false, s.base()), quick(nil)); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"set/file": content})
	if n := s.count(); n != 8 {
		t.Errorf("%d requests, want 8", n)
	}
}

func TestFetchInterruptedKeepsWhatCame(t *testing.T) {
	content := noise(400_000, 4)
	ctx, cancel := context.WithCancel(t.Context())
	hang := func(w http.ResponseWriter, r *http.Request) {
		good(content, `"v1"`)(&limited{w, 100_000}, r)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	dead := serve(t, status(http.StatusNotFound))
	s, f := serve(t, hang, good(content, `"v1"`)), folder(t)
	p := published(content, false, dead.base(), s.base())
	o := quick(nil)
	o.Notify = func(e Event) {
		if e.Kind == Progress && e.Done == 100_000 {
			cancel()
		}
	}
	_, err := f.Fetch(ctx, p, o)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want one that is context.Canceled", err)
	}
	holds(t, f, map[string][]byte{"set/file.part": content[:100_000], "set/file.part.from": nil})
	if got := f.Present(p); got.Here != 0 {
		t.Errorf("half a file counts as here: %+v", got)
	}
	// The next fetch goes on, and asks the mirror that has begun before the others.
	var events []Event
	if _, err := f.Fetch(t.Context(), p, quick(&events)); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"set/file": content})
	if r := s.header(1, "Range"); r != "bytes=100000-" || dead.count() != 1 || events[0].Done != 100_000 {
		t.Errorf("Range %q, %d requests to the dead mirror, begun after %d bytes", r, dead.count(), events[0].Done)
	}
}

func TestFetchBeginsAnewWhereItCannotGoOn(t *testing.T) {
	old, content := noise(300_000, 5), noise(300_000, 6)
	longer := append(slices.Clone(content), 'x')
	partial := func(body []byte, from, to, total string, etag string) answer {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes "+from+"-"+to+"/"+total)
			w.Header().Set("ETag", etag)
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(body)
		}
	}
	tests := []struct {
		name    string
		answers []answer
		events  []Kind
	}{
		{
			"the server knows no ranges",
			[]answer{cut(good(content, `"1"`), 100_000), raw(content, len(content))},
			[]Kind{Started, Retried, Restarted, Finished},
		},
		{
			"the file changed, and the server says so",
			[]answer{cut(good(old, `"1"`), 100_000), good(content, `"2"`)},
			[]Kind{Started, Retried, Restarted, Finished},
		},
		{
			"the file changed, and only its tag says so",
			[]answer{cut(good(old, `"1"`), 100_000), partial(content[100_000:], "100000", "299999", "300000", `"2"`), good(content, `"2"`)},
			[]Kind{Started, Retried, Retried, Finished},
		},
		{
			"the file changed, and nothing says so",
			[]answer{cut(good(old, ""), 100_000), good(content, "")},
			[]Kind{Started, Retried, Retried, Finished},
		},
		{
			"the file has another length now",
			[]answer{cut(good(content, `"1"`), 100_000), partial(longer[100_000:], "100000", "300000", "300001", `"1"`), good(content, `"1"`)},
			[]Kind{Started, Retried, Retried, Finished},
		},
		{
			"another range than the one asked for",
			[]answer{cut(good(content, `"1"`), 100_000), partial(content[:5], "0", "4", "300000", `"1"`), good(content, `"1"`)},
			[]Kind{Started, Retried, Retried, Finished},
		},
		{
			"a range that is none",
			[]answer{cut(good(content, `"1"`), 100_000), partial(content[:5], "x", "", "", `"1"`), good(content, `"1"`)},
			[]Kind{Started, Retried, Retried, Finished},
		},
		{
			"there is no more, says the server",
			[]answer{cut(good(content, `"1"`), 100_000), status(http.StatusRequestedRangeNotSatisfiable), good(content, `"1"`)},
			[]Kind{Started, Retried, Retried, Finished},
		},
		{
			"cut off where nobody said how long it is",
			[]answer{cut(raw(content[:100_000], -1), 90_000), good(content, `"1"`)},
			[]Kind{Started, Retried, Finished},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, f := serve(t, test.answers...), folder(t)
			var events []Event
			if _, err := f.Fetch(t.Context(), published(content, false, s.base()), quick(&events)); err != nil {
				t.Fatal(err)
			}
			holds(t, f, map[string][]byte{"set/file": content})
			if got := kinds(events); !slices.Equal(got, test.events) {
				t.Errorf("events %v, want %v", got, test.events)
			}
		})
	}
}

// A stream that ends without anybody having said where it ends is gone on with.
func TestFetchGoesOnWhereTheEndIsNotKnown(t *testing.T) {
	content := noise(300_000, 7)
	packed := zipped(t, content)
	for _, test := range []struct {
		name   string
		served []byte
	}{{"plain", content}, {"compressed", packed}} {
		t.Run(test.name, func(t *testing.T) {
			s, f := serve(t, raw(test.served[:100_000], -1), good(test.served, "")), folder(t)
			if _, err := f.Fetch(t.Context(), published(content, true, s.base()), quick(nil)); err != nil {
				t.Fatal(err)
			}
			if r := s.header(1, "Range"); r != "bytes=100000-" {
				t.Errorf("Range %q", r)
			}
		})
	}
}

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

// smallDisk takes so many bytes.
type smallDisk struct {
	w    io.Writer
	left *int
}

func (d smallDisk) Write(b []byte) (int, error) {
	n := min(len(b), *d.left)
	*d.left -= n
	n, err := d.w.Write(b[:n])
	if err == nil && n < len(b) {
		err = &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	return n, err
}

func TestFetchOntoAFullDisk(t *testing.T) {
	content := noise(300_000, 13)
	s, other := serve(t, good(content, `"1"`)), serve(t, good(content, `"1"`))
	f := folder(t)
	p := published(content, false, s.base(), other.base())

	// Known before: nothing comes.
	o := quick(nil)
	o.free = func() (int64, bool) { return 1000, true }
	_, err := f.Fetch(t.Context(), p, o)
	says(t, err, "set/file: the disk is full: 300.0 kB more are needed, 1.0 kB are free")
	if f.Present(p).Here != 0 || other.count() != 0 {
		t.Errorf("another mirror was asked %d times", other.count())
	}

	// Found out on the way: what came is kept.
	left := 100_000
	o = quick(nil)
	o.free = func() (int64, bool) { return 0, false }
	f.wrap = func(w io.Writer) io.Writer { return smallDisk{w, &left} }
	_, err = f.Fetch(t.Context(), p, o)
	says(t, err, "set/file: the disk is full: 200.0 kB more are needed")
	if full, ok := errors.AsType[*DiskFullError](err); !ok || full.Need != 200_000 || full.Free != -1 {
		t.Errorf("error %#v", err)
	}
	if other.count() != 0 {
		t.Error("another mirror was asked, which does not help")
	}
	holds(t, f, map[string][]byte{"set/file.part": content[:100_000], "set/file.part.from": nil})

	f.wrap = nil
	if _, err = f.Fetch(t.Context(), p, quick(nil)); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"set/file": content})
}

func TestTwoFetchesAtTheSameTimeShareTheWork(t *testing.T) {
	content := noise(200_000, 14)
	slow := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		good(content, "")(w, r)
	}
	s, f := serve(t, slow), folder(t)
	var group sync.WaitGroup
	errs := make([]error, 3)
	for i := range errs {
		group.Go(func() {
			mine, err := Open(f.Dir())
			if err == nil {
				defer mine.Close()
				_, err = mine.Fetch(t.Context(), published(content, false, s.base()), quick(nil))
			}
			errs[i] = err
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if n := s.count(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	holds(t, f, map[string][]byte{"set/file": content})
}

func TestFetchReplacesWhatIsWrong(t *testing.T) {
	content := noise(5000, 15)
	packed := zipped(t, content)
	s, f := serve(t, good(packed, "")), folder(t)
	put(t, f, "set/file", noise(5000, 16)) // a reader would take it before set/file.gz
	put(t, f, "set/file.gz", packed[:100])
	put(t, f, "set/file.gz.part", []byte("of whom?"))
	if _, err := f.Fetch(t.Context(), published(content, true, s.base()), quick(nil)); err != nil {
		t.Fatal(err)
	}
	holds(t, f, map[string][]byte{"set/file.gz": packed})
	if r := s.header(0, "Range"); r != "" {
		t.Errorf("Range %q: nobody knows of what the part was one", r)
	}
}

func TestFetchIsOverAfterAWhile(t *testing.T) {
	content := noise(5000, 17)
	drip := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5000")
		for i := 0; r.Context().Err() == nil && i < len(content); i++ {
			_, _ = w.Write(content[i : i+1])
			w.(http.Flusher).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	}
	s, f := serve(t, drip), folder(t)
	o := quick(nil)
	o.Overall = 3100 * time.Millisecond / 10
	_, err := f.Fetch(t.Context(), published(content, false, s.base()), o)
	says(t, err, "it is not done after 310ms")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %#v", err)
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

func TestFetchLeavesTheFolderByNoLink(t *testing.T) {
	content := noise(5000, 19)
	s, f := serve(t, good(content, "")), folder(t)
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(f.Dir(), "set")); err != nil {
		t.Skip(err)
	}
	_, err := f.Fetch(t.Context(), published(content, false, s.base()), quick(nil))
	says(t, err, "escapes")
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("written outside of the folder: %v, %v", entries, err)
	}
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("permissions do not bind root")
	}
	content := noise(5000, 20)
	f := folder(t)
	put(t, f, "set/file", content)
	if err := os.Chmod(f.Dir(), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(f.Dir(), 0o755) })
	if found, err := f.Fetch(t.Context(), published(content, false), quick(nil)); err != nil || found[0].State != Right {
		t.Errorf("a file that is here: %+v, %v", found, err)
	}
	p := published(content, false)
	p.Files[0].Path = "other/file"
	_, err := f.Fetch(t.Context(), p, quick(nil))
	says(t, err, "cannot be written")
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

func TestContentRange(t *testing.T) {
	tests := []struct {
		text         string
		first, total int64
		ok           bool
	}{
		{"bytes 5-9/10", 5, 10, true},
		{"bytes 5-9/*", 5, -1, true},
		{"bytes 5-10/10", 5, 10, false},
		{"bytes 9-5/10", 9, 10, false},
		{"bytes -5/10", 0, 0, false},
		{"bytes 5-9", 0, 0, false},
		{"bytes */10", 0, 0, false},
		{"bytes -9--1/10", 0, 0, false},
		{"items 5-9/10", 0, 0, false},
		{"bytes 5-9/99999999999999999999", 5, 0, false},
		{"", 0, 0, false},
	}
	for _, test := range tests {
		first, total, ok := contentRange(test.text)
		if ok != test.ok || ok && (first != test.first || total != test.total) {
			t.Errorf("contentRange(%q) = %d, %d, %v; want %d, %d, %v", test.text, first, total, ok, test.first, test.total, test.ok)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 9_912_422: "9.9 MB", 4 << 40: "4.4 TB", 1 << 60: "1152921.5 TB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}

// A compressed copy of something longer is given up when there is more than the file has, not when the disk or the memory is full.
func TestMeasureIsBounded(t *testing.T) {
	bomb := zipped(t, make([]byte, 10_000_000))
	read := &counting{r: bytes.NewReader(bomb)}
	_, err := measure(t.Context(), read, either, 1000)
	says(t, err, "more than 1000 bytes")
	if read.n > bufferBytes {
		t.Errorf("%d bytes were read of %d", read.n, len(bomb))
	}
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}
