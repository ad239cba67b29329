package main

// winograd writes the transforms of the minimal filtering algorithm: four rows of four vectors each.
func (f *file) winograd() {
	f.tileIn()
	f.tileOut()
	f.tileSpread()
	f.tileWeights()
	f.tileGradient()
}

// squares names the address of row i and column j of a square: rows at AX, R10, R12 and R13, columns R8 bytes apart, R11 = 3·R8.
func squares(i, j int) string {
	base := []string{"AX", "R10", "R12", "R13"}[i]
	return []string{"(" + base + ")", "(" + base + ")(R8*1)", "(" + base + ")(R8*2)", "(" + base + ")(R11*1)"}[j]
}

// squareRows sets the registers of squares; row is the argument, or a register, that holds the bytes from row to row.
func (k *kernel) squareRows(row string) {
	k.F("LEAQ (R8)(R8*2), R11")
	k.F("MOVQ %s, CX", row)
	k.F("LEAQ (AX)(CX*1), R10")
	k.F("LEAQ (R10)(CX*1), R12")
	k.F("LEAQ (R12)(CX*1), R13")
}

// nextVector moves the rows on, and ends the loop over n vectors.
func (k *kernel) nextVector(loop string, others ...string) {
	for _, r := range append([]string{"AX", "R10", "R12", "R13"}, others...) {
		k.F("ADDQ $%d, %s", k.width(), r)
	}
	k.F("DECQ SI")
	k.F("JNZ %s", loop)
	k.End()
}

// term is a row or column of a square with its sign.
type term struct {
	index int
	minus bool
}

func (f *file) tileIn() {
	k := f.begin("tileIn", `stores Bᵀ·d·B for each of n vectors of 4×4 pixels d, pixel bytes apart, in lines line bytes apart; the
// sixteen results are step bytes apart. n > 0.`, []string{"n", "pixel", "line", "step"}, []string{"d", "u"}, nil)
	k.points("d", "u") // AX, BX
	k.Load(k.at, "pixel", "R8")
	k.squareRows(k.at["line"])
	k.Load(k.at, "step", "DX", "n", "SI")
	// Rows of Bᵀ: the first term, and the second.
	rows := [4][2]term{{{0, false}, {2, true}}, {{1, false}, {2, false}}, {{2, false}, {1, true}}, {{1, false}, {3, true}}}
	op := map[bool]string{false: "VADDPS", true: "VSUBPS"}
	loop := k.Label("loop")
	k.Here(loop)
	k.F("MOVQ BX, DI")
	for _, r := range rows {
		for j := range 4 {
			k.F("VMOVUPS %s, %s", squares(r[0].index, j), k.reg(j))
			k.F("%s %s, %s, %s", op[r[1].minus], squares(r[1].index, j), k.reg(j), k.reg(j))
		}
		for j, c := range rows {
			k.F("%s %s, %s, %s", op[c[1].minus], k.reg(c[1].index), k.reg(c[0].index), k.reg(4+j))
			k.F("VMOVUPS %s, (DI)", k.reg(4+j))
			k.F("ADDQ DX, DI")
		}
	}
	k.nextVector(loop, "BX")
}

