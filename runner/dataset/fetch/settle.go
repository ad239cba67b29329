package fetch

import (
	"context"
	"errors"
	"io"
	"os"

	"kappa/runner/dataset"
)

// settle takes a part that holds a copy of a file, plain or compressed, to its place, where its content is the pinned one; the
// part is closed then. A *contentError says that it is something else.
func (f *Folder) settle(ctx context.Context, p *part, file dataset.File) (place string, err error) {
	if err := p.sync(); err != nil {
		return "", err
	}
	c, err := measure(ctx, p.reader(), either, file.Bytes)
	if err := c.verdict(err, file); err != nil {
		return "", err
	}
	place = keptAs(file, c.gzip)
	if c.gzip && !file.Gzip {
		if _, err := f.write(ctx, p.reader(), compressed, file, place); err != nil {
			return "", err
		}
		err = p.discard()
	} else {
		err = p.becomes(place)
	}
	return place, errors.Join(err, f.removeWrong(ctx, file, place))
}

// keptAs is where a copy of a file is kept: compressed only where it is published so.
func keptAs(file dataset.File, gzip bool) string {
	if gzip && file.Gzip {
		return file.Places()[compressed]
	}
	return file.Places()[plain]
}

// removeWrong removes a copy of a file that lies in another place than the right one and is wrong: a reader might take it.
func (f *Folder) removeWrong(ctx context.Context, file dataset.File, right string) error {
	for i, other := range file.Places() {
		if other == right {
			continue
		}
		found, err := f.examine(ctx, file, other, form(i))
		if err == nil && found.State == Wrong {
			err = f.remove(other)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// write puts a copy of a file into its place, through a temporary name: only what has the pinned content, and is on the disk,
// gets its own. r is a gzip file if as says so; it is kept as it is where the place is that of a compressed file, and
// uncompressed elsewhere. A *contentError says that it is something else.
func (f *Folder) write(ctx context.Context, r io.Reader, as form, file dataset.File, place string) (c content, err error) {
	name := place + temporary
	out, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return c, &writeError{f.path(name), cause(err)}
	}
	defer func() {
		if err != nil {
			_ = out.Close()
			_ = f.root.Remove(name)
		}
	}()
	w := &noting{w: f.writer(out), path: f.path(name)}
	if as == compressed && place == file.Path {
		z, err := gunzip(r)
		if err != nil {
			return c, err
		}
		r, as = z, plain
	}
	c, err = measure(ctx, io.TeeReader(r, w), as, file.Bytes)
	if w.err != nil {
		return c, w.err
	}
	if err := c.verdict(err, file); err != nil {
		return c, err
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return c, &writeError{f.path(name), cause(err)}
	}
	return c, f.commit(name, place)
}

// noting remembers that writing failed, which is not the fault of what is read.
type noting struct {
	w    io.Writer
	path string
	err  error
}

func (n *noting) Write(b []byte) (int, error) {
	k, err := n.w.Write(b)
	if err == nil && k < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		n.err = &writeError{n.path, cause(err)}
	}
	return k, err
}
