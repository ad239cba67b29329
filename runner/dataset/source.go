package dataset

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of what is read; see the package comment.
const (
	MaxValues      = 1 << 27  // numbers in one matrix (1 GiB as float64)
	MaxFileBytes   = 4 << 30  // uncompressed bytes of one file
	MaxRecordBytes = 16 << 20 // bytes of one CSV record
	MaxCategories  = 1 << 16  // different texts in one text column
	MaxTextBytes   = 16 << 20 // bytes of all different texts of a CSV
	MaxColumns     = 1 << 14  // columns of a CSV, and features of a data set: θ has their square
)

// What to do with a CSV column that holds text.
const (
	CategoricalError       = "error"        // refuse it, naming the first text (the default)
	CategoricalSortedIndex = "sorted-index" // number it: the index of each text among the file's sorted unique texts
)

// Source is a data set with its preprocessing: everything [Load] or [LoadImages] needs. Exactly one of Name, CSV, NPY and Images is
// set.
type Source struct {
	Name string // a data set known by name (see [Known]); "synthetic" is drawn, not loaded
	// Side is "primary" or "harmful" for a data set whose sides are different files ("house-prices"), "" for the others.
	Side string
	CSV  string // path of a comma-separated file in UTF-8
	NPY  string // path of a NumPy array, N×D or of length N (one column)

	Images string // path of a folder of photographs; see below
	// Split says that the data set is read as images with a part to train on and a part to test on, by [LoadImages] and not by
	// [Load]. Its digest is then that of the files of both parts.
	Split bool

	// A folder of photographs (Images) has a folder "train" and a folder "val" ("valid", "test": the first that is there), in each of
	// which there is a folder for each class; or only folders of classes, and then every fifth picture of a class, in the order of
	// names, is to test on. Classes are numbered in the byte order of their names. Pictures are the files that end in .jpg, .jpeg or
	// .png in upper or lower case, be they JPEG or PNG; other files, and names that begin with a dot, are passed over. They are numbered
	// from class to class, the first of each class before the second ones, so that the first n are of all classes.
	//
	// A picture is decoded when a batch is read: to 8 bits of red, green and blue, its shorter side resized to Resize pixels as
	// Pillow does it, the Crop×Crop pixels in its middle taken, x ↦ (x/255 − Mean)/Dev for each channel in 32-bit arithmetic.
	// There is no random augmentation.
	Resize, Crop int  // pixels; 0 are 8/7 of Crop and 224
	Squash       bool // resize to Crop×Crop whatever the picture's shape, and cut nothing off
	// Interpolation is Bilinear ("" is the same) or Bicubic, both with antialiasing.
	Interpolation string
	Mean, Dev     []float64 // of red, green and blue between 0 and 1; nil are ImageNet's
	PerClass      int       // the first so many pictures of each class, in both parts; 0 are all

	LabelsNPY string // with NPY: path of the targets, an array of length N or N×1; "" for none

	// Target names the column that holds the target: a header's name, or, in files without a header and in .npy files, its
	// number from "1". "" means that there is none.
	Target string
	Drop   []string // columns left out, named like Target; their cells are not examined
	// NoHeader says that a CSV's first line is data.
	NoHeader bool

	// Missing fills missing cells: those a CSV leaves empty or marks (see below), and NaN in .npy files. nil refuses them. In a
	// text column the number's shortest decimal form ("0", "-1", "0.5") takes part as a text like any other.
	//
	// A cell of a CSV is missing if it is one of: the empty string, #N/A, #N/A N/A, #NA, -1.#IND, -1.#QNAN, -NaN, -nan, 1.#IND,
	// 1.#QNAN, <NA>, N/A, NA, NULL, NaN, n/a, nan, null. This is the list of pandas 1; the word None, which pandas 2 added to
	// it, is a text here.
	Missing *float64
	// Categorical is CategoricalError ("" is the same) or CategoricalSortedIndex.
	Categorical string

	Shift, Scale float64 // x ↦ (x − Shift)/Scale for each column but the target; a Scale of 0 counts as 1
	Standardize  bool    // each column: minus its mean, by its standard deviation (n−1; 0 counts as 1), over all rows
	Float32      bool    // round to float32 at the end, and back
}

