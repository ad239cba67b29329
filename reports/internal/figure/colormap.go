package figure

import (
	"image/color"
	"math"
)

// sequential is viridis (van der Walt and Smith, 2015) at nine equal steps: perceptually uniform, rising in lightness, legible with
// every colour vision and in grey.
var sequential = []color.NRGBA{
	rgb(0x44, 0x01, 0x54), rgb(0x47, 0x2D, 0x7B), rgb(0x3B, 0x52, 0x8B), rgb(0x2C, 0x72, 0x8E), rgb(0x21, 0x91, 0x8C),
	rgb(0x28, 0xAE, 0x80), rgb(0x5E, 0xC9, 0x62), rgb(0xAD, 0xDC, 0x30), rgb(0xFD, 0xE7, 0x25),
}

// diverging is ColorBrewer's RdBu reversed (blue below, red above), safe for red-green blindness.
var diverging = []color.NRGBA{
	rgb(0x21, 0x66, 0xAC), rgb(0x43, 0x93, 0xC3), rgb(0x92, 0xC5, 0xDE), rgb(0xD1, 0xE5, 0xF0), rgb(0xF7, 0xF7, 0xF7),
	rgb(0xFD, 0xDB, 0xC7), rgb(0xF4, 0xA5, 0x82), rgb(0xD6, 0x60, 0x4D), rgb(0xB2, 0x18, 0x2B),
}

// colorAt interpolates between the steps of a map; u outside [0, 1] is clamped.
func colorAt(steps []color.NRGBA, u float64) color.NRGBA {
	x := clamp(u, 0, 1) * float64(len(steps)-1)
	i := min(int(x), len(steps)-2)
	f := x - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-f) + float64(b)*f)) }
	a, b := steps[i], steps[i+1]
	return rgb(mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B))
}
