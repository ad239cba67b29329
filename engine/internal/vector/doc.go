// Package vector is the arithmetic of layers on vectors and row-major matrices of float32: sums over rows and columns, norms,
// activations, softmax, and the steps of optimizers. It knows nothing of tensors, layers or goroutines.
//
// # What can be relied on
//
// A function works on the caller's goroutine and allocates nothing; callers who cut the work into pieces get the same bits whatever
// the pieces are, but for functions that return sums over what they are given. Sums are taken in float64: those along a vector or a
// row in 16 partial sums, one for every index modulo 16, which are then added in halves (0 … 7 with 8 … 15 and so on); those along a
// column from the first row to the last. So AVX-512 and AVX2 give the same bits, and the plain Go form of other processors the
// same but for the rounding of products that are not followed by one (fused multiply-add) and of exponentials.
//
// NaN and Inf propagate as IEEE 754 has it, unless a function says otherwise. The length of a vector is that of the first argument,
// that of a matrix rows·cols; other slices may be longer, and what lies beyond is neither read nor written. A slice that is too
// short panics, and so does a negative size. A destination may be one of the sources, from the same element on; slices must not
// overlap in any other way.
package vector
