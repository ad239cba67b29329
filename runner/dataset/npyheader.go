package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// maxHeader bounds the length of a .npy header. NumPy itself refuses more than 10,000 characters unless told otherwise.
const maxHeader = 1 << 16

// npyMagic begins every .npy file.
const npyMagic = "\x93NUMPY"

// npyHeader is what the header of a .npy file says.
type npyHeader struct {
	kind  byte // 'f' float, 'i' signed, 'u' unsigned, 'b' bool
	width int  // bytes a value
	order binary.ByteOrder
	// fortran: the first index varies fastest.
	fortran    bool
	rows, cols int
	flat       bool // the array has one dimension; cols is 1
	length     int  // bytes of the header, magic included
}

// parseNPYHeader reads the header of format 1.0, 2.0 or 3.0 (NumPy, "NEP 1 – A simple file format for NumPy arrays"). Errors do not
// name the file.
func parseNPYHeader(r io.Reader) (npyHeader, error) {
	var h npyHeader
	start := make([]byte, 8, 12)
	if _, err := io.ReadFull(r, start); err != nil {
		return h, short(err, "the file is shorter than a .npy header")
	}
	if other := sniff(start); other != "" && string(start[:6]) != npyMagic {
		return h, fmt.Errorf("%s; accepted: a .npy file, which begins with %q", other, npyMagic)
	}
	if string(start[:6]) != npyMagic {
		return h, fmt.Errorf("the file begins with %q; accepted: a .npy file, which begins with %q", start[:6], npyMagic)
	}
	size := 0
	switch major, minor := start[6], start[7]; {
	case minor != 0 || major < 1 || major > 3:
		return h, fmt.Errorf(".npy format %d.%d is not known; accepted: 1.0, 2.0, 3.0", major, minor)
	case major == 1:
		size = 2
	default:
		size = 4
	}
	start = start[:8+size]
	if _, err := io.ReadFull(r, start[8:]); err != nil {
		return h, short(err, "the file ends inside its .npy header")
	}
	length := uint32(binary.LittleEndian.Uint16(start[8:]))
	if size == 4 {
		length = binary.LittleEndian.Uint32(start[8:])
	}
	if length > maxHeader {
		return h, fmt.Errorf("the .npy header is %d bytes long; accepted: at most %d", length, maxHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return h, short(err, "the file ends inside its .npy header")
	}
	h.length = len(start) + len(text)
	return h, h.parse(string(text))
}

// short gives a plain end of file the words of what ended; other errors stay.
func short(err error, words string) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New(words)
	}
	return err
}

