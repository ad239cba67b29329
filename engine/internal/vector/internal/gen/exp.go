package main

import (
	"fmt"
	"math"
)

// expCoefficients are those of p in eʳ = 1 + r + r²·p(r), off by less than 10⁻⁸ for |r| ≤ ½·ln 2.
var expCoefficients = []float64{0.5, 0.166665769897, 0.0416665546172, 0.00836317905272, 0.00139261835877}

// expConstants are those of eˣ = 2ⁿ·eʳ with n the integer next to x·log₂e and r = x − n·ln 2, where ln 2 is taken in two parts, the
// first of which has so few bits that n·ln2High is exact.
func expConstants() map[string]float64 {
	const high = 0x1.62e4p-1 // 14 bits
	m := map[string]float64{
		"expMost":  89,      // e⁸⁹ is infinite
		"expLeast": -104,    // e⁻¹⁰⁴ is less than half of the smallest number
		"round":    3 << 22, // what this is added to is rounded to an integer, in the low bits
		"log2e":    math.Log2E,
		"ln2High":  high,
		"ln2Low":   math.Ln2 - high,
		"one":      1,
	}
	for i, c := range expCoefficients {
		m[fmt.Sprint("exp", i+2)] = c
	}
	return m
}

// exponential sets register x to eˣ. Registers t and u are lost.
func (k *kernel) exponential(x, t, u int) {
	k.F("VMINPS %s, %s, %s", k.reg(x), k.constantIn("expMost", t), k.reg(x)) // NaN stays
	k.F("VMAXPS %s, %s, %s", k.reg(x), k.constantIn("expLeast", t), k.reg(x))
	k.F("VMOVUPS %s, %s", k.constant("round"), k.reg(t))
	k.F("VFMADD231PS %s, %s, %s", k.constant("log2e"), k.reg(x), k.reg(t))
	k.F("VSUBPS %s, %s, %s", k.constant("round"), k.reg(t), k.reg(u)) // n
	k.F("VFNMADD231PS %s, %s, %s", k.constant("ln2High"), k.reg(u), k.reg(x))
	k.F("VFNMADD231PS %s, %s, %s", k.constant("ln2Low"), k.reg(u), k.reg(x)) // r
	p := t
	if k.v.Bytes == 32 {
		// The exponent in two halves, since that of a tiny result is below what a float32 can be multiplied with.
		k.F("VPSUBD %s, %s, %s", k.constant("round"), k.reg(t), k.reg(t))
		p = u
	}
	last := len(expCoefficients) + 1
	k.F("VMOVUPS %s, %s", k.constant(fmt.Sprint("exp", last)), k.reg(p))
	for i := last - 1; i >= 2; i-- {
		k.F("VFMADD213PS %s, %s, %s", k.constant(fmt.Sprint("exp", i)), k.reg(x), k.reg(p))
	}
	k.F("VFMADD213PS %s, %s, %s", k.constant("one"), k.reg(x), k.reg(p))
	k.F("VFMADD213PS %s, %s, %s", k.constant("one"), k.reg(x), k.reg(p))
	if k.v.Bytes == 64 {
		k.F("VSCALEFPS %s, %s, %s", k.reg(u), k.reg(p), k.reg(x))
		return
	}
	k.F("VPSRAD $1, %s, %s", k.reg(t), k.reg(x))
	k.F("VPSUBD %s, %s, %s", k.reg(x), k.reg(t), k.reg(t))
	for _, half := range []int{x, t} {
		k.F("VPSLLD $23, %s, %s", k.reg(half), k.reg(half))
		k.F("VPADDD %s, %s, %s", k.constant("one"), k.reg(half), k.reg(half))
		k.F("VMULPS %s, %s, %s", k.reg(half), k.reg(p), k.reg(p))
	}
	k.F("VMOVAPS %s, %s", k.reg(p), k.reg(x))
}

func (f *file) exp() {
	k := f.begin("exp", "stores the exponentials of x, n numbers, in dst.", names("n"), names("dst", "x"), nil)
	k.keep(expConstants())
	k.each(func(m int, masked bool) {
		k.load(k.data("x"), 0, m, masked)
		k.exponential(0, 1, 2)
		k.store(0, k.data("dst"), m, masked)
	})
}
