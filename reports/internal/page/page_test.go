package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// element is a start tag of a page, with the text directly in it.
type element struct {
	name       string
	attributes map[string]string
	text       string
}

// elements reads a page, which must be well-formed.
func elements(t *testing.T, page []byte) []element {
	t.Helper()
	var out []element
	var stack []int
	d := xml.NewDecoder(bytes.NewReader(page))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, page)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := element{name: tok.Name.Local, attributes: map[string]string{}}
			for _, a := range tok.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			stack = append(stack, len(out))
			out = append(out, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				out[stack[len(stack)-1]].text += string(tok)
			}
		}
	}
}

// body renders Markdown and returns what stands in the page's main part, its warnings besides.
func body(t *testing.T, d Document) (string, []Warning) {
	t.Helper()
	page, warnings := Render(d)
	checkHarmless(t, page)
	_, rest, _ := strings.Cut(string(page), "<main>\n")
	rest, _, _ = strings.Cut(rest, "</main>")
	return rest, warnings
}

var dataLink = regexp.MustCompile(`^data:(text/csv;charset=utf-8|text/plain;charset=utf-8|image/svg\+xml);base64,[A-Za-z0-9+/=]*$`)

// checkHarmless checks what every page promises: well-formed, no script, nothing fetched, no link but to known places, ids of their own.
func checkHarmless(t *testing.T, page []byte) {
	t.Helper()
	ids := map[string]bool{}
	var targets []string
	for _, e := range elements(t, page) {
		if slices.Contains([]string{"script", "iframe", "object", "embed", "link", "base", "form", "img", "foreignObject", "use", "image"}, e.name) {
			t.Errorf("a page has an element %s", e.name)
		}
		for k, v := range e.attributes {
			switch {
			case strings.HasPrefix(k, "on"), k == "src", k == "srcset", k == "action":
				t.Errorf("a page has an attribute %s", k)
			case k == "href":
				scheme, _, ok := strings.Cut(v, ":")
				if ok && !strings.ContainsAny(scheme, "/?#") && !slices.Contains([]string{"http", "https", "mailto"}, strings.ToLower(scheme)) && !dataLink.MatchString(v) {
					t.Errorf("a page has a link to %.60q", v)
				}
				if strings.HasPrefix(v, "#") && e.attributes["class"] == "back" {
					targets = append(targets, v[1:])
				}
			case k == "style" && strings.Contains(v, "url"):
				t.Errorf("a page has a style %q", v)
			case k == "id":
				if ids[v] {
					t.Errorf("a page has two ids %s", v)
				}
				ids[v] = true
			}
		}
	}
	for _, to := range targets {
		if !ids[to] {
			t.Errorf("a page has no %s", to)
		}
	}
}

