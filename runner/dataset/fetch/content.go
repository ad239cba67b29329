package fetch

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"kappa/runner/dataset"
)

// content is what was found when a file was read to its end.
type content struct {
	bytes       int64 // uncompressed
	sha256, md5 string
	gzip        bool // it was compressed
}

// is says whether the content is that of a file of a data set.
func (c content) is(f dataset.File) bool {
	if c.bytes != f.Bytes {
		return false
	}
	if f.SHA256 != "" {
		return c.sha256 == f.SHA256
	}
	return c.md5 == f.MD5
}

// contentError says that what was read is not what was expected.
type contentError struct {
	text  string
	short bool // it ended too early: more of it might have made it right
}

func (e *contentError) Error() string { return e.text }

// form is how the bytes of a file are to be taken.
type form int

const (
	plain      form = iota
	compressed      // a gzip file
	either          // a gzip file if it begins like one
)

var gzipMagic = []byte{0x1f, 0x8b}

// measure reads r to its end and returns what its uncompressed content is, which may have at most limit bytes: a compressed file
// that promises more is left there. What is wrong with the bytes is a *contentError, other errors come from r and ctx.
func measure(ctx context.Context, r io.Reader, as form, limit int64) (content, error) {
	var c content
	buffered := bufio.NewReaderSize(contextReader{ctx, r}, bufferBytes)
	if as == either {
		as = plain
		if start, _ := buffered.Peek(len(gzipMagic)); bytes.Equal(start, gzipMagic) {
			as = compressed
		}
	}
	var in io.Reader = buffered
	if as == compressed {
		c.gzip = true
		z, err := gunzip(buffered)
		if err != nil {
			return c, err
		}
		in = z
	}
	sum, old := sha256.New(), md5.New()
	n, err := io.CopyBuffer(io.MultiWriter(sum, old), struct{ io.Reader }{io.LimitReader(in, limit+1)}, make([]byte, bufferBytes))
	c.bytes = n
	if err != nil && c.gzip {
		return c, gzipError(err, n)
	}
	if err != nil {
		return c, err
	}
	if n > limit {
		return c, &contentError{text: fmt.Sprintf("it has more than %d bytes", limit)}
	}
	c.sha256, c.md5 = hex.EncodeToString(sum.Sum(nil)), hex.EncodeToString(old.Sum(nil))
	return c, nil
}

// bufferBytes is how much is read and written at a time.
const bufferBytes = 256 << 10

// gunzip begins to read a gzip file.
func gunzip(r io.Reader) (io.Reader, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, gzipError(err, 0)
	}
	return z, nil
}

// gzipError tells what is wrong in a gzip file from what is wrong with reading it.
func gzipError(err error, n int64) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &contentError{text: fmt.Sprintf("its gzip stream ends in the middle, after %d uncompressed bytes", n), short: true}
	case corrupt, errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return &contentError{text: fmt.Sprintf("its gzip stream is damaged after %d uncompressed bytes: %v", n, err)}
	}
	return err
}

// check compares the content of a file with what it has to be; nil if it is that.
func (c content) check(f dataset.File) error {
	switch {
	case c.is(f):
		return nil
	case c.bytes < f.Bytes:
		return &contentError{text: fmt.Sprintf("it has %d bytes%s, %d are expected", c.bytes, c.packed(), f.Bytes), short: true}
	case c.bytes > f.Bytes:
		return &contentError{text: fmt.Sprintf("it has more than the %d bytes%s that are expected", f.Bytes, c.packed())}
	case f.SHA256 != "":
		return &contentError{text: fmt.Sprintf("its SHA-256%s is %s, %s is expected", c.packed(), c.sha256, f.SHA256)}
	}
	return &contentError{text: fmt.Sprintf("its MD5%s is %s, %s is expected", c.packed(), c.md5, f.MD5)}
}

// verdict is check where reading went well, and also where it was given up because there was more than the file has.
func (c content) verdict(err error, f dataset.File) error {
	if _, ok := errors.AsType[*contentError](err); err == nil || ok && c.bytes > f.Bytes {
		return c.check(f)
	}
	return err
}

// packed says of which bytes a sentence speaks where there is a choice.
func (c content) packed() string {
	if c.gzip {
		return ", uncompressed,"
	}
	return ""
}

// contextReader ends reading when its context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := ended(c.ctx); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// ended is why a context ended: its own reason where that is a limit of time, [context.Canceled] where somebody asked to stop;
// nil if it did not.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return context.Cause(ctx)
}

// Size writes a number of bytes for people: 9.9 MB.
func Size(n int64) string {
	const kilo = 1000
	if n < kilo {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/kilo, 0
	units := []string{"kB", "MB", "GB", "TB"}
	for value >= 999.95 && unit < len(units)-1 {
		value, unit = value/kilo, unit+1
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
