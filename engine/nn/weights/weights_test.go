package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// assemble makes a file of a header and data, with no checks.
func assemble(header string, data []byte) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), data...)
}

func open(data []byte) (*File, error) { return Open(bytes.NewReader(data), int64(len(data))) }

// raw is a tensor with given bytes.
func raw(name string, dtype DType, shape []int, data ...byte) Tensor {
	return Tensor{Name: name, DType: dtype, Shape: shape, Data: func() ([]byte, error) { return data, nil }}
}

func TestReadByHand(t *testing.T) {
	// Offsets out of order, members in any order, blanks after the object, a scalar, an empty tensor, metadata.
	header := `{"b":{"shape":[2,1],"data_offsets":[8,16],"dtype":"F32"},"__metadata__":{"format":"pt","ä":"\u00e9\n"},` +
		`"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"none":{"dtype":"F16","shape":[0,9223372036854775807,3],"data_offsets":[8,8]}}   `
	data := binary.LittleEndian.AppendUint64(nil, 7)
	data = binary.LittleEndian.AppendUint32(data, math.Float32bits(1.5))
	data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(math.Inf(-1))))
	f, err := open(assemble(header, data))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"n", "none", "b"}, f.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"format": "pt", "ä": "é\n"}, f.Metadata()); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	for name, want := range map[string][]float32{"n": {7}, "none": {}, "b": {1.5, float32(math.Inf(-1))}} {
		got, err := f.Float32(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	b, ok := f.Lookup("b")
	if got, _ := b.Data(); !ok || b.DType != F32 || !cmp.Equal(b.Shape, []int{2, 1}) || !bytes.Equal(got, data[8:]) {
		t.Errorf("Lookup(b) = %v %v, data %v", b.DType, b.Shape, got)
	}
	if _, ok := f.Lookup("c"); ok {
		t.Error("Lookup(c) finds something")
	}
	if _, err := f.Float32("c"); err == nil || !strings.Contains(err.Error(), `"c" is not in the file`) {
		t.Errorf("Float32(c): %v", err)
	}
}

func TestWriteByHand(t *testing.T) {
	var buf bytes.Buffer
	tensors := []Tensor{
		raw("odd", U8, []int{3}, 1, 2, 3), Of("w<&>", []int{1, 2}, func() []float32 { return []float32{1, -2} }),
		raw("n", I64, nil, 9, 0, 0, 0, 0, 0, 0, 0),
	}
	if err := Write(&buf, tensors, map[string]string{"z": "1", "a": "\"2\""}); err != nil {
		t.Fatal(err)
	}
	header := `{"__metadata__":{"a":"\"2\"","z":"1"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},` +
		`"w<&>":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},"odd":{"dtype":"U8","shape":[3],"data_offsets":[16,19]}}`
	header += strings.Repeat(" ", (8-len(header)%8)%8)
	want := assemble(header, []byte{9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 1, 2, 3})
	if !bytes.Equal(buf.Bytes(), want) {
		t.Errorf("got  %q\nwant %q", buf.Bytes(), want)
	}
	if tensors[0].Name != "odd" {
		t.Error("Write sorts its argument")
	}
}

// TestConversions compares each type with values written down by hand, NaN and infinities included.
func TestConversions(t *testing.T) {
	le := binary.LittleEndian
	halves := func(h ...uint16) (out []byte) {
		for _, v := range h {
			out = le.AppendUint16(out, v)
		}
		return out
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		dtype DType
		data  []byte
		want  []float32
	}{
		{F16, halves(0, 0x8000, 1, 0x83ff, 0x0400, 0x3c00, 0x3555, 0x7bff, 0xfc00, 0x7e00), []float32{0, float32(math.Copysign(0, -1)), 0x1p-24, -1023 * 0x1p-24, 0x1p-14, 1, 1365 * 0x1p-12, 65504, -inf, nan}},
		{BF16, halves(0x3f80, 0xc040, 0x0001, 0x7f80, 0x7fc0), []float32{1, -3, 0x1p-133, inf, nan}},
		{F64, le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, math.Float64bits(0.1)), math.Float64bits(1e300)), math.Float64bits(math.NaN())), []float32{0.1, inf, nan}},
		{I64, le.AppendUint64(le.AppendUint64(nil, 1<<63), 1<<24+1), []float32{-0x1p63, 1 << 24}},
		{I32, le.AppendUint32(nil, 0xffffffff), []float32{-1}},
		{"I16", halves(0x8000), []float32{-32768}},
		{"I8", []byte{0x80, 127}, []float32{-128, 127}},
		{"U64", le.AppendUint64(nil, math.MaxUint64), []float32{0x1p64}},
		{"U32", le.AppendUint32(nil, math.MaxUint32), []float32{0x1p32}},
		{U8, []byte{0, 255}, []float32{0, 255}},
		{"BOOL", []byte{0, 1}, []float32{0, 1}},
	} {
		t.Run(string(c.dtype), func(t *testing.T) {
			var buf bytes.Buffer
			if err := Write(&buf, []Tensor{raw("x", c.dtype, []int{len(c.want)}, c.data...)}, nil); err != nil {
				t.Fatal(err)
			}
			f, err := open(buf.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Float32("x")
			if err != nil || len(got) != len(c.want) {
				t.Fatalf("%v, %v", got, err)
			}
			for i := range got {
				same := math.Float32bits(got[i]) == math.Float32bits(c.want[i])
				if bothNaN := got[i] != got[i] && c.want[i] != c.want[i]; !same && !bothNaN {
					t.Errorf("number %d of % x: %v, want %v", i, c.data, got[i], c.want[i])
				}
			}
		})
	}
	f, err := open(assemble(`{"x":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}`, []byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Float32("x"); err == nil || !strings.Contains(err.Error(), `"x" has the type F8_E4M3`) {
		t.Errorf("Float32 of F8: %v", err)
	}
}

// TestHalf compares every binary16 with its definition.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		sign, exponent, significand := 1-2*float64(h>>15), h>>10&31, float64(h&1023)
		want := sign * math.Ldexp(1+significand/1024, exponent-15)
		switch {
		case exponent == 0:
			want = sign * math.Ldexp(significand, -24)
		case exponent == 31 && significand == 0:
			want = math.Inf(int(sign))
		case exponent == 31:
			want = math.NaN()
		}
		got := float64(half(uint16(h)))
		if got != want && (got == got || want == want) {
			t.Fatalf("half(%#04x) = %v, want %v", h, got, want)
		}
	}
}

