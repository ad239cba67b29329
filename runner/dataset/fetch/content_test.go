package fetch

import (
	"bytes"
	"io"
	"testing"
)

func TestContentRange(t *testing.T) {
	tests := []struct {
		text         string
		first, total int64
		ok           bool
	}{
		{"bytes 5-9/10", 5, 10, true},
		{"bytes 5-9/*", 5, -1, true},
		{"bytes 5-10/10", 5, 10, false},
		{"bytes 9-5/10", 9, 10, false},
		{"bytes -5/10", 0, 0, false},
		{"bytes 5-9", 0, 0, false},
		{"bytes */10", 0, 0, false},
		{"bytes -9--1/10", 0, 0, false},
		{"items 5-9/10", 0, 0, false},
		{"bytes 5-9/99999999999999999999", 5, 0, false},
		{"", 0, 0, false},
	}
	for _, test := range tests {
		first, total, ok := contentRange(test.text)
		if ok != test.ok || ok && (first != test.first || total != test.total) {
			t.Errorf("contentRange(%q) = %d, %d, %v; want %d, %d, %v", test.text, first, total, ok, test.first, test.total, test.ok)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 9_912_422: "9.9 MB", 4 << 40: "4.4 TB", 1 << 60: "1152921.5 TB"} {
		if got := Size(n); got != want {
			t.Errorf("Size(%d) = %q, want %q", n, got, want)
		}
	}
}

// A compressed copy of something longer is given up when there is more than the file has, not when the disk or the memory is full.
func TestMeasureIsBounded(t *testing.T) {
	bomb := zipped(t, make([]byte, 10_000_000))
	read := &counting{r: bytes.NewReader(bomb)}
	_, err := measure(t.Context(), read, either, 1000)
	says(t, err, "more than 1000 bytes")
	if read.n > bufferBytes {
		t.Errorf("%d bytes were read of %d", read.n, len(bomb))
	}
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += n
	return n, err
}
