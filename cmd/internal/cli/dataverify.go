package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"kappa/runner/dataset"
	"kappa/runner/dataset/fetch"
)

func (a *app) dataVerifyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "verify [NAME…]", Short: "Read the files of data sets and compare their digests",
		Long: `Reads every file of the data sets in the data folder and compares the digest of its uncompressed
content with the published one. Exit code 1 if a file is wrong, or missing from a data set
that is there in part or was named.`,
		ValidArgsFunction: completeData,
		RunE: run(func(ctx context.Context, args []string) error {
			sets := dataset.Published()
			if len(args) > 0 {
				var err error
				if sets, err = publications(args); err != nil {
					return err
				}
			}
			folder, err := a.readDataFolder()
			if err != nil {
				return err
			}
			if folder != nil {
				defer folder.Close()
			}
			return a.verifyData(ctx, folder, sets, len(args) > 0, asJSON)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// verifyData verifies data sets in a folder, nil if there is none. Those that were asked for by name have to be there.
func (a *app) verifyData(ctx context.Context, folder *fetch.Folder, sets []dataset.Publication, named, asJSON bool) error {
	var all []fetch.Finding
	var errs error
	dir := dataFolder(a.env)
	for _, set := range sets {
		findings, err := findings(ctx, folder, set)
		if err != nil {
			return err
		}
		missing := !slices.ContainsFunc(findings, func(f fetch.Finding) bool { return f.State != fetch.Missing })
		if missing {
			if named {
				errs = joined(errs, failf(fmt.Sprintf("`kappa data fetch %s` downloads it", set.Name), "data set %s is not in %s", set.Name, dir))
			}
			if asJSON {
				all = append(all, findings...)
			} else {
				all = append(all, fetch.Finding{Set: set.Name, State: "not fetched"})
			}
			continue
		}
		all = append(all, findings...)
		bad := false
		for _, f := range findings {
			switch f.State {
			case fetch.Wrong:
				errs = joined(errs, failf("", "%s: %w", f.File, f.Err))
				bad = true
			case fetch.Missing:
				errs = joined(errs, failf("", "%s: it is missing from %s", f.File, dir))
				bad = true
			}
		}
		if bad {
			errs = joined(errs, &failure{code: exitFailed, err: fmt.Errorf("data set %s is not as it was published", set.Name), hint: fmt.Sprintf("`kappa data fetch %s` replaces what is wrong", set.Name)})
		}
	}
	g := findingGrid(all)
	if !asJSON {
		g = &grid{columns: []string{"name", "file", "state", "size"}}
		for _, f := range all {
			var file, size any
			if f.File != "" {
				file = f.File
			}
			if f.Bytes > 0 {
				size = fetch.Size(f.Bytes)
			}
			g.add(f.Set, file, string(f.State), size)
		}
	}
	return joined(a.list(g, asJSON), errs)
}

// findings verifies a data set; without a folder every file is missing.
func findings(ctx context.Context, folder *fetch.Folder, set dataset.Publication) ([]fetch.Finding, error) {
	if folder == nil {
		var out []fetch.Finding
		for _, f := range set.Files {
			out = append(out, fetch.Finding{Set: set.Name, File: f.Path, State: fetch.Missing})
		}
		return out, nil
	}
	out, err := folder.Verify(ctx, set)
	if errors.Is(err, context.Canceled) {
		return nil, err
	}
	return out, err
}
