package fetch

import (
	"context"
	"errors"
	"io/fs"

	"kappa/runner/dataset"
)

// State is what became of a file.
type State string

// What a file of a data set may be found to be, or become.
const (
	Right   State = "ok"      // its content is the pinned one
	Wrong   State = "wrong"   // it is there, and is something else
	Missing State = "missing" // it is not there
	Fetched State = "fetched" // it was fetched
	Taken   State = "taken"   // it was imported
	Ignored State = "ignored" // a file of the imported folder that belongs to no data set
)

// Finding is what was found out about one file.
type Finding struct {
	Set   string // the data set
	File  string // where it lies, or has to lie, in the data folder, with slashes
	From  string // where it came from: an address, or a path in the folder that was imported; "" where it was there
	State State
	Bytes int64 // that it takes in the data folder
	Err   error // why it is Wrong or Ignored
}

// Verify reads every file of a data set to its end and compares its content with the pinned one. The findings are in the order of
// the data set's files; of a file that lies there plain and compressed both are examined. The error is that of the context.
// Cost: one pass over the files.
func (f *Folder) Verify(ctx context.Context, p dataset.Publication) ([]Finding, error) {
	var out []Finding
	sums, broken := f.readManifest(p)
	for _, file := range p.Files {
		found := false
		for i, place := range file.Places() {
			finding, err := f.examine(ctx, file, place, form(i))
			if err != nil {
				return nil, err
			}
			if finding.State == Missing {
				continue
			}
			if want, ok := sums[file.Path]; finding.State == Right && ok && finding.sha256 != want {
				finding.State = Wrong
				finding.Err = &contentError{text: "its SHA-256 is " + finding.sha256 + ", " + f.path(manifestName(p)) + " has " + want}
			}
			found = true
			finding.Set = p.Name
			out = append(out, finding.Finding)
		}
		if !found {
			out = append(out, Finding{Set: p.Name, File: file.Path, State: Missing})
		}
	}
	if broken != nil {
		out = append(out, Finding{Set: p.Name, File: manifestName(p), State: Wrong, Err: broken})
	}
	return out, nil
}

// examined is a finding with the digest behind it.
type examined struct {
	Finding
	sha256 string
}

// examine reads one place of a file. The error is that of the context.
func (f *Folder) examine(ctx context.Context, file dataset.File, place string, as form) (examined, error) {
	out := examined{Finding: Finding{File: place, State: Right}}
	wrong := func(err error) (examined, error) {
		if e := ended(ctx); e != nil {
			return out, e
		}
		out.State, out.Err = Wrong, err
		return out, nil
	}
	info, err := f.root.Stat(place)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		out.State = Missing
		return out, nil
	case err != nil:
		return wrong(cause(err))
	case !info.Mode().IsRegular():
		return wrong(errors.New("it is not a regular file"))
	}
	out.Bytes = info.Size()
	in, err := f.root.Open(place)
	if err != nil {
		return wrong(cause(err))
	}
	defer in.Close()
	c, err := measure(ctx, in, as, file.Bytes)
	if err := c.verdict(err, file); err != nil {
		return wrong(cause(err))
	}
	out.sha256 = c.sha256
	return out, nil
}

// settled says whether a file is in the folder, right in every place where a reader might take it from.
func (f *Folder) settled(ctx context.Context, file dataset.File) (bool, Finding, error) {
	right := Finding{State: Missing}
	for i, place := range file.Places() {
		found, err := f.examine(ctx, file, place, form(i))
		if err != nil {
			return false, Finding{}, err
		}
		if found.State == Wrong {
			return false, found.Finding, nil
		}
		if found.State == Right && right.State != Right {
			right = found.Finding
		}
	}
	return right.State == Right, right, nil
}
