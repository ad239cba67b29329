package fetch

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kappa/runner/dataset"
)

// noise are n bytes that do not compress.
func noise(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	out[0] = 'n' // no gzip file, no page
	return out
}

func zipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(b)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// published is a data set of one file, set/file (.gz where it is compressed at the mirrors), with that content.
func published(content []byte, gzip bool, mirrors ...string) dataset.Publication {
	return dataset.Publication{
		Name: "set", Mirrors: mirrors,
		Files: []dataset.File{{Path: "set/file", Bytes: int64(len(content)), SHA256: digest(content), Gzip: gzip}},
	}
}

// archived is a data set of two files in an archive, and the archive.
func archived(t *testing.T, one, two []byte, mirrors ...string) (dataset.Publication, []byte) {
	t.Helper()
	archive := tape(t, map[string][]byte{
		"batches/one.bin": one, "batches/two.bin": two,
		"batches/readme.html": []byte("<html>"), "../outside": []byte("x"), "/absolute": []byte("y"),
	})
	old := func(b []byte) string { sum := md5.Sum(b); return hex.EncodeToString(sum[:]) }
	return dataset.Publication{
		Name: "set", Mirrors: mirrors,
		Files: []dataset.File{
			{Path: "set/one.bin", Bytes: int64(len(one)), MD5: old(one)},
			{Path: "set/two.bin", Bytes: int64(len(two)), MD5: old(two)},
		},
		Archive: &dataset.Archive{Name: "set.tar.gz", Bytes: int64(len(archive)), SHA256: digest(archive), Folder: "batches"},
	}, archive
}

func tape(t *testing.T, members map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for name, content := range members {
		err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return zipped(t, out.Bytes())
}

// server is a mirror. Each request is answered by the next of its answers, the last one for ever.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
}

type answer func(http.ResponseWriter, *http.Request)

func serve(t *testing.T, answers ...answer) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, r)
		s.mu.Unlock()
		answers[min(n, len(answers)-1)](w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) base() string { return s.URL + "/d/" }

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *server) header(n int, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[n].Header.Get(name)
}

// good serves content well: with its length, a tag, ranges and conditions.
func good(content []byte, etag string) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// cut is an answer that is cut off after n bytes of its body.
func cut(a answer, n int) answer {
	return func(w http.ResponseWriter, r *http.Request) {
		a(&limited{w, n}, r)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

type limited struct {
	http.ResponseWriter
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left < len(b) {
		n := l.left
		l.left = 0
		_, _ = l.ResponseWriter.Write(b[:n])
		return n, io.ErrShortWrite
	}
	l.left -= len(b)
	return l.ResponseWriter.Write(b)
}

// raw sends a body with a header of one's own making; the length −1 sends none (chunks).
func raw(body []byte, length int) answer {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		if length >= 0 {
			w.Header().Set("Content-Length", fmt.Sprint(length))
		}
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(body)
		if length < 0 {
			w.(http.Flusher).Flush()
		}
	}
}

func status(code int) answer {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
}

// folder is an empty data folder.
func folder(t *testing.T) *Folder {
	t.Helper()
	f, err := Create(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// quick are options that wait for nothing.
func quick(events *[]Event) Options {
	return Options{
		Idle: 5 * time.Second, Overall: 20 * time.Second,
		wait: func(ctx context.Context, _ time.Duration) error { return ended(ctx) },
		Notify: func(e Event) {
			if events != nil && e.Kind != Progress {
				*events = append(*events, e)
			}
		},
	}
}

func kinds(events []Event) []Kind {
	var out []Kind
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return out
}

// holds compares the files of the data folder, all of them, with what they have to be.
func holds(t *testing.T, f *Folder, want map[string][]byte) {
	t.Helper()
	var names []string
	err := fs.WalkDir(os.DirFS(f.Dir()), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		names = append(names, name)
		content, err := os.ReadFile(filepath.Join(f.Dir(), name))
		if w, ok := want[name]; ok && w != nil && !bytes.Equal(content, w) {
			t.Errorf("%s has %d bytes that are not the %d expected", name, len(content), len(w))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var wanted []string
	for name := range want {
		wanted = append(wanted, name)
	}
	slices.Sort(wanted)
	if !slices.Equal(names, wanted) {
		t.Errorf("the data folder holds %v, want %v", names, wanted)
	}
}

// put writes a file into the data folder.
func put(t *testing.T, f *Folder, name string, content []byte) {
	t.Helper()
	path := filepath.Join(f.Dir(), filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// says checks that an error is there and that its text has every part.
func says(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error %q lacks %q", err, p)
		}
	}
}
