// Package vector is the arithmetic of layers on vectors and row-major matrices of float32: sums over rows and columns, norms,
// activations, softmax, and the steps of optimizers. It has kernels in assembly for processors with AVX-512, and for those with AVX2
// and FMA, as [kappa/engine/blas] chooses its own; elsewhere it is plain Go. It knows nothing of tensors, layers or goroutines.
//
// # What can be relied on
//
// A function works on the caller's goroutine and allocates nothing. What it stores for an element or a row does not depend on how the
// caller cut the matrix into calls; sums by column that are continued from call to call do not either, but for ColumnSums, which
// rounds once a call. Sums are taken in float64: those along a vector or a row in 16 partial sums, one for every index modulo 16,
// which are then added in halves (0 … 7 with 8 … 15 and so on); those along a column from the first row to the last. Both kinds of
// kernels give the same bits. Plain Go agrees with them to rounding: it has no fused multiply-add, and exponentials and the normal
// distribution are those of package math.
//
// NaN and Inf propagate as IEEE 754 has it, unless a function says otherwise. The length of a vector is that of the first argument,
// that of a matrix rows·cols; other slices may be longer, and what lies beyond is neither read nor written. A slice that is too
// short panics, and so does a negative size. A destination may be one of the sources, from the same element on; slices must not
// overlap in any other way.
//
// # Speed
//
// The floor is that of copying memory, which BenchmarkKernels measures beside the functions. Elementwise ones, those of batch norm and
// the optimizers' steps are on it or take up to twice as long; exponentials and GELU, 20 to 25 instructions for a register full of
// numbers, and the norms and softmax of rows, which have to wait for their sums, take two to ten times as long. Numbers of columns
// that are no multiple of 16 cost a masked register a row.
package vector
