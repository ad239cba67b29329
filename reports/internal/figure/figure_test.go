package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGallery compares every figure with its golden file and holds each to the promises of the package: drawn twice it is the same, it
// is XML, its texts overlap neither each other nor the edge.
func TestGallery(t *testing.T) {
	first, second := gallery(), gallery()
	for name, f := range first {
		t.Run(name, func(t *testing.T) {
			if !bytes.Equal(f.SVG, second[name].SVG) || !slices.Equal(f.Notes, second[name].Notes) {
				t.Error("drawn twice, it differs")
			}
			checkFigure(t, f)
			var b bytes.Buffer
			b.Write(f.SVG)
			for _, n := range f.Notes {
				b.WriteString("<!-- " + n + " -->\n")
			}
			golden := filepath.Join("testdata", name+".svg")
			if *update {
				if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b.Bytes(), want) {
				t.Errorf("differs from %s; run go test -update and look at the figure", golden)
			}
		})
	}
}

// checkFigure checks what holds of every figure.
func checkFigure(t *testing.T, f *Figure) {
	t.Helper()
	for i, a := range f.boxes {
		if a.x0 < 0 || a.y0 < 0 || a.x1 > f.w || a.y1 > f.h {
			t.Errorf("text %q at %.1f is outside the canvas of %.1f×%.1f", a.s, a.rect, f.w, f.h)
		}
		for _, b := range f.boxes[:i] {
			if a.overlaps(b.rect) {
				t.Errorf("texts %q and %q overlap", a.s, b.s)
			}
		}
	}
	if m := f.marks; m.x0 < 0 || m.y0 < 0 || m.x1 > f.w || m.y1 > f.h {
		t.Errorf("marks at %.1f leave the canvas of %.1f×%.1f", m, f.w, f.h)
	}
	d := xml.NewDecoder(bytes.NewReader(f.SVG))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the SVG is not XML: %v", err)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "e+"} {
		if bytes.Contains(f.SVG, []byte(bad)) {
			t.Errorf("the SVG contains %q", bad)
		}
	}
}
