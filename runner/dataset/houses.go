package dataset

import (
	"errors"
	"fmt"
	"io/fs"
)

// housePricesNamed is the data set of the paper's linear experiments: two CSV files of houses, the primary side those outside
// of residential low-density zones with their lot areas as targets, the harmful side those within them with their prices.
func housePricesNamed() named {
	n := named{
		Info: externalInfo("house-prices", "Houses of Ames, Iowa: the primary side predicts LotArea in D1.csv (zones other than RL), the harmful side SalePrice in D2.csv (RL); 79 features, standardised, in float32."),
		as: func(s Source) Source {
			out := Source{
				CSV: "house-prices/D1.csv", Target: "LotArea", Drop: []string{"SalePrice"}, Missing: new(0.0),
				Categorical: CategoricalSortedIndex, Standardize: true, Float32: true,
			}
			if s.Side == "harmful" {
				out.CSV, out.Target, out.Drop = "house-prices/D2.csv", "SalePrice", []string{"LotArea"}
			}
			return out
		},
		sides: true, fixed: true,
	}
	n.Columns = 79
	n.reads = func(s Source) []string { return []string{n.as(s).CSV} }
	n.Digest = pin("house-prices/D1.csv", "house-prices/D2.csv")
	return n
}

// loadAs loads the source that s is read as.
func (n named) loadAs(fsys fs.FS, s Source) (*Set, error) {
	src := n.as(s)
	f, err := n.openKnown(fsys, s, src.CSV) // settles which of its places it is at
	if err != nil {
		return nil, err
	}
	f.Close()
	place := src
	place.CSV = f.path
	files, _ := library(fsys)
	set, err := Load(files, place)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, n.missing(fsys, s, src.CSV)
	}
	if err != nil {
		return nil, fmt.Errorf("data set %q: %w", n.Name, err)
	}
	if w := n.verdict(src.CSV, set.Digest, f); w != "" {
		set.Warnings = append(set.Warnings, w)
	}
	return set, nil
}

// readAs is the source that s is read as: itself, but for a few data sets known by name.
func (s Source) readAs() Source {
	if n, err := find(s.Name); err == nil && n.as != nil {
		return n.as(s)
	}
	return s
}

// Sided says whether the two sides of a problem are different files of the data set of that name, so that [Source.Side] must be
// given.
func Sided(name string) bool {
	n, ok := lookup(name)
	return ok && n.sides
}
