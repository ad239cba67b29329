package fetch

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"kappa/runner/dataset"
)

// archive fetches a data set that is published as one archive, and takes its files out. Their findings are filled in.
func (g *getter) archive(ctx context.Context, findings []Finding) error {
	a := g.set.Archive
	name := path.Join(home(g.set), a.Name)
	it := item{name: name, remote: a.Name, bytes: a.Bytes, plain: a.Bytes, limit: a.Bytes}
	for _, file := range g.set.Files {
		it.room += file.Bytes
	}
	it.finish = func(ctx context.Context, p *part) error {
		if err := p.sync(); err != nil {
			return err
		}
		if err := isArchive(ctx, p.reader(), a); err != nil {
			return err
		}
		g.tell(Event{Kind: Unpacking, File: name, URL: p.from.URL, Done: p.size, Total: p.size})
		if err := g.folder.unpack(ctx, p.reader(), g.set); err != nil {
			return err
		}
		return p.discard()
	}
	from, err := g.mirrors(ctx, it)
	if err != nil {
		return err
	}
	for i, file := range g.set.Files {
		findings[i] = Finding{Set: g.set.Name, File: file.Path, From: from, State: Fetched, Bytes: file.Bytes}
		g.tell(Event{Kind: Finished, File: file.Path, URL: from, Done: file.Bytes, Total: file.Bytes})
	}
	return nil
}

// isArchive says whether the bytes of r are the archive as it is published: nil, or a *contentError.
func isArchive(ctx context.Context, r io.Reader, a *dataset.Archive) error {
	as := dataset.File{Bytes: a.Bytes, SHA256: a.SHA256}
	c, err := measure(ctx, r, plain, a.Bytes)
	return c.verdict(err, as)
}

// unpack takes the files of a data set out of its archive, whose digest has been verified, into their places, and writes down
// their digests.
func (f *Folder) unpack(ctx context.Context, r io.Reader, p dataset.Publication) error {
	wanted := make(map[string]dataset.File)
	limit := int64(1 << 20) // for what else is there, and the blocks between
	for _, file := range p.Files {
		wanted[path.Join(p.Archive.Folder, path.Base(file.Path))] = file
		limit += file.Bytes
	}
	z, err := gunzip(bufio.NewReaderSize(contextReader{ctx, r}, bufferBytes))
	if err != nil {
		return err
	}
	members := tar.NewReader(io.LimitReader(z, limit))
	sums := make(map[string]string)
	for len(wanted) > 0 {
		head, err := members.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if e := ended(ctx); e != nil {
				return e
			}
			return &contentError{text: fmt.Sprintf("the archive cannot be read: %v", err)}
		}
		name := path.Clean(head.Name)
		file, ok := wanted[name]
		if !ok || head.Typeflag != tar.TypeReg {
			continue
		}
		c, err := f.write(ctx, members, plain, file, file.Path)
		if wrong, ok := errors.AsType[*contentError](err); ok {
			return &contentError{text: fmt.Sprintf("its member %s: %s", name, wrong.text)}
		}
		if err != nil {
			return err
		}
		if err := f.removeWrong(ctx, file, file.Path); err != nil {
			return err
		}
		sums[file.Path] = c.sha256
		delete(wanted, name)
	}
	if len(wanted) > 0 {
		return &contentError{text: "it lacks " + strings.Join(slices.Sorted(maps.Keys(wanted)), ", ")}
	}
	return f.writeManifest(p, sums)
}

// manifestName is where the digests of a data set's files stand, in the form of sha256sum: those for which only weaker digests
// are published.
func manifestName(p dataset.Publication) string {
	return path.Join(home(p), "SHA256SUMS")
}

// maxManifest bounds what is read of a manifest.
const maxManifest = 64 << 10

// readManifest returns the SHA-256 of the files of a data set that its manifest has, by path. No manifest is no error.
func (f *Folder) readManifest(p dataset.Publication) (map[string]string, error) {
	if p.Archive == nil {
		return nil, nil
	}
	name := manifestName(p)
	in, err := f.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, cause(err)
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxManifest+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(text) > maxManifest {
		return nil, fmt.Errorf("it has more than %d bytes", maxManifest)
	}
	sums := make(map[string]string)
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		sum, member, ok := strings.Cut(line, "  ")
		if !ok || len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
			return nil, fmt.Errorf("line %d: %.80q; accepted: 64 hex digits, two blanks and a file name, as sha256sum writes them", number, line)
		}
		sums[path.Join(path.Dir(name), member)] = sum
	}
	return sums, nil
}

// writeManifest adds digests to the manifest of a data set.
func (f *Folder) writeManifest(p dataset.Publication, sums map[string]string) error {
	if p.Archive == nil {
		return nil
	}
	all, err := f.readManifest(p)
	if err != nil || all == nil {
		all = make(map[string]string) // an unreadable one is of no use
	}
	maps.Copy(all, sums)
	var b strings.Builder
	fmt.Fprintf(&b, "# Files of %s, of %s with the SHA-256 %s.\n", p.Name, p.Archive.Name, p.Archive.SHA256)
	for _, file := range p.Files {
		if sum, ok := all[file.Path]; ok {
			fmt.Fprintf(&b, "%s  %s\n", sum, path.Base(file.Path))
		}
	}
	name := manifestName(p)
	if err := f.root.WriteFile(name+temporary, []byte(b.String()), 0o644); err != nil {
		return &writeError{f.path(name + ".new"), cause(err)}
	}
	return f.commit(name+temporary, name)
}