// parse reads the dictionary {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }: these three keys, each once, in any
// order.
func (h *npyHeader) parse(text string) error {
	p := &pythonText{rest: text}
	seen := make(map[string]bool)
	p.expect("{")
	for !p.accept("}") && p.err == nil {
		key := p.str()
		p.expect(":")
		if seen[key] {
			p.fail("the key %q stands twice", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			if p.peek() == '[' {
				return errors.New("the array holds records (a structured dtype); accepted: an array of numbers")
			}
			h.descr(p)
		case "fortran_order":
			h.fortran = p.accept("True")
			if !h.fortran {
				p.expect("False")
			}
		case "shape":
			h.shape(p)
		default:
			p.fail("the key %q is not known", key)
		}
		if !p.accept(",") && p.peek() != '}' {
			p.fail("a comma or } is missing")
		}
	}
	if p.err == nil && (len(seen) != 3 || strings.TrimSpace(p.rest) != "") {
		p.fail("it must hold descr, fortran_order and shape and nothing else")
	}
	return p.err
}

// descr reads a dtype: byte order, kind, width.
func (h *npyHeader) descr(p *pythonText) {
	const accepted = "float64, float32 (f8, f4), integers (i1 to i8, u1 to u8) and booleans (b1), < or >"
	s := p.str()
	if p.err != nil {
		return
	}
	if len(s) != 3 {
		p.err = fmt.Errorf("dtype %q is not read; accepted: %s", s, accepted)
		return
	}
	h.kind, h.width = s[1], int(s[2]-'0')
	switch s[0] {
	case '<':
		h.order = binary.LittleEndian
	case '>':
		h.order = binary.BigEndian
	case '|':
		if h.width == 1 {
			h.order = binary.LittleEndian
		}
	}
	known := false
	switch h.kind {
	case 'f':
		known = h.width == 4 || h.width == 8
	case 'i', 'u':
		known = h.width == 1 || h.width == 2 || h.width == 4 || h.width == 8
	case 'b':
		known = h.width == 1
	}
	if !known || h.order == nil {
		p.err = fmt.Errorf("dtype %q is not read; accepted: %s", s, accepted)
	}
}

// shape reads a tuple of one or two lengths. Their product is checked here, before anything is allocated.
func (h *npyHeader) shape(p *pythonText) {
	var dims []int
	p.expect("(")
	for !p.accept(")") && p.err == nil {
		dims = append(dims, p.integer())
		if !p.accept(",") && p.peek() != ')' {
			p.fail("a comma or ) is missing in the shape")
		}
	}
	if p.err != nil {
		return
	}
	switch len(dims) {
	case 1:
		h.rows, h.cols, h.flat = dims[0], 1, true
	case 2:
		h.rows, h.cols = dims[0], dims[1]
	default:
		p.err = fmt.Errorf("the array has %d dimensions; accepted: 2 (rows and columns) or 1 (one column)", len(dims))
		return
	}
	switch {
	case h.rows == 0 || h.cols == 0:
		p.err = fmt.Errorf("the array of shape %d×%d is empty; accepted: at least one row and one column", h.rows, h.cols)
	case h.rows > MaxValues/h.cols:
		p.err = fmt.Errorf("the array of shape %d×%d is too large; accepted: at most %d numbers", h.rows, h.cols, MaxValues)
	}
}

// bytes is the length of the array's data, in bytes; the shape check keeps it below 2³¹.
func (h *npyHeader) bytes() int64 { return int64(h.rows) * int64(h.cols) * int64(h.width) }

// value decodes one number. ok is false if it is an integer that float64 cannot hold exactly.
func (h *npyHeader) value(b []byte) (v float64, ok bool) {
	const exact = 1 << 53
	var bits uint64
	switch h.width {
	case 1:
		bits = uint64(b[0])
	case 2:
		bits = uint64(h.order.Uint16(b))
	case 4:
		bits = uint64(h.order.Uint32(b))
	default:
		bits = h.order.Uint64(b)
	}
	switch h.kind {
	case 'f':
		if h.width == 4 {
			return float64(math.Float32frombits(uint32(bits))), true
		}
		return math.Float64frombits(bits), true
	case 'i':
		shift := 64 - 8*h.width
		n := int64(bits<<shift) >> shift
		return float64(n), -exact <= n && n <= exact
	default:
		return float64(bits), bits <= exact
	}
}

// pythonText reads the few Python literals of a .npy header. After the first error it reads nothing more.
type pythonText struct {
	rest string
	err  error
}

func (p *pythonText) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("the .npy header is malformed: "+format, args...)
	}
}

// peek is the next byte that is not a blank; 0 at the end.
func (p *pythonText) peek() byte {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	if p.rest == "" || p.err != nil {
		return 0
	}
	return p.rest[0]
}

func (p *pythonText) accept(token string) bool {
	p.peek()
	if p.err != nil || !strings.HasPrefix(p.rest, token) {
		return false
	}
	p.rest = p.rest[len(token):]
	return true
}

func (p *pythonText) expect(token string) {
	if !p.accept(token) {
		p.fail("%q is missing", token)
	}
}

// str reads a string in single or double quotes, without escapes.
func (p *pythonText) str() string {
	quote := p.peek()
	if quote != '\'' && quote != '"' {
		p.fail("a string is missing")
		return ""
	}
	s, rest, ok := strings.Cut(p.rest[1:], string(quote))
	if !ok || strings.Contains(s, `\`) {
		p.fail("a string does not end")
		return ""
	}
	p.rest = rest
	return s
}

// integer reads a length; Python 2 wrote long ones with an L at the end.
func (p *pythonText) integer() int {
	p.peek()
	i := 0
	for i < len(p.rest) && '0' <= p.rest[i] && p.rest[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(p.rest[:i], 10, 64)
	if err != nil || n > math.MaxInt32 {
		p.fail("%q in the shape is not a length between 0 and %d", p.rest[:min(len(p.rest), max(i, 1))], math.MaxInt32)
		return 0
	}
	p.rest = strings.TrimPrefix(p.rest[i:], "L")
	return int(n)
}
