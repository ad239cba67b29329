package weights

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// metadataKey is the member of a header that is no tensor.
const metadataKey = "__metadata__"

// shownName is how much of a name a message shows.
const shownName = 120

// quoted is a name in a message: in quotes, and not longer than people read.
func quoted(name string) string {
	if len(name) <= shownName {
		return strconv.Quote(name)
	}
	return strconv.Quote(name[:shownName]) + fmt.Sprintf("… (%d bytes)", len(name))
}

// header reads JSON token by token: whatever is not of the format's shape ends the reading where it stands, however deep it goes on.
type header struct {
	*json.Decoder
}

// parse reads the header's text: names, types, shapes and offsets, each alone.
func (f *File) parse(text []byte) error {
	if !utf8.Valid(text) {
		at := 0
		for at < len(text) {
			r, n := utf8.DecodeRune(text[at:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			at += n
		}
		return fmt.Errorf("the .safetensors header is not UTF-8 text: byte %d of the file is 0x%02x", 8+at, text[at])
	}
	if len(text) == 0 || text[0] != '{' {
		return fmt.Errorf("the .safetensors header begins with %q; accepted: a JSON object, which begins with {", text[:min(len(text), 16)])
	}
	h := &header{json.NewDecoder(bytes.NewReader(text))}
	h.UseNumber()
	f.index = make(map[string]int)
	err := h.object(func(key string) error {
		if key == metadataKey {
			return h.metadata(f)
		}
		if _, twice := f.index[key]; twice {
			return fmt.Errorf("tensor %s stands twice in the header", quoted(key))
		}
		e := entry{name: key}
		if err := h.entry(&e); err != nil {
			return fmt.Errorf("tensor %s: %w", quoted(key), err)
		}
		f.index[key] = len(f.tensors)
		f.tensors = append(f.tensors, e)
		return nil
	})
	if err == nil {
		if _, more := h.Token(); more != io.EOF {
			err = errors.New("more follows the JSON object; accepted: blanks")
		}
	}
	if err != nil {
		return fmt.Errorf("the .safetensors header, byte %d of the file: %w", 8+h.InputOffset(), err)
	}
	return nil
}

// metadata reads the object of strings.
func (h *header) metadata(f *File) error {
	if f.metadata != nil {
		return errors.New(metadataKey + " stands twice")
	}
	f.metadata = make(map[string]string)
	return h.object(func(key string) error {
		if _, twice := f.metadata[key]; twice {
			return fmt.Errorf("%s: %s stands twice", metadataKey, quoted(key))
		}
		value, err := h.text(metadataKey + ": " + quoted(key))
		f.metadata[key] = value
		return err
	})
}

// entry reads {"dtype": …, "shape": […], "data_offsets": […, …]}: these three, each once, in any order.
func (h *header) entry(e *entry) error {
	seen := make(map[string]bool, 3)
	err := h.object(func(key string) error {
		if seen[key] {
			return fmt.Errorf("%s stands twice", quoted(key))
		}
		seen[key] = true
		switch key {
		case "dtype":
			s, err := h.text("dtype")
			if e.dtype = DType(s); err == nil && e.dtype.Size() == 0 {
				err = fmt.Errorf("the dtype %s is not known; known: %s", quoted(s), known)
			}
			return err
		case "shape":
			return h.list("shape", maxDims, func(n int64) { e.shape = append(e.shape, int(n)) })
		case "data_offsets":
			var at []int64
			if err := h.list("data_offsets", 2, func(n int64) { at = append(at, n) }); err != nil {
				return err
			}
			if len(at) != 2 || at[0] > at[1] {
				return fmt.Errorf("data_offsets are %v; accepted: two, the first byte and the byte after the last", at)
			}
			e.begin, e.end = at[0], at[1]
			return nil
		}
		return fmt.Errorf("%s is not known; accepted: dtype, shape, data_offsets", quoted(key))
	})
	if err == nil && len(seen) != 3 {
		err = errors.New("one of dtype, shape and data_offsets is missing")
	}
	return err
}

// object reads {key: …, …} and calls member after each key.
func (h *header) object(member func(key string) error) error {
	if err := h.delim('{', "an object"); err != nil {
		return err
	}
	for h.More() {
		key, err := h.text("a name")
		if err != nil {
			return err
		}
		if err := member(key); err != nil {
			return err
		}
	}
	return h.delim('}', "the end of an object")
}

// list reads [n, …], at most so many whole numbers from 0 on.
func (h *header) list(what string, most int, each func(n int64)) error {
	if err := h.delim('[', what+": a list"); err != nil {
		return err
	}
	for k := 0; h.More(); k++ {
		t, err := h.Token()
		if err != nil {
			return malformed(err)
		}
		text, _ := t.(json.Number)
		n, err := strconv.ParseUint(string(text), 10, 63)
		if err != nil || n > math.MaxInt {
			return fmt.Errorf("%s: number %d is %s; accepted: whole numbers from 0 to %d", what, k+1, shown(t), math.MaxInt)
		}
		if k == most {
			return fmt.Errorf("%s has more than %d numbers", what, most)
		}
		each(int64(n))
	}
	return h.delim(']', what+": the end of the list")
}

func (h *header) delim(want json.Delim, what string) error {
	t, err := h.Token()
	if err != nil {
		return malformed(err)
	}
	if t != want {
		return fmt.Errorf("%s is expected (%s), not %s", what, want, shown(t))
	}
	return nil
}

func (h *header) text(what string) (string, error) {
	t, err := h.Token()
	if err != nil {
		return "", malformed(err)
	}
	s, ok := t.(string)
	if !ok {
		return "", fmt.Errorf("%s: a string is expected, not %s", what, shown(t))
	}
	return s, nil
}

// shown is a token in a message.
func shown(t json.Token) string {
	if t == nil {
		return "null"
	}
	return quoted(fmt.Sprint(t))
}

func malformed(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("the JSON object does not end")
	}
	return fmt.Errorf("the JSON is malformed: %w", err)
}

// layout holds the tensors against their own bytes, against one another, and against the data, of size bytes; it sorts them.
func (f *File) layout(size int64) error {
	slices.SortStableFunc(f.tensors, func(a, b entry) int { return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end)) })
	at, before := int64(0), ""
	for i, e := range f.tensors {
		f.index[e.name] = i
		if e.end > size {
			return fmt.Errorf("tensor %s: its data_offsets are [%d, %d], and the file has %d bytes of data: it was cut off or the header is wrong", quoted(e.name), e.begin, e.end, size)
		}
		want, ok := bytesOf(e.shape, e.dtype)
		if have := e.end - e.begin; !ok {
			return fmt.Errorf("tensor %s: a %s tensor of shape %v has more bytes than can be counted; data_offsets give it %d", quoted(e.name), e.dtype, e.shape, have)
		} else if want != have {
			return fmt.Errorf("tensor %s: a %s tensor of shape %v has %d bytes; data_offsets [%d, %d] give it %d", quoted(e.name), e.dtype, e.shape, want, e.begin, e.end, have)
		}
		switch {
		case e.begin < at:
			return fmt.Errorf("tensor %s: its data begin at %d, inside of tensor %s, which ends at %d; accepted: tensors one after another", quoted(e.name), e.begin, quoted(before), at)
		case e.begin > at && i == 0:
			return fmt.Errorf("tensor %s: its data begin at %d, and no tensor has the %d bytes before; accepted: tensors from 0 on, without gaps", quoted(e.name), e.begin, e.begin)
		case e.begin > at:
			return fmt.Errorf("tensor %s: its data begin at %d, and tensor %s before it ends at %d; accepted: tensors without gaps", quoted(e.name), e.begin, quoted(before), at)
		}
		at, before = e.end, e.name
	}
	if at != size {
		return fmt.Errorf("the tensors end at %d, and the file has %d bytes of data; accepted: data that belong to tensors, to the last byte", at, size)
	}
	return nil
}

// bytesOf is the length of a tensor's data; ok is false if it is negative or beyond an int64.
func bytesOf(shape []int, dtype DType) (n int64, ok bool) {
	n = int64(dtype.Size())
	if len(shape) > 0 && slices.Min(shape) <= 0 {
		return 0, slices.Min(shape) == 0
	}
	for _, d := range shape {
		if n > math.MaxInt64/int64(d) {
			return 0, false
		}
		n *= int64(d)
	}
	return n, true
}
