package main

import "fmt"

// each writes a loop over the elements of a matrix of rows and cols, or of a vector of n where the kernel has no rows. body is called
// for whole registers and, masked, for what is left of a row. data and column give the addresses of pointers into matrices and to
// one row.
func (k *kernel) each(body func(mask int, masked bool)) {
	size, matrix := k.at["cols"], true
	if size == "" {
		size, matrix = k.at["n"], false
	}
	lanes := k.v.Lanes()
	mask := k.take()
	k.F("MOVQ %s, CX", size)
	k.F("ANDQ $%d, CX", lanes-1)
	k.Mask(k.v, mask, "CX", "SI")
	k.points(k.order()...)
	k.F("XORQ DX, DX")
	row, loop, rest, next := k.Label("row"), k.Label("loop"), k.Label("rest"), k.Label("next")
	if matrix {
		k.F("MOVQ %s, R8", k.at["rows"])
		k.Here(row)
		k.F("XORQ SI, SI")
	}
	k.F("MOVQ %s, CX", size)
	k.F("SUBQ $%d, CX", lanes)
	k.F("JLT %s", rest)
	k.Here(loop)
	body(mask, false)
	k.F("ADDQ $%d, DX", k.width())
	if matrix {
		k.F("ADDQ $%d, SI", k.width())
	}
	k.F("SUBQ $%d, CX", lanes)
	k.F("JGE %s", loop)
	k.Here(rest)
	k.F("ADDQ $%d, CX", lanes)
	k.F("JZ %s", next)
	body(mask, true)
	if matrix {
		k.F("LEAQ (DX)(CX*4), DX")
	}
	k.Here(next)
	if matrix {
		k.F("DECQ R8")
		k.F("JNZ %s", row)
	}
	k.End()
}

// order returns the pointers in the order of their registers.
func (k *kernel) order() []string {
	var out []string
	for _, r := range pointerRegisters {
		for p, q := range k.pointers {
			if q == r {
				out = append(out, p)
			}
		}
	}
	return out
}

// data is where the current elements of a matrix lie, column those of a row.
func (k *kernel) data(p string) string   { return fmt.Sprintf("(%s)(DX*1)", k.pointers[p]) }
func (k *kernel) column(p string) string { return fmt.Sprintf("(%s)(SI*1)", k.pointers[p]) }

func names(s ...string) []string { return s }

// elementwise writes the kernels whose elements are independent of one another.
func (f *file) elementwise() {
	k := f.begin("add", "stores a + b in dst, n numbers.", names("n"), names("dst", "a", "b"), nil)
	k.each(func(m int, masked bool) {
		k.load(k.data("a"), 0, m, masked)
		k.load(k.data("b"), 1, m, masked)
		k.F("VADDPS %s, %s, %s", k.reg(1), k.reg(0), k.reg(0))
		k.store(0, k.data("dst"), m, masked)
	})

	k = f.begin("fill", "stores s in dst, n numbers.", names("n"), names("dst"), names("s"))
	s := k.v.Regs() - 1 // where it was broadcast
	k.each(func(m int, masked bool) { k.store(s, k.data("dst"), m, masked) })

	k = f.begin("scale", "stores s·a in dst, n numbers.", names("n"), names("dst", "a"), names("s"))
	k.each(func(m int, masked bool) {
		k.load(k.data("a"), 0, m, masked)
		k.F("VMULPS %s, %s, %s", k.regs["s"], k.reg(0), k.reg(0))
		k.store(0, k.data("dst"), m, masked)
	})

	k = f.begin("relu", "stores max(x, 0) in y, n numbers; NaN stays.", names("n"), names("y", "x"), nil)
	zero := k.take()
	k.Zero(k.v, zero)
	k.each(func(m int, masked bool) {
		k.load(k.data("x"), 0, m, masked)
		k.relu(0, zero, 0)
		k.store(0, k.data("y"), m, masked)
	})

	k = f.begin("reluBackward", "stores dy where not y ≤ 0, and 0 elsewhere, in dx, n numbers.", names("n"), names("dx", "dy", "y"), nil)
	zero = k.take()
	k.Zero(k.v, zero)
	k.each(func(m int, masked bool) {
		k.load(k.data("dy"), 0, m, masked)
		k.load(k.data("y"), 1, m, masked)
		k.passing(0, 1, zero)
		k.store(0, k.data("dx"), m, masked)
	})
}

// rows writes the kernels that do the same to every row of a matrix.
func (f *file) rows() {
	k := f.begin("addRow", "stores x + row in dst, for every row of x.", names("rows", "cols"), names("dst", "x", "row"), nil)
	k.each(func(m int, masked bool) {
		k.load(k.data("x"), 0, m, masked)
		k.load(k.column("row"), 1, m, masked)
		k.F("VADDPS %s, %s, %s", k.reg(1), k.reg(0), k.reg(0))
		k.store(0, k.data("dst"), m, masked)
	})

	affine := func(k *kernel, relu, residual bool) {
		zero := 0
		if relu {
			zero = k.take()
			k.Zero(k.v, zero)
		}
		k.each(func(m int, masked bool) {
			k.load(k.data("x"), 0, m, masked)
			k.load(k.column("scale"), 1, m, masked)
			k.load(k.column("shift"), 2, m, masked)
			k.F("VFMADD213PS %s, %s, %s", k.reg(2), k.reg(1), k.reg(0))
			if residual {
				k.load(k.data("r"), 3, m, masked)
				k.F("VADDPS %s, %s, %s", k.reg(3), k.reg(0), k.reg(0))
			}
			if relu {
				k.relu(0, zero, 0)
			}
			k.store(0, k.data("y"), m, masked)
		})
	}
	size := names("rows", "cols")
	affine(f.begin("scaleShift", "stores x·scale + shift in y.", size, names("y", "x", "scale", "shift"), nil), false, false)
	affine(f.begin("scaleShiftReLU", "stores max(x·scale + shift, 0) in y.", size, names("y", "x", "scale", "shift"), nil), true, false)
	affine(f.begin("scaleShiftAddReLU", "stores max(x·scale + shift + r, 0) in y.", size, names("y", "x", "r", "scale", "shift"), nil), true, true)

	k = f.begin("batchNormApply", "stores b·x + d + a·dy in dx.", size, names("dx", "dy", "x", "a", "b", "d"), nil)
	k.each(func(m int, masked bool) {
		k.load(k.data("x"), 0, m, masked)
		k.load(k.column("b"), 1, m, masked)
		k.load(k.column("d"), 2, m, masked)
		k.F("VFMADD213PS %s, %s, %s", k.reg(2), k.reg(1), k.reg(0))
		k.load(k.data("dy"), 3, m, masked)
		k.load(k.column("a"), 4, m, masked)
		k.F("VFMADD231PS %s, %s, %s", k.reg(4), k.reg(3), k.reg(0))
		k.store(0, k.data("dx"), m, masked)
	})
}
