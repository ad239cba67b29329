package figure

import (
	"image/color"
	"math"
)

// The one style: sizes in points (1/72 inch) unless they say centimetres.
const (
	pointsPerCm = 72 / 2.54

	// Widths of journal figures (one, one and a half and two columns).
	oneAndHalfColumns = 12.0 // cm; default
	twoColumns        = 18.0 // cm; many categories or a legend beside the area
	aspect            = 0.62 // height of a figure by its width, near the golden section
	minSide           = 3.0  // cm; smaller sizes asked for are raised to it
	maxSide           = 60.0 // cm

	titleSize = 9.0 // axis titles
	textSize  = 8.0 // tick labels, direct labels, legend
	smallSize = 7.0 // labels in cells and at points
	tinySize  = 6.0 // the least that is legible in print

	fontFamily = "Liberation Sans, Arial, Helvetica, sans-serif"

	axisWidth      = 0.6
	gridWidth      = 0.4
	lineWidth      = 1.3
	thinWidth      = 0.8 // error bars, whiskers, box outlines
	leaderWidth    = 0.5
	referenceWidth = 1.0 // of reference curves
	tickLength     = 3.0
	minorLength    = 1.6
	markerSize     = 2.3 // radius
	margin         = 4.0 // around everything
	gap            = 3.0 // between neighbours: tick and label, label and title
	labelGap       = 5.0 // between the area and direct labels or a legend
	capWidth       = 2.4 // half width of an error bar's cap

	bandOpacity = 0.18
	manyOpacity = 0.08 // of bands, where there are more than maxDirect
	fillOpacity = 0.35
	pad         = 0.04 // of the data's span, added on both sides of a value axis

	maxDirect  = 6  // series labelled at their line ends; more get a legend
	maxMarkers = 25 // points a series may have for its line to carry markers
)

var (
	inkColor       = rgb(0x26, 0x26, 0x26) // text and axes
	gridColor      = rgb(0xE6, 0xE6, 0xE6)
	referenceColor = rgb(0x6E, 0x6E, 0x6E)
	leaderColor    = rgb(0xA0, 0xA0, 0xA0)
	emptyColor     = rgb(0xF2, 0xF2, 0xF2) // heatmap fields without a value
	noteColor      = rgb(0x6E, 0x6E, 0x6E)
	whiteColor     = rgb(0xFF, 0xFF, 0xFF)
)

// palette is that of Okabe and Ito (https://jfly.uni-koeln.de/color/), told apart with every common colour vision, in an order in
// which the first ones differ most in lightness; its yellow is left out for want of contrast on white.
var palette = []color.NRGBA{
	rgb(0x00, 0x72, 0xB2), // blue
	rgb(0xD5, 0x5E, 0x00), // vermillion
	rgb(0x00, 0x9E, 0x73), // bluish green
	rgb(0xCC, 0x79, 0xA7), // reddish purple
	rgb(0xE6, 0x9F, 0x00), // orange
	rgb(0x56, 0xB4, 0xE9), // sky blue
	rgb(0x00, 0x00, 0x00), // black
}

// dashes go with the palette's colours, so that series differ in print without colour; nil is a full line.
var dashes = [][]float64{nil, {5, 2}, {1.5, 1.5}, {6, 1.5, 1.5, 1.5}, {9, 2.5}, {3, 1}, {1, 3}, {6, 1.5, 1.5, 1.5, 1.5, 1.5}}

// look is how one series is drawn.
type look struct {
	color  color.NRGBA
	dash   []float64
	marker int
}

// lookOf returns the look of the i-th series. Colours come back after 7 in another shade, and after 21 with another marker and dash
// only.
func lookOf(i int) look {
	c := palette[i%len(palette)]
	switch round := i / len(palette) % 3; {
	case round == 0:
	case luminance(c) == 0: // black becomes grey
		c = mix(c, whiteColor, 0.3*float64(round))
	case round == 1:
		c = mix(c, rgb(0, 0, 0), 0.4)
	default:
		c = mix(c, whiteColor, 0.4)
	}
	return look{color: c, dash: dashes[i%len(dashes)], marker: (i + i/len(palette)) % markerKinds}
}

// mix moves c towards d by a part of the way.
func mix(c, d color.NRGBA, part float64) color.NRGBA {
	at := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + part*(float64(b)-float64(a)))) }
	return rgb(at(c.R, d.R), at(c.G, d.G), at(c.B, d.B))
}

// textColor darkens c until text in it has a contrast of at least 4.5 on white (WCAG 2.1, 1.4.3).
func textColor(c color.NRGBA) color.NRGBA {
	for 1.05/(luminance(c)+0.05) < 4.5 {
		c.R, c.G, c.B = uint8(float64(c.R)*0.95), uint8(float64(c.G)*0.95), uint8(float64(c.B)*0.95)
	}
	return c
}

// luminance is the relative luminance of an sRGB colour (WCAG 2.1), in [0, 1].
func luminance(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

func rgb(r, g, b uint8) color.NRGBA { return color.NRGBA{R: r, G: g, B: b, A: 0xFF} }

// fade returns c with the given opacity in [0, 1].
func fade(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(math.Round(255 * opacity))
	return c
}

// size returns the canvas in points for the sizes asked for in centimetres, 0 meaning the given default.
func (o Options) size(width, height float64) (w, h float64) {
	if o.Width > 0 {
		width = o.Width
	}
	if o.Height > 0 {
		height = o.Height
	}
	return clamp(width, minSide, maxSide) * pointsPerCm, clamp(height, minSide, maxSide) * pointsPerCm
}

func clamp(x, low, high float64) float64 { return max(low, min(high, x)) }
