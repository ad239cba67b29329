package dataset

import (
	"fmt"
	"io"
)

// cifarRecord is the length of a record: the label, then 32×32 bytes of red, green and blue each, line by line.
const cifarRecord = 1 + 3*32*32

// decodeCIFAR appends the records of the CIFAR-10 file (A. Krizhevsky, "The CIFAR-10 dataset", binary version) that takes up
// all of r, of size bytes (−1: not known; memory grows with what is really read), to the images and labels of t. Errors name
// offsets, not the file.
func decodeCIFAR(r io.Reader, size int64, t *table) error {
	if size >= 0 && (size == 0 || size%cifarRecord != 0) {
		return fmt.Errorf("the file has %d bytes; accepted: a multiple of %d, the length of a record", size, cifarRecord)
	}
	var record [cifarRecord]byte
	for i := int64(0); ; i++ {
		n, err := io.ReadFull(r, record[:])
		switch {
		case err == io.EOF && i > 0:
			return nil
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return fmt.Errorf("the file ends at offset %d, inside record %d; accepted: records of %d bytes", i*cifarRecord+int64(n), i+1, cifarRecord)
		case err != nil:
			return err
		case record[0] >= imageClasses:
			return fmt.Errorf("offset %d, row %d: the label is %d; accepted: 0 to %d", i*cifarRecord, i+1, record[0], imageClasses-1)
		case len(t.y) == MaxValues/(cifarRecord-1):
			return fmt.Errorf("offset %d: more than %d images; accepted: at most that many", i*cifarRecord, len(t.y))
		}
		t.y = append(t.y, float64(record[0]))
		t.images.pixels = append(t.images.pixels, record[1:]...)
	}
}
