package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits of a folder of photographs.
const (
	MaxPhotos  = 1 << 24
	MaxClasses = 1 << 16
)

// The names of the parts' folders; of those to test on the first that is there counts.
const trainFolder = "train"

var testFolders = []string{"val", "valid", "test"} // read only

// testEvery says which pictures of a class are to test on where the folder has no parts: each so-manieth.
const testEvery = 5

// folder is a folder of photographs, listed and not yet read.
type folder struct {
	src         Source
	classes     []string // in byte order
	train, test listing
	warnings    []string
}

// listing are the pictures of one part: first those of every class, in the order of classes, whose names come first in it in byte
// order, then the second ones, and so on, so that the first n of them are of all classes.
type listing struct {
	paths  []string // below the folder
	labels []int32
}

// interleave brings pictures that are sorted by class and by name into the order of a listing.
func (l *listing) interleave() {
	places, order := make([]int, len(l.labels)), numbered(len(l.labels))
	for i := range places {
		if i > 0 && l.labels[i] == l.labels[i-1] {
			places[i] = places[i-1] + 1
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return places[a] - places[b] })
	sorted := listing{make([]string, len(order)), make([]int32, len(order))}
	for k, i := range order {
		sorted.paths[k], sorted.labels[k] = l.paths[i], l.labels[i]
	}
	*l = sorted
}

// listFolder lists src.Images. Cost: a directory read for each class; no picture is opened. It ends with ctx between two classes.
func listFolder(ctx context.Context, fsys fs.FS, src Source) (*folder, error) {
	if fsys == nil {
		return nil, fmt.Errorf("%s: no folder of data is given", src.Images)
	}
	d := &folder{src: src}
	if _, err := fs.Stat(fsys, src.Images); errors.Is(err, fs.ErrNotExist) {
		return nil, &missingFile{fmt.Sprintf("folder of photographs %q is not there; accepted: a folder, relative to the spec's, with train/CLASS/*.jpg and val/CLASS/*.jpg, or with CLASS/*.jpg (kappa does not fetch it)", src.Images)}
	}
	top, err := d.subfolders(fsys, "")
	if err != nil {
		return nil, err
	}
	test := ""
	for _, name := range slices.Backward(testFolders) {
		if slices.Contains(top, name) {
			test = name
		}
	}
	switch parted := slices.Contains(top, trainFolder); {
	case parted && test == "":
		return nil, fmt.Errorf("%s: there is a folder %q and none to test on; accepted: beside it %s, or folders of classes alone", src.Images, trainFolder, strings.Join(testFolders, ", "))
	case !parted && test != "":
		return nil, fmt.Errorf("%s: there is a folder %q and none called %q; accepted: both, or folders of classes alone", src.Images, test, trainFolder)
	case parted:
		d.classes, err = d.subfolders(fsys, trainFolder)
		if err == nil {
			err = d.listPart(ctx, fsys, trainFolder, &d.train)
		}
		if err == nil {
			err = d.listTest(ctx, fsys, test)
		}
	default:
		d.classes = top
		var all listing
		err = d.listPart(ctx, fsys, "", &all)
		d.split(all)
		if err == nil && len(d.classes) > 0 && len(d.test.paths) == 0 {
			err = fmt.Errorf("%s: of each class every %dth picture is to test on, and no class has so many; accepted: more pictures, or folders %s and %s with classes in each", src.Images, testEvery, trainFolder, testFolders[0])
		}
	}
	if err != nil {
		return nil, err
	}
	if len(d.classes) < 2 {
		return nil, fmt.Errorf("%s: it has %d folders of classes; accepted: 2 or more", src.Images, len(d.classes))
	}
	d.train.interleave()
	d.test.interleave()
	return d, nil
}

// subfolders are the folders in a folder, in byte order.
func (d *folder) subfolders(fsys fs.FS, name string) ([]string, error) {
	entries, err := d.entries(fsys, name)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		is, err := d.isFolder(fsys, name, e)
		if err != nil {
			return nil, err
		}
		if is {
			out = append(out, e.Name())
		}
	}
	if len(out) > MaxClasses {
		return nil, fmt.Errorf("%s: it has %d folders; accepted: at most %d", path.Join(d.src.Images, name), len(out), MaxClasses)
	}
	return out, nil
}