// TestMathematics checks where formulas are seen, and where not.
func TestMathematics(t *testing.T) {
	const (
		x     = `<math><semantics><mrow><mi>x</mi></mrow><annotation encoding="application/x-tex">x</annotation></semantics></math>`
		shown = `<math display="block"><semantics><mrow><mi>x</mi></mrow><annotation encoding="application/x-tex">x</annotation></semantics></math>`
	)
	for _, c := range []struct{ markdown, want string }{
		{"a $x$ b", "<p>a " + x + " b</p>\n"},
		{"($x$), $x$.", "<p>(" + x + "), " + x + ".</p>\n"},
		{"$`x`$", "<p>" + x + "</p>\n"},
		{"$$x$$", "<p>" + shown + "</p>\n"},
		{"a $$ x $$ b", "<p>a " + shown + " b</p>\n"},
		{"$$\nx\n$$", "<p>" + shown + "</p>\n"},
		{"a\n$$\nx\n$$\nb", "<p>a</p>\n<p>" + shown + "</p>\n<p>b</p>\n"},
		{"```math\nx\n```", "<p>" + shown + "</p>\n"},
		{"> $$\n> x\n> $$", "<blockquote>\n<p>" + shown + "</p>\n</blockquote>\n"},
		{"**$x$**", "<p><strong>" + x + "</strong></p>\n"},
		{"| a |\n|:--|\n| $x$ |", "<div class=\"wide\" tabindex=\"0\">\n<table>\n<thead>\n<tr>\n<th style=\"text-align:left\">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td style=\"text-align:left\">" + x + "</td>\n</tr>\n</tbody>\n</table>\n</div>\n"},
		{"`$x$`", "<p><code>$x$</code></p>\n"},
		{"```\n$x$\n```", "<pre><code>$x$\n</code></pre>\n"},
		{`\$x$`, "<p>$x$</p>\n"},
		{`$x\$`, "<p>$x$</p>\n"},
		{"$5 and $7", "<p>$5 and $7</p>\n"},
		{"$5 and 7$ b", "<p>" + `<math><semantics><mrow><mn>5</mn><mi>a</mi><mi>n</mi><mi>d</mi><mn>7</mn></mrow><annotation encoding="application/x-tex">5 and 7</annotation></semantics></math>` + " b</p>\n"}, // as GitHub
		{"a$x$b", "<p>a$x$b</p>\n"},
		{"a$x$", "<p>a$x$</p>\n"},
		{"2$`x`$", "<p>2$<code>x</code>$</p>\n"},
		{"$x$2", "<p>$x$2</p>\n"},
		{"$ x$", "<p>$ x$</p>\n"},
		{"$x $", "<p>$x $</p>\n"},
		{"$a `b$ c`", "<p>$a <code>b$ c</code></p>\n"},
		{"$x", "<p>$x</p>\n"},
		{"$$", "<p><code class=\"tex\">$$</code></p>\n"},
		{"$$$x$$$", "<p>$$$x$$$</p>\n"},
		{`$\foo<b>$`, `<p><code class="tex">$\foo&lt;b&gt;$</code></p>` + "\n"},
		{`$$\foo$$`, `<p><code class="tex">$$\foo$$</code></p>` + "\n"},
	} {
		got, _ := body(t, Document{Markdown: []byte(c.markdown)})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", c.markdown, diff)
		}
	}
	if got, _ := body(t, Document{Markdown: []byte("$a\nb$ c")}); !strings.Contains(got, "<mi>a</mi><mi>b</mi>") {
		t.Errorf("a formula over two lines: %s", got)
	}
	if got, _ := body(t, Document{Markdown: []byte("| a |\n|---|\n| $\\|x\\|$ |")}); !strings.Contains(got, ">|</mo><mi>x</mi>") {
		t.Errorf("bars in a table: %s", got)
	}
}

