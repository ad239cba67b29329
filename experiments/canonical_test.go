package experiments

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

func TestCanonicalExample(t *testing.T) {
	s, err := Load(os.DirFS("testdata"), "example.toml", testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/example.canonical", string(s.Canonical()))
	checkCanonical(t, s)
}

// everything states every key of a spec at least once, and strings that are hard to write.
const everything = head + `source = "a \"b\" \\ \u0000 \t c"
train.steps = 3
train.optimizer = "sgd"
train.momentum = 1
train.trace = 7
train.lambda_primary = 0.1
[synthetic]
angle = 12.5
spectrum_primary = [1, 0.5, 1e-300]
[[attack]]
method = "least-squares"
[[attack]]
method = "cg"
start = "random"
seeds = 3
[sweep]
"primary.dataset" = ["digits", "synthetic"]
train.seed = [0, 9223372036854775807]
"synthetic.spectrum_primary" = [[], [1, 2]]
distinct = [["primary.class", "harmful.class"], ["train.seed", "train.steps", "train.trace"]]
[[override]]
when = { train.seed = 0, "attack.1.steps" = 20 }
set = { attack.1.steps = 4, harmful.dataset.csv = "x.csv", harmful.dataset.drop = ["a", "b"] }
[[cell]]
kind = "prose"
text = "one line, it''s '''quoted''' \\ \r\n and 'ended'"
[[cell]]
kind = "prose"
text = """

  two
	lines """
[[cell]]
kind = "figure"
id = "l"
type = "line"
sql = "SELECT\n1"
runs = "SELECT run FROM runs"
x = "x"
y = "y"
group = "g"
low = "l"
high = "h"
x_label = "X"
y_label = "Y"
x_scale = "log"
y_scale = "linear"
reference = [1, -0.0, 2.5]
reference_sql = "SELECT\n1 AS x"
width = 8
height = 6.5
caption = "c"
[[cell]]
kind = "figure"
id = "s"
type = "scatter"
sql = "q"
x = "x"
y = "y"
label = "n"
[[cell]]
kind = "figure"
id = "m"
type = "heatmap"
sql = "q"
x = "x"
y = "y"
z = "z"
z_label = "Z"
z_scale = "diverging"
[[cell]]
kind = "figure"
id = "ml"
type = "heatmap"
sql = "q"
x = "x"
y = "y"
z = "z"
z_scale = "log"
[[cell]]
kind = "figure"
id = "h"
type = "histogram"
sql = "q"
x = "x"
bins = 7
[[cell]]
kind = "figure"
id = "b"
type = "box"
sql = "q"
y = "y"
[[cell]]
kind = "figure"
id = "l2"
type = "line"
sql = "q"
x = "x"
y = "y"
band = "sd"
[[cell]]
kind = "table"
id = "t"
sql = "q"
headings = ["A", ""]
format = { "a b" = "sig 3", c = "fixed 0", "d\"e" = "pct 10", "" = "int" }
limit = 4
[[cell]]
kind = "claim"
id = "c"
text = "t"
sql = "q"
op = "within"
expect = -3
tolerance = 0.05
min_runs = 2
known = "not reproduced"
because = "b"
paper = { value = 0, where = "Table 1" }
[[cell]]
kind = "claim"
id = "o"
text = "t"
sql = "q"
op = "order"
expect = ["a", 1, 2.0, true]
`

func TestCanonicalEverything(t *testing.T) {
	s := mustParse(t, everything)
	checkCanonical(t, s)
	c := string(s.Canonical())
	for _, k := range cellKeys() {
		if !strings.Contains(c, "\n"+k.Path+" = ") && !strings.Contains(c, "\n"+k.Path+".") {
			t.Errorf("no cell states %s", k.Path)
		}
	}
}

// checkCanonical checks that the canonical form reads back as the same spec and writes the same canonical form.
func checkCanonical(t *testing.T, s *Spec) {
	t.Helper()
	first := s.Canonical()
	again, err := Parse(s.Path, first, testCatalog())
	if err != nil {
		t.Fatalf("canonical form refused: %v\n%s", err, first)
	}
	if diff := cmp.Diff(s, again, sameSpec); diff != "" {
		t.Errorf("the spec (-) and what its canonical form says (+):\n%s\n%s", diff, first)
	}
	if second := again.Canonical(); !bytes.Equal(first, second) {
		t.Errorf("no fixed point:\n%s", cmp.Diff(string(first), string(second)))
	}
}

func TestCanonicalIgnoresLayout(t *testing.T) {
	a := mustParse(t, head+"train.learning_rate = 1\ntrain.steps = 1_000\n[sweep]\n\"train.seed\" = [1, 2]")
	b := mustParse(t, "# a comment\ntitle = 't'\nharmful.class = 8\nharmful.dataset = 'digits'\n[train]\nsteps = 1000\nlearning_rate = 1.0\nmethod = \"\"\"immunize\"\"\"\n"+
		"[sweep.train]\nseed = [1,\n2]\n[primary]\nclass = 3\ndataset = 'digits'\n")
	if diff := cmp.Diff(string(a.Canonical()), string(b.Canonical())); diff != "" {
		t.Errorf("-a +b:\n%s", diff)
	}
}

func TestFormatFloat(t *testing.T) {
	for _, c := range []struct {
		x    float64
		want string
	}{
		{1, "1.0"},
		{-0.5, "-0.5"},
		{math.Copysign(0, -1), "-0.0"},
		{1e-300, "1e-300"},
		{1e21, "1e+21"},
		{123456, "123456.0"},
		{math.MaxFloat64, "1.7976931348623157e+308"},
		{math.NaN(), "nan"},
		{math.Inf(1), "inf"},
		{math.Inf(-1), "-inf"},
	} {
		if got := formatFloat(c.x); got != c.want {
			t.Errorf("formatFloat(%v) = %s, want %s", c.x, got, c.want)
		}
	}
}

// FuzzParse: whatever the file says, Parse returns either a spec or problems with lines that exist, it agrees with the decoder
// on where keys stand, and a spec survives its canonical form.
func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte(head))
	for _, pattern := range []string{"testdata/*.toml", "testdata/problems/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			// Fewer combinations, more tries.
			f.Add(bytes.ReplaceAll(data, []byte("[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"), []byte("[3, 8]")))
		}
	}
	cat := testCatalog()
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("test.toml", data, cat)
		if err != nil {
			problems, ok := errors.AsType[Problems](err)
			if !ok || len(problems) == 0 || s != nil {
				t.Fatalf("spec %v, error %#v", s, err)
			}
			lines := bytes.Count(data, []byte("\n")) + 1
			for i, p := range problems {
				if p.Line < 1 || p.Line > lines || p.Message == "" {
					t.Errorf("problem %#v in %d lines", p, lines)
				}
				if i > 0 && p.Line < problems[i-1].Line {
					t.Errorf("problems out of order: %v", err)
				}
				if strings.HasPrefix(p.Message, "not valid TOML") || strings.HasPrefix(p.Message, "brackets") ||
					strings.HasSuffix(p.Message, " is set twice") {
					return // not decoded, or not all of it
				}
			}
			checkScan(t, string(data))
			return
		}
		checkScan(t, string(data))
		checkCanonical(t, s)
		vs, err := s.Combinations(nil)
		if err != nil || len(vs) == 0 {
			t.Fatalf("%d variants, %v", len(vs), err)
		}
		again, err := s.Combinations(nil)
		if err != nil || !reflect.DeepEqual(vs, again) {
			t.Fatalf("a second call differs, %v", err)
		}
		if len(vs) < 10_000 {
			checkPatterns(t, s, nil, vs)
		}
	})
}

