package main

import "fmt"

// fused is the number of rows that the kernels for a matrix and a vector take at once.
const fused = 4

// rowAddress is the address of row i of up to four, at base with steps of R8 bytes (R11 = 3·R8), offset DX.
func rowAddress(i int) string {
	return fmt.Sprintf("(%s)(DX*1)", []string{"AX", "R9", "R10", "R11"}[i])
}

// rowPointers sets the registers of rowAddress.
func (a *kernels) rowPointers(n int) {
	for i, r := range []string{"R9", "R10", "R11"}[:n-1] {
		a.F("LEAQ (%s)(R8*1), %s", []string{"AX", "R9", "R10"}[i], r)
	}
	a.F("XORQ DX, DX")
}

// along writes a loop over the n numbers of a row, n in CX: body is called for whole registers, and, with tail, for the rest under
// the mask.
func (a *kernels) along(v vector, mask int, body func(tail bool)) {
	loop, rest, done := a.Label("loop"), a.Label("rest"), a.Label("done")
	a.F("SUBQ $%d, CX", v.Lanes())
	a.F("JLT %s", rest)
	a.Here(loop)
	body(false)
	a.F("ADDQ $%d, DX", v.Bytes)
	a.F("SUBQ $%d, CX", v.Lanes())
	a.F("JGE %s", loop)
	a.Here(rest)
	a.F("ADDQ $%d, CX", v.Lanes())
	a.F("JZ %s", done)
	a.Mask(v, mask, "CX", "SI")
	body(true)
	a.Here(done)
}

func suffix(rows int) string {
	if rows == 1 {
		return ""
	}
	return fmt.Sprint("x", rows)
}

// terms is the number of partial sums of a scalar product: those of eight consecutive terms are different ones, whatever the width
// of a register, so that all kernels round alike.
const terms = 8

// dot writes the kernel of scalar products of rows with one vector. Each is summed in the same way, whatever the number of rows taken
// at once.
func (a *kernels) dot(v vector, n int) {
	at := a.Begin(v.Name("dot")+suffix(n), fmt.Sprintf(`stores the scalar products of %d rows of n numbers at a, steps of as bytes apart, with x in dst[0 … %d].`, n, n-1),
		param("n", "int"), param("a", "*float64"), param("as", "int"), param("x", "*float64"), param("dst", "*float64"))
	a.Load(at, "n", "CX", "a", "AX", "as", "R8", "x", "BX", "dst", "DI")
	a.rowPointers(n)
	parts := terms / v.Lanes() // registers a row's partial sums take: that of row i, part p, is i + p·n
	x := parts * n             // then the registers of x, of the masks, and one for elements
	mask := x + parts
	tmp := mask + parts
	for i := range parts * n {
		a.Zero(v, i)
	}
	loop, rest, done := a.Label("loop"), a.Label("rest"), a.Label("done")
	at8 := func(address string, p int) string { return fmt.Sprint(p*v.Bytes) + address }
	a.F("SUBQ $%d, CX", terms)
	a.F("JLT %s", rest)
	a.Here(loop)
	for p := range parts {
		a.F("VMOVUPD %s, %s", at8("(BX)(DX*1)", p), v.Reg(x+p))
		for i := range n {
			a.F("VFMADD231PD %s, %s, %s", at8(rowAddress(i), p), v.Reg(x+p), v.Reg(i+p*n))
		}
	}
	a.F("ADDQ $%d, DX", terms*v.Size)
	a.F("SUBQ $%d, CX", terms)
	a.F("JGE %s", loop)
	a.Here(rest)
	a.F("ADDQ $%d, CX", terms)
	a.F("JZ %s", done)
	for p := range parts {
		if parts > 1 { // part p has the numbers from p·lanes on, at most lanes of them
			a.F("MOVQ CX, R12")
			a.F("SUBQ $%d, R12", p*v.Lanes())
			a.F("XORQ R13, R13")
			a.F("CMPQ R12, R13")
			a.F("CMOVQLT R13, R12")
			a.F("MOVQ $%d, R13", v.Lanes())
			a.F("CMPQ R12, R13")
			a.F("CMOVQGT R13, R12")
			a.Mask(v, mask+p, "R12", "SI")
		} else {
			a.Mask(v, mask, "CX", "SI")
		}
		a.LoadMasked(v, mask+p, at8("(BX)(DX*1)", p), x+p)
		for i := range n {
			a.LoadMasked(v, mask+p, at8(rowAddress(i), p), tmp)
			a.F("VFMADD231PD %s, %s, %s", v.Reg(tmp), v.Reg(x+p), v.Reg(i+p*n))
		}
	}
	a.Here(done)
	for i := range n {
		if parts == 1 {
			a.F("VEXTRACTF64X4 $1, Z%d, Y%d", i, tmp)
			a.F("VADDPD Y%d, Y%d, Y%d", tmp, i, i)
		} else {
			a.F("VADDPD Y%d, Y%d, Y%d", i+n, i, i)
		}
		a.F("VEXTRACTF128 $1, Y%d, X%d", i, tmp)
		a.F("VADDPD X%d, X%d, X%d", tmp, i, i)
		a.F("VUNPCKHPD X%d, X%d, X%d", i, i, tmp)
		a.F("VADDSD X%d, X%d, X%d", tmp, i, i)
		a.F("VMOVSD X%d, %d(DI)", i, 8*i)
	}
	a.End()
}

