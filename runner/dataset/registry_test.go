package dataset

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestPublishedTableIsWellFormed(t *testing.T) {
	hexadecimal := func(s string, n int) bool { return len(s) == n && strings.Trim(s, "0123456789abcdef") == "" }
	digests := make(map[string]string)
	unique := func(digest, path string) {
		if other, ok := digests[digest]; ok {
			t.Errorf("%s and %s have the same digest", path, other)
		}
		digests[digest] = path
	}
	for _, p := range Published() {
		if p.Licence == "" || p.Source == "" || len(p.Files) == 0 {
			t.Errorf("%s: licence, source and files are needed: %+v", p.Name, p)
		}
		if len(p.Mirrors) < 2 {
			t.Errorf("%s has %d mirrors, want several", p.Name, len(p.Mirrors))
		}
		for _, m := range p.Mirrors {
			u, err := url.Parse(m)
			// Amazon's addresses of web sites are the ones that have no TLS.
			plain := err == nil && u.Scheme == "http" && strings.Contains(u.Host, ".s3-website.")
			if err != nil || u.Scheme != "https" && !plain || u.Host == "" || !strings.HasSuffix(u.Path, "/") || u.RawQuery != "" {
				t.Errorf("%s: mirror %q; accepted: https://HOST/FOLDER/", p.Name, m)
			}
		}
		for _, f := range p.Files {
			if path.Dir(f.Path) != p.Name || path.Clean(f.Path) != f.Path {
				t.Errorf("%s: file %q; accepted: %s/FILE", p.Name, f.Path, p.Name)
			}
			switch {
			case f.Bytes <= 0:
				t.Errorf("%s: %d bytes", f.Path, f.Bytes)
			case hexadecimal(f.SHA256, 64) && f.MD5 == "":
				unique(f.SHA256, f.Path)
			case f.SHA256 == "" && hexadecimal(f.MD5, 32) && p.Archive != nil:
				unique(f.MD5, f.Path)
			default:
				t.Errorf("%s: SHA-256 %q, MD5 %q; accepted: one of them, MD5 only for what comes in an archive", f.Path, f.SHA256, f.MD5)
			}
		}
		if a := p.Archive; a != nil {
			if !hexadecimal(a.SHA256, 64) || a.Bytes <= 0 || a.Folder == "" || a.Name == "" {
				t.Errorf("%s: archive %+v", p.Name, a)
			}
		}
	}
	if got := names(); !slices.Contains(got, "mnist") {
		t.Errorf("the data sets known by name are %v", got)
	}
}

func TestEveryPublishedDataSetCanBeRead(t *testing.T) {
	for _, p := range Published() {
		if _, err := find(p.Name); err != nil {
			t.Error(err)
		}
		if got, ok := FindPublished(p.Name); !ok || got.Name != p.Name {
			t.Errorf("FindPublished(%q) = %+v, %v", p.Name, got, ok)
		}
	}
	if _, ok := FindPublished("digits"); ok {
		t.Error("digits is in the binary, and yet it can be fetched")
	}
}
