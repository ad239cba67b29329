package experiments_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"kappa/experiments"
	"kappa/runner"
)

// TestHostileSpecs: what no person writes is refused with a sentence, in little time and memory.
func TestHostileSpecs(t *testing.T) {
	const head = "title = \"x\"\n[primary]\ndataset = \"synthetic\"\n[harmful]\ndataset = \"synthetic\"\n[synthetic]\ndimension = 8\n[train]\nmethod = \"immunize\"\n"
	numbers := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d,", i+1)
		}
		return "[" + b.String() + "]"
	}
	sweep := head + "[sweep]\n"
	for _, path := range []string{"train.seed", "train.steps", "train.learning_rate", "train.lambda_primary", "train.lambda_harmful", "train.balance_norm"} {
		sweep += fmt.Sprintf("%q = %s\n", path, numbers(100))
	}
	many := func(table string, n int) string { return head + strings.Repeat("[["+table+"]]\n", n) }
	for _, tt := range []struct {
		name, text string
		want       string // in the error; "" = none
	}{
		{"sweep of 10¹² runs", sweep, "too many combinations: 1000000000000 – a sweep has at most 1000000"},
		{"sweep of 10²⁴⁰ runs", strings.Replace(sweep, "[sweep]\n", "[sweep]\n"+"\"synthetic.seed\" = "+numbers(5000)+"\n", 1), "too many combinations: 5000000000000000"},
		{"axis of 100,000 values", head + "[sweep]\n\"train.seed\" = " + numbers(100_000), ""},
		{"the same value 100,000 times", head + "[sweep]\n\"train.seed\" = [" + strings.Repeat("7,", 100_000) + "]", "7 is listed twice"},
		{"key of 200,000 parts", head + strings.Repeat("a.", 200_000) + "a = 1\n", "a key has too many parts – a key has at most 32"},
		{"header of 100,000 parts", head + "[" + strings.Repeat("\"a\" . ", 100_000) + "a]\n", "a key has too many parts"},
		{"nested lists", head + "a = " + strings.Repeat("[", 200_000) + "\n", "brackets are nested too deeply"},
		{"nested tables", head + "a = " + strings.Repeat("{a=", 150_000) + "\n", "brackets are nested too deeply"},
		{"100 MB", head + "# " + strings.Repeat("x", 100_000_000), "bytes are too many – a spec has at most 1048576"},
		{"30,000 cells", many("cell", 30_000), "30000 tables [[cell]] are too many – a spec has at most 1000"},
		{"20,000 attacks", many("attack", 20_000), "20000 tables [[attack]] are too many – a spec has at most 100"},
		{"30,000 variants", many("variant", 30_000), "30000 tables [[variant]] are too many"},
		{"30,000 overrides", many("override", 30_000), "30000 tables [[override]] are too many"},
		{"steps beyond all bounds", head + "steps = 1000000000000000000\n", "1000000000000000000 is out of range"},
		{"steps that are no whole number", head + "steps = 1e18\n", "1e+18 is a float"},
		{"steps that overflow", head + "steps = 99999999999999999999\n", "99999999999999999999 is out of range"},
		{"NaN", head + "learning_rate = nan\n", "nan is not a finite number"},
		{"infinity", head + "learning_rate = inf\n", "inf is not a finite number"},
		{"dimension", strings.Replace(head, "dimension = 8", "dimension = 1000000", 1), "1000000 is out of range"},
		{"rows", strings.Replace(head, "dimension = 8", "dimension = 8\nrows = 1000000000000", 1), "1000000000000 is out of range"},
		{"a key twice", head + "steps = 1\nsteps = 2\n", "has already been defined"},
		{"NUL", head + "\x00", "control characters"},
		{"NUL in a name", head + "\"a\\u0000b\" = 1\n", "unknown key"},
		{"no UTF-8", head + "# \xff\xfe", "invalid UTF-8"},
		{"id that leads elsewhere", head + "[[cell]]\nkind = \"table\"\nid = \"../../evil\"\nsql = \"SELECT 1 AS a\"\n", "is no id"},
		{"id that is an option", head + "[[cell]]\nkind = \"table\"\nid = \"-rf\"\nsql = \"SELECT 1 AS a\"\n", "is no id"},
		{"rank", head + "[[attack]]\nmethod = \"gd-exact\"\nsteps = 1000000000000\n", "out of range"},
		{"seeds", head + "[[attack]]\nmethod = \"adam\"\nstart = \"random\"\nseeds = 1000000000\n", "1000000000 is out of range"},
		{"spectrum of 100,000 values", strings.Replace(head, "dimension = 8", "dimension = 8\nspectrum_primary = ["+strings.Repeat("1.0,", 100_000)+"]", 1), ""},
		{"a file of lines", strings.Repeat("\n", 1<<20), "primary.dataset: missing"},
		{"a file of quotes", strings.Repeat("'", 1<<20), "not valid TOML"},
		{"a file of brackets", strings.Repeat("]", 1<<20), "not valid TOML"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if raceDetector {
				t.Skip("the race detector takes time and memory of its own")
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			_, err := experiments.Parse("hostile.toml", []byte(tt.text), runner.Catalog())
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			switch {
			case tt.want == "" && err != nil && !strings.Contains(err.Error(), "hostile.toml:"):
				t.Errorf("%.300v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %.300v, want %q", err, tt.want)
			}
			if err != nil && len(err.Error()) > 1<<23 {
				t.Errorf("the answer has %d bytes", len(err.Error()))
			}
			if took > 5*time.Second { // tenths of a second on an idle machine
				t.Errorf("it took %v", took)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<30 {
				t.Errorf("it took %d MiB of memory", grown>>20)
			}
		})
	}
}
