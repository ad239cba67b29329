package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"kappa/runner/dataset"
)

// maxEntries is how many files of a folder are looked at.
const maxEntries = 100_000

// Import looks through the files below start in from and copies those that belong to one of the data sets into the folder,
// whatever they are called: what counts is the digest. It takes plain and compressed copies, and whole archives. The findings
// are one for each file of from (Taken; Right where the folder has the same already; Ignored with the reason; Wrong where its
// name is that of a file of a data set, and its content is not), in the order of their paths, and then one Missing for each
// file that a data set of which something was found lacks still. notify may be nil. Cost: a pass over the files whose sizes
// could be right, two over those that are taken.
func (f *Folder) Import(ctx context.Context, from fs.FS, start string, sets []dataset.Publication, notify func(Event)) ([]Finding, error) {
	if notify == nil {
		notify = func(Event) {}
	}
	i := &importer{folder: f, from: from, sets: sets, notify: notify, done: make(map[string]bool)}
	var names []string
	err := fs.WalkDir(from, start, func(name string, entry fs.DirEntry, err error) error {
		if e := ended(ctx); e != nil {
			return e
		}
		switch {
		case err != nil && name == start:
			return err
		case err != nil:
			i.findings = append(i.findings, Finding{From: name, State: Ignored, Err: cause(err)})
			return nil
		case entry.IsDir():
			return nil
		case len(names) == maxEntries:
			return fmt.Errorf("more than %d files; name the folder that holds those of the data sets", maxEntries)
		}
		names = append(names, name)
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := i.file(ctx, name); err != nil {
			return i.findings, err
		}
	}
	return i.findings, i.missing(ctx)
}

// importer is an import under way.
type importer struct {
	folder   *Folder
	from     fs.FS
	sets     []dataset.Publication
	notify   func(Event)
	done     map[string]bool // files of data sets that are in the folder, right, by path
	findings []Finding
}

func (i *importer) found(f Finding) { i.findings = append(i.findings, f) }

// file takes one file, or says why not. The error is that of the folder written to, or of the context.
func (i *importer) file(ctx context.Context, name string) error {
	ignored := func(err error) error {
		if e := ended(ctx); e != nil {
			return e
		}
		i.found(Finding{From: name, State: Ignored, Err: err})
		return nil
	}
	info, err := fs.Stat(i.from, name)
	if err != nil {
		return ignored(cause(err))
	}
	if !info.Mode().IsRegular() {
		return ignored(errors.New("it is not a regular file"))
	}
	for _, set := range i.sets {
		if a := set.Archive; a != nil && info.Size() == a.Bytes {
			err := i.read(name, func(r io.Reader) error { return isArchive(ctx, r, a) })
			if err == nil {
				return i.archive(ctx, set, name)
			}
			if _, wrong := errors.AsType[*contentError](err); !wrong {
				return ignored(cause(err))
			}
		}
	}
	usual := i.named(name)
	if !usual && !i.possible(name, info.Size()) {
		return ignored(errors.New("it is no file of a known data set"))
	}
	var c content
	err = i.read(name, func(r io.Reader) (err error) {
		c, err = measure(ctx, r, either, i.longest())
		return err
	})
	_, wrong := errors.AsType[*contentError](err)
	if err != nil && !wrong {
		return ignored(cause(err))
	}
	if err == nil {
		for _, set := range i.sets {
			for _, file := range set.Files {
				if c.is(file) {
					return i.take(ctx, set, file, name, info.Size(), c.gzip)
				}
			}
		}
	}
	if !usual {
		return ignored(errors.New("it is no file of a known data set"))
	}
	i.found(Finding{From: name, State: Wrong, Err: i.mismatch(name, c, err)})
	return nil
}

// read opens a file and hands it on.
func (i *importer) read(name string, use func(io.Reader) error) error {
	in, err := i.from.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	return use(in)
}

// take copies a file of so many bytes into the folder.
func (i *importer) take(ctx context.Context, set dataset.Publication, file dataset.File, name string, size int64, gzip bool) error {
	here := func(place string) {
		i.done[file.Path] = true
		i.found(Finding{Set: set.Name, File: place, From: name, State: Right})
	}
	ok, found, err := i.folder.settled(ctx, file)
	if err != nil {
		return err
	}
	if ok {
		here(found.File)
		return nil
	}
	unlock, err := i.folder.lock(ctx, set, func() { i.notify(Event{Kind: Waiting, File: set.Name}) })
	if err != nil {
		return err
	}
	defer unlock()
	if ok, found, err = i.folder.settled(ctx, file); err != nil || ok {
		if ok {
			here(found.File)
		}
		return err
	}
	place, as := keptAs(file, gzip), plain
	if gzip {
		as = compressed
	}
	var c content
	err = i.read(name, func(r io.Reader) (err error) {
		c, err = i.folder.write(ctx, r, as, file, place)
		return err
	})
	if err == nil {
		err = i.folder.removeWrong(ctx, file, place)
	}
	if err == nil && file.SHA256 == "" {
		err = i.folder.writeManifest(set, map[string]string{file.Path: c.sha256})
	}
	if err != nil {
		if place == file.Path {
			size = file.Bytes
		}
		return i.failed(ctx, name, err, size)
	}
	taken := Finding{Set: set.Name, File: place, From: name, State: Taken}
	if info, err := i.folder.root.Stat(place); err == nil {
		taken.Bytes = info.Size()
	}
	i.folder.forget(path.Join(home(set), file.Remote()))
	i.done[file.Path] = true
	i.found(taken)
	i.notify(Event{Kind: Finished, File: place, Done: taken.Bytes, Total: taken.Bytes})
	return nil
}

// archive takes the files of a data set out of its archive.
func (i *importer) archive(ctx context.Context, set dataset.Publication, name string) error {
	folder := home(set)
	complete := true
	for _, file := range set.Files {
		ok, _, err := i.folder.settled(ctx, file)
		if err != nil {
			return err
		}
		complete = complete && ok
	}
	state := Right
	if !complete {
		unlock, err := i.folder.lock(ctx, set, func() { i.notify(Event{Kind: Waiting, File: set.Name}) })
		if err != nil {
			return err
		}
		defer unlock()
		i.notify(Event{Kind: Unpacking, File: set.Archive.Name})
		err = i.read(name, func(r io.Reader) error { return i.folder.unpack(ctx, r, set) })
		if err != nil {
			return i.failed(ctx, name, err, set.Bytes())
		}
		i.folder.forget(path.Join(home(set), set.Archive.Name))
		state = Taken
	}
	i.found(Finding{Set: set.Name, File: folder, From: name, State: state, Bytes: set.Bytes()})
	for _, file := range set.Files {
		i.done[file.Path] = true
	}
	return nil
}

// failed is why a file could not be copied. A file that changed while it was copied is only ignored.
func (i *importer) failed(ctx context.Context, name string, err error, need int64) error {
	if e := ended(ctx); e != nil {
		return e
	}
	if w, ok := errors.AsType[*writeError](err); ok {
		if !diskFull(w) {
			return w
		}
		full := &DiskFullError{Path: strings.TrimSuffix(w.path, temporary), Need: need, Free: -1}
		if free, ok := i.folder.free(); ok {
			full.Free = free
		}
		return full
	}
	i.found(Finding{From: name, State: Wrong, Err: fmt.Errorf("copying it failed: %w", err)})
	return nil
}

// missing adds what the data sets of which something was found lack still. The error is that of the context.
func (i *importer) missing(ctx context.Context) error {
	for _, set := range i.sets {
		if !slices.ContainsFunc(set.Files, func(f dataset.File) bool { return i.done[f.Path] }) {
			continue
		}
		for _, file := range set.Files {
			if i.done[file.Path] {
				continue
			}
			ok, _, err := i.folder.settled(ctx, file)
			if err != nil {
				return err
			}
			if !ok {
				i.found(Finding{Set: set.Name, File: file.Path, State: Missing})
			}
		}
	}
	return nil
}
