package blas

type float interface{ float32 | float64 }

// maxVectors is the width of the widest tile, in registers.
const maxVectors = 3

// maxRows is the height of the highest tile of all kernels.
const maxRows = 8

// kernels are the inner loops of the product on one kind of processor. How they take their arguments stands with the generated
// declarations.
type kernels[T float] struct {
	size  int // bytes of a number
	rows  int // height of a tile
	lanes int // numbers in a register
	// direct is the number of rows of C up to which the panels of op(B) are read where they are: packing would cost more.
	direct int
	mul    [maxVectors]func(k int, a *T, ars, acs int, b *T, bs int, c *T, cs, rows, cols, add int, alpha T)
	pack   [maxVectors]func(k int, src *T, ss int, dst *T, cols int)
	turn   func(k int, src *T, ss int, dst *T, ds int)
	turns  int // rows that turn takes
}

// rowKernels are the inner loops of matrix times vector, in float64. They are called by name, not through variables, so that what
// they are handed can stay on the stack.
type rowKernels struct{ wide bool }

// fused is the number of rows that dots, axpys and ger take at once.
const fused = 4
