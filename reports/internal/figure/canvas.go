package figure

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"math"
	"strconv"
	"strings"
	"unicode"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// pt is a place on the canvas in points; the origin is the lower left corner.
type pt struct{ x, y float64 }

// rect is a rectangle on the canvas.
type rect struct{ x0, y0, x1, y1 float64 }

func (r rect) w() float64 { return r.x1 - r.x0 }
func (r rect) h() float64 { return r.y1 - r.y0 }

// overlaps says whether the interiors meet.
func (r rect) overlaps(s rect) bool {
	return r.x0 < s.x1 && s.x0 < r.x1 && r.y0 < s.y1 && s.y0 < r.y1
}

// inside says whether r lies in s.
func (r rect) inside(s rect) bool {
	return r.x0 >= s.x0 && r.x1 <= s.x1 && r.y0 >= s.y0 && r.y1 <= s.y1
}

// box is the extent of one text on the canvas.
type box struct {
	rect
	s string
}

// stroke is how a line is drawn.
type stroke struct {
	color color.NRGBA
	width float64
	dash  []float64
}

// canvas is the SVG canvas with a memory of the texts on it.
type canvas struct {
	svg   *vgsvg.Canvas
	w, h  float64
	boxes []box
	marks rect // extent of everything but texts
	notes []string
}

func newCanvas(w, h float64) *canvas {
	return &canvas{svg: vgsvg.New(vg.Length(w), vg.Length(h)), w: w, h: h}
}

// resize gives a canvas on which nothing has been drawn another size.
func (c *canvas) resize(w, h float64) {
	c.svg, c.w, c.h = vgsvg.New(vg.Length(w), vg.Length(h)), w, h
}

func (c *canvas) note(format string, args ...any) {
	c.notes = append(c.notes, fmt.Sprintf(format, args...))
}

// path turns points into a path.
func (c *canvas) path(pts []pt) vg.Path {
	p := make(vg.Path, 0, len(pts)+1)
	for i, q := range pts {
		at := vg.Point{X: round(q.x), Y: round(q.y)}
		c.marks = rect{min(c.marks.x0, q.x), min(c.marks.y0, q.y), max(c.marks.x1, q.x), max(c.marks.y1, q.y)}
		if i == 0 {
			p.Move(at)
		} else {
			p.Line(at)
		}
	}
	return p
}

// round drops what is far below a printer's dot, so that files stay small and no rounding of the last bit shows in them.
func round(x float64) vg.Length { return vg.Length(math.Round(x*100) / 100) }

// line strokes an open polygon.
func (c *canvas) line(s stroke, pts ...pt) {
	if len(pts) < 2 {
		return
	}
	c.setStroke(s)
	c.svg.Stroke(c.path(pts))
}

// outline strokes a closed polygon.
func (c *canvas) outline(s stroke, pts ...pt) {
	c.setStroke(s)
	p := c.path(pts)
	p.Close()
	c.svg.Stroke(p)
}

func (c *canvas) setStroke(s stroke) {
	c.svg.SetColor(s.color)
	c.svg.SetLineWidth(vg.Length(s.width))
	dash := make([]vg.Length, len(s.dash))
	for i, d := range s.dash {
		dash[i] = vg.Length(d)
	}
	c.svg.SetLineDash(dash, 0)
}

// fill fills a polygon.
func (c *canvas) fill(clr color.NRGBA, pts ...pt) {
	c.svg.SetColor(clr)
	p := c.path(pts)
	p.Close()
	c.svg.Fill(p)
}

// corners lists a rectangle's corners.
func (r rect) corners() []pt {
	return []pt{{r.x0, r.y0}, {r.x1, r.y0}, {r.x1, r.y1}, {r.x0, r.y1}}
}

// align says which point of a text's extents is placed: 0 left or bottom, ½ centre, 1 right or top.
type align struct{ x, y float64 }

// place returns the extent that l takes at p.
func (l label) place(p pt, a align) rect {
	x, y := p.x-a.x*l.w, p.y-a.y*l.h
	return rect{x, y, x + l.w, y + l.h}
}

