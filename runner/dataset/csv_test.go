package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"
)

func TestReadCSV(t *testing.T) {
	zero := new(0.0)
	tests := []struct {
		name    string
		text    string
		src     Source // CSV is filled in
		columns []string
		x       [][]float64
		y       []float64
		warn    string
	}{
		{name: "plain", text: "a,b\n1,2\n3,4\n", columns: []string{"a", "b"}, x: [][]float64{{1, 2}, {3, 4}}},
		{name: "no last newline", text: "a,b\n1,2", columns: []string{"a", "b"}, x: [][]float64{{1, 2}}},
		{name: "byte order mark", text: "\uFEFFa,b\n1,2\n", columns: []string{"a", "b"}, x: [][]float64{{1, 2}}},
		{name: "CRLF and empty lines", text: "a,b\r\n\r\n1,2\r\n\r\n3,4\r\n", columns: []string{"a", "b"}, x: [][]float64{{1, 2}, {3, 4}}},
		{name: "quotes", text: "\"a,\n\"\"1\"\"\",b\n\"1\",\" 2 \"\n", columns: []string{"a,\n\"1\"", "b"}, x: [][]float64{{1, 2}}},
		{name: "forms of numbers", text: "a\n-1\n+2.5\n.5\n1e3\n1E-2\n 7\t\n1e-400\n", columns: []string{"a"}, x: [][]float64{{-1}, {2.5}, {.5}, {1000}, {.01}, {7}, {0}}},
		{name: "no header", text: "1,2\n3,4\n", src: Source{NoHeader: true, Target: "1"}, columns: []string{"2"}, x: [][]float64{{2}, {4}}, y: []float64{1, 3}},
		{
			name: "target and drop keep the order of the file", text: "id,a,y,b,name\n1,10,0.5,20,Ann\n2,11,1.5,21,Bob\n",
			src: Source{Target: "y", Drop: []string{"name", "id"}}, columns: []string{"a", "b"},
			x: [][]float64{{10, 20}, {11, 21}}, y: []float64{.5, 1.5},
		},
		{name: "unnamed index column", text: ",a\n0,5\n", src: Source{Drop: []string{""}}, columns: []string{"a"}, x: [][]float64{{5}}},
		{name: "missing numbers", text: "a,b\n1,NA\n,4\n", src: Source{Missing: new(-1.)}, columns: []string{"a", "b"}, x: [][]float64{{1, -1}, {-1, 4}}},
		{
			// "-1" < "10" < "9" < "None" < "x" as texts; the numbers of a text column are texts.
			name: "texts", text: "a\nx\n10\nNA\n9\nNone\nx\n",
			src: Source{Missing: new(-1.), Categorical: CategoricalSortedIndex}, columns: []string{"a"},
			x: [][]float64{{4}, {1}, {0}, {2}, {3}, {4}},
		},
		{
			name: "the filled text may be there already", text: "a\nx\nnan\n0\n", src: Source{Missing: zero, Categorical: CategoricalSortedIndex},
			columns: []string{"a"}, x: [][]float64{{1}, {0}, {0}},
		},
		{name: "fraction as text", text: "a\nx\nnull\n", src: Source{Missing: new(.5), Categorical: CategoricalSortedIndex}, columns: []string{"a"}, x: [][]float64{{1}, {0}}},
		{name: "blanks belong to texts", text: "a\n x\nx\n", src: Source{Categorical: CategoricalSortedIndex}, columns: []string{"a"}, x: [][]float64{{0}, {1}}},
		{name: "hexadecimal is text", text: "a\n0x10\n1\n", src: Source{Categorical: CategoricalSortedIndex}, columns: []string{"a"}, x: [][]float64{{0}, {1}}},
		{name: "code point order", text: "a\nö\nz\n\"\U0001F600\"\n\uFFFD\n", src: Source{Categorical: CategoricalSortedIndex}, columns: []string{"a"}, x: [][]float64{{1}, {0}, {3}, {2}}},
		{name: "text target", text: "a,y\n1,cat\n2,dog\n3,cat\n", src: Source{Target: "y", Categorical: CategoricalSortedIndex}, columns: []string{"a"}, x: [][]float64{{1}, {2}, {3}}, y: []float64{0, 1, 0}},
		{name: "empty column", text: "a,b\n1,\n2,\n", src: Source{Missing: zero}, columns: []string{"a", "b"}, x: [][]float64{{1, 0}, {2, 0}}, warn: `column "b" has no value`},
		{name: "missing target", text: "a,y\n1,2\n2,\n", src: Source{Missing: zero, Target: "y"}, columns: []string{"a"}, x: [][]float64{{1}, {2}}, y: []float64{2, 0}, warn: "1 of 2 targets"},
		{name: "shift and scale", text: "a\n3\n5\n", src: Source{Shift: 1, Scale: 4}, columns: []string{"a"}, x: [][]float64{{.5}, {1}}},
		{name: "shift alone", text: "a\n3\n5\n", src: Source{Shift: 1}, columns: []string{"a"}, x: [][]float64{{2}, {4}}},
		{name: "one row standardised", text: "a,b\n3,0.1\n", src: Source{Standardize: true}, columns: []string{"a", "b"}, x: [][]float64{{0, 0}}},
		{name: "constant standardised", text: "a\n0.1\n0.1\n0.1\n", src: Source{Standardize: true}, columns: []string{"a"}, x: [][]float64{{0}, {0}, {0}}},
		{name: "float32", text: "a\n0.1\n", src: Source{Float32: true}, columns: []string{"a"}, x: [][]float64{{float64(float32(.1))}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.src.CSV = "in/data.csv"
			set, err := Load(filesOf("in/data.csv", tt.text), tt.src)
			if err != nil {
				t.Fatal(err)
			}
			var x [][]float64
			rows, _ := set.X.Dims()
			for i := range rows {
				x = append(x, set.X.RawRowView(i))
			}
			if d := cmp.Diff(tt.x, x) + cmp.Diff(tt.y, set.Y) + cmp.Diff(set.Columns, tt.columns); d != "" {
				t.Error(d)
			}
			sum := sha256.Sum256([]byte(tt.text))
			if digest, err := Digest(t.Context(), filesOf("in/data.csv", tt.text), tt.src); err != nil || digest != hex.EncodeToString(sum[:]) || set.Digest != digest {
				t.Errorf("digests %s (%v) and %s, want %x", digest, err, set.Digest, sum)
			}
			if got := strings.Join(set.Warnings, "\n"); (tt.warn == "") != (got == "") || !strings.Contains(got, tt.warn) {
				t.Errorf("warnings %q, want %q", got, tt.warn)
			}
		})
	}
}

