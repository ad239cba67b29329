package mathml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// constructs are one formula each of everything that is converted; those that begin with $$ are displays.
var constructs = []string{
	`x`, `2.5x`, `x_10`, `10^{-6}`, `a+b`, `-a`, `a = -b`, `(-1)^n`, `a/b`, `f(x), g`, `x'`, `x''_1`, `x'^2`, `n!`, `a < b > c`, `[0, 1)`,
	`\{a, b\}`, `|x|`, `\|x\|`, `\lVert\theta\rVert_F`, `\langle u, v\rangle`, `~x`, `θ = κ⋅2`,
	`\alpha\beta\Gamma\infty\partial\nabla`, `\varepsilon \epsilon \ell`, `\le \ge \ne \approx \times \cdot \in \to`, `\pm 1`, `\dots, \cdots`,
	`x^2`, `x_i`, `x_i^2`, `x^2_i`, `{}^\top x`, `x^{y^z}`, `x_{i,j}`, `R_\text{ill}`, `x^\frac12`,
	`\frac{a}{b}`, `\frac12`, `\dfrac ab`, `\tfrac{a}{b}`, `\binom{n}{k}`, `\sqrt{79}`, `\sqrt x`, `\sqrt[3]{x}`,
	`\left(\frac{a}{b}\right)`, `\left.\frac ab\right|_{x=0}`, `\left\lVert x\right\rVert`, `\left(a\middle|b\right)`, `\big( x \Big) \Bigl[ y \biggr]`, `a \Big/ b`,
	`\hat x`, `\tilde H_P`, `\bar{xy}`, `\vec v`, `\dot x`, `\widehat{AB}`, `\overline{AB}`, `\underline{x}`,
	`\underbrace{a+b}_{\mathrm{(i)}}`, `\overbrace{a}^n`, `\overset{!}{=}`, `\underset{x}{y}`, `\stackrel{d}{=}`,
	`\mathrm{RIR}`, `\mathrm d x`, `\mathrm{diag}(s_P)`, `\mathrm{a_{bc}}`, `\mathbf{x}`, `\mathcal{DL}`, `\mathbb{R}^n`, `\mathfrak g`, `\mathsf A`, `\mathtt{a1}`, `\boldsymbol\theta`, `\mathit{ab}`,
	`\text{a b}`, `x\text{ if }y`, `\textbf{a}`, `\text{100\,\%}`, `\text{it's}`,
	`\log x`, `\log\kappa(H)`, `2\log x`, `\log(x)`, `\sin^2 x`, `\exp\left(x\right)`, `\operatorname{tr} A`, `\operatorname*{arg\,min}_x f`,
	`\max_i x_i`, `\min(a, b)`, `\sum_{i=1}^n x_i`, `$$\sum_{i=1}^n x_i`, `\prod_k`, `\int_0^1 f`, `\sum\nolimits_i x`, `\int\limits_a^b`, `\max\limits_x\nolimits`, `\sum\limits\limits_i`, `\lim_{n\to\infty}`,
	`a\,b\:c\;d\!e\ f\quad g\qquad h\thinspace i`, `\phantom{x}`, `\displaystyle x`,
	`\begin{matrix} a & b \\ c & d \end{matrix}`, `\begin{pmatrix} 1 \\ 2 \\ \end{pmatrix}`, `\begin{bmatrix}a\end{bmatrix}`, `\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}`,
	`$$\begin{aligned} a &= b \\ &= c \end{aligned}`, `\begin{array}{lr} a & b \end{array}`, `a \& b \_ \$ \% \#`,
}

// TestConstructs compares what each construct becomes with testdata/constructs.txt, where it can be read.
func TestConstructs(t *testing.T) {
	var got strings.Builder
	for _, c := range constructs {
		tex, display := strings.CutPrefix(c, "$$")
		m, err := Convert(tex, display)
		if err != nil {
			t.Errorf("%s: %v", c, err)
			continue
		}
		checkXML(t, c, m, tex)
		body, _, _ := strings.Cut(strings.Replace(m, "<semantics>", "", 1), "<annotation")
		fmt.Fprintf(&got, "%s\n\t%s\n", c, body)
	}
	const golden = "testdata/constructs.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("-want +got (-update rewrites it):\n%s", diff)
	}
}

// children are the numbers of children that MathML wants.
var children = map[string]int{
	"msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "mfrac": 2, "mroot": 2, "semantics": 2, "math": 1,
}

