package fetch

import (
	"context"
	"net/http"
	"path"

	"kappa/runner/dataset"
)

// getter is a fetch under way.
type getter struct {
	Options
	folder *Folder
	client *http.Client
	set    dataset.Publication

	reached int64 // the most bytes of the item under way that this mirror has brought at a time
}

// Fetch brings every file of a data set that is missing or wrong into the folder. The findings say what became of each file, in
// the order of the data set's; those before an error are there. What was cut off is kept for the next time. Errors are a
// *MirrorsError, a *DiskFullError, an error of the folder, or that of the context.
func (f *Folder) Fetch(ctx context.Context, p dataset.Publication, o Options) ([]Finding, error) {
	g, err := f.getter(p, o)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, g.Overall, &overallError{g.Overall})
	defer cancel()
	findings, missing, err := g.survey(ctx)
	if err != nil || len(missing) == 0 {
		return findings, err
	}
	unlock, err := f.lock(ctx, p, func() { g.tell(Event{Kind: Waiting, File: p.Name}) })
	if err != nil {
		return findings, err
	}
	defer unlock()
	// Another process may have fetched them meanwhile.
	if findings, missing, err = g.survey(ctx); err != nil || len(missing) == 0 {
		return findings, err
	}
	if p.Archive != nil {
		return findings, g.archive(ctx, findings)
	}
	for _, i := range missing {
		found, err := g.one(ctx, p.Files[i])
		if err != nil {
			return findings, err
		}
		findings[i] = found
	}
	return findings, nil
}

func (g *getter) tell(e Event) {
	if g.Notify != nil {
		g.Notify(e)
	}
}

// free is how much the disk of the folder can still take.
func (f *Folder) free() (int64, bool) {
	dir, err := f.root.Open(".")
	if err != nil {
		return 0, false
	}
	defer dir.Close()
	return freeBytes(dir)
}

// survey looks at what is here: a finding a file, and the indices of those that have to be fetched.
func (g *getter) survey(ctx context.Context) (findings []Finding, missing []int, err error) {
	for i, file := range g.set.Files {
		ok, found, err := g.folder.settled(ctx, file)
		if err != nil {
			return nil, nil, err
		}
		found.Set = g.set.Name
		if found.File == "" {
			found.File = file.Path
		}
		findings = append(findings, found)
		if ok {
			g.tell(Event{Kind: Skipped, File: found.File, Done: found.Bytes})
		} else {
			missing = append(missing, i)
		}
	}
	return findings, missing, nil
}

// one fetches a file that is published by itself.
func (g *getter) one(ctx context.Context, file dataset.File) (Finding, error) {
	name := path.Join(home(g.set), file.Remote())
	it := item{name: name, remote: file.Remote(), bytes: -1, plain: file.Bytes, limit: most(file.Bytes)}
	var place string
	it.finish = func(ctx context.Context, p *part) (err error) {
		place, err = g.folder.settle(ctx, p, file)
		return err
	}
	from, err := g.mirrors(ctx, it)
	if err != nil {
		return Finding{}, err
	}
	out := Finding{Set: g.set.Name, File: place, From: from, State: Fetched}
	if info, err := g.folder.root.Stat(place); err == nil {
		out.Bytes = info.Size()
	}
	g.tell(Event{Kind: Finished, File: place, URL: from, Done: out.Bytes, Total: out.Bytes})
	return out, nil
}