func (f *file) tileOut() {
	k := f.begin("tileOut", `stores Aᵀ·m·A, 2×2 pixels, for each of n vectors of sixteen m that are step bytes apart, or adds it if add is
// not 0: pixels are pixel bytes apart, lines line. Only the first rows and columns are touched, 1 or 2 each. n > 0.`,
		[]string{"n", "step", "pixel", "line", "rows", "cols", "add"}, []string{"m", "y"}, nil)
	k.points("m", "y") // AX, BX
	k.Load(k.at, "step", "R8")
	k.F("LEAQ (R8*4), CX")
	k.squareRows("CX")
	k.Load(k.at, "pixel", "DX", "n", "SI", "line", "R9")
	rows := [2][3]term{{{0, false}, {1, false}, {2, false}}, {{1, false}, {2, true}, {3, true}}}
	op := map[bool]string{false: "VADDPS", true: "VSUBPS"}
	loop, next := k.Label("loop"), k.Label("next")
	k.Here(loop)
	k.F("MOVQ BX, DI")
	for p, r := range rows {
		if p == 1 {
			k.F("CMPQ %s, $2", k.at["rows"])
			k.F("JLT %s", next)
			k.F("ADDQ R9, DI")
		}
		for j := range 4 {
			k.F("VMOVUPS %s, %s", squares(r[0].index, j), k.reg(j))
			for _, t := range r[1:] {
				k.F("%s %s, %s, %s", op[t.minus], squares(t.index, j), k.reg(j), k.reg(j))
			}
		}
		for q, c := range rows {
			k.F("%s %s, %s, %s", op[c[1].minus], k.reg(c[1].index), k.reg(c[0].index), k.reg(4+q))
			k.F("%s %s, %s, %s", op[c[2].minus], k.reg(c[2].index), k.reg(4+q), k.reg(4+q))
		}
		store, end := k.Label("store"), k.Label("end")
		k.F("CMPQ %s, $0", k.at["add"])
		k.F("JEQ %s", store)
		k.F("VADDPS (DI), %s, %s", k.reg(4), k.reg(4))
		k.F("CMPQ %s, $2", k.at["cols"])
		k.F("JLT %s", store)
		k.F("VADDPS (DI)(DX*1), %s, %s", k.reg(5), k.reg(5))
		k.Here(store)
		k.F("VMOVUPS %s, (DI)", k.reg(4))
		k.F("CMPQ %s, $2", k.at["cols"])
		k.F("JLT %s", end)
		k.F("VMOVUPS %s, (DI)(DX*1)", k.reg(5))
		k.Here(end)
	}
	k.Here(next)
	k.nextVector(loop, "BX")
}

func (f *file) tileSpread() {
	k := f.begin("tileSpread", `stores A·y·Aᵀ for each of n vectors of 2×2 pixels y, pixel bytes apart, in lines line bytes apart; the
// sixteen results are step bytes apart. n > 0.`, []string{"n", "pixel", "line", "step"}, []string{"y", "v"}, nil)
	k.points("y", "v") // AX, BX
	k.Load(k.at, "pixel", "R8", "line", "R9", "step", "DX", "n", "SI")
	k.F("LEAQ (AX)(R9*1), R10")
	loop := k.Label("loop")
	zero := k.take()
	k.Zero(k.v, zero)
	// spread sets four registers from dst on to A times the pair x, y.
	spread := func(x, y, dst int) {
		k.F("VMOVAPS %s, %s", k.reg(x), k.reg(dst))
		k.F("VADDPS %s, %s, %s", k.reg(y), k.reg(x), k.reg(dst+1))
		k.F("VSUBPS %s, %s, %s", k.reg(y), k.reg(x), k.reg(dst+2))
		k.F("VSUBPS %s, %s, %s", k.reg(y), k.reg(zero), k.reg(dst+3))
	}
	k.Here(loop)
	k.F("MOVQ BX, DI")
	for j, mem := range []string{"(%s)", "(%s)(R8*1)"} { // column j: registers 4j …
		k.F("VMOVUPS "+mem+", %s", "AX", k.reg(12))
		k.F("VMOVUPS "+mem+", %s", "R10", k.reg(13))
		spread(12, 13, 4*j)
	}
	for i := range 4 {
		spread(i, 4+i, 8)
		for j := range 4 {
			k.F("VMOVUPS %s, (DI)", k.reg(8+j))
			k.F("ADDQ DX, DI")
		}
	}
	for _, r := range []string{"AX", "R10", "BX"} {
		k.F("ADDQ $%d, %s", k.width(), r)
	}
	k.F("DECQ SI")
	k.F("JNZ %s", loop)
	k.End()
}

// evens sets register dst to half of x+y, dst+1 to half of x−y.
func (k *kernel) evens(x, y, dst int, half string) {
	k.F("VADDPS %s, %s, %s", k.reg(y), k.reg(x), k.reg(dst))
	k.F("VSUBPS %s, %s, %s", k.reg(y), k.reg(x), k.reg(dst+1))
	k.F("VMULPS %s, %s, %s", half, k.reg(dst), k.reg(dst))
	k.F("VMULPS %s, %s, %s", half, k.reg(dst+1), k.reg(dst+1))
}