// axpy writes the kernel that adds multiples of rows to one vector, one row after the other.
func (a *kernels) axpy(v vector, n int) {
	at := a.Begin(v.Name("axpy")+suffix(n), fmt.Sprintf(`adds c[0]·a₀ + … + c[%d]·a_%d to y, term by term: a_i are rows of n numbers at a, steps of as bytes apart.`, n-1, n-1),
		param("n", "int"), param("a", "*float64"), param("as", "int"), param("c", "*float64"), param("y", "*float64"))
	a.Load(at, "n", "CX", "a", "AX", "as", "R8", "c", "BX", "y", "DI")
	a.rowPointers(n)
	for i := range n {
		a.F("VBROADCASTSD %d(BX), %s", 8*i, v.Reg(i))
	}
	y, mask, tmp := n, n+1, n+2
	a.along(v, mask, func(tail bool) {
		if tail {
			a.LoadMasked(v, mask, "(DI)(DX*1)", y)
		} else {
			a.F("VMOVUPD (DI)(DX*1), %s", v.Reg(y))
		}
		for i := range n {
			if tail {
				a.LoadMasked(v, mask, rowAddress(i), tmp)
				a.F("VFMADD231PD %s, %s, %s", v.Reg(tmp), v.Reg(i), v.Reg(y))
			} else {
				a.F("VFMADD231PD %s, %s, %s", rowAddress(i), v.Reg(i), v.Reg(y))
			}
		}
		if tail {
			a.StoreMasked(v, mask, y, "(DI)(DX*1)")
		} else {
			a.F("VMOVUPD %s, (DI)(DX*1)", v.Reg(y))
		}
	})
	a.End()
}

// rankOne writes the kernel that adds multiples of one vector to rows.
func (a *kernels) rankOne(v vector) {
	n := fused
	at := a.Begin(v.Name("ger")+suffix(n), fmt.Sprintf(`adds c[i]·x to the i-th of %d rows of n numbers at a, steps of as bytes apart.`, n),
		param("n", "int"), param("a", "*float64"), param("as", "int"), param("c", "*float64"), param("x", "*float64"))
	a.Load(at, "n", "CX", "a", "AX", "as", "R8", "c", "BX", "x", "DI")
	a.rowPointers(n)
	for i := range n {
		a.F("VBROADCASTSD %d(BX), %s", 8*i, v.Reg(i))
	}
	x, mask, tmp := n, n+1, n+2
	a.along(v, mask, func(tail bool) {
		if tail {
			a.LoadMasked(v, mask, "(DI)(DX*1)", x)
		} else {
			a.F("VMOVUPD (DI)(DX*1), %s", v.Reg(x))
		}
		for i := range n {
			if tail {
				a.LoadMasked(v, mask, rowAddress(i), tmp)
			} else {
				a.F("VMOVUPD %s, %s", rowAddress(i), v.Reg(tmp))
			}
			a.F("VFMADD231PD %s, %s, %s", v.Reg(i), v.Reg(x), v.Reg(tmp))
			if tail {
				a.StoreMasked(v, mask, tmp, rowAddress(i))
			} else {
				a.F("VMOVUPD %s, %s", v.Reg(tmp), rowAddress(i))
			}
		}
	})
	a.End()
}

// vectorPointers are the registers that point to the vectors of the kernels for several of them.
var vectorPointers = []string{"BX", "R12", "R13", "R15"}

