package dataset

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// npy is a file of format major.0 with the given dictionary and data.
func npy(major byte, dict string, data ...byte) string {
	b := []byte(npyMagic + string(major) + "\x00")
	if major == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(dict)))
	}
	return string(append(append(b, dict...), data...))
}

func dict(descr string, fortran bool, shape string) string {
	order := map[bool]string{true: "True", false: "False"}[fortran]
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }   \n", descr, order, shape)
}

func encode(t *testing.T, order binary.ByteOrder, data any) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, order, data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadNPY(t *testing.T) {
	want := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 100})
	byRow, byColumn := []int{0, 1, 2, 3, 4, 5}, []int{0, 3, 1, 4, 2, 5}
	types := []struct {
		code string
		data func(order []int) any
	}{
		{"f8", listOf[float64](want)},
		{"f4", listOf[float32](want)},
		{"i1", listOf[int8](want)},
		{"i2", listOf[int16](want)},
		{"i4", listOf[int32](want)},
		{"i8", listOf[int64](want)},
		{"u1", listOf[uint8](want)},
		{"u2", listOf[uint16](want)},
		{"u4", listOf[uint32](want)},
		{"u8", listOf[uint64](want)},
	}
	for _, typ := range types {
		for mark, order := range map[string]binary.ByteOrder{"<": binary.LittleEndian, ">": binary.BigEndian, "|": binary.LittleEndian} {
			if mark == "|" && typ.code[1] != '1' {
				continue
			}
			for _, major := range []byte{1, 2, 3} {
				for fortran, places := range map[bool][]int{false: byRow, true: byColumn} {
					text := npy(major, dict(mark+typ.code, fortran, "(2, 3)"), encode(t, order, typ.data(places))...)
					got, single, err := ReadNPY(filesOf("a.npy", text, "a.npy.gz", zipped(t, text)), "a.npy")
					if err != nil || !mat.Equal(got, want) || single != (typ.code == "f4") {
						t.Errorf("%s%s, format %d, Fortran order %v: got %v, single %v, error %v", mark, typ.code, major, fortran, got, single, err)
					}
					got, _, err = ReadNPY(filesOf("a.npy.gz", zipped(t, text)), "a.npy.gz")
					if err != nil || !mat.Equal(got, want) {
						t.Errorf("%s%s compressed: got %v, error %v", mark, typ.code, got, err)
					}
				}
			}
		}
	}
}

func listOf[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64](m *mat.Dense) func([]int) any {
	return func(order []int) any {
		list := make([]T, len(order))
		for i, k := range order {
			list[i] = T(m.RawMatrix().Data[k])
		}
		return list
	}
}

func TestReadNPYForms(t *testing.T) {
	one := encode(t, binary.LittleEndian, []float64{-1.5, math.Copysign(0, -1)})
	column := mat.NewDense(2, 1, []float64{-1.5, 0})
	for name, text := range map[string]string{
		"one dimension":           npy(1, dict("<f8", false, "(2,)"), one...),
		"one dimension, Fortran":  npy(1, dict("<f8", true, "(2,)"), one...),
		"long lengths":            npy(1, dict("<f8", false, "(2L, 1L)"), one...),
		"double quotes, no comma": npy(1, `{"shape":(2,1),"fortran_order":False,"descr":"<f8"}`, one...),
	} {
		got, _, err := ReadNPY(filesOf("a.npy", text), "a.npy")
		if err != nil || !mat.Equal(got, column) {
			t.Errorf("%s: got %v, error %v", name, got, err)
		}
	}
	got, _, err := ReadNPY(filesOf("a.npy", npy(1, dict("|b1", false, "(3, 1)"), 1, 0, 1)), "a.npy")
	if err != nil || !mat.Equal(got, mat.NewDense(3, 1, []float64{1, 0, 1})) {
		t.Errorf("booleans: got %v, error %v", got, err)
	}
	got, _, err = ReadNPY(filesOf("a.npy", npy(1, dict("<i2", false, "(1,)"), 0xFF, 0x80)), "a.npy")
	if err != nil || got.At(0, 0) != -32513 {
		t.Errorf("negative integer: got %v, error %v", got, err)
	}
}