func (f *file) tileWeights() {
	k := f.begin("tileWeights", `stores G·g·Gᵀ for each of n vectors of nine weights g, taps bytes apart; the sixteen results are step bytes
// apart. half is 0.5, n > 0.`, []string{"n", "taps", "step"}, []string{"weights", "w"}, []string{"half"})
	half := k.regs["half"]
	k.points("weights", "w") // AX, BX
	k.Load(k.at, "taps", "R8", "step", "DX", "n", "SI")
	k.F("LEAQ (R8)(R8*2), CX")
	k.F("LEAQ (AX)(CX*1), R10")
	k.F("LEAQ (R10)(CX*1), R12")
	tap := func(a, b int) string {
		return []string{"(AX)", "(R10)", "(R12)"}[a] + []string{"", "(R8*1)", "(R8*2)"}[b]
	}
	loop := k.Label("loop")
	k.Here(loop)
	k.F("MOVQ BX, DI")
	put := func(r int) {
		k.F("VMOVUPS %s, (DI)", k.reg(r))
		k.F("ADDQ DX, DI")
	}
	for i := range 4 {
		for b := range 3 { // G·g: row i in registers 0 … 2
			switch i {
			case 0:
				k.F("VMOVUPS %s, %s", tap(0, b), k.reg(b))
			case 3:
				k.F("VMOVUPS %s, %s", tap(2, b), k.reg(b))
			default:
				k.F("VMOVUPS %s, %s", tap(0, b), k.reg(b))
				k.F("VADDPS %s, %s, %s", tap(2, b), k.reg(b), k.reg(b))
				k.F("%s %s, %s, %s", []string{1: "VADDPS", 2: "VSUBPS"}[i], tap(1, b), k.reg(b), k.reg(b))
				k.F("VMULPS %s, %s, %s", half, k.reg(b), k.reg(b))
			}
		}
		k.F("VADDPS %s, %s, %s", k.reg(2), k.reg(0), k.reg(3))
		k.evens(3, 1, 4, half)
		for _, r := range []int{0, 4, 5, 2} {
			put(r)
		}
	}
	for _, r := range []string{"AX", "R10", "R12", "BX"} {
		k.F("ADDQ $%d, %s", k.width(), r)
	}
	k.F("DECQ SI")
	k.F("JNZ %s", loop)
	k.End()
}

func (f *file) tileGradient() {
	k := f.begin("tileGradient", `adds Gᵀ·w·G to the nine weights, taps bytes apart, for each of n vectors of sixteen w that are step bytes
// apart. half is 0.5, n > 0.`, []string{"n", "taps", "step"}, []string{"w", "weights"}, []string{"half"})
	half := k.regs["half"]
	k.points("w", "weights") // AX, BX
	k.Load(k.at, "step", "R8")
	k.F("LEAQ (R8*4), CX")
	k.squareRows("CX")
	k.Load(k.at, "taps", "DX", "n", "SI")
	loop := k.Label("loop")
	k.Here(loop)
	k.F("MOVQ BX, DI")
	add := func(x, y int) {
		if y >= 0 {
			k.F("VADDPS %s, %s, %s", k.reg(y), k.reg(x), k.reg(x))
		}
		k.F("VADDPS (DI), %s, %s", k.reg(x), k.reg(x))
		k.F("VMOVUPS %s, (DI)", k.reg(x))
		k.F("ADDQ DX, DI")
	}
	for a := range 3 {
		for j := range 4 { // Gᵀ·w: row a in registers 0 … 3
			k.F("VMOVUPS %s, %s", squares(1, j), k.reg(j))
			k.F("%s %s, %s, %s", []string{"VADDPS", "VSUBPS", "VADDPS"}[a], squares(2, j), k.reg(j), k.reg(j))
			k.F("VMULPS %s, %s, %s", half, k.reg(j), k.reg(j))
			if a != 1 {
				k.F("VADDPS %s, %s, %s", squares([]int{0: 0, 2: 3}[a], j), k.reg(j), k.reg(j))
			}
		}
		k.evens(1, 2, 4, half)
		add(0, 4)
		add(5, -1)
		add(3, 4)
	}
	k.nextVector(loop, "BX")
}
