package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"kappa/runner"
	"kappa/runner/dataset"
	"kappa/runner/dataset/fetch"
)

func (a *app) dataCommand() *cobra.Command {
	return group("data", "Data sets: what there is, where it lies, how to get it",
		a.dataListCommand(), a.dataFetchCommand(), a.dataImportCommand(), a.dataVerifyCommand(), a.dataPathCommand())
}

func (a *app) dataListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List the data sets that a spec may name", Args: cobra.NoArgs,
		Long: `Lists the data sets that a spec may name, and whether they are here: by the names and sizes of
their files ("kappa data verify" looks at the content). The size is that of the uncompressed files.`,
		RunE: run(func(context.Context, []string) error {
			folder, err := a.readDataFolder()
			if err != nil {
				return err
			}
			if folder != nil {
				defer folder.Close()
			}
			return a.list(dataGrid(folder, dataFolder(a.env), asJSON), asJSON)
		}),
	}
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

// dataGrid lists the data sets; folder is nil where there is none. JSON has every column, a table what people look for.
func dataGrid(folder *fetch.Folder, dir string, whole bool) *grid {
	known := make(map[string]dataset.Info)
	for _, info := range dataset.Known() {
		known[info.Name] = info
	}
	g := &grid{columns: []string{"name", "rows", "columns", "classes", "here", "size", "licence", "about"}}
	if whole {
		g.columns = []string{"name", "rows", "columns", "classes", "here", "files", "files_here", "bytes", "path", "licence", "source", "mirrors", "about"}
	}
	for _, d := range runner.Catalog().Datasets {
		info := known[d.Name]
		p, published := dataset.FindPublished(d.Name)
		var here, size any
		var files, filesHere, bytes, path, mirrors any
		_, inBinary := known[d.Name]
		switch {
		case published:
			got := folder.Present(p)
			here, size = presence(got), fetch.Size(p.Bytes())
			files, filesHere, bytes, mirrors = got.Files, got.Here, p.Bytes(), strings.Join(p.Mirrors, " ")
			path = filepath.Join(dir, p.Name)
		case inBinary:
			here = "✓ in the binary"
		}
		if whole {
			g.add(d.Name, positive(info.Rows), positive(info.Columns), positive(len(d.Classes)), here, files, filesHere, bytes, path,
				info.Licence, info.Source, mirrors, d.Doc)
		} else {
			g.add(d.Name, positive(info.Rows), positive(info.Columns), positive(len(d.Classes)), here, size, info.Licence, d.Doc)
		}
	}
	return g
}

// presence says in words how much of a data set is here.
func presence(p fetch.Presence) string {
	switch {
	case p.Complete():
		return "✓ fetched"
	case p.Here > 0:
		return fmt.Sprintf("%d of %d files", p.Here, p.Files)
	}
	return "– not fetched"
}

func (a *app) dataPathCommand() *cobra.Command {
	return &cobra.Command{
		Use: "path [NAME]", Short: "Print the folder of data sets that are not in the binary", Args: cobra.MaximumNArgs(1),
		Long: `Prints the folder from which specs may read besides their project: $KAPPA_DATA, else
kappa in the user's cache folder; with NAME, the folder of that data set in it. It need
not exist.`,
		ValidArgsFunction: completeData,
		RunE: run(func(_ context.Context, args []string) error {
			dir, err := a.dataDir()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				if _, err := publications(args); err != nil {
					return err
				}
				dir = filepath.Join(dir, args[0])
			}
			_, err = fmt.Fprintln(a.env.Stdout, dir)
			return err
		}),
	}
}

// dataDir is the data folder, which need not exist.
func (a *app) dataDir() (string, error) {
	dir := dataFolder(a.env)
	if dir == "" {
		return "", failf("set KAPPA_DATA to a folder", "data folder: the user has no cache folder, and KAPPA_DATA is not set")
	}
	return onDisk(a.cwd, dir), nil
}

// readDataFolder opens the data folder for reading; nil if it is not there.
func (a *app) readDataFolder() (*fetch.Folder, error) {
	dir := dataFolder(a.env)
	if dir == "" {
		return nil, nil
	}
	folder, err := fetch.Open(onDisk(a.cwd, dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, failf("let KAPPA_DATA name a folder that can be read", "%w", err)
	}
	return folder, nil
}

// writeDataFolder opens the data folder for writing, and makes it if it is not there.
func (a *app) writeDataFolder() (*fetch.Folder, error) {
	dir, err := a.dataDir()
	if err != nil {
		return nil, err
	}
	folder, err := fetch.Create(dir)
	if err != nil {
		return nil, dataFailure(err)
	}
	return folder, nil
}

// publications are the data sets of those names.
func publications(names []string) ([]dataset.Publication, error) {
	var accepted []string
	for _, p := range dataset.Published() {
		accepted = append(accepted, p.Name)
	}
	var out []dataset.Publication
	for _, name := range names {
		p, ok := dataset.FindPublished(name)
		if !ok {
			for _, info := range dataset.Known() {
				if info.Name == name {
					return nil, usagef("", "data set %s is in the binary: there is nothing to fetch; accepted: %s", name, strings.Join(accepted, ", "))
				}
			}
			return nil, usagef("`kappa data list` lists the data sets", "data set %q is not known; accepted: %s", name, strings.Join(accepted, ", "))
		}
		out = append(out, p)
	}
	return out, nil
}

// completeData proposes the data sets that can be fetched.
func completeData(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, p := range dataset.Published() {
		out = append(out, p.Name)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// dataFailure adds to an error of the data folder what to do about it.
func dataFailure(err error) error {
	const importing = "`kappa data import DIR` takes files that you have, --from URL names another mirror"
	hint := ""
	mirrors, noMirror := errors.AsType[*fetch.MirrorsError](err)
	_, full := errors.AsType[*fetch.DiskFullError](err)
	switch {
	case full:
		hint = "make room, or let KAPPA_DATA name a folder on another disk; what has come is kept, and the same command goes on from there"
	case noMirror && mirrors.Kept > 0:
		hint = fmt.Sprintf("%s are kept, and the same command goes on from there; %s", fetch.Size(mirrors.Kept), importing)
	case noMirror:
		hint = importing
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = "make the folder writable, or let KAPPA_DATA name another"
	case errors.Is(err, context.DeadlineExceeded):
		hint = "a longer --timeout lets it finish; the same command goes on from here"
	}
	return &failure{code: exitFailed, err: err, hint: hint}
}

// positive is a count, or nothing where it depends on settings.
func positive(n int) any {
	if n == 0 {
		return nil
	}
	return n
}