func TestNPYRefusals(t *testing.T) {
	nan := encode(t, binary.LittleEndian, []float64{1, 2, 3, math.NaN(), 5, 6})
	inf := encode(t, binary.LittleEndian, []float64{1, 2, math.Inf(-1), 4, 5, 6})
	big := encode(t, binary.LittleEndian, []int64{1, -1<<53 - 1})
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"empty":                  {"", []string{"shorter than"}},
		"not .npy":               {"a,b\n1,2\n3,4\n", []string{"begins with", "NUMPY"}},
		"archive":                {"PK\x03\x04\x00\x00\x00\x00", []string{"zip archive", "numpy.savez", "NUMPY"}},
		"gzip":                   {"\x1f\x8b\x08\x00\x00\x00\x00\x00", []string{"gzip", ".gz"}},
		"page of a server":       {"<html></html>", []string{"HTML page"}},
		"format":                 {npy(4, dict("<f8", false, "(1,)")), []string{"format 4.0", "1.0, 2.0, 3.0"}},
		"cut in the length":      {npyMagic + "\x02\x00\x01", []string{"ends inside its .npy header"}},
		"cut in the header":      {npy(1, dict("<f8", false, "(1,)"))[:40], []string{"ends inside its .npy header"}},
		"endless header":         {npyMagic + "\x02\x00\xff\xff\xff\xff", []string{"4294967295 bytes", "at most 65536"}},
		"huge shape":             {npy(1, dict("<f8", false, "(1000000, 1000000)")), []string{"1000000×1000000", "too large"}},
		"overflowing shape":      {npy(1, dict("<f8", false, "(4611686018427387904, 4)")), []string{"shape"}},
		"endless number":         {npy(1, dict("<f8", false, "("+strings.Repeat("9", 99)+",)")), []string{"shape"}},
		"negative shape":         {npy(1, dict("<f8", false, "(-1, 2)")), []string{"shape"}},
		"large shape, no data":   {npy(1, dict("<f8", false, "(10000000, 10)")), []string{"takes 800000000 bytes", "0 follow"}},
		"truncated":              {npy(1, dict("<f8", false, "(2, 3)"), nan[:47]...), []string{"takes 48 bytes", "47 follow"}},
		"too long":               {npy(1, dict("<f8", false, "(2, 2)"), nan...), []string{"takes 32 bytes", "48 follow"}},
		"three dimensions":       {npy(1, dict("<f8", false, "(1, 2, 3)"), nan...), []string{"3 dimensions"}},
		"scalar":                 {npy(1, dict("<f8", false, "()"), nan...), []string{"0 dimensions"}},
		"no rows":                {npy(1, dict("<f8", false, "(0, 3)")), []string{"0×3", "empty"}},
		"no columns":             {npy(1, dict("<f8", false, "(3, 0)")), []string{"3×0", "empty"}},
		"float16":                {npy(1, dict("<f2", false, "(1,)"), 0, 0), []string{`"<f2"`, "float32"}},
		"objects":                {npy(1, dict("|O", false, "(1,)"), 0, 0), []string{`"|O"`}},
		"complex":                {npy(1, dict("<c16", false, "(1,)"), 0, 0), []string{`"<c16"`}},
		"byte order":             {npy(1, dict("|f8", false, "(1,)"), 0, 0), []string{`"|f8"`}},
		"records":                {npy(1, "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }"), []string{"records"}},
		"key twice":              {npy(1, "{'descr': '<f8', 'descr': '<f8', 'shape': (1,), }"), []string{"descr", "twice"}},
		"key unknown":            {npy(1, "{'descr': '<f8', 'color': 'red'}"), []string{`"color"`}},
		"key lacking":            {npy(1, "{'descr': '<f8', 'shape': (1,)}"), []string{"must hold"}},
		"something behind":       {npy(1, "{'descr': '<f8', 'shape': (1,), 'fortran_order': True} True"), []string{"nothing else"}},
		"no commas":              {npy(1, "{'descr': '<f8' 'shape': (1,), 'fortran_order': True}"), []string{"comma"}},
		"no end":                 {npy(1, "{'descr': '<f8', "), []string{"malformed"}},
		"open string":            {npy(1, "{'descr"), []string{"does not end"}},
		"order of another type":  {npy(1, "{'fortran_order': 1}"), []string{`"False" is missing`}},
		"NaN":                    {npy(1, dict("<f8", false, "(2, 3)"), nan...), []string{"row 2, column 1", "NaN", "missing = 0"}},
		"NaN in Fortran order":   {npy(1, dict("<f8", true, "(2, 3)"), nan...), []string{"row 2, column 2", "NaN"}},
		"infinity":               {npy(1, dict("<f8", false, "(2, 3)"), inf...), []string{"row 1, column 3", "-Inf"}},
		"inexact integer":        {npy(1, dict("<i8", false, "(2, 1)"), big...), []string{"row 2, column 1", "-9007199254740992", "2⁵³"}},
		"inexact unsigned":       {npy(1, dict("<u8", false, "(1,)"), big[8:]...), []string{"row 1, column 1", "2⁵³"}},
		"compressed, truncated":  {npy(1, dict("<f8", false, "(10000, 10000)"), nan[:24]...), []string{"after 3 of 100000000"}},
		"compressed, too long":   {npy(1, dict("<f8", false, "(1, 3)"), append(nan[:24:24], 0)...), []string{"more bytes follow"}},
		"compressed, large only": {npy(1, dict("<f8", false, "(1, 134217728)")), []string{"after 0 of"}},
	} {
		t.Run(name, func(t *testing.T) {
			path, text := "in/a.npy", c.text
			if strings.HasPrefix(name, "compressed") {
				path, text = "in/a.npy.gz", zipped(t, text)
			}
			_, _, err := ReadNPY(filesOf(path, text), path)
			wantError(t, err, append(c.words, path)...)
		})
	}
}