// FuzzParseSet: a setting that is accepted is one that a spec may sweep.
func FuzzParseSet(f *testing.F) {
	for _, text := range []string{"train.steps=1,2", `model.init="a,b",c`, "primary.dataset.drop=[\"a\"],[]", "train.lambda_primary=balance,1e-3", "attack.0.steps=1", "a=\\"} {
		f.Add(text)
	}
	cat := testCatalog()
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseSet(text, cat)
		if err != nil {
			if err.Error() == "" {
				t.Error("empty error")
			}
			return
		}
		table := newKeyTable(cat)
		k, ok := table.lookup(a.Path)
		if !ok || len(a.Values) == 0 {
			t.Fatalf("%q gives %v", text, a)
		}
		for _, v := range a.Values {
			if got, message, _ := k.check(v); message != "" || !reflect.DeepEqual(got, v) {
				t.Errorf("%q gives %#v: %s", text, v, message)
			}
		}
	})
}

// TestFormatTextReadsBack: any text that TOML can hold survives, quotes, controls and line ends included.
func TestFormatTextReadsBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("ab'''''\"\"\"\"\\\n\n\r\t #[]=\x00\x01\x1f\x7f\u0080é\u2028\ufeff𝜃")
	for range 2000 {
		text := make([]rune, rng.IntN(12))
		for i := range text {
			text[i] = alphabet[rng.IntN(len(alphabet))]
		}
		want := string(text)
		for _, written := range []string{formatText(want), quoteString(want)} {
			var got struct{ V string }
			if err := toml.Unmarshal([]byte("V = "+written+"\n"), &got); err != nil || got.V != want {
				t.Fatalf("%q is written as %s and reads back as %q, %v", want, written, got.V, err)
			}
			if p := scan("V = " + written + "\nW = 1"); len(p.keys) != 2 || p.of("W") != strings.Count(written, "\n")+2 {
				t.Fatalf("the scanner loses its way in %s: %q, %d", written, p.keys, p.of("W"))
			}
		}
	}
}
