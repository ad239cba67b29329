package main

// layerNorm writes the kernel of LayerNorm.
func (f *file) layerNorm() {
	k := f.begin("layerNorm", "stores (x − mean)·rstd·gamma + beta in y, rows of cols > 0 numbers, with the mean of each row and rstd = 1/√(variance + eps).",
		names("rows", "cols"), names("y", "x", "gamma", "beta", "mean", "rstd"), names("eps8"))
	s := k.along()
	n := k.partials()
	mean, rstd := k.take(), k.take()
	s.eachRow(func() {
		k.clear(0, 2*n)
		s.pass(func() {
			x := 2 * n
			s.read(s.data("x"), x)
			s.widen(x, x+1, x+2)
			s.addPair(x+1, s.partial(0))
			s.addProduct(x+1, x+1, s.partial(n))
		})
		k.fold(0, 2*n)
		k.fold(n, 2*n)
		k.F("VCVTSI2SDQ %s, X1, X1", k.at["cols"])
		k.F("VDIVSD X1, X0, X0") // mean
		k.F("VDIVSD X1, X%d, X2", n)
		k.F("VMULSD X0, X0, X3")
		k.F("VSUBSD X3, X2, X2") // variance
		k.F("VXORPD X3, X3, X3")
		k.F("VMAXSD X2, X3, X2") // NaN stays
		k.F("VADDSD %s, X2, X2", k.at["eps"])
		k.F("VSQRTSD X2, X2, X2")
		k.F("VCVTSS2SD %s, X3, X3", k.memory("one"))
		k.F("VDIVSD X2, X3, X3")
		k.F("VCVTSD2SS X0, X0, X0")
		k.F("VCVTSD2SS X3, X3, X3")
		k.F("VMOVSS X0, (%s)", k.pointers["mean"])
		k.F("VMOVSS X3, (%s)", k.pointers["rstd"])
		k.advance(1)
		k.F("VBROADCASTSS X0, %s", k.reg(mean))
		k.F("VBROADCASTSS X3, %s", k.reg(rstd))
		s.pass(func() {
			s.normalized("x", 0, mean, rstd)
			s.read(s.column("gamma"), 1)
			s.read(s.column("beta"), 2)
			k.F("VFMADD213PS %s, %s, %s", k.reg(2), k.reg(1), k.reg(0))
			s.write(0, s.data("y"))
		})
	})
	k.End()
}

// normalized loads (x − mean)·rstd.
func (s *along) normalized(p string, x, mean, rstd int) {
	s.read(s.data(p), x)
	s.F("VSUBPS %s, %s, %s", s.reg(mean), s.reg(x), s.reg(x))
	s.F("VMULPS %s, %s, %s", s.reg(rstd), s.reg(x), s.reg(x))
}

// scaled loads the product of a matrix' row and one of all rows. tmp is lost.
func (s *along) scaled(p, row string, x, tmp int) {
	s.read(s.data(p), x)
	s.read(s.column(row), tmp)
	s.F("VMULPS %s, %s, %s", s.reg(tmp), s.reg(x), s.reg(x))
}

// layerNormBackward writes the kernels of LayerNormBackward: along rows for dx, down columns for the parameters.
func (f *file) layerNormBackward() {
	k := f.begin("layerNormBackward", "stores rstd·(dy·gamma − a − x̂·b) in dx, rows of cols > 0 numbers, with x̂ = (x − mean)·rstd and the means a and b of dy·gamma and of dy·gamma·x̂ along each row.",
		names("rows", "cols"), names("dx", "dy", "x", "gamma", "mean", "rstd"), nil)
	s := k.along()
	n := k.partials()
	mean, rstd := k.take(), k.take()
	s.eachRow(func() {
		k.F("VBROADCASTSS (%s), %s", k.pointers["mean"], k.reg(mean))
		k.F("VBROADCASTSS (%s), %s", k.pointers["rstd"], k.reg(rstd))
		k.advance(1)
		k.clear(0, 2*n)
		s.pass(func() {
			g, h := 2*n, 2*n+2 // narrow registers: there are four left
			s.scaled("dy", "gamma", h, h+1)
			s.widen(h, g, g+1)
			s.addPair(g, s.partial(0))
			s.normalized("x", h, mean, rstd)
			s.widen(h, h, h+1)
			s.addProduct(g, h, s.partial(n))
		})
		k.fold(0, 2*n)
		k.fold(n, 2*n)
		k.F("VCVTSI2SDQ %s, X1, X1", k.at["cols"])
		k.F("VDIVSD X1, X0, X0")
		k.F("VDIVSD X1, X%d, X1", n)
		k.F("VCVTSD2SS X0, X0, X0")
		k.F("VCVTSD2SS X1, X1, X1")
		k.F("VBROADCASTSS X0, %s", k.reg(0))
		k.F("VBROADCASTSS X1, %s", k.reg(1))
		s.pass(func() {
			s.normalized("x", 2, mean, rstd)
			s.scaled("dy", "gamma", 3, 4)
			k.F("VSUBPS %s, %s, %s", k.reg(0), k.reg(3), k.reg(3))
			k.F("VFNMADD231PS %s, %s, %s", k.reg(1), k.reg(2), k.reg(3))
			k.F("VMULPS %s, %s, %s", k.reg(rstd), k.reg(3), k.reg(3))
			s.write(3, s.data("dx"))
		})
	})
	k.End()

	k = f.begin("layerNormSums", "adds the sums of the columns of dy·(x − mean)·rstd to dgamma, those of dy to dbeta. Rows of dy and x are step bytes apart.",
		names("rows", "cols", "step"), names("dgamma8", "dbeta8", "dy", "x", "mean", "rstd"), nil)
	k.down(names("dbeta", "dgamma"), func(s *sums, r int) {
		s.read("dy", r, 4)
		s.widen(4, 5, 6)
		s.addPair(5, 0)
		s.read("x", r, 4)
		s.F("VBROADCASTSS %d(%s), %s", 4*r, s.pointers["mean"], s.reg(7))
		s.F("VSUBPS %s, %s, %s", s.reg(7), s.reg(4), s.reg(4))
		s.F("VBROADCASTSS %d(%s), %s", 4*r, s.pointers["rstd"], s.reg(7))
		s.F("VMULPS %s, %s, %s", s.reg(7), s.reg(4), s.reg(4))
		s.widen(4, 7, 8)
		s.addProduct(5, 7, 2)
	})
}
