package experiments

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sameSpec compares what two specs mean.
var sameSpec = cmp.Options{
	cmpopts.IgnoreUnexported(Spec{}), cmpopts.IgnoreFields(Spec{}, "Bytes", "Hash", "Path"), cmpopts.IgnoreFields(Cell{}, "Line"),
	cmpopts.EquateEmpty(),
}

// head is the least that a spec must say.
const head = `title = "t"
primary = { dataset = "digits", class = 3 }
harmful = { dataset = "digits", class = 8 }
train.method = "immunize"
`

func mustParse(t *testing.T, text string) *Spec {
	t.Helper()
	s, err := Parse("test.toml", []byte(text), testCatalog())
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return s
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", name, diff)
	}
}

func TestParseExample(t *testing.T) {
	s, err := Load(os.DirFS("testdata"), "example.toml", testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "example" || s.Path != "example.toml" || len(s.Hash) != 64 || len(s.Bytes) == 0 {
		t.Errorf("name %q, path %q, hash %q, %d bytes", s.Name, s.Path, s.Hash, len(s.Bytes))
	}
	paper := 2.15
	want := &Spec{
		Name: "example", Title: "Handwritten digits: ninety immunization problems", Source: "arXiv:2505.23760, Section 5.1",
		Base: Settings{
			"primary.dataset": "digits", "primary.class": int64(3), "harmful.dataset": "digits", "harmful.class": int64(8),
			"model.kind": "linear", "model.init": "identity", "train.method": "immunize", "train.optimizer": "gd", "train.step": "fixed",
			"train.steps": int64(100), "train.learning_rate": 5e-3, "train.lambda_primary": "balance", "train.lambda_harmful": "balance",
			"train.seed": int64(1), "train.trace": "log", "train.keep": "final",
			"attack.0.method": "gd-exact", "attack.0.steps": int64(100), "attack.0.start": "zero",
		},
		Sweep: []Axis{
			{"primary.class", integers(0, 9)},
			{"harmful.class", integers(0, 9)},
			{"train.method", []any{"identity", "immunize", "released", "rill-only", "imma", "opt-kappa", "optimum"}},
		},
		Distinct:  [][]string{{"primary.class", "harmful.class"}},
		Overrides: []Override{{When: Settings{"train.method": "imma"}, Set: Settings{"train.learning_rate": 1e-3}}},
		Cells: []Cell{
			{Kind: Prose, Text: "## What the sweep shows\nAcross {{ sql \"SELECT count(*) FROM results\" }} runs the median RIR of Algorithm 1 is\n{{ sql \"SELECT median(rir) FROM results WHERE method = 'immunize'\" | sig 3 }}.\n"},
			{
				Kind: Figure, ID: "rir-heatmap", SQL: "SELECT primary_class, harmful_class, log10(rir) AS z FROM results WHERE method='immunize'",
				Caption: "log₁₀ RIR for each pair of digits.", Figure: FigureOptions{Type: "heatmap", X: "primary_class", Y: "harmful_class", Z: "z"},
			},
			{Kind: Table, ID: "by-method", SQL: "SELECT method, median(rir), ci95(rir), count(rir) FROM results GROUP BY method"},
			{
				Kind: Claim, ID: "immunizes-all", Text: "Algorithm 1 immunizes every pair.", SQL: "SELECT min(rir) FROM results WHERE method='immunize'",
				Claim: ClaimOptions{Op: ">", Expect: 1, MinRuns: 90, PaperValue: &paper, PaperWhere: "Figure 2"},
			},
		},
	}
	if diff := cmp.Diff(want, s, sameSpec); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for path, line := range map[string]int{"train.steps": 20, "sweep.harmful.class": 30, "cell.1.caption": 59, "override.0.set.train.learning_rate": 36, "train.epochs": 0} {
		if got := s.Line(path); got != line {
			t.Errorf("Line(%q) = %d, want %d", path, got, line)
		}
	}
	if got := s.Cells[1].Line; got != 51 {
		t.Errorf("cell 1 stands on line %d, want 51", got)
	}
}

func integers(from, to int64) (out []any) {
	for i := from; i <= to; i++ {
		out = append(out, i)
	}
	return out
}

// TestProblems checks each testdata/problems/*.toml against the messages beside it.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			s, err := Load(os.DirFS(filepath.Dir(file)), filepath.Base(file), testCatalog())
			problems, ok := errors.AsType[Problems](err)
			if !ok || s != nil {
				t.Fatalf("spec %v, error %v, want no spec and Problems", s, err)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Message == "" || p.File == "" {
					t.Errorf("incomplete: %#v", p)
				}
			}
			golden(t, strings.TrimSuffix(file, ".toml")+".txt", err.Error()+"\n")
		})
	}
}