func TestCSVRefusals(t *testing.T) {
	numbered := Source{Categorical: CategoricalSortedIndex}
	var many strings.Builder
	many.WriteString("a\n")
	for i := range MaxCategories + 1 {
		fmt.Fprintf(&many, "t%d\n", i)
	}
	tests := []struct {
		name  string
		text  string
		src   Source
		words []string
	}{
		{"empty", "", Source{}, []string{"the file is empty", "header line"}},
		{"only a mark", "\uFEFF", Source{}, []string{"the file is empty"}},
		{"empty without header", "\n\n", Source{NoHeader: true}, []string{"the file is empty", "one row"}},
		{"header only", "a,b\n", Source{}, []string{"header and no rows"}},
		{"ragged", "a,b\n1,2\n\n3\n", Source{}, []string{"line 4 has 1 fields", "accepted: 2"}},
		{"text", "a,Zone\n1,2\n3,RM\n", Source{}, []string{`line 3, column "Zone" (2): "RM" is not a number`, "sorted-index"}},
		{"text after a line break", "a,b\n\"1\n\",x\n", Source{}, []string{"line 3, column \"b\" (2)"}},
		{"text without header", "1,2\n3,x\n", Source{NoHeader: true}, []string{`line 2, column 2: "x"`}},
		{"long text", "a\n" + strings.Repeat("ab", 100) + "\n", Source{}, []string{`"` + strings.Repeat("ab", 30) + `…"`}},
		{"missing", "a,b\n1,NA\n", Source{}, []string{`line 2, column "b" (2): "NA" counts as missing`, "missing = 0"}},
		{"missing text", "a\nx\n\"\"\n", numbered, []string{`line 3, column "a" (1): "" counts as missing`}},
		{"infinity", "a\n-Infinity\n", Source{}, []string{`line 2, column "a" (1): "-Infinity" is not finite`}},
		{"too large", "a\n1e999\n", Source{}, []string{`"1e999" is not finite`}},
		{"duplicate columns", "a,b,a\n1,2,3\n", Source{}, []string{`columns 1 and 3 are both called "a"`}},
		{"semicolons", "a;b\n1;2\n", Source{}, []string{`"1;2" is not a number`, "something else than commas"}},
		{"unknown target", "Lot,b\n1,2\n", Source{Target: "lot"}, []string{`target names column "lot"`, `did you mean "Lot"?`}},
		{"unknown drop", "a\n1\n", Source{Drop: []string{"zzz"}}, []string{`drop names column "zzz"`, `"a"`}},
		{"nothing left", "a,b\n1,2\n", Source{Target: "b", Drop: []string{"a"}}, []string{"no column is left"}},
		{"bare quote", "a\n1\"2\n", Source{}, []string{"line 2, byte 2", "quote"}},
		{"open quote", "a\n\"1\n2\n", Source{}, []string{"began on line 2", "not closed"}},
		{"text after quote", "a\n\"1\"2\n", Source{}, []string{"line 2", "quote"}},
		{"UTF-16", "\xFF\xFEa\x00\n\x00", Source{}, []string{"UTF-16"}},
		{"Latin-1 header", "gr\xF6sse\n1\n", Source{}, []string{"column 1", "UTF-8"}},
		{"Latin-1 text", "a\ngr\xF6sse\n", numbered, []string{`line 2, column "a" (1)`, "UTF-8"}},
		{"too many texts", many.String(), numbered, []string{"line 65538", `"t65536"`, "65536 different texts"}},
		{"too much text", "a,b\n" + strings.Repeat("x", MaxTextBytes/2) + ",1\n" + strings.Repeat("y", MaxTextBytes/2+1) + ",1\n", numbered, []string{`line 3, column "a" (1)`, "16777216 bytes"}},
		{"too many columns", strings.Repeat("1,", MaxColumns) + "1\n", Source{NoHeader: true}, []string{"line 1 has 16385 fields", "at most 16384"}},
		{"gzip", "\x1f\x8b\x08\x00", Source{}, []string{"gzip", ".gz"}},
		{"spreadsheet", "PK\x03\x04\x00", Source{}, []string{"zip archive", "spreadsheets"}},
		{"array", npyMagic + "\x01\x00", Source{}, []string{"NumPy array"}},
		{"page of a server", "<!DOCTYPE html>\n<p>,</p>\n", Source{}, []string{"HTML page"}},
		{"record too long", "a\n\"" + strings.Repeat("x", MaxRecordBytes+1<<16), Source{}, []string{"begins at byte 3", "quote left open"}},
		{"not float32", "a\n1e300\n", Source{Float32: true}, []string{`row 1, column "a": the value 1e+300`}},
		{"scaled beyond", "a\n1\n1e300\n", Source{Scale: 1e-300}, []string{`row 2, column "a"`, "finite"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.src.CSV = "in/data.csv"
			_, err := Load(filesOf("in/data.csv", tt.text), tt.src)
			wantError(t, err, append(tt.words, "in/data.csv")...)
		})
	}
}

