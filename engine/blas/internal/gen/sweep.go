package main

import "fmt"

// sweep writes the kernel of a reduction to bidiagonal form: one pass over 1, 4 or 8 rows.
func (a *kernels) sweep(v vector, n int) {
	at := a.Begin(v.Name("sweep")+suffix(n), fmt.Sprintf(`takes the %d rows a_i of n numbers at a, steps of as bytes apart, n a multiple of 8, to a_i − u_i·y − x_i·v with x_i = −tau·(a_i·v − u_i·yv). On entry c holds the u_i divided by scale, on return the numbers of the new rows first bytes from their beginnings, the c_i. Then it adds Σ c_i·a_i to t, without a₀ where skip is not 0. It uses q[0 … %d].`, n, n-1),
		param("n", "int"), param("a", "*float64"), param("as", "int"), param("y", "*float64"), param("v", "*float64"),
		param("c", "*float64"), param("q", "*float64"), param("t", "*float64"), param("first", "int"), param("skip", "int"),
		param("scale", "float64"), param("tau", "float64"), param("yv", "float64"))
	load := func(name, reg string) { a.F("MOVQ %s, %s", at[name], reg) }
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
			a.F("LEAQ (%s)(R8*1), %s", rows[i-1], rows[i])
		}
	}
	address := func(i int) string { return fmt.Sprintf("(%s)(DX*1)", rows[i]) }
	a.F("SHLQ $3, CX")
	u, q, c := func(i int) int { return i }, func(i int) int { return n + i }, func(i int) int { return 2*n + i }
	x, y, t, row := 3*n, 3*n+1, 3*n+2, 3*n+3

	// The scalar products with v, each of as many partial sums whatever the width of a register.
	halves := terms / v.Lanes()
	for i := range halves * n {
		a.Zero(v, i)
	}
	dots := a.Label("dots")
	a.Here(dots)
	for h := range halves {
		offset := fmt.Sprint(h * v.Bytes)
		a.F("VMOVUPD %s(DI)(DX*1), %s", offset, v.Reg(x))
		for i := range n {
			a.F("VFMADD231PD %s%s, %s, %s", offset, address(i), v.Reg(x), v.Reg(i+h*n))
		}
	}
	a.F("ADDQ $%d, DX", terms*v.Size)
	a.F("CMPQ DX, CX")
	a.F("JLT %s", dots)
	if halves == 1 {
		for i := range n {
			a.F("VEXTRACTF64X4 $1, Z%d, Y%d", i, n+i)
		}
	}
	for i := range n {
		a.F("VADDPD Y%d, Y%d, Y%d", n+i, i, i)
	}
	load("first", "DX")
	if n == 1 {
		a.F("VEXTRACTF128 $1, Y0, X1")
		a.F("VADDPD X1, X0, X0")
		a.F("VUNPCKHPD X0, X0, X1")
		a.F("VADDSD X1, X0, X0")
		a.F("VMOVSD (R12), X4")
		a.F("VMULSD %s, X4, X4", at["scale"])
		a.F("VMOVSD (AX)(DX*1), X3")
		a.F("VMOVSD %s, X1", at["yv"])
		a.F("VFNMADD231SD X1, X4, X0")
		a.F("VMULSD %s, X0, X0", at["tau"])
		a.F("VFNMADD231SD (BX)(DX*1), X4, X3")
		a.F("VFMADD231SD (DI)(DX*1), X0, X3")
		a.F("VMOVSD X3, (R12)")
		a.F("VBROADCASTSD X0, %s", v.Reg(q(0)))
		a.F("VBROADCASTSD X4, %s", v.Reg(u(0)))
		a.F("VBROADCASTSD X3, %s", v.Reg(c(0)))
	} else {
		// The sums, the u_i and the numbers for c, four to a register.
		sum, us, cs, tmp := func(g int) int { return n + g }, func(g int) int { return n + 2 + g }, func(g int) int { return n + 4 + g }, n+6
		for g := range n / 4 {
			i := 4 * g
			a.F("VHADDPD Y%d, Y%d, Y%d", i+1, i, i)
			a.F("VHADDPD Y%d, Y%d, Y%d", i+3, i+2, i+2)
			a.F("VPERM2F128 $0x21, Y%d, Y%d, Y%d", i+2, i, i+1)
			a.F("VBLENDPD $12, Y%d, Y%d, Y%d", i+2, i, i)
			a.F("VADDPD Y%d, Y%d, Y%d", i+1, i, sum(g))
		}
		load("q", "CX")
		for g := range n / 4 {
			a.F("VBROADCASTSD %s, Y%d", at["scale"], us(g))
			a.F("VMULPD %d(R12), Y%d, Y%d", 32*g, us(g), us(g))
			a.F("VMOVUPD Y%d, %d(R12)", us(g), 32*g)
			a.F("VMOVSD %s, X%d", address(4*g), cs(g))
			a.F("VMOVHPD %s, X%d, X%d", address(4*g+1), cs(g), cs(g))
			a.F("VMOVSD %s, X%d", address(4*g+2), tmp)
			a.F("VMOVHPD %s, X%d, X%d", address(4*g+3), tmp, tmp)
			a.F("VINSERTF128 $1, X%d, Y%d, Y%d", tmp, cs(g), cs(g))
			a.F("VBROADCASTSD (BX)(DX*1), Y%d", tmp)
			a.F("VFNMADD231PD Y%d, Y%d, Y%d", tmp, us(g), cs(g))
			a.F("VBROADCASTSD %s, Y%d", at["yv"], tmp)
			a.F("VFNMADD231PD Y%d, Y%d, Y%d", tmp, us(g), sum(g))
			a.F("VBROADCASTSD %s, Y%d", at["tau"], tmp)
			a.F("VMULPD Y%d, Y%d, Y%d", tmp, sum(g), sum(g))
			a.F("VMOVUPD Y%d, %d(CX)", sum(g), 32*g)
			a.F("VBROADCASTSD (DI)(DX*1), Y%d", tmp)
			a.F("VFMADD231PD Y%d, Y%d, Y%d", tmp, sum(g), cs(g))
		}
		for i := range n {
			a.F("VBROADCASTSD %d(R12), %s", 8*i, v.Reg(u(i)))
		}
		for g := range n / 4 {
			a.F("VMOVUPD Y%d, %d(R12)", cs(g), 32*g)
		}
		for i := range n {
			a.F("VBROADCASTSD %d(CX), %s", 8*i, v.Reg(q(i)))
			a.F("VBROADCASTSD %d(R12), %s", 8*i, v.Reg(c(i)))
		}
		load("n", "CX")
		a.F("SHLQ $3, CX")
	}
	load("t", "R12")
	kept := a.Label("kept")
	a.F("CMPQ %s, $0", at["skip"])
	a.F("JZ %s", kept)
	a.Zero(v, c(0))
	a.Here(kept)
	a.F("XORQ DX, DX")
	update := a.Label("update")
	a.Here(update)
	a.F("VMOVUPD (BX)(DX*1), %s", v.Reg(y))
	a.F("VMOVUPD (DI)(DX*1), %s", v.Reg(x))
	a.F("VMOVUPD (R12)(DX*1), %s", v.Reg(t))
	for i := range n {
		r := row + i%min(n, v.Regs()-row)
		a.F("VMOVUPD %s, %s", address(i), v.Reg(r))
		a.F("VFNMADD231PD %s, %s, %s", v.Reg(y), v.Reg(u(i)), v.Reg(r))
		a.F("VFMADD231PD %s, %s, %s", v.Reg(x), v.Reg(q(i)), v.Reg(r))
		a.F("VMOVUPD %s, %s", v.Reg(r), address(i))
		a.F("VFMADD231PD %s, %s, %s", v.Reg(r), v.Reg(c(i)), v.Reg(t))
	}
	a.F("VMOVUPD %s, (R12)(DX*1)", v.Reg(t))
	a.F("ADDQ $%d, DX", v.Bytes)
	a.F("CMPQ DX, CX")
	a.F("JLT %s", update)
	a.End()
}
