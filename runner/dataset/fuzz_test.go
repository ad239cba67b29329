package dataset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// matrixFrom makes a matrix of cols columns out of bytes, without NaN and infinities.
func matrixFrom(data []byte, cols int) *mat.Dense {
	var x []float64
	for ; len(data) >= 8; data = data[8:] {
		if v := math.Float64frombits(binary.LittleEndian.Uint64(data)); finite(v) {
			x = append(x, v)
		}
	}
	if cols < 1 || len(x) < cols {
		return nil
	}
	rows := len(x) / cols
	return mat.NewDense(rows, cols, x[:rows*cols])
}

// same says whether a and b hold the same bits.
func same(a, b *mat.Dense) bool {
	ar, ac := a.Dims()
	br, bc := b.Dims()
	if ar != br || ac != bc {
		return false
	}
	for i := range ar {
		for j := range ac {
			if math.Float64bits(a.At(i, j)) != math.Float64bits(b.At(i, j)) {
				return false
			}
		}
	}
	return true
}

// checkSet holds what every loaded set promises.
func checkSet(t *testing.T, set *Set, data []byte) {
	t.Helper()
	rows, cols := set.X.Dims()
	if rows < 1 || cols < 1 || len(set.Columns) != cols || set.Y != nil && len(set.Y) != rows {
		t.Fatalf("%d×%d, %d names, %d targets", rows, cols, len(set.Columns), len(set.Y))
	}
	for i := range rows {
		for j := range cols {
			if !finite(set.X.At(i, j)) {
				t.Fatalf("X[%d][%d] = %v", i, j, set.X.At(i, j))
			}
		}
	}
	if sum := sha256.Sum256(data); set.Digest != hex.EncodeToString(sum[:]) {
		t.Fatalf("digest %s, want %x", set.Digest, sum)
	}
}

// FuzzCSV: no text makes the reader panic, refusals name the file, and what is read keeps its promises.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "\uFEFFa\r\nx\r\nNA\r\n", "\"a\n\",\"b\"\"\"\n1, 2\n", "", "a\n", "1,2\n3\n", "\xff\xfe", "a,a\n1,2\n", "a\n1e999\n", "x\n\"open\n"} {
		for _, options := range []uint8{0, 31} {
			f.Add([]byte(s), options, "a")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, options uint8, target string) {
		on := func(bit int) bool { return options>>bit&1 == 1 }
		src := Source{CSV: "data.csv", NoHeader: on(0), Standardize: on(3), Float32: on(4)}
		if on(1) {
			src.Missing = new(0.)
		}
		if on(2) {
			src.Categorical = CategoricalSortedIndex
		}
		if on(5) {
			src.Target = target
		} else if on(6) {
			src.Drop = []string{target}
		}
		set, err := Load(filesOf("data.csv", string(data)), src)
		if err != nil {
			if set != nil || !strings.Contains(err.Error(), "data.csv") {
				t.Fatalf("set %v, error %q", set, err)
			}
			return
		}
		checkSet(t, set, data)
	})
}

// FuzzCSVRoundTrip: numbers written in their shortest form, with any name of the first column, come back bit by bit.
func FuzzCSVRoundTrip(f *testing.F) {
	f.Add(encodeFloats(1, -2.5, 1e300, 5e-324, 0, math.Copysign(0, -1)), 2, "x")
	f.Add(encodeFloats(1), 1, "a \"b\",\r\nc")
	f.Fuzz(func(t *testing.T, data []byte, cols int, name string) {
		m := matrixFrom(data, cols)
		// encoding/csv reads \r\n as \n even in quotes, and a mark in front of the first name is none of it.
		name = strings.TrimLeft(strings.ReplaceAll(strings.ToValidUTF8(name, ""), "\r", ""), "\uFEFF")
		if m == nil || name == "" {
			return
		}
		rows, _ := m.Dims()
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		header := numbers(cols)
		header[0] = "x" + name
		if err := w.Write(header); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			rec := make([]string, cols)
			for j := range cols {
				rec[j] = strconv.FormatFloat(m.At(i, j), 'g', -1, 64)
			}
			if err := w.Write(rec); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
		set, err := Load(filesOf("data.csv", b.String()), Source{CSV: "data.csv"})
		if err != nil {
			t.Fatal(err)
		}
		if !same(set.X, m) || set.Columns[0] != header[0] {
			t.Fatalf("got %v, %q; want %v, %q", mat.Formatted(set.X), set.Columns, mat.Formatted(m), header)
		}
	})
}

