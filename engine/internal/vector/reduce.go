package vector

import "math"

// lanes is the number of partial sums of a sum along a vector.
const lanes = 16

// fold adds partial sums in halves.
func fold(p *[lanes]float64) float64 {
	for h := lanes / 2; h > 0; h /= 2 {
		for i := range h {
			p[i] += p[i+h]
		}
	}
	return p[0]
}

// Dot returns Σ a_i·b_i, summed in float64 over the length of a. Products are exact.
func Dot(a, b []float32) float64 {
	need(len(a), b)
	if dst := 0.0; len(a) > 0 && best.dot(len(a), &dst, &a[0], &b[0]) {
		return dst
	}
	var p [lanes]float64
	for i, v := range a {
		p[i%lanes] += float64(v) * float64(b[i])
	}
	return fold(&p)
}

// SumSquares returns Σ a_i², summed in float64. It cannot overflow unless an element is infinite.
func SumSquares(a []float32) float64 { return Dot(a, a) }

// AllFinite reports whether no element of a is NaN or infinite.
func AllFinite(a []float32) bool {
	if dst := float32(0); len(a) > 0 && best.zeros(len(a), &dst, &a[0]) {
		return dst == 0
	}
	for _, v := range a {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			return false
		}
	}
	return true
}