// checkXML checks that a formula is well-formed, has the children that MathML wants, and carries its source.
func checkXML(t *testing.T, name, m, tex string) {
	t.Helper()
	type open struct {
		name string
		kids int
	}
	var stack []open
	annotation := ""
	for d := xml.NewDecoder(strings.NewReader(m)); ; {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v in %s", name, err, m)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if len(stack) > 0 {
				stack[len(stack)-1].kids++
			}
			stack = append(stack, open{name: tok.Name.Local})
			for i, a := range tok.Attr {
				if slices.ContainsFunc(tok.Attr[:i], func(b xml.Attr) bool { return a.Name == b.Name }) {
					t.Errorf("%s: %s has two attributes %s: %s", name, tok.Name.Local, a.Name.Local, m)
				}
			}
		case xml.CharData:
			if stack[len(stack)-1].name == "annotation" {
				annotation += string(tok)
			}
		case xml.EndElement:
			o := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if n, ok := children[o.name]; ok && o.kids != n {
				t.Errorf("%s: %s has %d children, not %d: %s", name, o.name, o.kids, n, m)
			}
		}
	}
	if norm := strings.NewReplacer("\r\n", "\n", "\r", "\n"); norm.Replace(annotation) != norm.Replace(tex) {
		t.Errorf("%s: the annotation is %q", name, annotation)
	}
}

// TestRefused checks what is refused, where, and in which words.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		tex    string
		offset int
		reason string
	}{
		{``, 0, `there is nothing in it`},
		{` `, 0, `there is nothing in it`},
		{`x + \foo{y}`, 4, `\foo is not known`},
		{`a \color{red} b`, 2, `\color is not known`},
		{`\href{javascript:alert(1)}{x}`, 0, `\href is not known`},
		{`{a`, 0, `a { is not closed`},
		{`a}`, 1, `a } closes nothing`},
		{`x^`, 1, `something is missing after ^`},
		{`x^a^b`, 3, `a second ^ follows the first`},
		{`x_a_b`, 3, `a second _ follows the first`},
		{`\frac{a}`, 0, `something is missing after \frac`},
		{`\left( a`, 0, `\left without \right`},
		{`a \right)`, 2, `\right without \left`},
		{`\left a b\right)`, 6, `a is no delimiter that \left knows`},
		{`\big`, 0, `a delimiter is missing after \big`},
		{`a & b`, 2, `& stands outside of a matrix`},
		{`a \\ b`, 2, `\\ stands outside of a matrix`},
		{`\begin{matrix} a`, 0, `\begin{matrix} without \end{matrix}`},
		{`\begin{matrix} a \end{pmatrix}`, 17, `\end{pmatrix} closes \begin{matrix}`},
		{`\begin{tikzpicture}\end{tikzpicture}`, 0, `\begin{tikzpicture} is not known`},
		{`\begin{matrix} a \\[2pt] b \end{matrix}`, 19, `a distance after \\ is not known`},
		{`\begin{array}{c|c} a \end{array}`, 0, `the columns c|c of an array are not known: want l, c and r`},
		{`\text{a \foo}`, 8, `\foo is not known in a text`},
		{`\text a`, 0, `a { is missing after \text`},
		{`a % b`, 2, `% stands for itself only as \%`},
		{`a\`, 1, `it ends with a backslash`},
		{"a\x00b", 1, `the character U+0000 is not known`},
		{"a\u202eb", 1, `the character U+202E is not known`},
		{"a\xffb", 1, `it is not UTF-8`},
		{`\sqrt[3{x}`, 0, `the [ after \sqrt is not closed`},
		{strings.Repeat("{", 40) + "x" + strings.Repeat("}", 40), MaxDepth + 1, `it is nested more than 32 deep`},
		{strings.Repeat("x", MaxBytes+1), MaxBytes, `it has 8193 bytes, of which at most 8192 are converted`},
	} {
		m, err := Convert(c.tex, false)
		e, ok := errors.AsType[*Error](err)
		if !ok || m != "" || e.Offset != c.offset || e.Error() != c.reason {
			t.Errorf("%.60q: %q, %v; want at %d: %s", c.tex, m, err, c.offset, c.reason)
			if ok {
				t.Logf("at %d", e.Offset)
			}
		}
	}
}

// FuzzConvert checks of any text that it is refused or becomes a small well-formed formula with the text in it.
func FuzzConvert(f *testing.F) {
	for _, c := range constructs {
		f.Add(c, true)
	}
	f.Add(`<script>&amp;"`, false)
	f.Add(strings.Repeat(`\hat`, 50)+"x", false)
	f.Add(strings.Repeat(`x^{`, 31)+"y"+strings.Repeat(`}`, 31), false)
	f.Add(`\begin{matrix}`+strings.Repeat(`&`, 500)+`\end{matrix}`, true)
	f.Fuzz(func(t *testing.T, tex string, display bool) {
		m, err := Convert(tex, display)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || m != "" || e.Offset < 0 || e.Offset > len(tex) || e.Reason == "" {
				t.Fatalf("%q: %q, %#v", tex, m, err)
			}
			return
		}
		const perByte, frame = 130, 200 // the longest element that one byte can become, and what stands around the formula
		if len(m) > perByte*len(tex)+frame {
			t.Errorf("%q: %d bytes", tex, len(m))
		}
		checkXML(t, tex, m, tex)
		again, _ := Convert(tex, display)
		if !bytes.Equal([]byte(again), []byte(m)) {
			t.Errorf("%q: converted twice, it differs", tex)
		}
	})
}
