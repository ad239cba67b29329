package fetch

import (
	"context"
	"errors"
	"net/http"
	"slices"
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
