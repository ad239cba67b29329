package main

import "fmt"

// maxVectors is the width of the widest tile, in registers.
const maxVectors = 3

// rows returns the height of a tile: as many as leave registers for a row of B, a broadcast element of A and, where there are many,
// some more for the processor to run ahead with.
func rows(v vector) int { return v.Regs() / 4 }

// multiply writes the kernel of the product for tiles n registers wide.
func (a *kernels) multiply(v vector, n int) {
	height := rows(v)
	name := fmt.Sprintf("%sx%d", v.Name("mul"), n)
	ptr := "*" + v.Float()
	at := a.Begin(name, fmt.Sprintf(`stores alpha·A·B, or adds it if add is not 0, in the tile C of %d rows and %d columns: A is %d×k with
// steps of ars bytes from row to row and acs from column to column, B is k×%d with steps of bs bytes from row to row, C has steps of
// cs bytes. Of C the first rows are touched, 1 … %d, and of its last %d columns the first cols, 1 … %d; A and B are read whole. k > 0.`,
		height, n*v.Lanes(), height, n*v.Lanes(), height, v.Lanes(), v.Lanes()),
		param("k", "int"), param("a", ptr), param("ars", "int"), param("acs", "int"), param("b", ptr),
		param("bs", "int"), param("c", ptr), param("cs", "int"), param("rows", "int"), param("cols", "int"),
		param("add", "int"), param("alpha", v.Float()))
	a.Load(at, "k", "CX", "a", "AX", "ars", "R8", "acs", "R9", "b", "BX", "bs", "R10", "c", "DI", "cs", "R12", "rows", "R13")
	a.F("LEAQ (R8)(R8*2), R11")
	if height == 8 {
		a.F("LEAQ (AX)(R8*4), DX")
	}
	acc := func(i, j int) string { return v.Reg(i*n + j) }
	for i := range height * n {
		a.Zero(v, i)
	}
	row := height * n // registers of the row of B
	spare := row + n  // and those left for elements of A
	loop := a.Label("loop")
	a.Here(loop)
	for j := range n {
		a.F("VMOVU%s %d(BX), %s", v.P(), j*v.Bytes, v.Reg(row+j))
	}
	bases := []string{"AX", "DX"}
	for i := range height {
		base := bases[i/4]
		mem := []string{"(%s)", "(%s)(R8*1)", "(%s)(R8*2)", "(%s)(R11*1)"}[i%4]
		element := v.Reg(spare + i%(v.Regs()-spare))
		a.F("VBROADCAST%s "+mem+", %s", v.S(), base, element)
		for j := range n {
			a.F("VFMADD231%s %s, %s, %s", v.P(), v.Reg(row+j), element, acc(i, j))
		}
	}
	a.F("ADDQ R9, AX")
	if height == 8 {
		a.F("ADDQ R9, DX")
	}
	a.F("ADDQ R10, BX")
	a.F("DECQ CX")
	a.F("JNZ %s", loop)

	// The registers of the row and of the elements are free now.
	alpha, mask, old := row, row+1, row+2
	a.F("MOVQ %s, SI", at["cols"])
	a.Mask(v, mask, "SI", "AX")
	a.F("VBROADCAST%s %s, %s", v.S(), at["alpha"], v.Reg(alpha))
	a.F("MOVQ %s, AX", at["add"])
	done, store := a.Label("done"), a.Label("store")
	a.F("TESTQ AX, AX")
	a.F("JZ %s", store)
	write := func(i int, add bool) {
		if i > 0 {
			a.F("CMPQ R13, $%d", i+1)
			a.F("JLT %s", done)
		}
		for j := range n {
			last := j == n-1
			mem := fmt.Sprintf("%d(DI)", j*v.Bytes)
			switch {
			case !add:
				a.F("VMUL%s %s, %s, %s", v.P(), v.Reg(alpha), acc(i, j), acc(i, j))
			case last:
				a.LoadMasked(v, mask, mem, old)
				a.F("VFMADD213%s %s, %s, %s", v.P(), v.Reg(old), v.Reg(alpha), acc(i, j))
			default:
				a.F("VFMADD213%s %s, %s, %s", v.P(), mem, v.Reg(alpha), acc(i, j))
			}
			if last {
				a.StoreMasked(v, mask, i*n+j, mem)
			} else {
				a.F("VMOVU%s %s, %s", v.P(), acc(i, j), mem)
			}
		}
		if i < height-1 {
			a.F("ADDQ R12, DI")
		}
	}
	for i := range height {
		write(i, true)
	}
	a.F("JMP %s", done)
	a.Here(store)
	for i := range height {
		write(i, false)
	}
	a.Here(done)
	a.End()
}

