package fetch

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"kappa/runner/dataset"
)

// possible says whether a file of that size may be one of a data set, plain or compressed.
func (i *importer) possible(name string, size int64) bool {
	for _, set := range i.sets {
		for _, file := range set.Files {
			if size == file.Bytes {
				return true
			}
		}
	}
	return strings.HasSuffix(strings.ToLower(name), ".gz") && size <= most(i.longest())
}

// longest is the size of the longest file of the data sets.
func (i *importer) longest() int64 {
	n := int64(0)
	for _, set := range i.sets {
		for _, file := range set.Files {
			n = max(n, file.Bytes)
		}
	}
	return n
}

// named says whether a file is called as one of a data set is wont to be.
func (i *importer) named(name string) bool { return len(i.namesakes(name)) > 0 || i.archiveName(name) }

func (i *importer) archiveName(name string) bool {
	return slices.ContainsFunc(i.sets, func(p dataset.Publication) bool {
		return p.Archive != nil && strings.EqualFold(path.Base(name), p.Archive.Name)
	})
}

// namesakes are the files of data sets with the name of a file, as people spell it.
func (i *importer) namesakes(name string) []dataset.File {
	bare := func(s string) string {
		s = strings.TrimSuffix(strings.ToLower(path.Base(s)), ".gz")
		return strings.ReplaceAll(s, ".idx", "-idx") // train-images.idx3-ubyte is as usual as train-images-idx3-ubyte
	}
	var out []dataset.File
	for _, set := range i.sets {
		for _, file := range set.Files {
			if bare(file.Path) == bare(name) {
				out = append(out, file)
			}
		}
	}
	return out
}

// mismatch says in what the content of a file differs from what its name promises.
func (i *importer) mismatch(name string, c content, err error) error {
	if i.archiveName(name) {
		return errors.New("it is not the published archive: its size or its SHA-256 is another")
	}
	if wrong, ok := errors.AsType[*contentError](err); ok && c.bytes <= i.longest() {
		return wrong // it cannot be read
	}
	like := i.namesakes(name)
	var sets []string
	for _, f := range like {
		sets = append(sets, path.Dir(f.Path))
	}
	verdict := c.verdict(err, like[0])
	if len(like) > 1 && c.bytes == like[0].Bytes {
		verdict = fmt.Errorf("its SHA-256%s is %s", c.packed(), c.sha256)
	}
	return fmt.Errorf("its name is that of a file of %s, its content is not: %w", strings.Join(sets, " and of "), verdict)
}
