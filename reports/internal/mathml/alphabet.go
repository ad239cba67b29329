package mathml

import "strings"

// alphabet is one of the mathematical alphabets of Unicode.
type alphabet struct {
	upper, lower, digit rune            // of A, a and 0; 0 where there is none
	except              map[rune]string // letters that Unicode has elsewhere
}

var alphabets = map[string]alphabet{
	"mathbf": {upper: 0x1D400, lower: 0x1D41A, digit: 0x1D7CE},
	"mathcal": {upper: 0x1D49C, lower: 0x1D4B6, except: map[rune]string{
		'B': "ℬ", 'E': "ℰ", 'F': "ℱ", 'H': "ℋ", 'I': "ℐ", 'L': "ℒ", 'M': "ℳ", 'R': "ℛ", 'e': "ℯ", 'g': "ℊ", 'o': "ℴ",
	}},
	"mathbb": {upper: 0x1D538, lower: 0x1D552, digit: 0x1D7D8, except: map[rune]string{
		'C': "ℂ", 'H': "ℍ", 'N': "ℕ", 'P': "ℙ", 'Q': "ℚ", 'R': "ℝ", 'Z': "ℤ",
	}},
	"mathfrak": {upper: 0x1D504, lower: 0x1D51E, except: map[rune]string{'C': "ℭ", 'H': "ℌ", 'I': "ℑ", 'R': "ℜ", 'Z': "ℨ"}},
	"mathsf":   {upper: 0x1D5A0, lower: 0x1D5BA, digit: 0x1D7E2},
	"mathtt":   {upper: 0x1D670, lower: 0x1D68A, digit: 0x1D7F6},
}

// sameAlphabet are other names.
var sameAlphabet = map[string]string{
	"boldsymbol": "mathbf", "bm": "mathbf", "mathscr": "mathcal", "mathbold": "mathbf",
}

// boldGreek are alpha and Alpha of the bold italic alphabet of Unicode.
const (
	boldGreekLower = 0x1D6C2
	boldGreekUpper = 0x1D6A8
)

// write writes letters and digits in the alphabet; other characters stay.
func (a alphabet) write(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch x, ok := a.except[r]; {
		case ok:
			b.WriteString(x)
		case r >= 'A' && r <= 'Z':
			b.WriteRune(a.upper + r - 'A')
		case r >= 'a' && r <= 'z':
			b.WriteRune(a.lower + r - 'a')
		case r >= '0' && r <= '9' && a.digit != 0:
			b.WriteRune(a.digit + r - '0')
		case r >= 'α' && r <= 'ω' && a.upper == alphabets["mathbf"].upper:
			b.WriteRune(boldGreekLower + r - 'α')
		case r >= 'Α' && r <= 'Ω' && a.upper == alphabets["mathbf"].upper:
			b.WriteRune(boldGreekUpper + r - 'Α')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// in rewrites the letters of a node and of all below it.
func (a alphabet) in(n node) node {
	if n.tag == "mi" || n.tag == "mn" {
		n.text = a.write(n.text)
		n.attributes = upright // what is in an alphabet of its own is not slanted besides
		if n.tag == "mn" {
			n.attributes = ""
		}
	}
	kids := make([]node, len(n.kids))
	for i, k := range n.kids {
		kids[i] = a.in(k)
	}
	n.kids = kids
	return n
}

// romanise sets the letters of a node and of all below it upright, and joins letters that follow one another to a word.
func romanise(row []node) []node {
	var out []node
	for _, n := range row {
		if n.tag == "mi" && len(n.kids) == 0 {
			if last := len(out) - 1; last >= 0 && out[last].tag == "mi" && len(out[last].kids) == 0 && out[last].class == ordinary {
				out[last].text += n.text
				out[last].attributes = "" // a word is upright
				continue
			}
			n.attributes = upright
		}
		if len(n.kids) > 0 && n.tag != "mtext" {
			n.kids = romaniseEach(n.kids, n.tag == "mrow")
		}
		out = append(out, n)
	}
	return out
}

// romaniseEach romanises the children of an element, joining them only where they are a row.
func romaniseEach(kids []node, join bool) []node {
	if join {
		return romanise(kids)
	}
	out := make([]node, len(kids))
	for i, k := range kids {
		out[i] = romanise([]node{k})[0]
	}
	return out
}

const upright = ` mathvariant="normal"`