func TestTargetBeyondFloat32(t *testing.T) {
	ref := Ref{Source: Source{CSV: "a.csv", Target: "y", Float32: true}}
	_, _, err := Pair(filesOf("a.csv", "x,y\n1,1\n2,1e300\n"), ref, ref, nil)
	wantError(t, err, "a.csv", "row 2", "1e+300")
}

// moodyFS gives other bytes at each opening.
type moodyFS struct {
	fstest.MapFS
	texts []string
	n     *int
}

func (m moodyFS) Open(name string) (fs.File, error) {
	text := m.texts[min(*m.n, len(m.texts)-1)]
	*m.n++
	return filesOf(name, text).Open(name)
}

// Stat keeps the openings to those that read.
func (m moodyFS) Stat(name string) (fs.FileInfo, error) { return filesOf(name, "").Stat(name) }

func TestCSVChanges(t *testing.T) {
	for name, later := range map[string]string{"value": "a\n1\n3\n", "row more": "a\n1\n2\n3\n", "row less": "a\n1\n", "field more": "a,b\n1,2\n3,4\n"} {
		_, err := Load(moodyFS{texts: []string{"a\n1\n2\n", later}, n: new(int)}, Source{CSV: "data.csv"})
		t.Run(name, func(t *testing.T) { wantError(t, err, "data.csv", "changed while") })
	}
}