// TestFormulas checks the lines of formulas that are not converted.
func TestFormulas(t *testing.T) {
	got := Formulas([]byte("a $x$\n\nb $\\foo$\n> $$\n> \\bar\n> $$\n\n```math\n\\baz\n```\n\n$$\na\n\n| $\\qux$ | c |\n|--|--|\n| `$\\no$` | $\\yes$ |"))
	want := []Warning{
		{3, `the formula \foo is shown as its source in HTML: \foo is not known`},
		{4, `the formula \bar is shown as its source in HTML: something is missing after \bar`},
		{9, `the formula \baz is shown as its source in HTML: \baz is not known`},
		{12, unclosed},
		{15, `the formula \qux is shown as its source in HTML: \qux is not known`},
		{17, `the formula \yes is shown as its source in HTML: \yes is not known`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestShippedReports checks that every formula of the reports in this repository is converted.
func TestShippedReports(t *testing.T) {
	files, err := filepath.Glob("../../../experiments/*.md")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	formulas := 0
	for _, file := range files {
		if filepath.Base(file) == "README.md" {
			continue
		}
		markdown, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := Document{Markdown: markdown, Files: map[string][]byte{}}
		beside, size := strings.TrimSuffix(filepath.Base(file), ".md")+"_files", len(markdown)
		entries, err := os.ReadDir(strings.TrimSuffix(file, ".md") + "_files")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if ext := filepath.Ext(e.Name()); ext != ".svg" && ext != ".csv" {
				continue
			}
			data, err := os.ReadFile(filepath.Join(filepath.Dir(file), beside, e.Name()))
			if err != nil {
				t.Fatal(err)
			}
			d.Files[beside+"/"+e.Name()] = data
			size += len(data)
		}
		page, warnings := Render(d)
		checkHarmless(t, page)
		if bytes.Contains(page, []byte("<img")) || bytes.Contains(page, []byte(`href="`+beside)) || bytes.Count(page, []byte("<svg")) < 1 {
			t.Errorf("%s needs other files", file)
		}
		const style, formula, cell = 8 << 10, 1 << 10, 40 // MathML is many times as long as TeX
		most := size*4/3 + style + formula*bytes.Count(page, []byte("<math")) + cell*bytes.Count(page, []byte("<td"))
		if len(page) > most {
			t.Errorf("%s: a page of %d bytes is made of %d", file, len(page), size)
		}
		formulas += bytes.Count(page, []byte("<math"))
		for _, w := range warnings {
			t.Errorf("%s:%d: %s", file, w.Line, w.Message)
		}
	}
	const least = 130 // there were 138 when this was written
	if formulas < least {
		t.Errorf("%d formulas, fewer than %d", formulas, least)
	}
}

// TestHostile checks that nothing in a text runs or loads.
func TestHostile(t *testing.T) {
	for _, c := range []struct{ markdown, want string }{
		{"a <script>alert(1)</script> b", "<p>a &lt;script&gt;alert(1)&lt;/script&gt; b</p>\n"},
		{"<script>\nalert(1)\n</script>", "<pre>&lt;script&gt;\nalert(1)\n&lt;/script&gt;</pre>\n"},
		{"<img src=x onerror=alert(1)>", "<pre>&lt;img src=x onerror=alert(1)&gt;</pre>\n"},
		{"a <b onclick='x'>b</b>", "<p>a &lt;b onclick=&#39;x&#39;&gt;b&lt;/b&gt;</p>\n"},
		{"a<br>b<BR/>c", "<p>a<br />b<br />c</p>\n"},
		{"a <!-- note --> b", "<p>a  b</p>\n"},
		{"<!--\nnote\n-->", ""},
		{"[x](javascript:alert(1))", "<p><a>x</a></p>\n"},
		{"[x](//elsewhere/y)", "<p><a>x</a></p>\n"},
		{"[x](JaVaScRiPt:alert(1))", "<p><a>x</a></p>\n"},
		{"[x](java&#115;cript:alert(1))", "<p><a>x</a></p>\n"},
		{"[x](data:text/html,hi)", "<p><a>x</a></p>\n"},
		{"[x](file:///etc/passwd)", "<p><a>x</a></p>\n"},
		{"[x][y]\n\n[y]: vbscript:x", "<p><a>x</a></p>\n"},
		{"<javascript:alert(1)>", "<p>javascript:alert(1)</p>\n"},
		{"<https://a.example/?x=\"y\">", "<p><a href=\"https://a.example/?x=%22y%22\">https://a.example/?x=&#34;y&#34;</a></p>\n"},
		{"[x](https://a.example/\"onclick=\"y)", "<p><a href=\"https://a.example/%22onclick=%22y\">x</a></p>\n"},
		{"[x](other.md 'a \"t\"')", "<p><a href=\"other.md\" title=\"a &#34;t&#34;\">x</a></p>\n"},
		{"www.a.example", "<p><a href=\"http://www.a.example\">www.a.example</a></p>\n"},
		{"<me@a.example>", "<p><a href=\"mailto:me@a.example\">me@a.example</a></p>\n"},
		{"![p](https://a.example/p.png)", "<p><a href=\"https://a.example/p.png\">p</a></p>\n"},
		{"![p](javascript:x)", "<p>p</p>\n"},
		{"&#1;&#x202e;a&#0;", "<p>��a�</p>\n"},
		{"```x\"><script>\na\n```", "<pre><code>a\n</code></pre>\n"},
	} {
		got, _ := body(t, Document{Markdown: []byte(c.markdown)})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", c.markdown, diff)
		}
	}
}

// TestBounds checks that no text, however it is made, takes long: what a parser would be slow on is shown as its source.
func TestBounds(t *testing.T) {
	const size = 1 << 16
	for _, c := range []struct {
		unit string
		line int // of the warning; 0: none
	}{
		{"> ", 1},
		{"1. ", 1},
		{"- ", 1},
		{"+\t", 1},
		{"> 2) ", 1},
		{"[a](", 1},
		{"[a](\n", maxLinks + 1},
		{"[a]:b\n", maxLinks + 1},
		{"[a](b)\n\n", 0},
		{"> a\n", 0},
		{"[", 0},
		{"![", 0},
		{"*a ", 0},
		{"_a_", 0},
		{"`", 0},
		{"<a ", 0},
		{"# a\n\n", 0},
		{"$a ", 0},
		{"$$a ", 0},
		{"| a |\n|--|\n", 0},
	} {
		markdown := []byte(strings.Repeat(c.unit, size/len(c.unit)))
		start := time.Now()
		page, warnings := Render(Document{Markdown: markdown})
		const most = 10 * time.Second // on a machine that is busy besides; it takes a tenth of a second
		if d := time.Since(start); d > most || len(page) > 40*size {
			t.Errorf("%q: %v, %d bytes", c.unit, d, len(page))
		}
		if c.line > 0 && (len(warnings) != 1 || warnings[0].Line != c.line || SafeLinks(markdown) || len(Formulas(markdown)) != 1) {
			t.Errorf("%q: warnings %v", c.unit, warnings)
		} else if c.line == 0 && len(warnings) > 0 {
			t.Errorf("%q: warnings %v", c.unit, warnings)
		}
	}
	deep := strings.Repeat("> ", maxNested)
	if got := nested([]byte(deep + "- a")); got != maxNested+1 {
		t.Errorf("%d", got)
	}
	for _, line := range []string{"", "a", "-", "1.", "-a", "1.a", "12", " \t", "*a* > b", "1> a"} {
		if got := nested([]byte(line)); got != 0 {
			t.Errorf("%q: %d", line, got)
		}
	}
}

// TestTame checks what a notebook does with a text.
func TestTame(t *testing.T) {
	for _, c := range []struct {
		markdown, want string
		safe           bool
	}{
		{"a <b>c</b> `<d>` 1 < 2 $a<b$", "a &lt;b>c&lt;/b> `<d>` 1 < 2 $a<b$", true},
		{"<div>\nx <y>\n</div>\n\nz", "&lt;div>\nx &lt;y>\n&lt;/div>\n\nz", true},
		{"<!-- a\n-->", "&lt;!-- a\n-->", true},
		{"[x](javascript:y)", "[x](javascript:y)", false},
		{"![x](data:y)", "![x](data:y)", false},
		{"[x](y.md) <me@a.example> https://a.example [z](#w)", "[x](y.md) <me@a.example> https://a.example [z](#w)", true},
	} {
		if got := string(WithoutHTML([]byte(c.markdown))); got != c.want {
			t.Errorf("%q: %q", c.markdown, got)
		}
		if got := SafeLinks([]byte(c.markdown)); got != c.safe {
			t.Errorf("%q: safe is %v", c.markdown, got)
		}
	}
}

const circle = `<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" width="1cm" role="img" aria-labelledby="title desc">
<title id="title">A id="title" > B</title><desc id="desc">d</desc>
<clipPath id='c'/><g clip-path="url(#c)"><a href="#title"/></g>
</svg>
`

// TestSections checks what marks become: figures with captions, claims and their rows, links between them.
func TestSections(t *testing.T) {
	parts := []struct{ kind, id, text string }{
		{"", "", "# R & $x$\n\nSee [the spec](r.toml), [other](./o.md), [there](#a-b).\n\n## A *b*\n\n"},
		{"figure", "f", "![Figure 1. D](r_files/fig-f.svg)\n\n**Figure 1.** C. ([data](r_files/fig-f.csv))\n\n"},
		{"table", "t", "**Table 1.** C.\n\n| a |\n|--:|\n| 1 |\n\n"},
		{"claim", "c", "> **Claim.** It is `c`.\n>\n> Verdict: **reproduced**.\n\n"},
		{"", "", "## fig-f\n\n"},
		{"claims", "", "## Claims\n\n| Claim |\n|:--|\n| `c` |\n\n- `c`: as known.\n\n"},
		{"warnings", "", "## Warnings\n\n- Figure `f`: 1 row. `g`\n"},
	}
	d := Document{Base: "../r", Files: map[string][]byte{"r_files/fig-f.svg": []byte(circle), "r_files/fig-f.csv": []byte("a\n1\n"), "r.toml": []byte("x")}}
	for _, p := range parts {
		m := Mark{From: len(d.Markdown), To: len(d.Markdown) + len(p.text), Kind: p.kind, ID: p.id}
		if p.kind == "claim" {
			m.State = "not reproduced"
		}
		if p.kind != "" {
			d.Marks = append(d.Marks, m)
		}
		d.Markdown = append(d.Markdown, p.text...)
	}
	got, warnings := body(t, d)
	const golden = "testdata/sections.html"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" || len(warnings) > 0 {
		t.Errorf("-want +got:\n%s%v", diff, warnings)
	}
}

