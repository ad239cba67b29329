package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// archiveBytes is the length of the published archive of cifar-10.
const archiveBytes = 170052171

// serve starts a mirror on this machine, and puts its address into $SERVER. It serves the files of a folder, after the first
// part of an address:
//
//	/good/FILE  well
//	/half/FILE  half of it, and is silent then; from a position in the file on, well
//	/page/FILE  a page of HTML
//	/long/FILE  the beginning of an archive as long as that of cifar-10, and is silent then
func serve(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: serve DIR")
	}
	dir := ts.MkAbs(args[0])
	const tag = `"1"`
	whole := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", tag)
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeFile(w, r, filepath.Join(dir, filepath.FromSlash(r.PathValue("file"))))
	}
	silent := func(w http.ResponseWriter, r *http.Request, length int, start []byte) {
		w.Header().Set("ETag", tag)
		w.Header().Set("Content-Length", strconv.Itoa(length))
		_, _ = w.Write(start)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/good/{file...}", whole)
	mux.HandleFunc("/half/{file...}", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			whole(w, r)
			return
		}
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.PathValue("file"))))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		silent(w, r, len(text), text[:len(text)/2])
	})
	mux.HandleFunc("/page/{file...}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<!DOCTYPE html><title>Log in to see %s</title>", path.Base(r.PathValue("file")))
	})
	mux.HandleFunc("/long/{file...}", func(w http.ResponseWriter, r *http.Request) {
		silent(w, r, archiveBytes, append([]byte{0x1f, 0x8b}, make([]byte, 1<<20)...))
	})
	s := httptest.NewServer(mux)
	ts.Defer(func() {
		s.CloseClientConnections()
		s.Close()
	})
	ts.Setenv("SERVER", s.URL)
}

// condition is for scripts that need the published files: [data] says whether KAPPA_DATA leads to them. Such a script finds
// them in $REAL_DATA.
func condition(name string) (bool, error) {
	if name == "data" {
		return os.Getenv("KAPPA_DATA") != "", nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}
