package main

// steps writes the kernels of the optimizers' steps.
func (f *file) steps() {
	for _, nesterov := range []bool{false, true} {
		name, doc := "sgd", "takes a step of SGD: h = grad + decay·w, v ← momentum·v + h, w ← w − rate·v."
		if nesterov {
			name, doc = "nesterov", "takes a step of SGD: h = grad + decay·w, v ← momentum·v + h, w ← w − rate·(h + momentum·v)."
		}
		k := f.begin(name, doc, names("n"), names("w", "grad", "v"), names("rate", "momentum", "decay"))
		k.each(func(m int, masked bool) {
			k.load(k.data("w"), 0, m, masked)
			k.load(k.data("grad"), 1, m, masked)
			k.load(k.data("v"), 2, m, masked)
			k.F("VFMADD231PS %s, %s, %s", k.regs["decay"], k.reg(0), k.reg(1))
			k.F("VFMADD213PS %s, %s, %s", k.reg(1), k.regs["momentum"], k.reg(2))
			k.store(2, k.data("v"), m, masked)
			d := 2
			if nesterov {
				k.F("VFMADD231PS %s, %s, %s", k.regs["momentum"], k.reg(2), k.reg(1))
				d = 1
			}
			k.F("VFNMADD231PS %s, %s, %s", k.regs["rate"], k.reg(d), k.reg(0))
			k.store(0, k.data("w"), m, masked)
		})
	}

	k := f.begin("adamw", "takes a step of AdamW: m ← m + mean·(grad − m), v ← decay·v + square·grad², w ← keep·w − rate·m/(root·√v + epsilon).",
		names("n"), names("w", "grad", "m", "v"), names("keep", "decay", "mean", "square", "rate", "root", "epsilon"))
	k.each(func(m int, masked bool) {
		k.load(k.data("grad"), 0, m, masked)
		k.load(k.data("m"), 1, m, masked)
		k.load(k.data("v"), 2, m, masked)
		k.F("VSUBPS %s, %s, %s", k.reg(1), k.reg(0), k.reg(3))
		k.F("VFMADD231PS %s, %s, %s", k.regs["mean"], k.reg(3), k.reg(1))
		k.store(1, k.data("m"), m, masked)
		k.F("VMULPS %s, %s, %s", k.regs["square"], k.reg(0), k.reg(3))
		k.F("VMULPS %s, %s, %s", k.reg(0), k.reg(3), k.reg(3))
		k.F("VFMADD231PS %s, %s, %s", k.regs["decay"], k.reg(2), k.reg(3))
		k.store(3, k.data("v"), m, masked)
		k.F("VSQRTPS %s, %s", k.reg(3), k.reg(3))
		k.F("VFMADD213PS %s, %s, %s", k.regs["epsilon"], k.regs["root"], k.reg(3))
		k.F("VMULPS %s, %s, %s", k.regs["rate"], k.reg(1), k.reg(1))
		k.F("VDIVPS %s, %s, %s", k.reg(3), k.reg(1), k.reg(1))
		k.load(k.data("w"), 0, m, masked)
		k.F("VMULPS %s, %s, %s", k.regs["keep"], k.reg(0), k.reg(0))
		k.F("VSUBPS %s, %s, %s", k.reg(1), k.reg(0), k.reg(0))
		k.store(0, k.data("w"), m, masked)
	})
}