// failingFS fails in the middle of a file.
type failingFS struct{ fstest.MapFS }

type failingFile struct{ fs.File }

var errDisk = errors.New("disk on fire")

func (f failingFS) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	return failingFile{file}, err
}

func (f failingFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p[:min(4, len(p))])
	if err == io.EOF {
		err = &fs.PathError{Op: "read", Path: "/secret/place", Err: errDisk}
	}
	return n, err
}

func TestReadError(t *testing.T) {
	for name, src := range map[string]Source{"a.csv": {CSV: "a.csv"}, "a.npy": {NPY: "a.npy"}} {
		fsys := failingFS{filesOf("a.csv", "a\n1\n2\n", "a.npy", string(npyMagic)+"\x01\x00")}
		_, err := Load(fsys, src)
		wantError(t, err, name, "disk on fire")
		if !errors.Is(err, errDisk) || strings.Count(err.Error(), name) != 1 || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %q; want it to wrap the cause and to name the file once", err)
		}
		_, err = Digest(t.Context(), fsys, src)
		wantError(t, err, name, "disk on fire")
	}
}

func TestNumber(t *testing.T) {
	for cell, want := range map[string]float64{"1": 1, " -2e1 ": -20, "inf": math.Inf(1), "-1e999": math.Inf(-1), "4.9e-324": 5e-324} {
		if v, ok := number(cell); !ok || v != want {
			t.Errorf("number(%q) = %v, %v; want %v", cell, v, ok, want)
		}
	}
	for _, cell := range []string{"", " ", "x", "1,5", "1_000", "0x1p2", "--1", "1e", "e", ".", "1 2", "١"} {
		if v, ok := number(cell); ok {
			t.Errorf("number(%q) = %v; want none", cell, v)
		}
	}
}

func TestStandardizeHasNoDrift(t *testing.T) {
	// A naive mean of these loses the deviation altogether.
	x := []float64{1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}
	want := []float64{-6 / math.Sqrt(30), -3 / math.Sqrt(30), 3 / math.Sqrt(30), 6 / math.Sqrt(30)}
	standardize(x)
	if !slices.EqualFunc(x, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-15 }) {
		t.Errorf("got %v, want %v", x, want)
	}
	if n := mat.Norm(mat.NewVecDense(4, x), 2); math.Abs(n-math.Sqrt(3)) > 1e-15 {
		t.Errorf("norm %v, want √(n−1)", n)
	}
}
