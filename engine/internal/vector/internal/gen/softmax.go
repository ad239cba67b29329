package main

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
		k.across("VMAXPS", x)
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
