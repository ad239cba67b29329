package reports

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Export is a report in one file, of another format than Markdown.
type Export struct {
	Name     string   // of the file
	Data     []byte   // with a seal, by which [WriteExport] knows it again
	Warnings []string // what the format cannot show as it was meant
}

// An export carries the SHA-256 of its own text, in which the sum itself is zeros: the file alone tells that kappa wrote it, and that
// nobody has edited it since.
const (
	sealWord  = "kappa-sha256"
	sealPlace = `<meta name="` + sealWord + `" content="` + noSeal + `" />` + "\n"
	noSeal    = "0000000000000000000000000000000000000000000000000000000000000000"
)

// sealed finds the sum: in a page's head or a notebook's metadata, whichever comes first in the file.
var sealed = regexp.MustCompile(`"` + sealWord + `"(?: content=|: )"([0-9a-f]{64})"`)

// seal writes the sum of the text into its place.
func (e *Export) seal() error {
	sum, place := sealOf(e.Data)
	if place == nil {
		return fmt.Errorf("%s has no place for its digest", e.Name)
	}
	copy(place, sum)
	return nil
}

// sealOf is the sum that a text should carry, and where it carries one.
func sealOf(text []byte) (sum string, place []byte) {
	m := sealed.FindSubmatchIndex(text)
	if m == nil {
		return "", nil
	}
	h := sha256.New()
	h.Write(text[:m[2]])
	h.Write([]byte(noSeal))
	h.Write(text[m[3]:])
	return hex.EncodeToString(h.Sum(nil)), text[m[2]:m[3]]
}

// WriteExport writes an export to a path, whole or not at all, and says whether anything was to do. Unless force is set it fails with
// a *[ForeignError] rather than overwrite a file that kappa did not write, or that somebody has edited since.
func WriteExport(path string, e Export, force bool) (changed bool, err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // reading a pipe would wait
		return false, fmt.Errorf("write %s: it is not a regular file (%s)", path, info.Mode())
	}
	sweep(filepath.Dir(path), []string{path})
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, fmt.Errorf("write %s: %w", path, err)
	case bytes.Equal(old, e.Data):
		return false, nil
	case !force:
		if sum, place := sealOf(old); place == nil {
			return false, &ForeignError{Path: path}
		} else if sum != strings.ToLower(string(place)) {
			return false, &ForeignError{Path: path, Edited: true}
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	if err := replace(path, e.Data); err != nil {
		return false, fmt.Errorf("write %s: %w", path, err)
	}
	return true, nil
}
