package main

import "fmt"

// Both functions are ½ plus an odd one, x·p(x²), up to a bound beyond which they are 0 or 1 in float32: Φ(x), and the derivative of
// x·Φ(x). p is Chebyshev's approximation, written as a polynomial in s = x²·2/bound² − 1; so its coefficients, from the constant
// one on, are small and rounding costs little.
type odd struct {
	name         string
	bound        float64
	coefficients []float64
}

// distribution is Φ, off by less than 10⁻⁸ before rounding; slope is Φ(x) + x·φ(x), off by less than 3·10⁻⁸.
var (
	distribution = odd{"distribution", 5.4, []float64{
		0.1309281076, -0.06532794936, 0.04850015318, -0.03921113172, 0.03210646422, -0.02569571363, 0.01971279337, -0.01422450564,
		0.009438301164, -0.006029065731, 0.003999933725, -0.002147433823, 0.0006060034613, -0.0003459172115, 0.000475674024, -0.0001931289065,
	}}
	slope = odd{"slope", 5.8, []float64{
		0.1219987683, -0.06165755914, 0.04863711661, -0.04619232955, 0.05012712156, -0.05778804548, 0.06545478467, -0.06918044276,
		0.06774756442, -0.06210078112, 0.04991815547, -0.03289438866, 0.02385122116, -0.02209926946, 0.01197343815, -0.0003522077309,
		0.0008162171873, -0.003573795853, 0.001521349693,
	}}
)

// constants are what polynomial reads.
func (o odd) constants() map[string]float64 {
	m := map[string]float64{
		"one": 1, "half": 0.5,
		o.name + "Bound": o.bound, o.name + "Least": -o.bound, o.name + "Scale": 2 / (o.bound * o.bound),
	}
	for i, c := range o.coefficients {
		m[o.name+fmt.Sprint(i)] = c
	}
	return m
}

// polynomial sets register p to p(x²). Register s is lost.
func (k *kernel) polynomial(o odd, x, p, s int) {
	k.F("VMULPS %s, %s, %s", k.reg(x), k.reg(x), k.reg(s))
	k.F("VMOVUPS %s, %s", k.constant("one"), k.reg(p))
	k.F("VFMSUB132PS %s, %s, %s", k.constant(o.name+"Scale"), k.reg(p), k.reg(s))
	last := len(o.coefficients) - 1
	k.F("VMOVUPS %s, %s", k.constant(o.name+fmt.Sprint(last)), k.reg(p))
	for i := last - 1; i >= 0; i-- {
		k.F("VFMADD213PS %s, %s, %s", k.constant(o.name+fmt.Sprint(i)), k.reg(s), k.reg(p))
	}
}

// normal writes the kernels of the GELU.
func (f *file) normal() {
	k := f.begin("gelu", "stores x·Φ(x) in y, n numbers.", names("n"), names("y", "x"), nil)
	k.keep(distribution.constants())
	zero := k.take()
	k.Zero(k.v, zero)
	k.each(func(m int, masked bool) {
		const x, a, p, s = 0, 1, 2, 3
		k.load(k.data("x"), x, m, masked)
		k.polynomial(distribution, x, p, s)
		k.magnitude(x, a)
		k.F("VFNMADD213PS %s, %s, %s", k.constant("half"), k.reg(a), k.reg(p)) // Φ(−|x|)
		k.relu(x, zero, x)
		k.subtractWithin(a, p, x, s) // max(x, 0) − |x|·Φ(−|x|)
		k.store(x, k.data("y"), m, masked)
	})

	k = f.begin("geluBackward", "stores dy·(Φ(x) + x·φ(x)) in dx, n numbers.", names("n"), names("dx", "dy", "x"), nil)
	k.keep(slope.constants())
	k.each(func(m int, masked bool) {
		const x, p, s = 0, 1, 2
		k.load(k.data("x"), x, m, masked)
		k.F("VMINPS %s, %s, %s", k.reg(x), k.constantIn("slopeBound", p), k.reg(x)) // NaN stays
		k.F("VMAXPS %s, %s, %s", k.reg(x), k.constantIn("slopeLeast", p), k.reg(x))
		k.polynomial(slope, x, p, s)
		k.F("VFMADD213PS %s, %s, %s", k.constant("half"), k.reg(x), k.reg(p))
		k.load(k.data("dy"), s, m, masked)
		k.F("VMULPS %s, %s, %s", k.reg(s), k.reg(p), k.reg(p))
		k.store(p, k.data("dx"), m, masked)
	})
}

// magnitude sets register a to |x|.
func (k *kernel) magnitude(x, a int) {
	k.F("VPSLLD $1, %s, %s", k.reg(x), k.reg(a))
	k.F("VPSRLD $1, %s, %s", k.reg(a), k.reg(a))
}

// subtractWithin subtracts a·q from y where a is less than the bound of Φ. q may be anything elsewhere. tmp is lost.
func (k *kernel) subtractWithin(a, q, y, tmp int) {
	const less = 1
	bound := k.constantIn("distributionBound", tmp)
	if k.v.Bytes == 64 {
		k.F("VCMPPS $%d, %s, %s, K2", less, bound, k.reg(a))
		k.F("VFNMADD231PS %s, %s, K2, %s", k.reg(a), k.reg(q), k.reg(y))
		return
	}
	k.F("VCMPPS $%d, %s, %s, %s", less, bound, k.reg(a), k.reg(tmp))
	k.F("VANDPS %s, %s, %s", k.reg(tmp), k.reg(q), k.reg(q))
	k.F("VANDPS %s, %s, %s", k.reg(tmp), k.reg(a), k.reg(a))
	k.F("VFNMADD231PS %s, %s, %s", k.reg(a), k.reg(q), k.reg(y))
}