// TestLargeTensor crosses the buffer in which numbers are converted.
func TestLargeTensor(t *testing.T) {
	want := make([]float32, 40_001)
	for i := range want {
		want[i] = float32(i)
	}
	var buf bytes.Buffer
	if err := Write(&buf, []Tensor{Of("x", []int{len(want)}, func() []float32 { return want })}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := open(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Float32("x"); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%d numbers came back, err %v", len(got), err)
	}
}

// failing is a file or an output that fails after some bytes.
type failing struct{ left int }

var errBroken = errors.New("broken")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errBroken
	}
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	one := Of("x", []int{1}, func() []float32 { return []float32{1} })
	for name, c := range map[string]struct {
		tensors  []Tensor
		metadata map[string]string
		want     string
		nothing  bool // is written
	}{
		"twice":       {[]Tensor{one, one}, nil, `tensor "x": the name is taken`, true},
		"metadata":    {[]Tensor{raw(metadataKey, U8, nil, 1)}, nil, "the name is taken", true},
		"name":        {[]Tensor{raw("\xff", U8, nil, 1)}, nil, `tensor "\xff": the name is not UTF-8`, true},
		"strings":     {[]Tensor{one}, map[string]string{"k": "\xff"}, `the metadata "k" are not UTF-8`, true},
		"type":        {[]Tensor{raw("y", "Q4", nil, 1)}, nil, `tensor "y": the type "Q4" is not known; known: F64`, true},
		"negative":    {[]Tensor{raw("y", U8, []int{-1})}, nil, `tensor "y": the shape [-1] is negative or too large`, true},
		"empty":       {[]Tensor{raw("y", U8, []int{0, -1})}, nil, `tensor "y": the shape [0 -1] is negative or too large`, true},
		"overflow":    {[]Tensor{raw("y", F64, []int{1 << 31, 1 << 31})}, nil, "too large", true},
		"sum":         {[]Tensor{raw("y", U8, []int{math.MaxInt64}), raw("z", U8, []int{1})}, nil, `tensor "z"`, true},
		"short":       {[]Tensor{Of("y", []int{2, 3}, func() []float32 { return []float32{1} })}, nil, `tensor "y": a F32 tensor of shape [2 3] has 24 bytes, its data 4`, false},
		"data failed": {[]Tensor{{Name: "y", DType: U8, Data: func() ([]byte, error) { return nil, errBroken }}}, nil, `tensor "y": broken`, false},
	} {
		t.Run(name, func(t *testing.T) {
			var buf bytes.Buffer
			err := Write(&buf, c.tensors, c.metadata)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
			if c.nothing && buf.Len() > 0 {
				t.Errorf("%d bytes were written", buf.Len())
			}
		})
	}
	for _, left := range []int{0, 65} {
		if err := Write(&failing{left}, []Tensor{one}, nil); !errors.Is(err, errBroken) {
			t.Errorf("an output that fails after %d bytes: %v", left, err)
		}
	}
}

// shorter is a file that ends before its size says so: no ReaderAt can be trusted to hold what it promised.
type shorter struct{ *bytes.Reader }

func TestTruncated(t *testing.T) {
	var buf bytes.Buffer
	if err := Write(&buf, []Tensor{Of("x", []int{4}, func() []float32 { return make([]float32, 4) })}, nil); err != nil {
		t.Fatal(err)
	}
	whole, size := buf.Bytes(), int64(buf.Len())
	for n := range whole {
		if _, err := open(whole[:n]); err == nil {
			t.Fatalf("a file of %d of %d bytes is accepted", n, size)
		}
		f, err := Open(shorter{bytes.NewReader(whole[:n])}, size)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%d of %d bytes: %v", n, size, err)
			}
			continue
		}
		if _, err := f.Float32("x"); !errors.Is(err, io.EOF) {
			t.Fatalf("%d of %d bytes: Float32 gives %v", n, size, err)
		}
		if x, _ := f.Lookup("x"); x.Data == nil {
			t.Fatal("no data")
		} else if _, err := x.Data(); !errors.Is(err, io.EOF) {
			t.Fatalf("%d of %d bytes: Data gives %v", n, size, err)
		}
	}
}
