package dataset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// DigitsDigest is the SHA-256 of the digits data set's uncompressed bytes.
const DigitsDigest = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"

const (
	digitsRows    = 1797
	digitsColumns = 64
	digitsMax     = 16 // each number counts the set pixels of a 4×4 block
)

//go:embed digits/digits.csv.gz
var digitsFile []byte // read only

func digitsInfo() Info {
	return Info{
		Name:     "digits",
		Doc:      "Handwritten digits of 8×8 pixels, each pixel between 0 and 1 (counts of 0 to 16, divided by 16).",
		Rows:     digitsRows,
		TestRows: digitsTest,
		Columns:  digitsColumns,
		Classes:  []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		Digest:   DigitsDigest,
		Source:   "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (test part), UCI Machine Learning Repository, 1998, doi:10.24432/C50P49",
		Licence:  "CC BY 4.0",
	}
}

// loadDigits decompresses the embedded file: 64 counts and the digit on each line.
func loadDigits() (*table, error) {
	z, err := gzip.NewReader(bytes.NewReader(digitsFile))
	if err != nil {
		return nil, fmt.Errorf("data set \"digits\" in the binary: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("data set \"digits\" in the binary: %w", err)
	}
	if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != DigitsDigest {
		return nil, fmt.Errorf("data set \"digits\" in the binary: its SHA-256 is %x; accepted: %s", sum, DigitsDigest)
	}
	// The digest holds, so the text is what it was when the program was tested.
	t := &table{columns: numbers(digitsColumns), digest: DigitsDigest}
	x := make([]float64, 0, digitsRows*digitsColumns)
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ",")
		for j, f := range fields {
			n, err := strconv.Atoi(f)
			if err != nil {
				return nil, fmt.Errorf("data set \"digits\" in the binary: %w", err)
			}
			if j < digitsColumns {
				x = append(x, float64(n)/digitsMax)
			} else {
				t.y = append(t.y, float64(n))
			}
		}
	}
	t.x = mat.NewDense(digitsRows, digitsColumns, x)
	return t, nil
}

// numbers are the names of n columns without a header: "1", "2", …
func numbers(n int) []string {
	list := make([]string, n)
	for j := range list {
		list[j] = strconv.Itoa(j + 1)
	}
	return list
}