func TestLoadNPY(t *testing.T) {
	x := npy(1, dict("<f4", false, "(2, 3)"), encode(t, binary.LittleEndian, []float32{1, 2, float32(math.NaN()), 4, 5, 6})...)
	y := npy(1, dict("<i8", false, "(2,)"), encode(t, binary.LittleEndian, []int64{7, 8})...)
	bad := npy(1, dict("<i8", false, "(1, 2)"), encode(t, binary.LittleEndian, []int64{7, 8})...)
	fsys := filesOf("x.npy", x, "y.npy", y, "bad.npy", bad)
	src := Source{NPY: "x.npy", LabelsNPY: "y.npy", Missing: new(9.), Drop: []string{"2"}, Scale: 2}
	set, err := Load(fsys, src)
	if err != nil {
		t.Fatal(err)
	}
	if want := mat.NewDense(2, 2, []float64{.5, 4.5, 2, 3}); !mat.Equal(set.X, want) || set.Y[0] != 7 || set.Y[1] != 8 || !set.Float32 {
		t.Errorf("X = %v, Y = %v, float32 %v", mat.Formatted(set.X), set.Y, set.Float32)
	}
	if set.Columns[0] != "1" || set.Columns[1] != "3" || len(set.Warnings) != 1 || !strings.Contains(set.Warnings[0], "1 of 6 numbers were NaN") {
		t.Errorf("columns %q, warnings %q", set.Columns, set.Warnings)
	}
	if digest, err := Digest(t.Context(), fsys, src); err != nil || digest != set.Digest {
		t.Errorf("digest %s, error %v; want %s", digest, err, set.Digest)
	}
	alone, err := Load(fsys, Source{NPY: "x.npy", Missing: new(9.), Target: "3"})
	if err != nil {
		t.Fatal(err)
	}
	if _, cols := alone.X.Dims(); cols != 2 || alone.Y[0] != 9 || alone.Y[1] != 6 || alone.Digest == set.Digest {
		t.Errorf("target in column 3: X = %v, Y = %v", mat.Formatted(alone.X), alone.Y)
	}
	wide := npy(1, dict("|u1", false, "(2, 16385)"), make([]byte, 2*16385)...)
	_, err = Load(filesOf("wide.npy", wide), Source{NPY: "wide.npy"})
	wantError(t, err, "wide.npy", "16385 features", "at most 16384")
	src.LabelsNPY = "bad.npy"
	_, err = Load(fsys, src)
	wantError(t, err, "bad.npy", "1×2", "2×1")
	_, err = Load(fsys, Source{NPY: "y.npy", Target: "2"})
	wantError(t, err, "y.npy", `"2"`)
}