func TestLoadMissing(t *testing.T) {
	_, err := Load(fstest.MapFS{}, "absent.toml", testCatalog())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "load spec absent.toml") {
		t.Errorf("got %v", err)
	}
}

func TestShipped(t *testing.T) {
	files, err := fs.Glob(Shipped, "*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
}

func TestTooMuch(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"long", strings.Repeat("#", MaxBytes+1), "x.toml:1: 1048577 bytes are too many"},
		{"deep", "\n\"[[[\" = '[[['\na = " + strings.Repeat("[", 1e6), "x.toml:3: brackets are nested too deeply"},
		{"deep tables", strings.Repeat("{ a = [", 1e5), "x.toml:1: brackets are nested too deeply"},
	} {
		_, err := Parse("x.toml", []byte(c.text), testCatalog())
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := Parse("x.toml", []byte(head+"[[attack]]\nmethod = 'cg'\n"+strings.Repeat("# [{\"\n", 200)), testCatalog()); err != nil {
		t.Errorf("brackets in comments: %v", err)
	}
}

func TestNearest(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"stpes", "steps"},
		{"step", "steps"},
		{"Steps", "steps"},
		{"learning-rate", "learning_rate"},
		{"learnign_rte", "learning_rate"},
		{"batch", ""},
		{"", ""},
		{strings.Repeat("x", 10000), ""},
	} {
		if got := nearest(c.name, []string{"steps", "learning_rate"}); got != c.want {
			t.Errorf("nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSweptColumns(t *testing.T) {
	cat := testCatalog()
	for _, path := range []string{"loss.primary", "a.b_c", "a_b.c", "rir.x"} {
		cat.Keys = append(cat.Keys, Key{Path: path, Types: intType})
	}
	for _, c := range []struct{ sweep, want string }{
		{"'rir.x' = [1]\n'a.b_c' = [1]\n'primary.class' = [3]\n'train.seed' = [1]\n'train.method' = ['immunize']", ""},
		{"'loss.primary' = [1]", `test.toml:6: sweep."loss.primary": cannot be swept – its column loss_primary would hide the one that results has`},
		{"'a.b_c' = [1]\n'a_b.c' = [1]", `test.toml:7: sweep."a_b.c": swept twice – "a.b_c" gives results the same column a_b_c`},
	} {
		_, err := Parse("test.toml", []byte(head+"[sweep]\n"+c.sweep), cat)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.sweep, got, c.want)
		}
	}
	if got := Column("attack.0.steps"); got != "attack_0_steps" {
		t.Errorf("Column = %s", got)
	}
}

// TestParseIsPure: the same input gives the same problems, in the same order, whatever the order of maps.
func TestParseIsPure(t *testing.T) {
	files, err := filepath.Glob("testdata/problems/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, first := Parse(file, data, testCatalog())
		for range 5 {
			if _, again := Parse(file, data, testCatalog()); again.Error() != first.Error() {
				t.Fatalf("%s: once\n%v\nthen\n%v", file, first, again)
			}
		}
	}
}
