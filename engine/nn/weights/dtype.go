package weights

import (
	"encoding/binary"
	"math"
	"strings"
)

// DType is the type of a tensor's numbers, as the format spells it.
type DType string

// The types that packages here write, or that are common in exported nets.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"  // IEEE 754 binary16
	BF16 DType = "BF16" // the upper half of a binary32
	I64  DType = "I64"
	I32  DType = "I32"
	U8   DType = "U8"
)

// sizes are all types that [Open] knows, with the bytes of a number.
var sizes = map[DType]int{
	F64: 8, F32: 4, F16: 2, BF16: 2, "F8_E4M3": 1, "F8_E5M2": 1,
	I64: 8, I32: 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, U8: 1, "BOOL": 1,
}

// known are the types in messages.
const known = "F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U64, U32, U16, U8, BOOL"

// Size is the number of bytes that a number takes; 0 if the type is not known.
func (d DType) Size() int { return sizes[d] }

// converter returns what makes a float32 of a number's bytes; nil if the type has no such.
func (d DType) converter() func([]byte) float32 {
	le := binary.LittleEndian
	switch d {
	case F64:
		return func(b []byte) float32 { return float32(math.Float64frombits(le.Uint64(b))) }
	case F32:
		return func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }
	case F16:
		return func(b []byte) float32 { return half(le.Uint16(b)) }
	case BF16:
		return func(b []byte) float32 { return math.Float32frombits(uint32(le.Uint16(b)) << 16) }
	}
	size := d.Size()
	if size == 0 || strings.HasPrefix(string(d), "F") {
		return nil
	}
	signed := d[0] == 'I'
	return func(b []byte) float32 {
		var bits uint64
		for i := range size {
			bits |= uint64(b[i]) << (8 * i)
		}
		if signed {
			shift := 64 - 8*size
			return float32(int64(bits<<shift) >> shift)
		}
		return float32(bits)
	}
}

// half is the value of an IEEE 754 binary16: sign, 5 bits of exponent with bias 15, 10 of significand.
func half(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent, significand := uint32(h>>10)&31, uint32(h)&1023
	switch exponent {
	case 0: // ±significand·2⁻²⁴, exact in float32
		v := float32(significand) * 0x1p-24
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31: // infinities and NaN keep their payload
		return math.Float32frombits(sign | 255<<23 | significand<<13)
	default:
		return math.Float32frombits(sign | (exponent+127-15)<<23 | significand<<13)
	}
}