// pack writes the kernel that copies a panel n registers wide to contiguous memory.
func (a *kernels) pack(v vector, n int) {
	name := fmt.Sprintf("%sx%d", v.Name("pack"), n)
	ptr := "*" + v.Float()
	at := a.Begin(name, fmt.Sprintf(`copies k rows of %d numbers, steps of ss bytes apart, to contiguous memory at dst. Of the last %d numbers
// of each row the first cols, 1 … %d, are read, and the others are zero in dst. k > 0.`, n*v.Lanes(), v.Lanes(), v.Lanes()),
		param("k", "int"), param("src", ptr), param("ss", "int"), param("dst", ptr), param("cols", "int"))
	a.Load(at, "k", "CX", "src", "BX", "ss", "R10", "dst", "DI", "cols", "SI")
	a.Mask(v, n, "SI", "AX")
	loop := a.Label("loop")
	a.Here(loop)
	for j := range n - 1 {
		a.F("VMOVU%s %d(BX), %s", v.P(), j*v.Bytes, v.Reg(j))
	}
	a.LoadMasked(v, n, fmt.Sprintf("%d(BX)", (n-1)*v.Bytes), n-1)
	for j := range n {
		a.F("VMOVU%s %s, %d(DI)", v.P(), v.Reg(j), j*v.Bytes)
	}
	a.F("ADDQ R10, BX")
	a.F("ADDQ $%d, DI", n*v.Bytes)
	a.F("DECQ CX")
	a.F("JNZ %s", loop)
	a.End()
}

// transpose writes the kernel that packs a transposed operand: squares of 4×4 or 8×8 numbers, turned in registers.
func (a *kernels) transpose(v vector) {
	n := v.Lanes()
	ptr := "*" + v.Float()
	at := a.Begin(v.Name("turn"), fmt.Sprintf(`stores the transpose of %d rows of %d·k numbers, steps of ss bytes apart, in dst: %d·k rows of %d
// numbers, steps of ds bytes apart. k > 0.`, n, n, n, n),
		param("k", "int"), param("src", ptr), param("ss", "int"), param("dst", ptr), param("ds", "int"))
	a.Load(at, "k", "CX", "src", "AX", "ss", "R8", "dst", "DI", "ds", "R9")
	a.F("LEAQ (R8)(R8*2), R11")
	a.F("LEAQ (R9)(R9*2), R12")
	a.F("LEAQ (AX)(R8*4), DX")
	loop := a.Label("loop")
	a.Here(loop)
	addr := func(i int, base [2]string, step, triple string) string {
		return fmt.Sprintf([]string{"(%s)", "(%s)(" + step + "*1)", "(%s)(" + step + "*2)", "(%s)(" + triple + "*1)"}[i%4], base[i/4])
	}
	from, to := [2]string{"AX", "DX"}, [2]string{"DI", "BX"}
	for i := range n {
		a.F("VMOVU%s %s, %s", v.P(), addr(i, from, "R8", "R11"), v.Reg(i))
	}
	if n == 8 {
		a.F("LEAQ (DI)(R9*4), BX")
	}
	for i, r := range a.turn(v) {
		a.F("VMOVU%s %s, %s", v.P(), v.Reg(r), addr(i, to, "R9", "R12"))
	}
	a.F("ADDQ $32, AX")
	a.F("ADDQ $32, DX")
	a.F("LEAQ (DI)(R9*%d), DI", n)
	a.F("DECQ CX")
	a.F("JNZ %s", loop)
	a.End()
}

// turn transposes the square in registers 0 … lanes−1 and returns the registers that hold its columns, in order.
func (a *kernels) turn(v vector) []int {
	pair := func(op string, x, y, dst int) { a.F("%s %s, %s, %s", op, v.Reg(y), v.Reg(x), v.Reg(dst)) }
	half := func(sel, x, y, dst int) {
		a.F("VPERM2F128 $0x%02x, %s, %s, %s", sel, v.Reg(y), v.Reg(x), v.Reg(dst))
	}
	if v.Size == 8 {
		for i := 0; i < 4; i += 2 { // pairs of rows: 4+i holds the even elements of both, 5+i the odd ones
			pair("VUNPCKLPD", i, i+1, 4+i)
			pair("VUNPCKHPD", i, i+1, 5+i)
		}
		half(0x20, 4, 6, 0)
		half(0x20, 5, 7, 1)
		half(0x31, 4, 6, 2)
		half(0x31, 5, 7, 3)
		return []int{0, 1, 2, 3}
	}
	for i := 0; i < 8; i += 2 {
		pair("VUNPCKLPS", i, i+1, 8+i)
		pair("VUNPCKHPS", i, i+1, 9+i)
	}
	for i := 0; i < 8; i += 4 { // fours of rows: i+j holds columns j and j+4 of these rows
		pair("VUNPCKLPD", 8+i, 10+i, i)
		pair("VUNPCKHPD", 8+i, 10+i, i+1)
		pair("VUNPCKLPD", 9+i, 11+i, i+2)
		pair("VUNPCKHPD", 9+i, 11+i, i+3)
	}
	for j := range 4 {
		half(0x20, j, 4+j, 8+j)
		half(0x31, j, 4+j, 12+j)
	}
	return []int{8, 9, 10, 11, 12, 13, 14, 15}
}