// dots writes the kernel of scalar products of rows with several vectors, each summed as in dot.
func (a *kernels) dots(v vector, m int) {
	n := fused
	at := a.Begin(fmt.Sprintf("%sx%dby%d", v.Name("dot"), n, m), fmt.Sprintf(`stores the scalar products of %d rows of n numbers at a, steps of as bytes apart, with the i-th of %d vectors at x, steps of xs bytes apart, in dst[%d·i … %d·i + %d].`, n, m, n, n, n-1),
		param("n", "int"), param("a", "*float64"), param("as", "int"), param("x", "*float64"), param("xs", "int"), param("dst", "*float64"))
	a.Load(at, "n", "CX", "a", "AX", "as", "R8", "x", "BX", "xs", "SI", "dst", "DI")
	a.rowPointers(n)
	for i := 1; i < m; i++ {
		a.F("LEAQ (%s)(SI*1), %s", vectorPointers[i-1], vectorPointers[i])
	}
	x, tmp := n*m, n*m+m // registers after the sums, that of row i and vector j is i + n·j
	for i := range n * m {
		a.Zero(v, i)
	}
	a.along(v, 0, func(tail bool) {
		for j := range m {
			mem := fmt.Sprintf("(%s)(DX*1)", vectorPointers[j])
			if tail {
				a.LoadMasked(v, 0, mem, x+j)
			} else {
				a.F("VMOVUPD %s, %s", mem, v.Reg(x+j))
			}
		}
		for i := range n {
			if tail {
				a.LoadMasked(v, 0, rowAddress(i), tmp)
			} else {
				a.F("VMOVUPD %s, %s", rowAddress(i), v.Reg(tmp))
			}
			for j := range m {
				a.F("VFMADD231PD %s, %s, %s", v.Reg(tmp), v.Reg(x+j), v.Reg(i+n*j))
			}
		}
	})
	for i := range n * m {
		a.F("VEXTRACTF64X4 $1, Z%d, Y%d", i, tmp)
		a.F("VADDPD Y%d, Y%d, Y%d", tmp, i, i)
		a.F("VEXTRACTF64X2 $1, Y%d, X%d", i, tmp)
		a.F("VADDPD X%d, X%d, X%d", tmp, i, i)
		a.F("VPERMILPD $1, X%d, X%d", i, tmp)
		a.F("VADDSD X%d, X%d, X%d", tmp, i, i)
		a.F("VMOVSD X%d, %d(DI)", i, 8*i)
	}
	a.End()
}

// axpys writes the kernel that adds multiples of rows to several vectors, term by term as in axpy.
func (a *kernels) axpys(v vector, m int) {
	n := fused
	at := a.Begin(fmt.Sprintf("%sx%dby%d", v.Name("axpy"), n, m), fmt.Sprintf(`adds c[%d·i]·a₀ + … + c[%d·i + %d]·a_%d, term by term, to the i-th of %d vectors at y, steps of ys bytes apart: a_j are rows of n numbers at a, steps of as bytes apart.`, n, n, n-1, n-1, m),
		param("n", "int"), param("a", "*float64"), param("as", "int"), param("c", "*float64"), param("y", "*float64"), param("ys", "int"))
	a.Load(at, "n", "CX", "a", "AX", "as", "R8", "c", "DI", "y", "BX", "ys", "SI")
	a.rowPointers(n)
	for i := 1; i < m; i++ {
		a.F("LEAQ (%s)(SI*1), %s", vectorPointers[i-1], vectorPointers[i])
	}
	for i := range n * m {
		a.F("VBROADCASTSD %d(DI), %s", 8*i, v.Reg(i))
	}
	row, y := n*m, n*m+n
	a.along(v, 0, func(tail bool) {
		for i := range n {
			if tail {
				a.LoadMasked(v, 0, rowAddress(i), row+i)
			} else {
				a.F("VMOVUPD %s, %s", rowAddress(i), v.Reg(row+i))
			}
		}
		for j := range m {
			mem := fmt.Sprintf("(%s)(DX*1)", vectorPointers[j])
			if tail {
				a.LoadMasked(v, 0, mem, y+j)
			} else {
				a.F("VMOVUPD %s, %s", mem, v.Reg(y+j))
			}
		}
		for i := range n {
			for j := range m {
				a.F("VFMADD231PD %s, %s, %s", v.Reg(row+i), v.Reg(i+n*j), v.Reg(y+j))
			}
		}
		for j := range m {
			mem := fmt.Sprintf("(%s)(DX*1)", vectorPointers[j])
			if tail {
				a.StoreMasked(v, 0, y+j, mem)
			} else {
				a.F("VMOVUPD %s, %s", v.Reg(y+j), mem)
			}
		}
	})
	a.End()
}
