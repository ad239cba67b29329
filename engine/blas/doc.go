// Package blas is the matrix product of kappa behind gonum's interfaces: once Install has been called, gonum's mat and lapack
// compute with it. It has kernels in assembly for processors with AVX-512, and for those with AVX2 and FMA; elsewhere Install leaves
// gonum's own implementation in place. It knows nothing of spectra or tasks.
//
// # What it replaces
//
// In float64 Dgemm, Dsyrk, Dsyr2k, Dsymm, Dtrsm, Dtrmm, Dgemv, Dger, Dsymv, Dtrsv, Ddot and Daxpy, in float32 Sgemm and Ssyrk; all
// other routines, and arguments that gonum refuses, go to gonum's. Matrices are row-major. Gemvs, Sweep and Lines stand behind no
// interface of gonum's and are called by name.
//
// # How a product is computed
//
// C is cut into tiles of 8 rows and 3 registers (AVX-512: 24 columns in float64, 48 in float32) or 4 rows and 3 registers (AVX2: 12
// and 24), which a kernel keeps in registers while it runs along k. Blocks of B are copied to panels as wide as a tile, so that
// the kernel reads them in order; of A it broadcasts element by element and takes its steps between rows and columns as arguments,
// so that A is read where it is, transposed or not, but for the rows of a partial tile. The design is that of K. Goto and R. A. van
// de Geijn, Anatomy of high-performance matrix multiplication, ACM TOMS 34, 2008, and of F. G. Van Zee and R. A. van de Geijn, BLIS,
// ACM TOMS 41, 2015, without a packed A. Triangular and symmetric matrices are cut until nearly all is products of general ones.
//
// # What can be relied on
//
// Results do not depend on how many goroutines share the work: they are the same bits for every GOMAXPROCS. They are also the same
// for both kinds of kernels; gonum's routines agree to rounding. Kernels add with one rounding a term (fused multiply-add). In
// Dgemm, Dsyrk, Dsyr2k and Dsymm every element is a sum in one order that depends on the length of the sum alone, not on the shape
// of the matrices around it, and NaN and Inf propagate as IEEE 754 has it, also through zeros. The other routines leave what is
// small (less than 64 numbers, blocks on the diagonal of Dsymv and Dtrsv) to gonum's, which round otherwise and pass over some terms
// with a factor 0: there an element may also depend on the shape. What BLAS says is not read does not matter. After the memory has
// grown to the shapes in use nothing is allocated; it is kept.
//
// # Cores
//
// A product that is long enough is shared out over the cores that nobody occupies; see Occupy. Helpers that have just worked
// look for more for a fraction of a millisecond before they go to sleep, since waking one takes as long as a small product.
package blas
