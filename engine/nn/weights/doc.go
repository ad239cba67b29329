// Package weights reads and writes tensors in the .safetensors format, in which PyTorch's nets are commonly exchanged. It knows
// the format and nothing of nets, and opens no files: it reads from an [io.ReaderAt] and writes to an [io.Writer].
//
// # Format
//
//	8 bytes   n, the header's length, little-endian
//	n bytes   the header: a JSON object, padded with blanks
//	the rest  the data, all numbers little-endian, row-major
//
// The header has a member for each tensor,
//
//	"layer1.0.conv1.weight": {"dtype": "F32", "shape": [64, 64, 3, 3], "data_offsets": [0, 147456]}
//
// where data_offsets are the first byte and the byte after the last one, counted from where the data begin, and may have a member
// "__metadata__" with strings. Tensors fill the data without gaps and do not overlap. Where a tensor begins need not be a multiple
// of its numbers' size: some writers align and some do not.
//
// # Hostile files
//
// [Open] takes memory in proportion to the header, which is at most [MaxHeader] bytes and no longer than the file, and believes no
// length before it has held it against the file's size. Whatever it accepts, [Write] writes to a file with the same tensors.
package weights
