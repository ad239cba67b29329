package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
)

// MaxHeader bounds the length of a header in bytes, as the format's own reader does. Nets of a thousand tensors have 100 kB.
const MaxHeader = 100_000_000

// maxDims bounds the dimensions of a tensor: what PyTorch can hold.
const maxDims = 64

// Tensor is an array of numbers with a name.
type Tensor struct {
	Name  string
	DType DType
	Shape []int // empty: one number
	// Data returns the numbers, little-endian and row-major: the product of Shape times DType.Size bytes. They may be read, or
	// converted, on each call.
	Data func() ([]byte, error)
}

// Of returns a tensor of type F32. values is called when its data are asked for, so that what is written need not be in memory
// twice; it returns as many numbers as the shape has.
func Of(name string, shape []int, values func() []float32) Tensor {
	return Tensor{Name: name, DType: F32, Shape: shape, Data: func() ([]byte, error) {
		v := values()
		out := make([]byte, 0, 4*len(v))
		return binary.Append(out, binary.LittleEndian, v)
	}}
}

// File is what a .safetensors file holds. The tensors' data are read from it when they are asked for.
type File struct {
	r        io.ReaderAt
	data     int64   // where the data begin
	tensors  []entry // in the order of their data
	index    map[string]int
	metadata map[string]string
}

// entry is a tensor in a file; begin and end count from where the data begin.
type entry struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int64
}

// Open reads the header of a file of size bytes and checks all of it: each tensor's type and shape against its bytes, and the
// tensors against one another and the file's size. The error names the tensor, the place, and what would be accepted.
func Open(r io.ReaderAt, size int64) (*File, error) {
	start := make([]byte, min(max(size, 0), 16))
	if n, err := r.ReadAt(start, 0); n < len(start) {
		return nil, fmt.Errorf("read .safetensors: the first %d bytes: %w", len(start), err)
	}
	if what := other(start); what != "" {
		return nil, fmt.Errorf("the file is %s; accepted: a .safetensors file, as safetensors.torch.save_file(model.state_dict(), FILE) writes it", what)
	}
	if size < 8 {
		return nil, fmt.Errorf("the file has %d bytes; accepted: a .safetensors file, which begins with 8 bytes for the header's length", size)
	}
	length := binary.LittleEndian.Uint64(start)
	if rest := uint64(size - 8); length > rest {
		return nil, fmt.Errorf("the first 8 bytes give the .safetensors header %d bytes, and %d follow them: the file was cut off or is something else", length, rest)
	}
	if length > MaxHeader {
		return nil, fmt.Errorf("the .safetensors header has %d bytes; accepted: at most %d", length, MaxHeader)
	}
	// Memory grows with what is really read.
	header, err := io.ReadAll(io.NewSectionReader(r, 8, int64(length)))
	if err == nil && uint64(len(header)) != length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("read the .safetensors header: %d of %d bytes: %w", len(header), length, err)
	}
	f := &File{r: r, data: 8 + int64(length)}
	if err := f.parse(header); err != nil {
		return nil, err
	}
	if err := f.layout(size - f.data); err != nil {
		return nil, err
	}
	return f, nil
}

// other says what a file is that begins like one of those commonly taken for .safetensors.
func other(start []byte) string {
	for _, k := range []struct{ magic, what string }{
		{"PK\x03\x04", "a zip archive, perhaps a PyTorch checkpoint (.pt, .pth)"},
		{"\x80\x02", "a Python pickle, perhaps a PyTorch checkpoint (.pt, .pth)"},
		{"version https://", "a pointer of Git LFS, not the weights it points to"},
		{"<!DOCTYPE", "a web page"},
		{"<html", "a web page"},
		{"GGUF", "a GGUF file"},
		{"\x93NUMPY", "a NumPy array"},
		{"\x89HDF", "an HDF5 file"},
	} {
		// A header of as many bytes as such a beginning spells has more than MaxHeader, but for the pickle's.
		if bytes.HasPrefix(start, []byte(k.magic)) && (len(start) < 9 || start[8] != '{') {
			return k.what
		}
	}
	return ""
}

// Names are the tensors' names in the order of their data.
func (f *File) Names() []string {
	names := make([]string, len(f.tensors))
	for i, e := range f.tensors {
		names[i] = e.name
	}
	return names
}

// Metadata returns a copy of the strings that came with the tensors; nil if there were none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Lookup returns the tensor of a name.
func (f *File) Lookup(name string) (Tensor, bool) {
	i, ok := f.index[name]
	if !ok {
		return Tensor{}, false
	}
	return f.tensor(f.tensors[i]), true
}

// Tensors returns all tensors in the order of their data, fit for [Write]. Their data are read on each call.
func (f *File) Tensors() []Tensor {
	out := make([]Tensor, len(f.tensors))
	for i, e := range f.tensors {
		out[i] = f.tensor(e)
	}
	return out
}

func (f *File) tensor(e entry) Tensor {
	return Tensor{Name: e.name, DType: e.dtype, Shape: slices.Clone(e.shape), Data: func() ([]byte, error) {
		out := make([]byte, e.end-e.begin)
		return out, f.read(e, out, 0)
	}}
}

// read fills part with the tensor's data from byte at on.
func (f *File) read(e entry, part []byte, at int64) error {
	if n, err := f.r.ReadAt(part, f.data+e.begin+at); n < len(part) {
		return fmt.Errorf("tensor %s: %d bytes at %d of the file: %w", quoted(e.name), len(part), f.data+e.begin+at, err)
	}
	return nil
}

// Float32 returns a tensor's numbers, row-major, each as the nearest float32: F64 beyond its range becomes ±Inf, integers beyond
// 2²⁴ are rounded, BOOL is 0 or 1. NaN and infinities stay. The error names a tensor that is not there, or a type without a
// conversion (F8_E4M3, F8_E5M2).
func (f *File) Float32(name string) ([]float32, error) {
	i, ok := f.index[name]
	if !ok {
		return nil, fmt.Errorf("tensor %s is not in the file, which holds %d others", quoted(name), len(f.tensors))
	}
	e := f.tensors[i]
	convert, size := e.dtype.converter(), e.dtype.Size()
	if convert == nil {
		return nil, fmt.Errorf("tensor %s has the type %s; read as numbers are F64, F32, F16, BF16, integers and BOOL: export it as one of these", quoted(name), e.dtype)
	}
	out := make([]float32, (e.end-e.begin)/int64(size))
	buf := make([]byte, min(e.end-e.begin, 1<<16)) // a multiple of every size
	for done := 0; done < len(out); {
		part := buf[:min(len(buf), (len(out)-done)*size)]
		if err := f.read(e, part, int64(done*size)); err != nil {
			return nil, err
		}
		for k := 0; k < len(part); k += size {
			out[done] = convert(part[k:])
			done++
		}
	}
	return out, nil
}
