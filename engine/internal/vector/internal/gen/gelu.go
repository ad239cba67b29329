package main

import (
	"fmt"
	"math"
)

// Φ(−a) = Q(a) for a ≥ 0 is e^(−a²/2)·g(t) with t = 1/(1 + normalScale·a), and a polynomial g with these coefficients, from the constant
// one on: Chebyshev's approximation of e^(a²/2)·Q(a) for a ≤ 6.5. Q is off by less than 2·10⁻⁸, also beyond.
var normalCoefficients = []float64{
	-0.0002218196933, 0.1352359983, 0.106715283, 0.2143751888, -0.1402926756, 0.3769531666, -0.2428880459, 0.05012292283,
}

func init() {
	values["normalScale"] = 0.33
	values["farthest"] = 20 // from here on φ and Q are 0, and their products with |x| are to be
	values["minusHalf"] = -0.5
	values["density"] = float32(1 / math.Sqrt(2*math.Pi))
	values["magnitude"] = math.Float32frombits(0x7fffffff)
	for i, c := range normalCoefficients {
		values[fmt.Sprint("normal", i)] = float32(c)
	}
}

// tail sets register q to g(t) for the x in register x, a to |x|, 20 at most, and e to e^(−x²/2). t and u are lost.
func (k *kernel) tail(x, q, a, e, t, u int) {
	k.F("VMULPS %s, %s, %s", k.constant("minusHalf"), k.reg(x), k.reg(e))
	k.F("VMULPS %s, %s, %s", k.reg(x), k.reg(e), k.reg(e))
	k.exponential(e, t, u)
	k.F("VANDPS %s, %s, %s", k.constant("magnitude"), k.reg(x), k.reg(a))
	k.F("VMINPS %s, %s, %s", k.constant("farthest"), k.reg(a), k.reg(a)) // NaN is one no more, but e is
	k.F("VMOVUPS %s, %s", k.constant("one"), k.reg(u))
	k.F("VMOVAPS %s, %s", k.reg(u), k.reg(t))
	k.F("VFMADD231PS %s, %s, %s", k.constant("normalScale"), k.reg(a), k.reg(t))
	k.F("VDIVPS %s, %s, %s", k.reg(t), k.reg(u), k.reg(t))
	last := len(normalCoefficients) - 1
	k.F("VMOVUPS %s, %s", k.constant(fmt.Sprint("normal", last)), k.reg(q))
	for i := last - 1; i >= 0; i-- {
		k.F("VFMADD213PS %s, %s, %s", k.constant(fmt.Sprint("normal", i)), k.reg(t), k.reg(q))
	}
}

// normal writes the kernels of the GELU.
func (f *file) normal() {
	forward := func(k *kernel, bias bool) {
		k.keep(expConstants()...)
		k.keep("normal0", "normal1", "normal2", "normal3", "normal4")
		zero := k.take()
		k.Zero(k.v, zero)
		k.each(func(m int, masked bool) {
			const x, q, a, e, t, u = 0, 1, 2, 3, 4, 5
			k.load(k.data("x"), x, m, masked)
			if bias {
				k.load(k.column("bias"), q, m, masked)
				k.F("VADDPS %s, %s, %s", k.reg(q), k.reg(x), k.reg(x))
				k.store(x, k.data("x"), m, masked)
			}
			k.tail(x, q, a, e, t, u)
			k.F("VMULPS %s, %s, %s", k.reg(e), k.reg(q), k.reg(q))
			k.relu(x, zero, x)
			k.F("VFNMADD231PS %s, %s, %s", k.reg(a), k.reg(q), k.reg(x)) // max(x, 0) − |x|·Q(|x|)
			k.store(x, k.data("y"), m, masked)
		})
	}
	forward(f.begin("gelu", "stores x·Φ(x) in y, n numbers.", names("n"), names("y", "x"), nil), false)
	forward(f.begin("geluBias", "adds bias to every row of x and stores x·Φ(x) of that in y.", names("rows", "cols"), names("y", "x", "bias"), nil), true)

	k := f.begin("geluBackward", "stores dy·(Φ(x) + x·φ(x)) in dx, n numbers.", names("n"), names("dx", "dy", "x"), nil)
	k.keep(expConstants()...)
	k.keep("normal0", "normal1", "normal2", "normal3", "normal4", "density")
	k.each(func(m int, masked bool) {
		const x, q, a, e, t, u = 0, 1, 2, 3, 4, 5
		k.load(k.data("x"), x, m, masked)
		k.tail(x, q, a, e, t, u)
		k.F("VFNMADD231PS %s, %s, %s", k.constant("density"), k.reg(a), k.reg(q))
		k.F("VMULPS %s, %s, %s", k.reg(e), k.reg(q), k.reg(q)) // Q(a) − a·φ(a), the factor for x < 0
		k.F("VMOVUPS %s, %s", k.constant("one"), k.reg(t))
		k.F("VSUBPS %s, %s, %s", k.reg(q), k.reg(t), k.reg(t)) // 1 − that for x ≥ 0
		if k.v.Bytes == 64 {
			k.F("VPMOVD2M %s, K2", k.reg(x))
			k.F("VMOVAPS %s, K2, %s", k.reg(q), k.reg(t))
		} else {
			k.F("VBLENDVPS %s, %s, %s, %s", k.reg(x), k.reg(q), k.reg(t), k.reg(t))
		}
		k.load(k.data("dy"), u, m, masked)
		k.F("VMULPS %s, %s, %s", k.reg(u), k.reg(t), k.reg(t))
		k.store(t, k.data("dx"), m, masked)
	})
}
