package dataset

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Library is a file system that also says where the files of data sets known by name lie. Where the file system given to
// [Load] is none, those files are looked for in it itself.
type Library interface {
	fs.FS
	// Library returns the data folder, in which "mnist/train-images-idx3-ubyte" is a path, and how messages call it.
	Library() (files fs.FS, folder string)
}

// library is where the files of data sets known by name lie, and how messages call it.
func library(fsys fs.FS) (files fs.FS, folder string) {
	if l, ok := fsys.(Library); ok {
		return l.Library()
	}
	return fsys, "the data folder"
}

// openKnown opens a file of the data set n, one of those that s reads: as it is, or compressed with ".gz" after its name.
func (n named) openKnown(fsys fs.FS, s Source, path string) (*file, error) {
	files, _ := library(fsys)
	if files == nil {
		return nil, n.missing(fsys, s, path)
	}
	f, err := openFile(files, path)
	if !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	if f, err = openFile(files, path+".gz"); errors.Is(err, fs.ErrNotExist) {
		return nil, n.missing(fsys, s, path)
	}
	return f, err
}

// missing says which files that s reads are not there, path among them, where they were looked for and how to get them.
func (n named) missing(fsys fs.FS, s Source, path string) error {
	files, folder := library(fsys)
	var list []string
	for _, p := range n.reads(s) {
		there := false
		if files != nil && p != path {
			for _, place := range []string{p, p + ".gz"} {
				if _, err := fs.Stat(files, place); err == nil {
					there = true
				}
			}
		}
		if !there {
			list = append(list, p)
		}
	}
	verb := "is"
	if len(list) > 1 {
		verb = "are"
	}
	return &missingFile{fmt.Sprintf("data set %q: %s %s not in %s; `kappa data fetch %s` downloads it, `kappa data import` takes files that you have",
		n.Name, strings.Join(list, ", "), verb, folder, n.Name)}
}

// missingFile is an error that is fs.ErrNotExist and does not repeat it in its text.
type missingFile struct{ text string }

func (e *missingFile) Error() string   { return e.text }
func (e *missingFile) Is(t error) bool { return t == fs.ErrNotExist }

// digestKnown is the digest of the files of n that s reads.
func (n named) digestKnown(fsys fs.FS, s Source) (string, error) {
	return digestOf(n.reads(s), func(path string) (*file, error) { return n.openKnown(fsys, s, path) })
}

// verdict is a warning where the file at path in the data folder, read to its end, is not the published one; "" where it is or
// nothing is published.
func (n named) verdict(path, sha256 string, f *file) string {
	p, _ := publishedFile(path)
	kind, got, want := "SHA-256", sha256, p.SHA256
	if want == "" && f.md5 != nil {
		kind, got, want = "MD5", hex.EncodeToString(f.md5.Sum(nil)), p.MD5
	}
	if want == "" || got == want {
		return ""
	}
	return fmt.Sprintf("data set %q: %s is not the published file (%s %s…, published %s…); `kappa data verify %s` says more",
		n.Name, path, kind, got[:12], want[:12], n.Name)
}

// Pinned is the digest that [Digest] returns for the published files of s; "" if s is no data set known by name, or nothing is
// known of its files.
func Pinned(s Source) string {
	n, err := find(s.Name)
	if err != nil || s.Check() != nil {
		return ""
	}
	if n.reads == nil {
		return n.Digest
	}
	return pin(n.reads(s)...)
}

// pin combines the digests of published files; "" if one is not known.
func pin(paths ...string) string {
	var sums []string
	for _, path := range paths {
		f, _ := publishedFile(path)
		if f.SHA256 == "" {
			return ""
		}
		sums = append(sums, f.SHA256)
	}
	return combine(sums...)
}

// publishedFile returns what is known of a file in the data folder; false if nothing is.
func publishedFile(path string) (File, bool) {
	for _, p := range Published() {
		for _, f := range p.Files {
			if f.Path == path {
				return f, true
			}
		}
	}
	return File{}, false
}

// externalInfo describes the published data set of that name.
func externalInfo(name, doc string) Info {
	p, _ := FindPublished(name)
	return Info{Name: name, Doc: doc, Source: p.Source, Licence: p.Licence, Needs: "Fetched by `kappa data fetch " + name + "`."}
}
