package dataset

import (
	"encoding/binary"
	"fmt"
	"io"
)

// idxBytes is the code of unsigned bytes among the element types of IDX.
const idxBytes = 0x08

// idxHeader is the length of an IDX header of so many dimensions.
func idxHeader(dimensions int) int { return 4 + 4*dimensions }

// decodeIDX reads the IDX file (Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, "File formats")
// that takes up all of r, of size bytes (−1: not known; then memory grows with what is really read): N items of unsigned
// bytes, each of the shape given: lines and columns for images, nothing for labels. It returns the N×(product of shape) bytes.
// Errors name offsets, not the file.
func decodeIDX(r io.Reader, size int64, shape ...int) ([]byte, error) {
	what := "images"
	if len(shape) == 0 {
		what = "labels"
	}
	dimensions := 1 + len(shape)
	var magic [4]byte
	if n, err := io.ReadFull(r, magic[:]); err != nil {
		return nil, short(err, fmt.Sprintf("the file ends at offset %d, inside its header; accepted: an IDX file of %s", n, what))
	}
	if other := sniff(magic[:]); other != "" {
		return nil, fmt.Errorf("offset 0: %s; accepted: an IDX file, which begins with two zero bytes", other)
	}
	switch {
	case magic[0] != 0 || magic[1] != 0:
		return nil, fmt.Errorf("offset 0: the file begins with %q; accepted: an IDX file, which begins with two zero bytes", magic[:])
	case magic[2] != idxBytes:
		return nil, fmt.Errorf("offset 2: the element type is %#02x; accepted: %#02x, unsigned bytes", magic[2], idxBytes)
	case int(magic[3]) != dimensions:
		looks := ""
		switch {
		case magic[3] == 1:
			looks = ", as labels have"
		case magic[3] == 3:
			looks = ", as images have"
		}
		return nil, fmt.Errorf("offset 3: the array has %d dimensions%s; accepted: %d, for %s", magic[3], looks, dimensions, what)
	}
	header := make([]byte, 4*dimensions)
	if n, err := io.ReadFull(r, header); err != nil {
		return nil, short(err, fmt.Sprintf("the file ends at offset %d, inside its header of %d bytes", 4+n, idxHeader(dimensions)))
	}
	item := 1
	for i, want := range shape {
		if got := binary.BigEndian.Uint32(header[4+4*i:]); int64(got) != int64(want) {
			return nil, fmt.Errorf("offset %d: dimension %d is %d; accepted: %d", 8+4*i, i+2, got, want)
		}
		item *= want
	}
	items := int64(binary.BigEndian.Uint32(header))
	if items == 0 || items > int64(MaxValues/item) {
		return nil, fmt.Errorf("offset 4: the file promises %d %s; accepted: 1 to %d", items, what, MaxValues/item)
	}
	total := items * int64(item)
	if have := size - int64(idxHeader(dimensions)); size >= 0 && have != total {
		return nil, fmt.Errorf("the header promises %d bytes (%d %s of %d), and %d follow it; accepted: exactly as many", total, items, what, item, have)
	}
	data, err := readBytes(r, total, size >= 0)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) < total {
		at := int64(idxHeader(dimensions) + len(data))
		return nil, fmt.Errorf("the file ends at offset %d, inside item %d of %d; the header promises %d bytes (%d %s of %d)", at, len(data)/item+1, items, total, items, what, item)
	}
	if n, err := io.ReadFull(r, magic[:1]); n > 0 {
		return nil, fmt.Errorf("offset %d: more bytes follow the %d %s that the header promises; accepted: exactly as many", int64(idxHeader(dimensions))+total, items, what)
	} else if err != io.EOF {
		return nil, err
	}
	return data, nil
}

// readBytes reads n bytes of r, fewer if it ends before. Unless they are sure to be there, memory grows with what is read.
func readBytes(r io.Reader, n int64, sure bool) ([]byte, error) {
	const part = 1 << 20
	reserve := n
	if !sure {
		reserve = min(n, part)
	}
	data := make([]byte, 0, reserve)
	for int64(len(data)) < n {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)] // grows by a quarter
		}
		k, err := r.Read(data[len(data):min(int64(cap(data)), n)])
		data = data[:len(data)+k]
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	return data, nil
}
