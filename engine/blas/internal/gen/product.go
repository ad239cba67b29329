package main

import "fmt"

// maxVectors is the width of the widest tile, in registers.
const maxVectors = 3

// rows returns the height of a tile: as many as leave registers for a row of B, a broadcast element of A and, where there are many,
// some more for the processor to run ahead with.
func rows(v vector) int { return v.regs() / 4 }

// multiply writes the kernel of the product for tiles n registers wide.
func (a *assembler) multiply(v vector, n int) {
	height := rows(v)
	name := fmt.Sprintf("%sx%d", v.name("mul"), n)
	ptr := "*" + v.float()
	at := a.begin(name, fmt.Sprintf(`stores alpha·A·B, or adds it if add is not 0, in the tile C of %d rows and %d columns: A is %d×k with
// steps of ars bytes from row to row and acs from column to column, B is k×%d with steps of bs bytes from row to row, C has steps of
// cs bytes. Of C the first rows are touched, 1 … %d, and of its last %d columns the first cols, 1 … %d; A and B are read whole. k > 0.`,
		height, n*v.lanes(), height, n*v.lanes(), height, v.lanes(), v.lanes()),
		parameter{"k", "int"}, parameter{"a", ptr}, parameter{"ars", "int"}, parameter{"acs", "int"}, parameter{"b", ptr},
		parameter{"bs", "int"}, parameter{"c", ptr}, parameter{"cs", "int"}, parameter{"rows", "int"}, parameter{"cols", "int"},
		parameter{"add", "int"}, parameter{"alpha", v.float()})
	a.load(at, "k", "CX", "a", "AX", "ars", "R8", "acs", "R9", "b", "BX", "bs", "R10", "c", "DI", "cs", "R12", "rows", "R13")
	a.f("LEAQ (R8)(R8*2), R11")
	if height == 8 {
		a.f("LEAQ (AX)(R8*4), DX")
	}
	acc := func(i, j int) string { return v.reg(i*n + j) }
	for i := range height * n {
		a.zero(v, i)
	}
	row := height * n // registers of the row of B
	spare := row + n  // and those left for elements of A
	loop := a.label("loop")
	a.here(loop)
	for j := range n {
		a.f("VMOVU%s %d(BX), %s", v.p(), j*v.bytes, v.reg(row+j))
	}
	bases := []string{"AX", "DX"}
	for i := range height {
		base := bases[i/4]
		mem := []string{"(%s)", "(%s)(R8*1)", "(%s)(R8*2)", "(%s)(R11*1)"}[i%4]
		element := v.reg(spare + i%(v.regs()-spare))
		a.f("VBROADCAST%s "+mem+", %s", v.s(), base, element)
		for j := range n {
			a.f("VFMADD231%s %s, %s, %s", v.p(), v.reg(row+j), element, acc(i, j))
		}
	}
	a.f("ADDQ R9, AX")
	if height == 8 {
		a.f("ADDQ R9, DX")
	}
	a.f("ADDQ R10, BX")
	a.f("DECQ CX")
	a.f("JNZ %s", loop)

	// The registers of the row and of the elements are free now.
	alpha, mask, old := row, row+1, row+2
	a.f("MOVQ %s, SI", at["cols"])
	a.mask(v, mask, "SI", "AX")
	a.f("VBROADCAST%s %s, %s", v.s(), at["alpha"], v.reg(alpha))
	a.f("MOVQ %s, AX", at["add"])
	done, store := a.label("done"), a.label("store")
	a.f("TESTQ AX, AX")
	a.f("JZ %s", store)
	write := func(i int, add bool) {
		if i > 0 {
			a.f("CMPQ R13, $%d", i+1)
			a.f("JLT %s", done)
		}
		for j := range n {
			last := j == n-1
			mem := fmt.Sprintf("%d(DI)", j*v.bytes)
			switch {
			case !add:
				a.f("VMUL%s %s, %s, %s", v.p(), v.reg(alpha), acc(i, j), acc(i, j))
			case last:
				a.loadMasked(v, mask, mem, old)
				a.f("VFMADD213%s %s, %s, %s", v.p(), v.reg(old), v.reg(alpha), acc(i, j))
			default:
				a.f("VFMADD213%s %s, %s, %s", v.p(), mem, v.reg(alpha), acc(i, j))
			}
			if last {
				a.storeMasked(v, mask, i*n+j, mem)
			} else {
				a.f("VMOVU%s %s, %s", v.p(), acc(i, j), mem)
			}
		}
		if i < height-1 {
			a.f("ADDQ R12, DI")
		}
	}
	for i := range height {
		write(i, true)
	}
	a.f("JMP %s", done)
	a.here(store)
	for i := range height {
		write(i, false)
	}
	a.here(done)
	a.end()
}