// entries are what a folder holds, sorted by name; names that begin with a dot are left out.
func (d *folder) entries(fsys fs.FS, name string) ([]fs.DirEntry, error) {
	full := path.Join(d.src.Images, name)
	info, err := fs.Stat(fsys, full)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", full, cause(err))
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s: it is a file; accepted: a folder of photographs", full)
	}
	entries, err := fs.ReadDir(fsys, full)
	if err != nil {
		return nil, fmt.Errorf("read folder %s: %w", full, cause(err))
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") })
	for _, e := range entries {
		if !utf8.ValidString(e.Name()) {
			return nil, fmt.Errorf("%s: the name %q is not valid UTF-8; rename it", full, e.Name())
		}
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return entries, nil
}

// isFolder says whether an entry is a folder, or a link to one.
func (d *folder) isFolder(fsys fs.FS, parent string, e fs.DirEntry) (bool, error) {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir(), nil
	}
	full := path.Join(d.src.Images, parent, e.Name())
	info, err := fs.Stat(fsys, full)
	if err != nil {
		return false, fmt.Errorf("follow the link %s: %v", full, cause(err)) // and not fs.ErrNotExist: the folder itself is there
	}
	return info.IsDir(), nil
}

// listPart lists the pictures of every class below a folder.
func (d *folder) listPart(ctx context.Context, fsys fs.FS, part string, out *listing) error {
	for label, class := range d.classes {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.listClass(fsys, path.Join(part, class), label, out); err != nil {
			return err
		}
	}
	return nil
}

// listTest lists the part to test on, the classes of which must be among those to train on.
func (d *folder) listTest(ctx context.Context, fsys fs.FS, part string) error {
	have, err := d.subfolders(fsys, part)
	if err != nil {
		return err
	}
	for _, class := range have {
		if err := ctx.Err(); err != nil {
			return err
		}
		label, ok := slices.BinarySearch(d.classes, class)
		if !ok {
			return fmt.Errorf("%s: the class is not in %s; accepted: the same classes in both%s",
				path.Join(d.src.Images, part, class), path.Join(d.src.Images, trainFolder), didYouMean(class, d.classes))
		}
		if err := d.listClass(fsys, path.Join(part, class), label, &d.test); err != nil {
			return err
		}
	}
	if missing := len(d.classes) - len(have); missing > 0 {
		d.warnings = append(d.warnings, fmt.Sprintf("%s has no folder for %d of the %d classes: they are not tested on", path.Join(d.src.Images, part), missing, len(d.classes)))
	}
	if len(d.test.paths) == 0 {
		return fmt.Errorf("%s: there is no picture to test on", path.Join(d.src.Images, part))
	}
	return nil
}

// listClass lists the pictures of one class.
func (d *folder) listClass(fsys fs.FS, name string, label int, out *listing) error {
	entries, err := d.entries(fsys, name)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range entries {
		is, err := d.isFolder(fsys, name, e)
		if err != nil {
			return err
		}
		if is {
			return fmt.Errorf("%s: there is a folder among the pictures of a class; accepted: files alone, at most a folder %q and one to test on (%s) above the classes",
				path.Join(d.src.Images, name, e.Name()), trainFolder, strings.Join(testFolders, ", "))
		}
		switch strings.ToLower(path.Ext(e.Name())) {
		case ".jpg", ".jpeg", ".png":
		default:
			continue
		}
		if e.Type()&^fs.ModeSymlink != 0 {
			return fmt.Errorf("%s: it is not a regular file (%s)", path.Join(d.src.Images, name, e.Name()), e.Type())
		}
		out.paths = append(out.paths, path.Join(name, e.Name()))
		out.labels = append(out.labels, int32(label))
		if n++; n == d.src.PerClass {
			break
		}
	}
	if n == 0 {
		return fmt.Errorf("%s: the class has no picture; accepted: files that end in .jpg, .jpeg or .png", path.Join(d.src.Images, name))
	}
	if len(out.paths) > MaxPhotos {
		return fmt.Errorf("%s: more than %d pictures up to this class; accepted: at most that many (per_class takes the first of each class)", path.Join(d.src.Images, name), MaxPhotos)
	}
	return nil
}

// split distributes the pictures of a folder without parts.
func (d *folder) split(all listing) {
	place := 0
	for i, p := range all.paths {
		if i > 0 && all.labels[i] != all.labels[i-1] {
			place = 0
		}
		part := &d.train
		if place++; place%testEvery == 0 {
			part = &d.test
		}
		part.paths, part.labels = append(part.paths, p), append(part.labels, all.labels[i])
	}
}
