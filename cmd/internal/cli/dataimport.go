package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kappa/runner/dataset"
	"kappa/runner/dataset/fetch"
)

// ignoredShown is how many files that belong to no data set are listed for people.
const ignoredShown = 10

func (a *app) dataImportCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "import DIR", Short: "Copy data sets that you have into the data folder", Args: cobra.ExactArgs(1),
		Long: `Looks through DIR and the folders below it (or at one file) and copies what belongs to a data set
into the data folder, whatever it is called: files are known by the digest of their uncompressed
content. Plain and .gz files are taken, and the archive of cifar-10 or its unpacked files.`,
		Example: `  kappa data import ~/Downloads`,
		RunE: run(func(ctx context.Context, args []string) error {
			path := onDisk(a.cwd, args[0])
			info, err := os.Stat(path)
			if err != nil {
				return usagef("", "import %s: %v", args[0], cause(err))
			}
			from, start := os.DirFS(path), "."
			if !info.IsDir() {
				from, start = os.DirFS(filepath.Dir(path)), filepath.Base(path)
			}
			folder, err := a.writeDataFolder()
			if err != nil {
				return err
			}
			defer folder.Close()
			show := a.newDownload(asJSON)
			found, err := folder.Import(ctx, from, start, dataset.Published(), show.event)
			show.close()
			if errors.Is(err, context.Canceled) {
				a.said = true
				a.talk("kappa: interrupted; the same command takes the rest")
				return context.Canceled
			}
			if err != nil {
				err = dataFailure(fmt.Errorf("import %s: %w", args[0], err))
				if len(found) == 0 {
					return err
				}
			}
			return joined(a.tellImport(found, args[0], folder.Dir(), err != nil, asJSON), err)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// tellImport lists what an import took, left and lacks. Nothing recognised is a failure unless it was broken off, and so is a file
// that is not what its name says.
func (a *app) tellImport(found []fetch.Finding, from, dir string, broken, asJSON bool) error {
	var known, ignored int
	var errs error
	var lacking []string
	g := findingGrid(found)
	if !asJSON {
		g = &grid{columns: []string{"from", "state", "file", "size"}}
	}
	for _, f := range found {
		var size, source, target any
		if f.Bytes > 0 {
			size = fetch.Size(f.Bytes)
		}
		if f.From != "" {
			source = f.From
		}
		if f.File != "" {
			target = f.File
		}
		state := string(f.State)
		switch f.State {
		case fetch.Taken:
			known++
		case fetch.Right:
			known++
			state = "here already"
		case fetch.Wrong:
			errs = joined(errs, failf("", "%s: %w", filepath.Join(from, filepath.FromSlash(f.From)), f.Err))
		case fetch.Missing:
			if !slices.Contains(lacking, f.Set) {
				lacking = append(lacking, f.Set)
			}
		case fetch.Ignored:
			if ignored++; ignored > ignoredShown {
				continue
			}
			state = fmt.Sprintf("ignored: %v", f.Err)
		}
		if !asJSON {
			g.add(source, state, target, size)
		}
	}
	if err := a.list(g, asJSON); err != nil {
		return err
	}
	if ignored > ignoredShown && !asJSON {
		a.talk("and %s more that belong to no data set", counted(ignored-ignoredShown, "file"))
	}
	if len(lacking) > 0 {
		a.talk("kappa: hint: `kappa data fetch %s` downloads what is missing", strings.Join(lacking, " "))
	}
	if known == 0 && errs == nil && !broken {
		var names []string
		for _, p := range dataset.Published() {
			names = append(names, p.Name)
		}
		errs = failf("`kappa data list` lists the data sets; a file is known by its content, which has to be the published one",
			"import %s: no file of a known data set (%s) is there", from, strings.Join(names, ", "))
	}
	return errs
}