// Check reports all that is wrong with s by itself, without reading anything, joined into one error; nil if nothing is.
func (s Source) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	given := 0
	for _, v := range []string{s.Name, s.CSV, s.NPY, s.Images} {
		if v != "" {
			given++
		}
	}
	if given != 1 {
		bad("data set: give exactly one of a name (%s), csv = \"FILE\", npy = \"FILE\" and images = \"FOLDER\"; %d are given", strings.Join(names(), ", "), given)
	}
	if s.Name != "" {
		n, err := find(s.Name)
		if err != nil {
			errs = append(errs, err)
		}
		if n.fixed && (len(s.Drop) > 0 || s.Shift != 0 || s.Scale != 0 && s.Scale != 1 || s.Standardize || s.Float32) {
			bad("data set %q: its preprocessing is its own; drop, shift, scale, standardize and float32 are for other data", s.Name)
		}
		if n.sides && s.Side != "primary" && s.Side != "harmful" {
			bad("data set %q: the side is %q; accepted: \"primary\" or \"harmful\", which are different files", s.Name, s.Side)
		}
		if !n.sides && err == nil && s.Side != "" {
			bad("data set %q: the side is %q; accepted: none, as its sides are the same files", s.Name, s.Side)
		}
		if s.Target != "" || s.LabelsNPY != "" || s.NoHeader || s.Missing != nil || s.Categorical != "" {
			bad("data set %q: target, labels, header, missing and categorical are for your own files, not for a data set known by name", s.Name)
		}
	}
	errs = append(errs, s.checkImages()...)
	if s.Name == "" && s.Side != "" {
		bad("data set: the side is %q; accepted: none for files of your own", s.Side)
	}
	for _, p := range []string{s.CSV, s.NPY, s.LabelsNPY, s.Images} {
		if p != "" {
			if err := CheckPath(p); err != nil {
				errs = append(errs, err)
			}
		}
	}
	if s.LabelsNPY != "" && s.NPY == "" {
		bad("labels file %q: only a .npy data set has its labels in a file of their own; name the CSV's column with target", s.LabelsNPY)
	}
	if s.LabelsNPY != "" && s.Target != "" {
		bad("labels file %q and target column %q are both given; give one", s.LabelsNPY, s.Target)
	}
	if s.NPY != "" && (s.NoHeader || s.Categorical != "") {
		bad("%s: header and categorical are for CSV files", s.NPY)
	}
	if s.Target != "" && slices.Contains(s.Drop, s.Target) {
		bad("column %q is both the target and dropped", s.Target)
	}
	switch s.Categorical {
	case "", CategoricalError, CategoricalSortedIndex:
	default:
		bad("categorical is %q; accepted: %q, %q", s.Categorical, CategoricalError, CategoricalSortedIndex)
	}
	if s.Missing != nil && !finite(*s.Missing) {
		bad("missing is %v; accepted: a finite number", *s.Missing)
	}
	if !finite(s.Shift) || !finite(s.Scale) {
		bad("shift is %v and scale is %v; accepted: finite numbers", s.Shift, s.Scale)
	}
	return errors.Join(errs...)
}

// Key is the canonical form of s: two sources with equal keys load equal sets from equal files, whatever the order of Drop and
// however defaults are written. It is one line, and what is at its default is left out, so that an option added later does not
// change the keys of sources that do not use it. Paths stand in it as given: the folder they are relative to does not. A [Ref] has the key of
// its source: class, task and n choose among the rows of one loaded set.
func (s Source) Key() string {
	var b strings.Builder
	add := func(name, value string) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(name + "=" + value)
	}
	text := func(name, value string) {
		if value != "" {
			add(name, strconv.Quote(value))
		}
	}
	flag := func(name string, on bool) {
		if on {
			add(name, "true")
		}
	}
	text("name", s.Name)
	text("side", s.Side)
	text("csv", s.CSV)
	text("npy", s.NPY)
	text("images", s.Images)
	flag("split", s.Split)
	number := func(name string, n int) {
		if n != 0 {
			add(name, strconv.Itoa(n))
		}
	}
	if s.Images != "" {
		resize, crop := s.photoSizes()
		if !s.Squash {
			number("resize", resize)
		}
		number("crop", crop)
		flag("squash", s.Squash)
		if s.Interpolation != Bilinear {
			text("interpolation", s.Interpolation)
		}
		for _, l := range []struct {
			name         string
			given, usual []float64
		}{{"mean", s.Mean, photoDefaults.mean[:]}, {"dev", s.Dev, photoDefaults.dev[:]}} {
			if l.given != nil && !slices.Equal(l.given, l.usual) {
				for _, x := range l.given {
					add(l.name, shortest(x))
				}
			}
		}
		number("per-class", s.PerClass)
	}
	text("labels", s.LabelsNPY)
	text("target", s.Target)
	drop := slices.Clone(s.Drop)
	slices.Sort(drop)
	for _, d := range slices.Compact(drop) {
		add("drop", strconv.Quote(d))
	}
	flag("no-header", s.NoHeader)
	if s.Missing != nil {
		add("missing", shortest(*s.Missing))
	}
	if s.Categorical != CategoricalError {
		text("categorical", s.Categorical)
	}
	if s.Shift != 0 {
		add("shift", shortest(s.Shift))
	}
	if s.Scale != 0 && s.Scale != 1 {
		add("scale", shortest(s.Scale))
	}
	flag("standardize", s.Standardize)
	flag("float32", s.Float32)
	return b.String()
}

// label is how messages call s: its name or its file.
func (s Source) label() string {
	switch {
	case s.Name != "":
		return fmt.Sprintf("data set %q", s.Name)
	case s.CSV != "":
		return s.CSV
	case s.Images != "":
		return s.Images
	default:
		return s.NPY
	}
}

// CheckPath refuses a path that names no file or has another, simpler spelling. Which folders may be read is the business of the file system that the caller gives (see the package comment): "../data/houses.csv" is fine where
// it leads to a folder that is open to the spec.
func CheckPath(p string) error {
	why := ""
	switch clean := path.Clean(strings.ReplaceAll(p, `\`, "/")); {
	case p == "" || clean == "." || clean == "/" || path.Base(clean) == "..":
		why = "it names no file"
	case !utf8.ValidString(p) || strings.ContainsRune(p, 0):
		why = "it is not valid UTF-8"
	case clean != p:
		why = fmt.Sprintf("write it as %q", clean)
	default:
		return nil
	}
	return fmt.Errorf("data path %q is refused: %s (accepted: a path like \"data/houses.csv\", relative to the spec's folder)", p, why)
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// shortest is the shortest decimal form that reads back as x: 0, -1, 0.5.
func shortest(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
