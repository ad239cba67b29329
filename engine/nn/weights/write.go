package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Write writes tensors, and strings if there are any, as a .safetensors file. The bytes depend on the arguments alone: larger
// numbers come first, so that all lie at multiples of their size, otherwise tensors keep their order; metadata are sorted by key; the
// data begin at a multiple of 8 bytes. The data of one tensor at a time are in memory.
//
// The error names a tensor whose name is not UTF-8, is not the only one, or is "__metadata__", whose type is not known, or whose
// data are not as long as its shape says; the first three leave nothing written.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	tensors = slices.Clone(tensors)
	slices.SortStableFunc(tensors, func(a, b Tensor) int { return cmp.Compare(b.DType.Size(), a.DType.Size()) })
	head, err := headerOf(tensors, metadata)
	if err != nil {
		return fmt.Errorf("write .safetensors: %w", err)
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("write .safetensors: the header: %w", err)
	}
	for _, t := range tensors {
		data, err := t.Data()
		if want, _ := bytesOf(t.Shape, t.DType); err == nil && int64(len(data)) != want {
			err = fmt.Errorf("a %s tensor of shape %v has %d bytes, its data %d", t.DType, t.Shape, want, len(data))
		}
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			return fmt.Errorf("write .safetensors: tensor %s: %w", quoted(t.Name), err)
		}
	}
	return nil
}

// headerOf is a file's beginning up to the data.
func headerOf(tensors []Tensor, metadata map[string]string) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 8, 1<<12))
	buf.WriteByte('{')
	comma := ""
	if len(metadata) > 0 {
		fmt.Fprintf(buf, "%s:{", text(metadataKey))
		for _, key := range slices.Sorted(maps.Keys(metadata)) {
			if !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
				return nil, fmt.Errorf("the metadata %s are not UTF-8 text", quoted(key))
			}
			fmt.Fprintf(buf, "%s%s:%s", comma, text(key), text(metadata[key]))
			comma = ","
		}
		buf.WriteByte('}')
		comma = ","
	}
	names, at := make(map[string]bool, len(tensors)), int64(0)
	for _, t := range tensors {
		size, ok := bytesOf(t.Shape, t.DType)
		switch {
		case t.Name == metadataKey || names[t.Name]:
			return nil, fmt.Errorf("tensor %s: the name is taken; accepted: each once, and not %s", quoted(t.Name), metadataKey)
		case !utf8.ValidString(t.Name):
			return nil, fmt.Errorf("tensor %s: the name is not UTF-8 text", quoted(t.Name))
		case t.DType.Size() == 0:
			return nil, fmt.Errorf("tensor %s: the type %s is not known; known: %s", quoted(t.Name), quoted(string(t.DType)), known)
		case !ok || len(t.Shape) > maxDims || at > at+size:
			return nil, fmt.Errorf("tensor %s: the shape %v is negative or too large", quoted(t.Name), t.Shape)
		}
		names[t.Name] = true
		fmt.Fprintf(buf, "%s%s:{\"dtype\":%s,\"shape\":[%s],\"data_offsets\":[%d,%d]}", comma, text(t.Name), text(string(t.DType)), list(t.Shape), at, at+size)
		at, comma = at+size, ","
	}
	buf.WriteByte('}')
	buf.WriteString(strings.Repeat(" ", (8-buf.Len()%8)%8))
	head := buf.Bytes()
	if len(head)-8 > MaxHeader {
		return nil, fmt.Errorf("the header has %d bytes; accepted: at most %d", len(head)-8, MaxHeader)
	}
	binary.LittleEndian.PutUint64(head, uint64(len(head)-8))
	return head, nil
}

// text is a string in JSON.
func text(s string) string {
	var buf strings.Builder
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // strings can be encoded
	}
	return strings.TrimSuffix(buf.String(), "\n")
}

// list is a shape in JSON, without brackets.
func list(shape []int) string {
	var buf []byte
	for i, d := range shape {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = fmt.Append(buf, d)
	}
	return string(buf)
}
