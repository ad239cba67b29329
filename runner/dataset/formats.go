package dataset

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// Info describes a data set known by name.
type Info struct {
	Name string
	Doc  string // one sentence
	Rows int    // 0 if it depends on settings
	// TestRows is the number of images to test on where the data set can be read as images ([LoadImages]); those to train on are
	// the Rows, or, where all rows are one file (digits), the rest of them.
	TestRows int
	Columns  int     // likewise
	Classes  []int64 // label values in ascending order; nil if it has none
	Digest   string  // SHA-256 of the uncompressed bytes, 64 hex digits; for a drawn data set, of its generator's version
	Source   string  // where the data come from
	Licence  string
	Needs    string // a sentence saying how to get the data, if they are not in the binary; else empty
}

// named is one line of the table of names.
type named struct {
	Info
	load func(fsys fs.FS) (*table, error) // nil for what is drawn, and for what is read as something else
	// parts reads it as images, with a part to test on; nil if it is none of images.
	parts func(fsys fs.FS) (*parts, error)
	// as is the source that a data set is read as, in the data folder; nil if it has its own load.
	as func(s Source) Source
	// reads lists its files in the data folder, in the order in which their digests are combined; nil if it is in the binary.
	reads func(s Source) []string
	sides bool // the two sides of a problem are different files
	fixed bool // it brings its preprocessing with it and takes no other
}

// table is what a reader returns before the preprocessing that all formats share: raw numbers without missing ones.
type table struct {
	columns  []string   // names of the columns of x
	x        *mat.Dense // N×D; nil if images stand in its place
	images   *bitmaps
	y        []float64 // N targets; nil if there are none
	single   bool      // the file stores 32-bit floats
	headed   bool      // columns come from a header
	digest   string    // SHA-256 of the uncompressed bytes read
	sums     []string  // of each file, of images
	warnings []string
}

// table of names: a data set known by name is one line here.
func registry() []named {
	list := []named{{Info: digitsInfo(), load: func(fs.FS) (*table, error) { return loadDigits() }, parts: digitsParts}}
	list = append(list, imageSets()...)
	return append(list, housePricesNamed(), named{Info: syntheticInfo()})
}

// Known lists the data sets known by name.
func Known() []Info {
	var infos []Info
	for _, n := range registry() {
		infos = append(infos, n.Info)
	}
	return infos
}

// table of formats: how s's files are read.
func read(fsys fs.FS, s Source) (*table, error) {
	switch {
	case s.CSV != "":
		return readCSV(fsys, s)
	case s.NPY != "":
		return readNPYTable(fsys, s)
	}
	n, err := find(s.Name)
	if err != nil {
		return nil, err
	}
	if n.load == nil {
		return nil, fmt.Errorf("data set %q is drawn for both sides of a problem at once and cannot be loaded alone", s.Name)
	}
	return n.load(fsys)
}

// files lists the files that s reads, in the order in which their digests are combined.
func (s Source) files() []string {
	var list []string
	for _, f := range []string{s.CSV, s.NPY, s.LabelsNPY} {
		if f != "" {
			list = append(list, f)
		}
	}
	return list
}

// registered is the table as it is looked up in, made once.
var registered = sync.OnceValue(registry)

func lookup(name string) (named, bool) {
	all := registered()
	i := slices.IndexFunc(all, func(n named) bool { return n.Name == name })
	if i < 0 {
		return named{}, false
	}
	return all[i], true
}

func find(name string) (named, error) {
	n, ok := lookup(name)
	if !ok {
		return named{}, fmt.Errorf("data set %q is not known%s; accepted: %s, or your own as csv = \"FILE\", npy = \"FILE\" or images = \"FOLDER\"", name, didYouMean(name, names()), strings.Join(names(), ", "))
	}
	return n, nil
}

func names() []string {
	var list []string
	for _, n := range registry() {
		list = append(list, n.Name)
	}
	return list
}

// didYouMean is ` (did you mean "…"?)` with the candidate nearest to name in edit distance, case aside; "" if none is near.
func didYouMean(name string, candidates []string) string {
	best, near := "", 1+len([]rune(name))/3
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d <= near && c != name {
			best, near = c, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is the Levenshtein distance of a and b, O(len(a)·len(b)).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := range s {
		diagonal := row[0]
		row[0] = i + 1
		for j := range t {
			cost := diagonal
			if s[i] != t[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(t)]
}