// TestSlugs checks that headings are named as on GitHub, and each by its own name.
func TestSlugs(t *testing.T) {
	got, _ := body(t, Document{Markdown: []byte("## Does it stop an attacker?\n\n## κ of θ₀, ‘new’\n\n## A\n\n## a\n\n## ***\n\n## contents\n\n## `x_y` - z\n")})
	var names []string
	for _, m := range regexp.MustCompile(`<h2 id="([^"]*)"`).FindAllStringSubmatch(got, -1) {
		names = append(names, m[1])
	}
	want := []string{"does-it-stop-an-attacker", "κ-of-θ₀-new", "a", "a-1", "section", "contents-1", "x_y---z"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzRender checks of any Markdown, with marks anywhere, that its page is harmless and the same each time.
func FuzzRender(f *testing.F) {
	for _, s := range []string{
		"# a\n\n## b\n\n#### c\n\n### d\n", "$x$ `y` <b> [z](javascript:a) | |\n|--|\n", "- [x] a\n\n[^1]\n\n[^1]: b\n", "> **Claim.** a\n>\n> b\n", "![a](f.svg)\n\n```\n",
		"<a href=\"x\n\">", "$$\na\n", "1. a\n   $$ b\n", "[a]: <b> \"c\"\n[a] &lt;script&gt;",
	} {
		f.Add(s, uint16(1), uint16(20))
	}
	f.Fuzz(func(t *testing.T, markdown string, from, to uint16) {
		if len(markdown) > 4096 || !strings.Contains(strings.ToValidUTF8(markdown, ""), markdown) {
			t.Skip("longer, or otherwise encoded, than a report")
		}
		d := Document{Markdown: []byte(markdown), Files: map[string][]byte{"f.svg": []byte(circle)}}
		if from < to {
			d.Marks = []Mark{{From: int(from), To: int(to), Kind: []string{"figure", "table", "claim", "claims"}[from%4], ID: "a"}}
		}
		page, _ := Render(d)
		if slices.ContainsFunc(d.Marks, func(m Mark) bool { return m.Kind == "claim" }) {
			elements(t, page) // a claim without a table has no row
		} else {
			checkHarmless(t, page)
		}
		if again, _ := Render(d); !bytes.Equal(page, again) {
			t.Error("rendered twice, it differs")
		}
	})
}
