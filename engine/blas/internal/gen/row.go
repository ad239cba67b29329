package main

import "fmt"

// fused is the number of rows that the kernels for a matrix and a vector take at once.
const fused = 4

// rowAddress is the address of row i of up to four, at base with steps of R8 bytes (R11 = 3·R8), offset DX.
func rowAddress(i int) string {
	return fmt.Sprintf("(%s)(DX*1)", []string{"AX", "R9", "R10", "R11"}[i])
}

// rowPointers sets the registers of rowAddress.
func (a *assembler) rowPointers(n int) {
	for i, r := range []string{"R9", "R10", "R11"}[:n-1] {
		a.f("LEAQ (%s)(R8*1), %s", []string{"AX", "R9", "R10"}[i], r)
	}
	a.f("XORQ DX, DX")
}

// along writes a loop over the n numbers of a row, n in CX: body is called for whole registers, and, with tail, for the rest under
// the mask.
func (a *assembler) along(v vector, mask int, body func(tail bool)) {
	loop, rest, done := a.label("loop"), a.label("rest"), a.label("done")
	a.f("SUBQ $%d, CX", v.lanes())
	a.f("JLT %s", rest)
	a.here(loop)
	body(false)
	a.f("ADDQ $%d, DX", v.bytes)
	a.f("SUBQ $%d, CX", v.lanes())
	a.f("JGE %s", loop)
	a.here(rest)
	a.f("ADDQ $%d, CX", v.lanes())
	a.f("JZ %s", done)
	a.mask(v, mask, "CX", "SI")
	body(true)
	a.here(done)
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
func (a *assembler) dot(v vector, n int) {
	at := a.begin(v.name("dot")+suffix(n), fmt.Sprintf(`stores the scalar products of %d rows of n numbers at a, steps of as bytes apart, with x in dst[0 … %d].`, n, n-1),
		parameter{"n", "int"}, parameter{"a", "*float64"}, parameter{"as", "int"}, parameter{"x", "*float64"}, parameter{"dst", "*float64"})
	a.load(at, "n", "CX", "a", "AX", "as", "R8", "x", "BX", "dst", "DI")
	a.rowPointers(n)
	parts := terms / v.lanes() // registers a row's partial sums take: that of row i, part p, is i + p·n
	x := parts * n             // then the registers of x, of the masks, and one for elements
	mask := x + parts
	tmp := mask + parts
	for i := range parts * n {
		a.zero(v, i)
	}
	loop, rest, done := a.label("loop"), a.label("rest"), a.label("done")
	at8 := func(address string, p int) string { return fmt.Sprint(p*v.bytes) + address }
	a.f("SUBQ $%d, CX", terms)
	a.f("JLT %s", rest)
	a.here(loop)
	for p := range parts {
		a.f("VMOVUPD %s, %s", at8("(BX)(DX*1)", p), v.reg(x+p))
		for i := range n {
			a.f("VFMADD231PD %s, %s, %s", at8(rowAddress(i), p), v.reg(x+p), v.reg(i+p*n))
		}
	}
	a.f("ADDQ $%d, DX", terms*v.size)
	a.f("SUBQ $%d, CX", terms)
	a.f("JGE %s", loop)
	a.here(rest)
	a.f("ADDQ $%d, CX", terms)
	a.f("JZ %s", done)
	for p := range parts {
		if parts > 1 { // part p has the numbers from p·lanes on, at most lanes of them
			a.f("MOVQ CX, R12")
			a.f("SUBQ $%d, R12", p*v.lanes())
			a.f("XORQ R13, R13")
			a.f("CMPQ R12, R13")
			a.f("CMOVQLT R13, R12")
			a.f("MOVQ $%d, R13", v.lanes())
			a.f("CMPQ R12, R13")
			a.f("CMOVQGT R13, R12")
			a.mask(v, mask+p, "R12", "SI")
		} else {
			a.mask(v, mask, "CX", "SI")
		}
		a.loadMasked(v, mask+p, at8("(BX)(DX*1)", p), x+p)
		for i := range n {
			a.loadMasked(v, mask+p, at8(rowAddress(i), p), tmp)
			a.f("VFMADD231PD %s, %s, %s", v.reg(tmp), v.reg(x+p), v.reg(i+p*n))
		}
	}
	a.here(done)
	for i := range n {
		if parts == 1 {
			a.f("VEXTRACTF64X4 $1, Z%d, Y%d", i, tmp)
			a.f("VADDPD Y%d, Y%d, Y%d", tmp, i, i)
		} else {
			a.f("VADDPD Y%d, Y%d, Y%d", i+n, i, i)
		}
		a.f("VEXTRACTF128 $1, Y%d, X%d", i, tmp)
		a.f("VADDPD X%d, X%d, X%d", tmp, i, i)
		a.f("VUNPCKHPD X%d, X%d, X%d", i, i, tmp)
		a.f("VADDSD X%d, X%d, X%d", tmp, i, i)
		a.f("VMOVSD X%d, %d(DI)", i, 8*i)
	}
	a.end()
}

// axpy writes the kernel that adds multiples of rows to one vector, one row after the other.
func (a *assembler) axpy(v vector, n int) {
	at := a.begin(v.name("axpy")+suffix(n), fmt.Sprintf(`adds c[0]·a₀ + … + c[%d]·a_%d to y, term by term: a_i are rows of n numbers at a, steps of as bytes apart.`, n-1, n-1),
		parameter{"n", "int"}, parameter{"a", "*float64"}, parameter{"as", "int"}, parameter{"c", "*float64"}, parameter{"y", "*float64"})
	a.load(at, "n", "CX", "a", "AX", "as", "R8", "c", "BX", "y", "DI")
	a.rowPointers(n)
	for i := range n {
		a.f("VBROADCASTSD %d(BX), %s", 8*i, v.reg(i))
	}
	y, mask, tmp := n, n+1, n+2
	a.along(v, mask, func(tail bool) {
		if tail {
			a.loadMasked(v, mask, "(DI)(DX*1)", y)
		} else {
			a.f("VMOVUPD (DI)(DX*1), %s", v.reg(y))
		}
		for i := range n {
			if tail {
				a.loadMasked(v, mask, rowAddress(i), tmp)
				a.f("VFMADD231PD %s, %s, %s", v.reg(tmp), v.reg(i), v.reg(y))
			} else {
				a.f("VFMADD231PD %s, %s, %s", rowAddress(i), v.reg(i), v.reg(y))
			}
		}
		if tail {
			a.storeMasked(v, mask, y, "(DI)(DX*1)")
		} else {
			a.f("VMOVUPD %s, (DI)(DX*1)", v.reg(y))
		}
	})
	a.end()
}

// rankOne writes the kernel that adds multiples of one vector to rows.
func (a *assembler) rankOne(v vector) {
	n := fused
	at := a.begin(v.name("ger")+suffix(n), fmt.Sprintf(`adds c[i]·x to the i-th of %d rows of n numbers at a, steps of as bytes apart.`, n),
		parameter{"n", "int"}, parameter{"a", "*float64"}, parameter{"as", "int"}, parameter{"c", "*float64"}, parameter{"x", "*float64"})
	a.load(at, "n", "CX", "a", "AX", "as", "R8", "c", "BX", "x", "DI")
	a.rowPointers(n)
	for i := range n {
		a.f("VBROADCASTSD %d(BX), %s", 8*i, v.reg(i))
	}
	x, mask, tmp := n, n+1, n+2
	a.along(v, mask, func(tail bool) {
		if tail {
			a.loadMasked(v, mask, "(DI)(DX*1)", x)
		} else {
			a.f("VMOVUPD (DI)(DX*1), %s", v.reg(x))
		}
		for i := range n {
			if tail {
				a.loadMasked(v, mask, rowAddress(i), tmp)
			} else {
				a.f("VMOVUPD %s, %s", rowAddress(i), v.reg(tmp))
			}
			a.f("VFMADD231PD %s, %s, %s", v.reg(i), v.reg(x), v.reg(tmp))
			if tail {
				a.storeMasked(v, mask, tmp, rowAddress(i))
			} else {
				a.f("VMOVUPD %s, %s", v.reg(tmp), rowAddress(i))
			}
		}
	})
	a.end()
}

// vectorPointers are the registers that point to the vectors of the kernels for several of them.
var vectorPointers = []string{"BX", "R12", "R13", "R15"}

// dots writes the kernel of scalar products of rows with several vectors, each summed as in dot.
func (a *assembler) dots(v vector, m int) {
	n := fused
	at := a.begin(fmt.Sprintf("%sx%dby%d", v.name("dot"), n, m), fmt.Sprintf(`stores the scalar products of %d rows of n numbers at a, steps of as bytes apart, with the i-th of %d vectors at x, steps of xs bytes apart, in dst[%d·i … %d·i + %d].`, n, m, n, n, n-1),
		parameter{"n", "int"}, parameter{"a", "*float64"}, parameter{"as", "int"}, parameter{"x", "*float64"}, parameter{"xs", "int"}, parameter{"dst", "*float64"})
	a.load(at, "n", "CX", "a", "AX", "as", "R8", "x", "BX", "xs", "SI", "dst", "DI")
	a.rowPointers(n)
	for i := 1; i < m; i++ {
		a.f("LEAQ (%s)(SI*1), %s", vectorPointers[i-1], vectorPointers[i])
	}
	x, tmp := n*m, n*m+m // registers after the sums, that of row i and vector j is i + n·j
	for i := range n * m {
		a.zero(v, i)
	}
	a.along(v, 0, func(tail bool) {
		for j := range m {
			mem := fmt.Sprintf("(%s)(DX*1)", vectorPointers[j])
			if tail {
				a.loadMasked(v, 0, mem, x+j)
			} else {
				a.f("VMOVUPD %s, %s", mem, v.reg(x+j))
			}
		}
		for i := range n {
			if tail {
				a.loadMasked(v, 0, rowAddress(i), tmp)
			} else {
				a.f("VMOVUPD %s, %s", rowAddress(i), v.reg(tmp))
			}
			for j := range m {
				a.f("VFMADD231PD %s, %s, %s", v.reg(tmp), v.reg(x+j), v.reg(i+n*j))
			}
		}
	})
	for i := range n * m {
		a.f("VEXTRACTF64X4 $1, Z%d, Y%d", i, tmp)
		a.f("VADDPD Y%d, Y%d, Y%d", tmp, i, i)
		a.f("VEXTRACTF64X2 $1, Y%d, X%d", i, tmp)
		a.f("VADDPD X%d, X%d, X%d", tmp, i, i)
		a.f("VPERMILPD $1, X%d, X%d", i, tmp)
		a.f("VADDSD X%d, X%d, X%d", tmp, i, i)
		a.f("VMOVSD X%d, %d(DI)", i, 8*i)
	}
	a.end()
}

// axpys writes the kernel that adds multiples of rows to several vectors, term by term as in axpy.
func (a *assembler) axpys(v vector, m int) {
	n := fused
	at := a.begin(fmt.Sprintf("%sx%dby%d", v.name("axpy"), n, m), fmt.Sprintf(`adds c[%d·i]·a₀ + … + c[%d·i + %d]·a_%d, term by term, to the i-th of %d vectors at y, steps of ys bytes apart: a_j are rows of n numbers at a, steps of as bytes apart.`, n, n, n-1, n-1, m),
		parameter{"n", "int"}, parameter{"a", "*float64"}, parameter{"as", "int"}, parameter{"c", "*float64"}, parameter{"y", "*float64"}, parameter{"ys", "int"})
	a.load(at, "n", "CX", "a", "AX", "as", "R8", "c", "DI", "y", "BX", "ys", "SI")
	a.rowPointers(n)
	for i := 1; i < m; i++ {
		a.f("LEAQ (%s)(SI*1), %s", vectorPointers[i-1], vectorPointers[i])
	}
	for i := range n * m {
		a.f("VBROADCASTSD %d(DI), %s", 8*i, v.reg(i))
	}
	row, y := n*m, n*m+n
	a.along(v, 0, func(tail bool) {
		for i := range n {
			if tail {
				a.loadMasked(v, 0, rowAddress(i), row+i)
			} else {
				a.f("VMOVUPD %s, %s", rowAddress(i), v.reg(row+i))
			}
		}
		for j := range m {
			mem := fmt.Sprintf("(%s)(DX*1)", vectorPointers[j])
			if tail {
				a.loadMasked(v, 0, mem, y+j)
			} else {
				a.f("VMOVUPD %s, %s", mem, v.reg(y+j))
			}
		}
		for i := range n {
			for j := range m {
				a.f("VFMADD231PD %s, %s, %s", v.reg(row+i), v.reg(i+n*j), v.reg(y+j))
			}
		}
		for j := range m {
			mem := fmt.Sprintf("(%s)(DX*1)", vectorPointers[j])
			if tail {
				a.storeMasked(v, 0, y+j, mem)
			} else {
				a.f("VMOVUPD %s, %s", v.reg(y+j), mem)
			}
		}
	})
	a.end()
}
