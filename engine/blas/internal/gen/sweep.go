package main

import "fmt"

// sweep writes the kernel of a reduction to bidiagonal form: one pass over 1, 4 or 8 rows.
func (a *assembler) sweep(v vector, n int) {
	at := a.begin(v.name("sweep")+suffix(n), fmt.Sprintf(`takes the %d rows a_i of n numbers at a, steps of as bytes apart, n a multiple of 8, to a_i − u_i·y − x_i·v with x_i = −tau·(a_i·v − u_i·yv). On entry c holds the u_i divided by scale, on return the numbers of the new rows first bytes from their beginnings, the c_i. Then it adds Σ c_i·a_i to t, without a₀ where skip is not 0. It uses q[0 … %d].`, n, n-1),
		parameter{"n", "int"}, parameter{"a", "*float64"}, parameter{"as", "int"}, parameter{"y", "*float64"}, parameter{"v", "*float64"},
		parameter{"c", "*float64"}, parameter{"q", "*float64"}, parameter{"t", "*float64"}, parameter{"first", "int"}, parameter{"skip", "int"},
		parameter{"scale", "float64"}, parameter{"tau", "float64"}, parameter{"yv", "float64"})
	load := func(name, reg string) { a.f("MOVQ %s, %s", at[name], reg) }
	load("n", "CX")
	load("a", "AX")
	load("as", "R8")
	load("y", "BX")
	load("v", "DI")
	load("c", "R12")
	a.rowPointers(min(n, fused))
	rows := []string{"AX", "R9", "R10", "R11", "SI", "R15", "R13", "R8"}
	if n > fused {
		for i := fused; i < n; i++ {
			a.f("LEAQ (%s)(R8*1), %s", rows[i-1], rows[i])
		}
	}
	address := func(i int) string { return fmt.Sprintf("(%s)(DX*1)", rows[i]) }
	a.f("SHLQ $3, CX")
	u, q, c := func(i int) int { return i }, func(i int) int { return n + i }, func(i int) int { return 2*n + i }
	x, y, t, row := 3*n, 3*n+1, 3*n+2, 3*n+3

	// The scalar products with v, each of as many partial sums whatever the width of a register.
	halves := terms / v.lanes()
	for i := range halves * n {
		a.zero(v, i)
	}
	dots := a.label("dots")
	a.here(dots)
	for h := range halves {
		offset := fmt.Sprint(h * v.bytes)
		a.f("VMOVUPD %s(DI)(DX*1), %s", offset, v.reg(x))
		for i := range n {
			a.f("VFMADD231PD %s%s, %s, %s", offset, address(i), v.reg(x), v.reg(i+h*n))
		}
	}
	a.f("ADDQ $%d, DX", terms*v.size)
	a.f("CMPQ DX, CX")
	a.f("JLT %s", dots)
	if halves == 1 {
		for i := range n {
			a.f("VEXTRACTF64X4 $1, Z%d, Y%d", i, n+i)
		}
	}
	for i := range n {
		a.f("VADDPD Y%d, Y%d, Y%d", n+i, i, i)
	}
	load("first", "DX")
	if n == 1 {
		a.f("VEXTRACTF128 $1, Y0, X1")
		a.f("VADDPD X1, X0, X0")
		a.f("VUNPCKHPD X0, X0, X1")
		a.f("VADDSD X1, X0, X0")
		a.f("VMOVSD (R12), X4")
		a.f("VMULSD %s, X4, X4", at["scale"])
		a.f("VMOVSD (AX)(DX*1), X3")
		a.f("VMOVSD %s, X1", at["yv"])
		a.f("VFNMADD231SD X1, X4, X0")
		a.f("VMULSD %s, X0, X0", at["tau"])
		a.f("VFNMADD231SD (BX)(DX*1), X4, X3")
		a.f("VFMADD231SD (DI)(DX*1), X0, X3")
		a.f("VMOVSD X3, (R12)")
		a.f("VBROADCASTSD X0, %s", v.reg(q(0)))
		a.f("VBROADCASTSD X4, %s", v.reg(u(0)))
		a.f("VBROADCASTSD X3, %s", v.reg(c(0)))
	} else {
		// The sums, the u_i and the numbers for c, four to a register.
		sum, us, cs, tmp := func(g int) int { return n + g }, func(g int) int { return n + 2 + g }, func(g int) int { return n + 4 + g }, n+6
		for g := range n / 4 {
			i := 4 * g
			a.f("VHADDPD Y%d, Y%d, Y%d", i+1, i, i)
			a.f("VHADDPD Y%d, Y%d, Y%d", i+3, i+2, i+2)
			a.f("VPERM2F128 $0x21, Y%d, Y%d, Y%d", i+2, i, i+1)
			a.f("VBLENDPD $12, Y%d, Y%d, Y%d", i+2, i, i)
			a.f("VADDPD Y%d, Y%d, Y%d", i+1, i, sum(g))
		}
		load("q", "CX")
		for g := range n / 4 {
			a.f("VBROADCASTSD %s, Y%d", at["scale"], us(g))
			a.f("VMULPD %d(R12), Y%d, Y%d", 32*g, us(g), us(g))
			a.f("VMOVUPD Y%d, %d(R12)", us(g), 32*g)
			a.f("VMOVSD %s, X%d", address(4*g), cs(g))
			a.f("VMOVHPD %s, X%d, X%d", address(4*g+1), cs(g), cs(g))
			a.f("VMOVSD %s, X%d", address(4*g+2), tmp)
			a.f("VMOVHPD %s, X%d, X%d", address(4*g+3), tmp, tmp)
			a.f("VINSERTF128 $1, X%d, Y%d, Y%d", tmp, cs(g), cs(g))
			a.f("VBROADCASTSD (BX)(DX*1), Y%d", tmp)
			a.f("VFNMADD231PD Y%d, Y%d, Y%d", tmp, us(g), cs(g))
			a.f("VBROADCASTSD %s, Y%d", at["yv"], tmp)
			a.f("VFNMADD231PD Y%d, Y%d, Y%d", tmp, us(g), sum(g))
			a.f("VBROADCASTSD %s, Y%d", at["tau"], tmp)
			a.f("VMULPD Y%d, Y%d, Y%d", tmp, sum(g), sum(g))
			a.f("VMOVUPD Y%d, %d(CX)", sum(g), 32*g)
			a.f("VBROADCASTSD (DI)(DX*1), Y%d", tmp)
			a.f("VFMADD231PD Y%d, Y%d, Y%d", tmp, sum(g), cs(g))
		}
		for i := range n {
			a.f("VBROADCASTSD %d(R12), %s", 8*i, v.reg(u(i)))
		}
		for g := range n / 4 {
			a.f("VMOVUPD Y%d, %d(R12)", cs(g), 32*g)
		}
		for i := range n {
			a.f("VBROADCASTSD %d(CX), %s", 8*i, v.reg(q(i)))
			a.f("VBROADCASTSD %d(R12), %s", 8*i, v.reg(c(i)))
		}
		load("n", "CX")
		a.f("SHLQ $3, CX")
	}
	load("t", "R12")
	kept := a.label("kept")
	a.f("CMPQ %s, $0", at["skip"])
	a.f("JZ %s", kept)
	a.zero(v, c(0))
	a.here(kept)
	a.f("XORQ DX, DX")
	update := a.label("update")
	a.here(update)
	a.f("VMOVUPD (BX)(DX*1), %s", v.reg(y))
	a.f("VMOVUPD (DI)(DX*1), %s", v.reg(x))
	a.f("VMOVUPD (R12)(DX*1), %s", v.reg(t))
	for i := range n {
		r := row + i%min(n, v.regs()-row)
		a.f("VMOVUPD %s, %s", address(i), v.reg(r))
		a.f("VFNMADD231PD %s, %s, %s", v.reg(y), v.reg(u(i)), v.reg(r))
		a.f("VFMADD231PD %s, %s, %s", v.reg(x), v.reg(q(i)), v.reg(r))
		a.f("VMOVUPD %s, %s", v.reg(r), address(i))
		a.f("VFMADD231PD %s, %s, %s", v.reg(r), v.reg(c(i)), v.reg(t))
	}
	a.f("VMOVUPD %s, (R12)(DX*1)", v.reg(t))
	a.f("ADDQ $%d, DX", v.bytes)
	a.f("CMPQ DX, CX")
	a.f("JLT %s", update)
	a.end()
}
