package weights

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
)

// TestHostile gives every way in which a file can lie, with what the error has to say.
func TestHostile(t *testing.T) {
	one := func(dtype, shape, offsets string) string {
		return `{"w":{"dtype":` + dtype + `,"shape":` + shape + `,"data_offsets":` + offsets + `}}`
	}
	two := func(a, b string) string {
		return `{"a":{"dtype":"U8","shape":[4],"data_offsets":` + a + `},"b":{"dtype":"U8","shape":[4],"data_offsets":` + b + `}}`
	}
	for name, c := range map[string]struct {
		header string
		data   int
		want   string
	}{
		"overlap":            {two("[0,4]", "[2,6]"), 6, `tensor "b": its data begin at 2, inside of tensor "a", which ends at 4`},
		"same bytes":         {two("[0,4]", "[0,4]"), 4, `tensor "b": its data begin at 0, inside of tensor "a"`},
		"gap":                {two("[0,4]", "[6,10]"), 10, `tensor "b": its data begin at 6, and tensor "a" before it ends at 4`},
		"gap at the start":   {two("[1,5]", "[5,9]"), 9, `tensor "a": its data begin at 1, and no tensor has the 1 bytes before`},
		"cut off":            {two("[0,4]", "[4,8]"), 7, `tensor "b": its data_offsets are [4, 8], and the file has 7 bytes of data`},
		"far away":           {one(`"U8"`, "[4]", "[9223372036854775800,9223372036854775804]"), 4, "and the file has 4 bytes of data"},
		"more data":          {two("[0,4]", "[4,8]"), 9, "the tensors end at 8, and the file has 9 bytes of data"},
		"data of nobody":     {`{}`, 1, "the tensors end at 0, and the file has 1 bytes"},
		"size":               {one(`"F32"`, "[2,3]", "[0,12]"), 12, `tensor "w": a F32 tensor of shape [2 3] has 24 bytes; data_offsets [0, 12] give it 12`},
		"product":            {one(`"F32"`, "[4294967296,4294967296]", "[0,0]"), 0, "has more bytes than can be counted"},
		"product in bytes":   {one(`"F64"`, "[2305843009213693952]", "[0,0]"), 0, "has more bytes than can be counted"},
		"backwards":          {one(`"U8"`, "[4]", "[4,0]"), 4, `tensor "w": data_offsets are [4 0]; accepted: two`},
		"one offset":         {one(`"U8"`, "[4]", "[4]"), 4, "data_offsets are [4]"},
		"three offsets":      {one(`"U8"`, "[4]", "[0,4,4]"), 4, "data_offsets has more than 2 numbers"},
		"negative offset":    {one(`"U8"`, "[4]", "[-4,0]"), 4, `data_offsets: number 1 is "-4"`},
		"huge offset":        {one(`"U8"`, "[4]", "[0,99999999999999999999]"), 4, `number 2 is "99999999999999999999"; accepted: whole numbers from 0`},
		"fraction":           {one(`"U8"`, "[4.0]", "[0,4]"), 4, `shape: number 1 is "4.0"`},
		"exponent":           {one(`"U8"`, "[4e0]", "[0,4]"), 4, `shape: number 1 is "4e0"`},
		"text for a number":  {one(`"U8"`, `["4"]`, "[0,4]"), 4, `shape: number 1 is "4"`},
		"null for a number":  {one(`"U8"`, `[null]`, "[0,4]"), 4, `shape: number 1 is null`},
		"many dimensions":    {one(`"U8"`, "[1"+strings.Repeat(",1", 64)+"]", "[0,1]"), 1, "shape has more than 64 numbers"},
		"no list":            {one(`"U8"`, "4", "[0,4]"), 4, `shape: a list is expected ([), not "4"`},
		"unknown type":       {one(`"F33"`, "[1]", "[0,4]"), 4, `tensor "w": the dtype "F33" is not known; known: F64, F32`},
		"type no string":     {one(`32`, "[1]", "[0,4]"), 4, `dtype: a string is expected, not "32"`},
		"tensor twice":       {`{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0, `tensor "w" stands twice`},
		"twice by an escape": {`{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\u0077":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}`, 0, `tensor "w" stands twice`},
		"member twice":       {`{"w":{"dtype":"U8","dtype":"U8"}}`, 0, `tensor "w": "dtype" stands twice`},
		"member unknown":     {`{"w":{"dtype":"U8","strides":[1]}}`, 0, `"strides" is not known; accepted: dtype, shape, data_offsets`},
		"member missing":     {`{"w":{"dtype":"U8","shape":[0]}}`, 0, "one of dtype, shape and data_offsets is missing"},
		"metadata twice":     {`{"__metadata__":{},"__metadata__":{}}`, 0, "__metadata__ stands twice"},
		"metadata's twice":   {`{"__metadata__":{"a":"","a":""}}`, 0, `__metadata__: "a" stands twice`},
		"metadata of number": {`{"__metadata__":{"a":1}}`, 0, `__metadata__: "a": a string is expected, not "1"`},
		"metadata a list":    {`{"__metadata__":[]}`, 0, `an object is expected ({), not "["`},
		"deep":               {`{"w":` + strings.Repeat("[", 200_000), 0, `byte 14 of the file: tensor "w": an object is expected ({), not "["`},
		"deep in a shape":    {one(`"U8"`, strings.Repeat("[", 200_000), "[0,4]"), 0, `shape: number 1 is "["`},
		"deep in metadata":   {`{"__metadata__":{"a":` + strings.Repeat(`{"a":`, 100_000), 0, `a string is expected, not "{"`},
		"no end":             {`{"w":{"dtype":"U8"`, 0, "the JSON object does not end"},
		"no JSON":            {`{w:1}`, 0, "the JSON is malformed"},
		"a list":             {`[]`, 0, `begins with "[]"; accepted: a JSON object`},
		"blanks before":      {` {}`, 0, `begins with " {}"`},
		"nothing":            {``, 0, `begins with ""`},
		"two objects":        {`{}{}`, 0, "more follows the JSON object"},
		"zeros after":        {"{}\x00\x00", 0, "more follows the JSON object"},
		"not UTF-8":          {"{\"\xc3\xa4\xff\":1}", 0, "not UTF-8 text: byte 12 of the file is 0xff"},
		"long name":          {`{"` + strings.Repeat("n", 1000) + `":1}`, 0, `n"… (1000 bytes): an object is expected`},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := open(assemble(c.header, make([]byte, c.data)))
			if err == nil {
				t.Fatalf("accepted: %v", f.Names())
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %q in it", err, c.want)
			}
			if len(err.Error()) > 500 {
				t.Errorf("the message has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestNotSafetensors(t *testing.T) {
	for beginning, want := range map[string]string{
		"":                                      "the file has 0 bytes; accepted: a .safetensors file",
		"1234567":                               "the file has 7 bytes",
		"\x10\x00\x00\x00\x00\x00\x00\x00{}":    "the first 8 bytes give the .safetensors header 16 bytes, and 2 follow them",
		"\xff\xff\xff\xff\xff\xff\xff\xff{}":    "18446744073709551615 bytes, and 2 follow",
		"PK\x03\x04\x00\x00\x08\x08\x00\x00":    "a zip archive, perhaps a PyTorch checkpoint (.pt, .pth); accepted: a .safetensors file",
		"\x80\x02\x8a\x0al\xfc\x9cF\xf9":        "a Python pickle",
		"version https://git-lfs.github.com":    "a pointer of Git LFS",
		"<!DOCTYPE html>":                       "a web page",
		"\x93NUMPY\x01\x00v\x00{'descr': '<f8'": "a NumPy array",
	} {
		if _, err := open([]byte(beginning)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", beginning, err, want)
		}
	}
	// A header of 640 bytes begins like a pickle.
	header := "{}" + strings.Repeat(" ", 638)
	if _, err := open(assemble(header, nil)); err != nil {
		t.Errorf("a header of 640 bytes: %v", err)
	}
}

// endless reads as a header of its own length without being in memory.
type endless struct{ length uint64 }

func (e endless) ReadAt(p []byte, at int64) (int, error) {
	var start [8]byte
	binary.LittleEndian.PutUint64(start[:], e.length)
	for i := range p {
		switch k := at + int64(i); {
		case k < 8:
			p[i] = start[k]
		case k == 8:
			p[i] = '{'
		default:
			p[i] = ' '
		}
	}
	return len(p), nil
}

// TestAllocation holds what a refusal allocates: nothing that a length in the file could make large.
func TestAllocation(t *testing.T) {
	const little = 64 << 10
	tensor := `{"w":{"dtype":"F64","shape":[1000000000,1000000000],"data_offsets":[0,8000000000000000000]}}`
	for name, try := range map[string]func() error{
		"header beyond the file": func() error {
			_, err := open(assemble("", nil)[:8])
			_ = err
			return openErr([]byte("\x00\x00\x00\x00\x10\x00\x00\x00{}"))
		},
		"header beyond the limit": func() error { _, err := Open(endless{MaxHeader + 1}, 1<<40); return err },
		"tensor beyond the file":  func() error { return openErr(assemble(tensor, nil)) },
		"deep":                    func() error { return openErr(assemble(`{"w":`+strings.Repeat("[", 1000), nil)) },
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := try()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; err == nil || got > little {
			t.Errorf("%s: err %v after %d bytes; accepted: an error and at most %d", name, err, got, little)
		}
	}
}

func openErr(data []byte) error {
	_, err := open(data)
	return err
}

// FuzzOpen: whatever Open accepts, Write writes to a file that opens to the same tensors, and writing that again gives the same bytes.
func FuzzOpen(f *testing.F) {
	f.Add(assemble(`{}`, nil))
	f.Add(assemble(`{"b":{"shape":[2,1],"data_offsets":[8,16],"dtype":"F32"},"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}  `, make([]byte, 16)))
	f.Add(assemble(`{"h":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},"e":{"dtype":"BF16","shape":[0,9],"data_offsets":[6,6]},"\ud800":{"dtype":"BOOL","shape":[1],"data_offsets":[6,7]}}`, make([]byte, 7)))
	f.Add(assemble(`{"w":{"dtype":"F64","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, nil))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := open(data)
		if err != nil {
			if file != nil {
				t.Fatal("a file and an error")
			}
			return
		}
		var first, second bytes.Buffer
		if err := Write(&first, file.Tensors(), file.Metadata()); err != nil {
			t.Fatal(err)
		}
		again, err := open(first.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		same(t, file, again)
		if err := Write(&second, again.Tensors(), again.Metadata()); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("written again: err %v, %d bytes and %d", err, first.Len(), second.Len())
		}
	})
}

// same fails unless both files hold the same tensors.
func same(t *testing.T, a, b *File) {
	t.Helper()
	if len(a.Names()) != len(b.Names()) || len(a.Metadata()) != len(b.Metadata()) {
		t.Fatalf("%d tensors and %d strings became %d and %d", len(a.Names()), len(a.Metadata()), len(b.Names()), len(b.Metadata()))
	}
	for k, v := range a.Metadata() {
		if b.Metadata()[k] != v {
			t.Fatalf("metadata %q: %q became %q", k, v, b.Metadata()[k])
		}
	}
	for _, x := range a.Tensors() {
		y, ok := b.Lookup(x.Name)
		if !ok || x.DType != y.DType || list(x.Shape) != list(y.Shape) {
			t.Fatalf("tensor %q: %s %v became %s %v", x.Name, x.DType, x.Shape, y.DType, y.Shape)
		}
		p, err := x.Data()
		q, err2 := y.Data()
		if err != nil || err2 != nil || !bytes.Equal(p, q) {
			t.Fatalf("tensor %q: its data changed (%v, %v)", x.Name, err, err2)
		}
		u, err := a.Float32(x.Name)
		v, err2 := b.Float32(x.Name)
		if (err == nil) != (err2 == nil) || len(u) != len(v) || err == nil && len(u)*x.DType.Size() != len(p) {
			t.Fatalf("tensor %q: %d numbers became %d (%v, %v)", x.Name, len(u), len(v), err, err2)
		}
	}
}
