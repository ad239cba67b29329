package fetch

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
)

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
