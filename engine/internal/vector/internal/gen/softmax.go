package main

import "fmt"

// softmax writes the kernel of SoftmaxRows: three passes over a row that stays in the first cache.
func (f *file) softmax() {
	k := f.begin("softmax", "replaces every row of x, cols numbers, by the softmax of scale times it.", names("rows", "cols"), names("x"), names("scale"))
	k.keep(expConstants())
	s := k.along()
	n := k.partials()
	most, x := k.take(), n
	s.eachRow(func() {
		for i := range k.parts() {
			k.F("VMOVUPS %s, %s", k.memory("infinite"), k.reg(i))
		}
		s.pass(func() {
			s.read(s.data("x"), x)
			k.F("VMULPS %s, %s, %s", k.regs["scale"], k.reg(x), k.reg(x))
			s.largest(x, s.part)
		})
		k.across("VMAXPS", 0, x)
		k.F("VBROADCASTSS X0, %s", k.reg(most))
		k.clear(0, n)
		s.pass(func() {
			s.read(s.data("x"), x)
			k.F("VMULPS %s, %s, %s", k.regs["scale"], k.reg(x), k.reg(x))
			k.F("VSUBPS %s, %s, %s", k.reg(most), k.reg(x), k.reg(x))
			k.exponential(x, x+1, x+2)
			s.clip(x)
			s.write(x, s.data("x"))
			s.widen(x, x+1, x+2)
			s.addPair(x+1, s.partial(0))
		})
		k.fold(0, x)
		k.F("VCVTSS2SD %s, X1, X1", k.memory("one"))
		k.F("VDIVSD X0, X1, X1")
		k.F("VCVTSD2SS X1, X1, X1")
		k.F("VBROADCASTSS X1, %s", k.reg(most))
		s.pass(func() {
			s.read(s.data("x"), x)
			k.F("VMULPS %s, %s, %s", k.reg(most), k.reg(x), k.reg(x))
			s.write(x, s.data("x"))
		})
	})
	k.End()
}

// shortRows are the names of the kernels for rows of as many registers.
var shortRows = names("softmaxOne", "softmaxTwo", "softmaxThree", "softmaxFour")

// softmaxShort writes the kernels for rows that fit into 1 to 4 of the wide registers: the same sums in the same order, without a way
// through memory.
func (f *file) softmaxShort() {
	for i, name := range shortRows {
		n := i + 1 // registers of a row, from 0 on
		k := f.begin(name, fmt.Sprintf("is softmax for rows of %d to %d numbers.", terms*i+1, terms*n), names("rows", "cols"), names("x"), names("scale"))
		k.keep(expConstants())
		s := k.along()
		full := k.Label("full")
		k.F("TESTQ CX, CX") // what the last register holds; 0 stands for all of it
		k.F("JNZ %s", full)
		k.F("KXNORW K1, K1, K1")
		k.Here(full)
		most, infinite, sum, t := k.take(), k.take(), n, n+2
		k.F("VMOVUPS %s, %s", k.memory("infinite"), k.reg(infinite))
		at := func(j int) string { return fmt.Sprintf("%d(%s)(R12*1)", j*s.width(), s.pointers["x"]) }
		s.eachRow(func() {
			for j := range n {
				k.load(at(j), j, s.masks[0], j == i)
				k.F("VMULPS %s, %s, %s", k.regs["scale"], k.reg(j), k.reg(j))
			}
			k.F("VBLENDMPS %s, %s, K1, %s", k.reg(i), k.reg(infinite), k.reg(i)) // beyond the row, of weight 0
			k.F("VMOVAPS %s, %s", k.reg(i), k.reg(sum))
			for j := range i {
				k.F("VMAXPS %s, %s, %s", k.reg(j), k.reg(sum), k.reg(sum))
			}
			k.across("VMAXPS", sum, t)
			k.F("VBROADCASTSS X%d, %s", sum, k.reg(most))
			for j := range n {
				k.F("VSUBPS %s, %s, %s", k.reg(most), k.reg(j), k.reg(j))
				k.exponential(j, t+2*j, t+2*j+1)
			}
			k.clear(sum, 2)
			for j := range n {
				k.widen(j, t, t+1)
				k.addPair(t, sum)
			}
			k.fold(sum, t)
			k.F("VCVTSS2SD %s, X%d, X%d", k.memory("one"), t, t)
			k.F("VDIVSD X%d, X%d, X%d", sum, t, t)
			k.F("VCVTSD2SS X%d, X%d, X%d", t, t, t)
			k.F("VBROADCASTSS X%d, %s", t, k.reg(most))
			for j := range n {
				k.F("VMULPS %s, %s, %s", k.reg(most), k.reg(j), k.reg(j))
				k.store(j, at(j), s.masks[0], j == i)
			}
		})
		k.End()
	}
}

// largest sets register m to the larger of it and x, where the row has numbers. x is lost.
func (s *along) largest(x, m int) {
	switch {
	case !s.masked:
		s.F("VMAXPS %s, %s, %s", s.reg(x), s.reg(m), s.reg(m))
	case s.v.Bytes == 64:
		s.F("VMAXPS %s, %s, K1, %s", s.reg(x), s.reg(m), s.reg(m))
	default:
		s.F("VMAXPS %s, %s, %s", s.reg(x), s.reg(m), s.reg(x))
		s.F("VBLENDVPS %s, %s, %s, %s", s.reg(s.masks[s.part]), s.reg(x), s.reg(m), s.reg(m))
	}
}

// softmaxBackward writes the kernel of SoftmaxRowsBackward.
func (f *file) softmaxBackward() {
	k := f.begin("softmaxBackward", "stores scale·y·(dy − Σ dy·y) in dx, rows of cols numbers.", names("rows", "cols"), names("dx", "dy", "y"), names("scale"))
	s := k.along()
	n := k.partials()
	dot := k.take()
	s.eachRow(func() {
		k.clear(0, n)
		s.pass(func() {
			s.read(s.data("dy"), n)
			s.widen(n, n+1, n+2)
			s.read(s.data("y"), n)
			s.widen(n, n+3, n+4)
			s.addProduct(n+1, n+3, s.partial(0))
		})
		k.fold(0, n)
		k.F("VCVTSD2SS X0, X0, X0")
		k.F("VBROADCASTSS X0, %s", k.reg(dot))
		s.pass(func() {
			s.read(s.data("y"), 0)
			s.read(s.data("dy"), 1)
			k.F("VSUBPS %s, %s, %s", k.reg(dot), k.reg(1), k.reg(1))
			k.F("VMULPS %s, %s, %s", k.regs["scale"], k.reg(0), k.reg(0))
			k.F("VMULPS %s, %s, %s", k.reg(1), k.reg(0), k.reg(0))
			s.write(0, s.data("dx"))
		})
	})
	k.End()
}
