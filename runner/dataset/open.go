package dataset

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"strings"
)

// file is an open data file: its uncompressed bytes, counted, hashed and limited to MaxFileBytes.
type file struct {
	fsys   fs.FS // that it was opened in
	path   string
	size   int64 // uncompressed size; -1 if it is not known before reading (.gz)
	source fs.File
	plain  io.Reader
	sum    hash.Hash
	md5    hash.Hash // nil unless it is wanted too
	read   int64
}

// openFile opens path. Its errors name the path. Only regular files are opened, so that a pipe does not block.
func openFile(fsys fs.FS, path string) (*file, error) {
	if err := CheckPath(path); err != nil {
		return nil, err
	}
	if fsys == nil {
		return nil, fmt.Errorf("%s: no folder of data is given", path)
	}
	info, err := fs.Stat(fsys, path)
	if err != nil {
		return nil, fmt.Errorf("open data %s: %w", path, cause(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("open data %s: it is not a regular file (%s)", path, info.Mode())
	}
	if info.Size() > MaxFileBytes {
		return nil, fmt.Errorf("open data %s: it has %d bytes; accepted: at most %d", path, info.Size(), int64(MaxFileBytes))
	}
	source, err := fsys.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open data %s: %w", path, cause(err))
	}
	f := &file{fsys: fsys, path: path, size: info.Size(), source: source, plain: source, sum: sha256.New()}
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(source)
		if err != nil {
			_ = source.Close()
			return nil, fmt.Errorf("%s: not a gzip file: %w", path, err)
		}
		f.plain, f.size = z, -1
	}
	return f, nil
}

// cause strips a PathError to its cause: the messages here name the path already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// Read reads uncompressed bytes. Its errors do not name the path.
func (f *file) Read(p []byte) (int, error) {
	n, err := f.plain.Read(p)
	f.read += int64(n)
	f.sum.Write(p[:n])
	if f.md5 != nil {
		f.md5.Write(p[:n])
	}
	if f.read > MaxFileBytes {
		return n, fmt.Errorf("more than %d bytes uncompressed; accepted: at most that many", int64(MaxFileBytes))
	}
	if err == io.ErrUnexpectedEOF { // of the decompressor
		return n, fmt.Errorf("after %d bytes: %w: the compressed file ends early", f.read, err)
	}
	if err != nil && err != io.EOF {
		err = fmt.Errorf("after %d bytes: %w", f.read, cause(err))
	}
	return n, err
}

// digest reads what is left and returns the SHA-256 of all bytes, 64 hex digits.
func (f *file) digest() (string, error) {
	if _, err := io.Copy(io.Discard, f); err != nil {
		return "", fmt.Errorf("%s: %w", f.path, err)
	}
	return hex.EncodeToString(f.sum.Sum(nil)), nil
}

// Close closes the file. Nothing was written, so nothing can be lost.
func (f *file) Close() { _ = f.source.Close() }

// sniffed is the number of bytes that sniff looks at.
const sniffed = 4

// sniff says what a file is that begins so and is none of the formats read here, or not under this name; "" if it may be one.
func sniff(start []byte) string {
	begins := func(s string) bool { return strings.HasPrefix(string(start), s) }
	switch {
	case begins("\x1f\x8b"):
		return "the file is compressed with gzip and must have .gz at the end of its name"
	case begins("PK\x03\x04"):
		return "the file is a zip archive, as spreadsheets, numpy.savez and torch.save write them"
	case begins(npyMagic[:sniffed]):
		return "the file is a NumPy array (.npy)"
	case begins("<!DO"), begins("<!do"), begins("<htm"), begins("<HTM"):
		return "the file is an HTML page, as servers send in the place of a file"
	}
	return ""
}

// combine is the digest of several files: their own digest if it is one, else the SHA-256 of their hex digests in order, a
// newline after each.
func combine(digests ...string) string {
	if len(digests) == 1 {
		return digests[0]
	}
	sum := sha256.Sum256([]byte(strings.Join(digests, "\n") + "\n"))
	return hex.EncodeToString(sum[:])
}
