package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kappa/reports"
)

// reportFormats are what a report can be written as; the first is the report itself, with its folder of files.
var reportFormats = []string{"md", "html", "ipynb"}

// toFlags are the flags of report that say what it is written as, and where to.
type toFlags struct {
	to     []string
	output string
}

func (f *toFlags) register(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.to, "to", nil,
		"write `FORMAT`: md (default), html (one self-contained page), ipynb (a Jupyter notebook); repeatable, or with commas")
	c.Flags().StringVarP(&f.output, "output", "o", "", "write html or ipynb to `FILE`, or into a folder; - is stdout")
	_ = c.RegisterFlagCompletionFunc("to", cobra.FixedCompletions(reportFormats, cobra.ShellCompDirectiveNoFileComp))
}

// check refuses formats that are none, and a place that does not go with them.
func (f *toFlags) check(cwd string, specs int, asJSON bool) error {
	if f.output != "" && len(f.to) == 0 {
		f.to = []string{strings.TrimPrefix(filepath.Ext(f.output), ".")}
		if !slices.Contains(reportFormats[1:], f.to[0]) {
			return usagef("`--to html` or `--to ipynb`", "--output %s: say what it is to be", f.output)
		}
	}
	for _, to := range f.to {
		if !slices.Contains(reportFormats, to) {
			return usagef("known: "+strings.Join(reportFormats, ", "), "--to %s: no such format", to)
		}
	}
	slices.SortFunc(f.to, func(a, b string) int { return slices.Index(reportFormats, a) - slices.Index(reportFormats, b) })
	f.to = slices.Compact(f.to)
	switch {
	case f.output == "":
	case f.writes("md"):
		return usagef("leave out md, or --output", "--output %s: a Markdown report lies beside its spec, with its files", f.output)
	case f.output == "-" && asJSON:
		return usagef("leave out --json, or name a file", "--output -: stdout is for the summary")
	case f.folder(cwd):
	case len(f.to) > 1:
		return usagef("name a folder, or one format", "--output %s: one file for %s", f.output, strings.Join(f.to, " and "))
	case specs > 1:
		return usagef("name a folder, or one spec", "--output %s: one file for %d specs", f.output, specs)
	}
	return nil
}

// writes says whether a format is asked for.
func (f *toFlags) writes(format string) bool {
	return slices.Contains(f.to, format) || len(f.to) == 0 && format == "md"
}

// folder says whether the output is a folder, into which each file goes by its own name.
func (f *toFlags) folder(cwd string) bool {
	if f.output == "" || f.output == "-" {
		return false
	}
	info, err := os.Stat(onDisk(cwd, f.output))
	return err == nil && info.IsDir() || os.IsPathSeparator(f.output[len(f.output)-1])
}

// exportResult is what became of a report in another format than Markdown.
type exportResult struct {
	Path     string   `json:"path"`
	State    string   `json:"state"` // written, unchanged
	Warnings []string `json:"warnings"`
}

// export writes a report in the formats that are asked for, besides Markdown.
func (a *app) export(t *target, doc *reports.Document, o reportFlags, result *reportResult) error {
	for _, format := range reportFormats[1:] {
		if !o.writes(format) {
			continue
		}
		path := filepath.Join(t.file.Dir, t.spec.Name+"."+format)
		switch {
		case o.folder(a.cwd):
			path = filepath.Join(onDisk(a.cwd, o.output), t.spec.Name+"."+format)
		case o.output != "" && o.output != "-":
			path = onDisk(a.cwd, o.output)
		}
		e, err := a.exportAs(t, doc, o, format, path)
		if err != nil {
			return err
		}
		for _, w := range e.Warnings {
			a.talk("%s: %s", e.Path, w)
		}
		result.Exports = append(result.Exports, e)
		if !o.quiet && !o.asJSON && o.output != "-" {
			fmt.Fprintf(a.env.Stdout, "%s: %s\n", e.Path, e.State)
		}
	}
	return nil
}

// exportAs writes one format.
func (a *app) exportAs(t *target, doc *reports.Document, o reportFlags, format, path string) (exportResult, error) {
	result := exportResult{Path: shown(a.cwd, path), State: "unchanged", Warnings: []string{}}
	base, err := filepath.Rel(filepath.Dir(path), t.file.Dir)
	if err != nil {
		base = t.file.Dir
	}
	base = filepath.ToSlash(base)
	var e reports.Export
	switch format {
	case "html":
		e, err = doc.HTML(base, !o.noProvenance)
	case "ipynb":
		e, err = doc.Notebook(base, !o.noProvenance)
	}
	if err != nil {
		return result, failf("", "write report %s: %v", result.Path, err)
	}
	result.Warnings = append(result.Warnings, e.Warnings...)
	if o.output == "-" {
		result.Path, result.State = "-", "written"
		if _, err := a.env.Stdout.Write(e.Data); err != nil {
			return result, failf("", "write report to stdout: %v", cause(err))
		}
		return result, nil
	}
	if ofDatabase(path) {
		return result, notReplaced(result.Path)
	}
	changed, err := reports.WriteExport(path, e, o.force)
	if foreign, ok := errors.AsType[*reports.ForeignError](err); ok {
		return result, a.foreign(foreign)
	}
	if err != nil {
		return result, failf("", "write report %s: %v", result.Path, cause(err))
	}
	if changed {
		result.State = "written"
	}
	return result, nil
}