func TestWriteNPY(t *testing.T) {
	m := mat.NewDense(2, 3, []float64{1, -0.1, math.Pi, math.MaxFloat64, 5e-324, math.Copysign(0, -1)})
	var b bytes.Buffer
	if err := WriteNPY(&b, m); err != nil {
		t.Fatal(err)
	}
	got, _, err := ReadNPY(filesOf("a.npy", b.String()), "a.npy")
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(got, m) || !math.Signbit(got.At(1, 2)) {
		t.Errorf("got %v, want %v", mat.Formatted(got), mat.Formatted(m))
	}
	// The header that numpy.save writes for this array, byte for byte.
	const want = "934e554d5059010076007b276465736372273a20273c6638272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028322c2033292c207d"
	if head := hex.EncodeToString(b.Bytes()[:128]); !strings.HasPrefix(head, want) || strings.Trim(head[len(want):], "20") != "a" || !strings.HasSuffix(head, "0a") {
		t.Errorf("header %s", head)
	}
	if b.Len() != 128+48 {
		t.Errorf("%d bytes, want %d", b.Len(), 128+48)
	}
	// A view, a transpose and other implementations of mat.Matrix are written by their elements.
	b.Reset()
	if err := WriteNPY(&b, m.Slice(0, 2, 1, 3).T()); err != nil {
		t.Fatal(err)
	}
	got, _, err = ReadNPY(filesOf("a.npy", b.String()), "a.npy")
	if err != nil || !mat.Equal(got, m.Slice(0, 2, 1, 3).T()) {
		t.Errorf("got %v, error %v", got, err)
	}
}

type brokenWriter struct{ left int }

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestWriteNPYFails(t *testing.T) {
	for _, left := range []int{0, 5000} {
		err := WriteNPY(&brokenWriter{left}, mat.NewDense(40, 40, nil))
		wantError(t, err, "write .npy")
		if !errors.Is(err, errDisk) {
			t.Errorf("%v does not wrap its cause", err)
		}
	}
}

// TestNumPyReads asks NumPy itself, where there is one.
func TestNumPyReads(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil || exec.Command(python, "-c", "import numpy").Run() != nil {
		t.Skip("no python3 with numpy here: only kappa itself reads back what it writes")
	}
	dir := t.TempDir()
	ours, theirs := filepath.Join(dir, "ours.npy"), filepath.Join(dir, "theirs.npy")
	m := mat.NewDense(3, 2, []float64{1, 2.5, -3, 1e300, 5, 6})
	f, err := os.Create(ours)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(WriteNPY(f, m), f.Close()); err != nil {
		t.Fatal(err)
	}
	const script = "import numpy, sys; a = numpy.load(sys.argv[1]); assert a.dtype == '<f8'; numpy.save(sys.argv[2], numpy.asfortranarray(a))"
	if out, err := exec.Command(python, "-c", script, ours, theirs).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got, _, err := ReadNPY(os.DirFS(dir), "theirs.npy")
	if err != nil || !mat.Equal(got, m) {
		t.Errorf("got %v, error %v", got, err)
	}
}
