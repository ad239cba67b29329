package main

import (
	"fmt"

	"kappa/engine/internal/assembler"
)

// heights and widths of the tiles of the product of lines, in rows and registers: on AVX2 six rows of two registers leave one
// register for the mask and one for an element of A.
func lineRows(v vector) int {
	if v.Bytes == 64 {
		return 8
	}
	return 6
}

func lineVectors(v vector) int {
	if v.Bytes == 64 {
		return maxVectors
	}
	return 2
}

// lines writes the kernel of the product of lines for tiles of so many rows, n registers wide.
func (a *kernels) lines(v vector, rows, n int) {
	a.tile(v, rows, n, v.Name("lines"), fmt.Sprintf(`stores the sum of s products A·B, or adds it if add is not 0, in the tile C of %d rows and %d columns. Each A is %d×k
// with steps of ars bytes from row to row and acs from column to column, each B k×%d with steps of bs bytes from row to row; from the end
// of one A to the next are as bytes, of one B bt. C has steps of cs bytes. Of the last %d columns of B and C the first cols are
// touched, 1 … %d. s and k > 0.`,
		rows, n*v.Lanes(), rows, n*v.Lanes(), v.Lanes(), v.Lanes()), false)
}

// blocks writes the kernel for tiles of n blocks, each of a register.
func (a *kernels) blocks(v vector, rows, n int) {
	a.tile(v, rows, n, v.Name("blocks"), fmt.Sprintf(`is lines for %d rows and %d blocks of %d columns that lie bb bytes apart in B and cb bytes in C. Of each block
// the first cols columns are touched.`, rows, n, v.Lanes()), true)
}

func (a *kernels) tile(v vector, rows, n int, name, doc string, apart bool) {
	ptr := "*" + v.Float()
	params := []assembler.Parameter{
		param("s", "int"), param("k", "int"), param("a", ptr), param("ars", "int"), param("acs", "int"),
		param("as", "int"), param("b", ptr), param("bs", "int"), param("bt", "int"), param("c", ptr),
		param("cs", "int"), param("cols", "int"), param("add", "int"),
	}
	if apart {
		params = append(params, param("bb", "int"), param("cb", "int"))
	}
	at := a.Begin(fmt.Sprintf("%sx%dx%d", name, rows, n), doc, params...)
	a.Load(at, "s", "R13", "a", "AX", "ars", "R8", "acs", "R9", "b", "BX", "bs", "R10", "c", "DI", "cs", "R12")
	if rows > 3 {
		a.F("LEAQ (R8)(R8*2), R11")
	}
	if rows > 4 {
		a.F("LEAQ (AX)(R8*4), DX")
	}
	acc := func(i, j int) int { return i*n + j }
	row := rows * n // registers of the row of B
	mask := row + n // the mask, where it is a register
	spare := mask   // and those left for elements of A
	if v.Bytes == 32 {
		spare++
	}
	// where is the j-th register of a row at base: blocks are SI bytes apart.
	where := func(base string, j int) string {
		if apart {
			return []string{"(" + base + ")", "(" + base + ")(SI*1)", "(" + base + ")(SI*2)"}[j]
		}
		return fmt.Sprintf("%d(%s)", j*v.Bytes, base)
	}
	masked := func(j int) bool { return apart || j == n-1 }
	a.Load(at, "cols", "SI")
	a.Mask(v, mask, "SI", "CX")
	if apart {
		a.Load(at, "bb", "SI")
	}
	for i := range rows * n {
		a.Zero(v, i)
	}
	next, loop := a.Label("next"), a.Label("loop")
	a.Here(next)
	a.Load(at, "k", "CX")
	a.Here(loop)
	for j := range n {
		if masked(j) {
			a.LoadMasked(v, mask, where("BX", j), row+j)
		} else {
			a.F("VMOVU%s %s, %s", v.P(), where("BX", j), v.Reg(row+j))
		}
	}
	for i := range rows {
		base := []string{"AX", "DX"}[i/4]
		mem := []string{"(%s)", "(%s)(R8*1)", "(%s)(R8*2)", "(%s)(R11*1)"}[i%4]
		element := v.Reg(spare + i%(v.Regs()-spare))
		a.F("VBROADCAST%s "+mem+", %s", v.S(), base, element)
		for j := range n {
			a.F("VFMADD231%s %s, %s, %s", v.P(), v.Reg(row+j), element, v.Reg(acc(i, j)))
		}
	}
	a.F("ADDQ R9, AX")
	if rows > 4 {
		a.F("ADDQ R9, DX")
	}
	a.F("ADDQ R10, BX")
	a.F("DECQ CX")
	a.F("JNZ %s", loop)
	a.F("ADDQ %s, AX", at["as"])
	if rows > 4 {
		a.F("ADDQ %s, DX", at["as"])
	}
	a.F("ADDQ %s, BX", at["bt"])
	a.F("DECQ R13")
	a.F("JNZ %s", next)

	// The registers of the row of B are free now.
	if apart {
		a.Load(at, "cb", "SI")
	}
	store, done := a.Label("store"), a.Label("done")
	write := func(add bool) {
		for i := range rows {
			for j := range n {
				r, mem := v.Reg(acc(i, j)), where("DI", j)
				switch {
				case add && masked(j):
					a.LoadMasked(v, mask, mem, row)
					a.F("VADD%s %s, %s, %s", v.P(), v.Reg(row), r, r)
				case add:
					a.F("VADD%s %s, %s, %s", v.P(), mem, r, r)
				}
				if masked(j) {
					a.StoreMasked(v, mask, acc(i, j), mem)
				} else {
					a.F("VMOVU%s %s, %s", v.P(), r, mem)
				}
			}
			if i < rows-1 {
				a.F("ADDQ R12, DI")
			}
		}
	}
	a.Load(at, "add", "CX")
	a.F("TESTQ CX, CX")
	a.F("JZ %s", store)
	write(true)
	a.F("JMP %s", done)
	a.Here(store)
	write(false)
	a.Here(done)
	a.End()
}