// pack writes the kernel that copies a panel n registers wide to contiguous memory.
func (a *assembler) pack(v vector, n int) {
	name := fmt.Sprintf("%sx%d", v.name("pack"), n)
	ptr := "*" + v.float()
	at := a.begin(name, fmt.Sprintf(`copies k rows of %d numbers, steps of ss bytes apart, to contiguous memory at dst. Of the last %d numbers
// of each row the first cols, 1 … %d, are read, and the others are zero in dst. k > 0.`, n*v.lanes(), v.lanes(), v.lanes()),
		parameter{"k", "int"}, parameter{"src", ptr}, parameter{"ss", "int"}, parameter{"dst", ptr}, parameter{"cols", "int"})
	a.load(at, "k", "CX", "src", "BX", "ss", "R10", "dst", "DI", "cols", "SI")
	a.mask(v, n, "SI", "AX")
	loop := a.label("loop")
	a.here(loop)
	for j := range n - 1 {
		a.f("VMOVU%s %d(BX), %s", v.p(), j*v.bytes, v.reg(j))
	}
	a.loadMasked(v, n, fmt.Sprintf("%d(BX)", (n-1)*v.bytes), n-1)
	for j := range n {
		a.f("VMOVU%s %s, %d(DI)", v.p(), v.reg(j), j*v.bytes)
	}
	a.f("ADDQ R10, BX")
	a.f("ADDQ $%d, DI", n*v.bytes)
	a.f("DECQ CX")
	a.f("JNZ %s", loop)
	a.end()
}

// transpose writes the kernel that packs a transposed operand: squares of 4×4 or 8×8 numbers, turned in registers.
func (a *assembler) transpose(v vector) {
	n := v.lanes()
	ptr := "*" + v.float()
	at := a.begin(v.name("turn"), fmt.Sprintf(`stores the transpose of %d rows of %d·k numbers, steps of ss bytes apart, in dst: %d·k rows of %d
// numbers, steps of ds bytes apart. k > 0.`, n, n, n, n),
		parameter{"k", "int"}, parameter{"src", ptr}, parameter{"ss", "int"}, parameter{"dst", ptr}, parameter{"ds", "int"})
	a.load(at, "k", "CX", "src", "AX", "ss", "R8", "dst", "DI", "ds", "R9")
	a.f("LEAQ (R8)(R8*2), R11")
	a.f("LEAQ (R9)(R9*2), R12")
	a.f("LEAQ (AX)(R8*4), DX")
	loop := a.label("loop")
	a.here(loop)
	addr := func(i int, base [2]string, step, triple string) string {
		return fmt.Sprintf([]string{"(%s)", "(%s)(" + step + "*1)", "(%s)(" + step + "*2)", "(%s)(" + triple + "*1)"}[i%4], base[i/4])
	}
	from, to := [2]string{"AX", "DX"}, [2]string{"DI", "BX"}
	for i := range n {
		a.f("VMOVU%s %s, %s", v.p(), addr(i, from, "R8", "R11"), v.reg(i))
	}
	if n == 8 {
		a.f("LEAQ (DI)(R9*4), BX")
	}
	for i, r := range a.turn(v) {
		a.f("VMOVU%s %s, %s", v.p(), v.reg(r), addr(i, to, "R9", "R12"))
	}
	a.f("ADDQ $32, AX")
	a.f("ADDQ $32, DX")
	a.f("LEAQ (DI)(R9*%d), DI", n)
	a.f("DECQ CX")
	a.f("JNZ %s", loop)
	a.end()
}

// turn transposes the square in registers 0 … lanes−1 and returns the registers that hold its columns, in order.
func (a *assembler) turn(v vector) []int {
	pair := func(op string, x, y, dst int) { a.f("%s %s, %s, %s", op, v.reg(y), v.reg(x), v.reg(dst)) }
	half := func(sel, x, y, dst int) {
		a.f("VPERM2F128 $0x%02x, %s, %s, %s", sel, v.reg(y), v.reg(x), v.reg(dst))
	}
	if v.size == 8 {
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
