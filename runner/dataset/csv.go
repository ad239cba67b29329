package dataset

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gonum.org/v1/gonum/mat"
)

// csvColumn is what the survey of a CSV file learns about one column.
type csvColumn struct {
	used     bool
	text     bool // some cell that is not missing does not read as a number
	missing  int
	index    map[string]int // of a text column: its texts → their place among the sorted ones
	firstBad csvCell        // the first text
	firstNA  csvCell        // the first missing cell
	present  bool           // some cell is not missing
}

type csvCell struct {
	line  int
	value string
}

// csvFile is a CSV file being read: what is known about its columns.
type csvFile struct {
	src       Source
	names     []string
	columns   []csvColumn
	rows      int
	textBytes int // of all different texts
}

// readCSV reads the file src.CSV in two passes, or three if it has text columns: one to learn each column's kind and the number
// of rows, one to collect texts, one to fill the matrix. The file is never held in memory.
//
// A column is numeric when all its cells that are not missing read as numbers (surrounding blanks, a sign, a decimal exponent;
// no hexadecimal, no thousands separators); otherwise all its cells are texts, numbers included, exactly as written. Empty
// lines are skipped. The kinds follow pandas' read_csv.
func readCSV(fsys fs.FS, src Source) (*table, error) {
	c := &csvFile{src: src}
	keep, target, digest, err := c.survey(fsys)
	if err != nil {
		return nil, err
	}
	if err := c.decide(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(c.columns, func(k csvColumn) bool { return k.text }) {
		if err := c.collect(fsys, digest); err != nil {
			return nil, err
		}
	}
	t := &table{headed: !src.NoHeader, digest: digest}
	for _, j := range keep {
		t.columns = append(t.columns, c.names[j])
		if !c.columns[j].present {
			t.warnings = append(t.warnings, fmt.Sprintf("%s: column %q has no value at all; all its cells were missing and became %s", src.CSV, c.names[j], shortest(*src.Missing)))
		}
	}
	if target >= 0 && c.columns[target].missing > 0 {
		t.warnings = append(t.warnings, fmt.Sprintf("%s: %d of %d targets (column %q) were missing and became %s", src.CSV, c.columns[target].missing, c.rows, c.names[target], shortest(*src.Missing)))
	}
	if err := c.fill(fsys, t, keep, target); err != nil {
		return nil, err
	}
	return t, nil
}

// survey is the first pass.
func (c *csvFile) survey(fsys fs.FS) (keep []int, target int, digest string, err error) {
	digest, err = scanCSV(fsys, c.src.CSV, func(i int, rec []string, line func(int) int) error {
		if i == 0 {
			if err := c.header(rec, line); err != nil {
				return err
			}
			if keep, target, err = c.src.choose(c.names); err != nil {
				return err
			}
			for _, j := range keep {
				c.columns[j].used = true
			}
			if target >= 0 {
				c.columns[target].used = true
			}
			if !c.src.NoHeader {
				return nil
			}
		}
		if len(rec) != len(c.names) {
			return fmt.Errorf("%s: line %d has %d fields; accepted: %d, as many as the first line has", c.src.CSV, line(0), len(rec), len(c.names))
		}
		c.rows++
		if c.rows > MaxValues/len(keep) {
			return fmt.Errorf("%s: line %d: more than %d numbers in %d columns; accepted: at most %d rows of them", c.src.CSV, line(0), MaxValues, len(keep), MaxValues/len(keep))
		}
		for j, cell := range rec {
			k := &c.columns[j]
			if !k.used {
				continue
			}
			if isMissing(cell) {
				if k.missing == 0 {
					k.firstNA = csvCell{line(j), cell}
				}
				k.missing++
				continue
			}
			k.present = true
			if k.text {
				continue
			}
			v, ok := number(cell)
			switch {
			case !ok:
				k.text, k.firstBad = true, csvCell{line(j), strings.Clone(cell)}
			case !finite(v):
				return c.refuse(j, line(j), cell, "is not finite", "finite numbers within ±1.8e308")
			}
		}
		return nil
	})
	if err != nil {
		return nil, 0, "", err
	}
	switch {
	case len(c.names) == 0:
		return nil, 0, "", fmt.Errorf("%s: the file is empty; accepted: %s", c.src.CSV, c.wanted())
	case c.rows == 0:
		return nil, 0, "", fmt.Errorf("%s: the file has a header and no rows; accepted: %s", c.src.CSV, c.wanted())
	}
	return keep, target, digest, nil
}

func (c *csvFile) wanted() string {
	if c.src.NoHeader {
		return "at least one row of numbers"
	}
	return "a header line and at least one row of numbers"
}

// header takes the names of the columns from the first record, or numbers them.
func (c *csvFile) header(rec []string, line func(int) int) error {
	if len(rec) > MaxColumns {
		return fmt.Errorf("%s: line %d has %d fields; accepted: at most %d columns", c.src.CSV, line(0), len(rec), MaxColumns)
	}
	c.columns = make([]csvColumn, len(rec))
	if c.src.NoHeader {
		c.names = numbers(len(rec))
		return nil
	}
	c.names = make([]string, len(rec))
	first := make(map[string]int, len(rec))
	for j, name := range rec {
		if !utf8.ValidString(name) {
			return fmt.Errorf("%s: line %d: the name of column %d, %q, is not valid UTF-8; save the file as UTF-8", c.src.CSV, line(j), j+1, name)
		}
		if i, ok := first[name]; ok {
			return fmt.Errorf("%s: line %d: columns %d and %d are both called %q; accepted: a different name for each column (or header = false, if the first line is data)", c.src.CSV, line(j), i+1, j+1, name)
		}
		first[name] = j
		c.names[j] = strings.Clone(name)
	}
	return nil
}

// decide refuses the kinds of cells that the source does not allow.
func (c *csvFile) decide() error {
	for j, k := range c.columns {
		if k.text && c.src.Categorical != CategoricalSortedIndex {
			hint := ""
			if strings.ContainsAny(k.firstBad.value, ";\t") && len(c.names) == 1 {
				hint = "; the fields seem to be separated by something else than commas"
			}
			return c.refuse(j, k.firstBad.line, k.firstBad.value, "is not a number", `numbers (or categorical = "sorted-index" to number the texts of a column, or drop the column)`+hint)
		}
		if k.missing > 0 && c.src.Missing == nil {
			return c.refuse(j, k.firstNA.line, k.firstNA.value, "counts as missing", "a value in each cell (or missing = 0 to fill such cells, or drop the column)")
		}
	}
	return nil
}

// collect is the pass over the texts of the text columns.
func (c *csvFile) collect(fsys fs.FS, digest string) error {
	err := c.again(fsys, digest, func(_ int, rec []string, line func(int) int) error {
		for j, cell := range rec {
			k := &c.columns[j]
			if !k.text {
				continue
			}
			cell = c.asText(cell)
			if _, ok := k.index[cell]; ok {
				continue
			}
			if !utf8.ValidString(cell) {
				return c.refuse(j, line(j), cell, "is not valid UTF-8", "texts in UTF-8")
			}
			if len(k.index) == MaxCategories {
				return c.refuse(j, line(j), cell, fmt.Sprintf("is one more than %d different texts", MaxCategories), "at most that many in a column (drop a column of names or free text)")
			}
			if c.textBytes += len(cell); c.textBytes > MaxTextBytes {
				return c.refuse(j, line(j), cell, fmt.Sprintf("brings the different texts of the file to more than %d bytes", MaxTextBytes), "at most that many (drop a column of free text)")
			}
			if k.index == nil {
				k.index = make(map[string]int)
			}
			k.index[strings.Clone(cell)] = 0
		}
		return nil
	})
	if err != nil {
		return err
	}
	for j := range c.columns {
		index := c.columns[j].index
		texts := make([]string, 0, len(index))
		for s := range index {
			texts = append(texts, s)
		}
		slices.Sort(texts) // bytes of UTF-8 sort like code points
		for i, s := range texts {
			index[s] = i
		}
	}
	return nil
}

// fill is the last pass: it sets t.x and t.y.
func (c *csvFile) fill(fsys fs.FS, t *table, keep []int, target int) error {
	x := make([]float64, 0, c.rows*len(keep))
	if target >= 0 {
		t.y = make([]float64, 0, c.rows)
	}
	value := func(j int, cell string) float64 {
		switch k := &c.columns[j]; {
		case k.text:
			return float64(k.index[c.asText(cell)])
		case isMissing(cell):
			return *c.src.Missing
		default:
			v, _ := number(cell)
			return v
		}
	}
	err := c.again(fsys, t.digest, func(_ int, rec []string, _ func(int) int) error {
		for _, j := range keep {
			x = append(x, value(j, rec[j]))
		}
		if target >= 0 {
			t.y = append(t.y, value(target, rec[target]))
		}
		return nil
	})
	if err != nil {
		return err
	}
	t.x = mat.NewDense(c.rows, len(keep), x)
	return nil
}

// again scans the rows once more and makes sure that they are the ones surveyed.
func (c *csvFile) again(fsys fs.FS, digest string, row func(i int, rec []string, line func(int) int) error) error {
	changed := fmt.Errorf("%s: the file changed while it was being read", c.src.CSV)
	n := 0
	sum, err := scanCSV(fsys, c.src.CSV, func(i int, rec []string, line func(int) int) error {
		if i == 0 && !c.src.NoHeader {
			return nil
		}
		if n++; len(rec) != len(c.names) || n > c.rows {
			return changed
		}
		return row(i, rec, line)
	})
	switch {
	case err != nil:
		return err
	case sum != digest:
		return changed
	}
	return nil
}

// asText is a cell of a text column: missing cells take the text of the number that fills them.
func (c *csvFile) asText(cell string) string {
	if isMissing(cell) {
		return shortest(*c.src.Missing)
	}
	return cell
}

// refuse is the error for one cell.
func (c *csvFile) refuse(j, line int, value, what, accepted string) error {
	const longest = 60
	if r := []rune(value); len(r) > longest {
		value = string(r[:longest]) + "…"
	}
	column := strconv.Itoa(j + 1)
	if !c.src.NoHeader {
		column = fmt.Sprintf("%q (%d)", c.names[j], j+1)
	}
	return fmt.Errorf("%s: line %d, column %s: %q %s; accepted: %s", c.src.CSV, line, column, value, what, accepted)
}

// isMissing says whether a cell counts as missing; the list is documented at Source.Missing.
func isMissing(cell string) bool {
	switch cell {
	case "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
		"<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null":
		return true
	}
	return false
}

// number reads a decimal number with blanks around it; ±Inf for infinities and for what is too large for a float64.
func number(cell string) (v float64, ok bool) {
	s := strings.TrimSpace(cell)
	for i := range len(s) {
		switch b := s[i]; {
		case '0' <= b && b <= '9', b == '+', b == '-', b == '.', b == 'e', b == 'E':
		default:
			switch strings.ToLower(strings.TrimLeft(s, "+-")) {
			case "inf", "infinity":
				return math.Inf(1), true
			}
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return v, true
}