func encodeFloats(x ...float64) []byte {
	var b []byte
	for _, v := range x {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// FuzzNPY: no bytes make the reader panic, and what it reads is written and read again bit by bit.
func FuzzNPY(f *testing.F) {
	f.Add([]byte(npy(1, dict("<f8", false, "(2, 1)"), encodeFloats(1, 2)...)))
	f.Add([]byte(npy(2, dict(">f4", true, "(1, 2)"), 1, 2, 3, 4, 5, 6, 7, 8)))
	f.Add([]byte(npy(3, dict("|u1", false, "(3,)"), 1, 2, 3)))
	f.Add([]byte(npy(1, dict("<i8", false, "(4611686018427387904, 4)"))))
	f.Add([]byte("\x93NUMPY"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Load(filesOf("data.npy", string(data)), Source{NPY: "data.npy", Missing: new(0.)})
		if err != nil {
			if !strings.Contains(err.Error(), "data.npy") {
				t.Fatalf("error %q does not name the file", err)
			}
			return
		}
		checkSet(t, set, data)
		// Without knowing the size beforehand the answer is the same.
		if a, err := decodeNPY(bytes.NewReader(data), -1, new(0.)); err != nil || !same(a.m, set.X) {
			t.Fatalf("as a stream: %v", err)
		}
		roundTrip(t, set.X)
	})
}

// FuzzNPYRoundTrip: every matrix comes back bit by bit.
func FuzzNPYRoundTrip(f *testing.F) {
	f.Add(encodeFloats(1, -2.5, 1e300, 5e-324, 0, math.Copysign(0, -1)), 3)
	f.Fuzz(func(t *testing.T, data []byte, cols int) {
		if m := matrixFrom(data, cols); m != nil {
			roundTrip(t, m)
		}
	})
}

func roundTrip(t *testing.T, m *mat.Dense) {
	t.Helper()
	var b bytes.Buffer
	if err := WriteNPY(&b, m); err != nil {
		t.Fatal(err)
	}
	got, _, err := ReadNPY(filesOf("again.npy", b.String()), "again.npy")
	if err != nil || !same(got, m) {
		t.Fatalf("got %v, error %v; want %v", got, err, m)
	}
	if got, err = DecodeNPY(&b); err != nil || !same(got, m) {
		t.Fatalf("as a stream: got %v, error %v; want %v", got, err, m)
	}
}

// FuzzIDX: no bytes make the reader panic; what it accepts is exactly what a header of that shape promises; and the answer does
// not depend on whether the size is known beforehand.
func FuzzIDX(f *testing.F) {
	f.Add([]byte(idx([]int{2, 2, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)), true)
	f.Add([]byte(idx([]int{3}, 1, 2, 3)), false)
	f.Add([]byte(idx([]int{3}, 1, 2)), false)
	f.Add([]byte(idx([]int{1 << 31, 2, 3}, 1)), true)
	f.Add([]byte{0, 0, 8}, false)
	f.Add([]byte("\x1f\x8b\x08\x00"), true)
	f.Fuzz(func(t *testing.T, data []byte, three bool) {
		var shape []int
		if three {
			shape = []int{2, 3}
		}
		got, err := decodeIDX(bytes.NewReader(data), int64(len(data)), shape...)
		streamed, serr := decodeIDX(bytes.NewReader(data), -1, shape...)
		if (err == nil) != (serr == nil) || !bytes.Equal(got, streamed) {
			t.Fatalf("with its size: %v, error %v; as a stream: %v, error %v", got, err, streamed, serr)
		}
		if err != nil {
			return
		}
		dims := []int{len(got)}
		if three {
			dims = []int{len(got) / 6, 2, 3}
		}
		if idx(dims, got...) != string(data) {
			t.Fatalf("%v read from %q", got, data)
		}
	})
}

// FuzzCIFAR: no bytes make the reader panic, and what it accepts is whole records.
func FuzzCIFAR(f *testing.F) {
	f.Add([]byte{3, 9, 0}, byte(200), []byte{})
	f.Add([]byte{3, 10}, byte(0), []byte{})
	f.Add([]byte{1}, byte(1), []byte{1, 2, 3})
	f.Add([]byte{}, byte(1), []byte{9})
	f.Fuzz(func(t *testing.T, labels []byte, pixel byte, tail []byte) {
		var data []byte
		for i, y := range labels[:min(len(labels), 4)] {
			data = append(append(data, y), bytes.Repeat([]byte{pixel + byte(i)}, cifarRecord-1)...)
		}
		data = append(data, tail...)
		read := func(size int64) (*table, error) {
			out := &table{images: &bitmaps{d: cifarRecord - 1}}
			return out, decodeCIFAR(bytes.NewReader(data), size, out)
		}
		got, err := read(int64(len(data)))
		streamed, serr := read(-1)
		if (err == nil) != (serr == nil) || err == nil && !bytes.Equal(got.images.pixels, streamed.images.pixels) {
			t.Fatalf("with its size: error %v; as a stream: error %v", err, serr)
		}
		if err != nil {
			return
		}
		var again []byte
		for i, y := range got.y {
			again = append(append(again, byte(y)), got.images.pixels[i*got.images.d:][:got.images.d]...)
		}
		if !bytes.Equal(again, data) {
			t.Fatal("what is read is not what was there")
		}
	})
}

// FuzzGzip: no bytes make a compressed file panic, and refusals name it.
func FuzzGzip(f *testing.F) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte("a\n1\n2\n")); err != nil {
		f.Fatal(err)
	}
	if err := z.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:20])
	f.Add(append(bytes.Clone(b.Bytes()), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Load(filesOf("a.csv.gz", string(data)), Source{CSV: "a.csv.gz"})
		if (set == nil) == (err == nil) || err != nil && !strings.Contains(err.Error(), "a.csv.gz") {
			t.Fatalf("set %v, error %v", set, err)
		}
	})
}