// text draws l with the point a of its extents at p. Lines are aligned among themselves as the whole is.
func (c *canvas) text(l label, p pt, a align, clr color.NRGBA) {
	r := l.place(p, a)
	c.svg.SetColor(clr)
	for i, line := range l.lines {
		w := 0.0
		for _, t := range line {
			w += t.width * l.size
		}
		x := r.x0 + a.x*(l.w-w)
		y := r.y1 - l.top - l.size*(ascent+leading*float64(i))
		for _, t := range line {
			// SVG drops spaces at the start of a text: they only move the rest.
			rest := strings.TrimLeft(t.s, " ")
			start := x + emWidth(t.s[:len(t.s)-len(rest)])*t.size*l.size
			if rest != "" {
				c.svg.FillString(face(l.size*t.size), vg.Point{X: round(start), Y: round(y + t.raise*l.size)}, rest)
			}
			x += t.width * l.size
		}
	}
	c.boxes = append(c.boxes, box{r, l.string()})
}

// textUp draws l turned by 90° against the clock, centred at p.
func (c *canvas) textUp(l label, p pt, clr color.NRGBA) {
	c.svg.Push()
	c.svg.Translate(vg.Point{X: round(p.x), Y: round(p.y)})
	c.svg.Rotate(math.Pi / 2)
	c.text(l, pt{}, align{0.5, 0.5}, clr)
	c.svg.Pop()
	c.boxes[len(c.boxes)-1].rect = rect{p.x - l.h/2, p.y - l.w/2, p.x + l.h/2, p.y + l.w/2}
}

func (l label) string() string {
	var b strings.Builder
	for i, line := range l.lines {
		if i > 0 {
			b.WriteByte(' ')
		}
		for _, t := range line {
			b.WriteString(t.s)
		}
	}
	return b.String()
}

// markerKinds is the number of different markers.
const markerKinds = 7

// marker draws the i-th marker at p: full shapes first, then open ones.
func (c *canvas) marker(i int, p pt, r float64, clr color.NRGBA) {
	var pts []pt
	switch i % markerKinds {
	case 0, 4: // disc, circle
		const sides = 20
		for k := range sides {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / sides)
			pts = append(pts, pt{p.x + r*cos, p.y + r*sin})
		}
	case 1, 5: // square
		s := 0.88 * r
		pts = rect{p.x - s, p.y - s, p.x + s, p.y + s}.corners()
	case 2, 6: // triangle
		pts = []pt{{p.x - 1.1*r, p.y - 0.75*r}, {p.x + 1.1*r, p.y - 0.75*r}, {p.x, p.y + 1.2*r}}
	case 3: // diamond
		pts = []pt{{p.x - 1.2*r, p.y}, {p.x, p.y - 1.2*r}, {p.x + 1.2*r, p.y}, {p.x, p.y + 1.2*r}}
	}
	if i%markerKinds < 4 {
		c.fill(clr, pts...)
		return
	}
	c.fill(whiteColor, pts...)
	c.outline(stroke{color: clr, width: thinWidth}, pts...)
}

// figure closes the canvas.
func (c *canvas) figure(o Options) *Figure {
	var buf bytes.Buffer
	if _, err := c.svg.WriteTo(&buf); err != nil { // a bytes.Buffer takes everything
		panic("figure: " + err.Error())
	}
	return &Figure{SVG: dress(buf.String(), c.w, c.h, o), Notes: c.notes, boxes: c.boxes, marks: c.marks, w: c.w, h: c.h}
}

// dress gives the canvas's SVG what GitHub and screen readers need: a size that scales, a white ground that is legible in dark
// mode, a title and a description, and the font family once instead of at every text.
func dress(svg string, w, h float64, o Options) []byte {
	_, body, _ := strings.Cut(svg, "<svg")
	_, body, _ = strings.Cut(body, ">\n")
	body = strings.ReplaceAll(body, "\n\tstyle=", " style=")
	body = strings.ReplaceAll(body, "font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;", "")
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%scm" height="%scm" viewBox="0 0 %s %s" role="img" aria-labelledby="title desc" font-family="%s">`+"\n",
		short(w/pointsPerCm), short(h/pointsPerCm), short(w), short(h), fontFamily)
	fmt.Fprintf(&b, "<title id=\"title\">%s</title>\n<desc id=\"desc\">%s</desc>\n", html.EscapeString(clean(o.Title)), html.EscapeString(clean(o.Desc)))
	fmt.Fprintf(&b, `<rect width="%s" height="%s" fill="#FFFFFF"/>`+"\n", short(w), short(h))
	b.WriteString(body)
	return []byte(b.String())
}

// clean drops the control characters that XML forbids.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == 0xFFFE, r == 0xFFFF:
			return ' '
		case unicode.Is(unicode.Cf, r) && r != 0x200C && r != 0x200D: // they turn or hide what follows
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
}

func short(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }

func itoa(n int) string { return strconv.Itoa(n) }
