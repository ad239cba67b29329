package fetch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// part is what has come of a file so far: NAME.part in the data folder, open, with NAME.part.from beside it.
type part struct {
	folder *Folder
	name   string // of the .part, in the data folder
	file   *os.File
	out    io.Writer // writes to file
	size   int64
	from   origin
}

// origin says which version of which address a part is the beginning of.
type origin struct {
	URL          string `json:"url"`
	ETag         string `json:"etag,omitempty"`          // strong, or empty
	LastModified string `json:"last_modified,omitempty"` // as the server wrote it
	Total        int64  `json:"total"`                   // bytes of the whole; −1 if the server did not say
}

// maxOrigin bounds what is read of a .from file.
const maxOrigin = 16 << 10

// openPart opens the part of that name, or makes an empty one. A part without a readable origin is begun anew.
func (f *Folder) openPart(name string) (*part, error) {
	if err := f.root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return nil, &writeError{f.path(path.Dir(name)), cause(err)}
	}
	file, err := f.root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, &writeError{f.path(name), cause(err)}
	}
	p := &part{folder: f, name: name, file: file, out: f.writer(file)}
	if p.size, err = file.Seek(0, io.SeekEnd); err != nil {
		_ = file.Close()
		return nil, &writeError{f.path(name), cause(err)}
	}
	if p.size > 0 {
		p.from, err = f.readOrigin(name)
		if err != nil {
			if err := p.reset(); err != nil {
				_ = file.Close()
				return nil, err
			}
		}
	}
	return p, nil
}

func (p *part) fromName() string { return strings.TrimSuffix(p.name, partial) + partialOrigin }

// readOrigin reads what is beside a part.
func (f *Folder) readOrigin(name string) (origin, error) {
	var o origin
	in, err := f.root.Open(strings.TrimSuffix(name, partial) + partialOrigin)
	if err != nil {
		return o, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxOrigin))
	if err != nil {
		return o, err
	}
	if err := json.Unmarshal(text, &o); err != nil {
		return origin{}, err
	}
	if o.URL == "" {
		return origin{}, errors.New("no address")
	}
	return o, nil
}

// reset throws away what has come.
func (p *part) reset() error {
	p.size, p.from = 0, origin{}
	if err := p.folder.remove(p.fromName()); err != nil {
		return err
	}
	if err := p.file.Truncate(0); err != nil {
		return p.failed(err)
	}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return p.failed(err)
	}
	return nil
}

// begin notes where the bytes to come are from. The part is empty.
func (p *part) begin(o origin) error {
	text, err := json.Marshal(o)
	if err != nil {
		return fmt.Errorf("note the origin of %s: %w", p.name, err)
	}
	if err := p.folder.root.WriteFile(p.fromName(), append(text, '\n'), 0o644); err != nil {
		return p.failed(err)
	}
	p.from = o
	return nil
}

// Write appends to the part.
func (p *part) Write(b []byte) (int, error) {
	n, err := p.out.Write(b)
	p.size += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return n, p.failed(err)
	}
	return n, nil
}

// failed says that the part could not be written.
func (p *part) failed(err error) error { return &writeError{p.folder.path(p.name), cause(err)} }

// sync puts what has come onto the disk.
func (p *part) sync() error {
	if err := p.file.Sync(); err != nil {
		return p.failed(err)
	}
	return nil
}

// reader reads the part from its beginning.
func (p *part) reader() io.Reader { return io.NewSectionReader(p.file, 0, p.size) }

// keep closes the part and leaves it for a next time, unless there is nothing in it.
func (p *part) keep() error {
	if p.size == 0 {
		return p.discard()
	}
	return errors.Join(p.sync(), p.file.Close())
}

// discard closes the part and removes it.
func (p *part) discard() error {
	return errors.Join(p.file.Close(), p.folder.remove(p.name), p.folder.remove(p.fromName()))
}

// becomes closes the part, whose content is right, and gives it its final name.
func (p *part) becomes(name string) error {
	if err := errors.Join(p.sync(), p.file.Close()); err != nil {
		return err
	}
	if err := p.folder.commit(p.name, name); err != nil {
		return err
	}
	return p.folder.remove(p.fromName())
}
