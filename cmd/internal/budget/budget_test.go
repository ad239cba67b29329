package budget

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"kappa/cmd/internal/cli"
	"kappa/engine/blas"
)

var keep = flag.String("history", "", "`FOLDER` in which the generated histories are kept, and looked for, between calls")

func TestMain(m *testing.M) {
	blas.Install()
	flag.Parse()
	code := m.Run()
	if tmp.dir != "" {
		_ = os.RemoveAll(tmp.dir)
	}
	os.Stdout.WriteString(measured.table())
	os.Exit(code)
}

// measured are the budgets that this call has measured.
var measured results

// result is a budget and what was measured, in the same unit.
type result struct {
	what, unit    string
	budget, value float64 // budget 0: there is none
	cpu           float64 // of value, the part that processors worked; 0: value is no time, or it is processor time
}

type results struct {
	mu  sync.Mutex
	all []result
}

// add keeps the last measurement of each budget: the one of the longest call.
func (r *results) add(m result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = slices.DeleteFunc(r.all, func(old result) bool { return old.what == m.what })
	r.all = append(r.all, m)
}

// table lists budget, measurement and factor.
func (r *results) table() string {
	if len(r.all) == 0 {
		return ""
	}
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "budget\tmeasured\tof it CPU\tfactor\t  what")
	for _, m := range r.all {
		limit, factor, cpu := "–", "–", "–"
		if m.budget > 0 {
			limit, factor = fmt.Sprintf("%.4g %s", m.budget, m.unit), fmt.Sprintf("%.2g", m.budget/m.value)
		}
		if m.cpu > 0 {
			cpu = fmt.Sprintf("%.3g %s", m.cpu, m.unit)
		}
		fmt.Fprintf(w, "%s\t%.3g %s\t%s\t%s\t  %s\n", limit, m.value, m.unit, cpu, factor, m.what)
	}
	_ = w.Flush()
	return "\n" + out.String()
}

// within measures a function again and again, and compares the median duration of a call with a budget.
func within(b *testing.B, what string, budget time.Duration, f func()) {
	b.Helper()
	b.ReportAllocs()
	var took []time.Duration
	used := cpuTime()
	for b.Loop() {
		began := time.Now()
		f()
		took = append(took, time.Since(began))
	}
	used = (cpuTime() - used) / time.Duration(len(took))
	report(b, what, budget, middle(took), used)
}

// report compares the duration of a call with a budget, 0 where there is none.
func report(b *testing.B, what string, budget, median, used time.Duration) {
	b.Helper()
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(median), "ms/median")
	b.ReportMetric(ms(used), "cpu-ms/op")
	if budget > 0 {
		b.ReportMetric(float64(budget)/float64(median), "budget/measured")
	}
	measured.add(result{what: what, unit: "ms", budget: ms(budget), value: ms(median), cpu: ms(used)})
}

func middle[T cmp.Ordered](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}

// kappa runs a command in a folder, as main does, and returns what it wrote to stdout and to stderr.
func kappa(tb testing.TB, dir string, want int, args ...string) (stdout, stderr string) {
	tb.Helper()
	var out, talk bytes.Buffer
	env := cli.Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &talk, Now: time.Now, CPU: cpuTime, Argv: append([]string{"kappa"}, args...),
		Getenv: func(name string) string {
			if name == "HOME" || name == "XDG_CACHE_HOME" {
				return dir
			}
			return ""
		},
		Getwd: func() (string, error) { return dir, nil },
	}
	if code := cli.Run(tb.Context(), args, env); code != want {
		tb.Fatalf("kappa %s ends with exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, &out, &talk)
	}
	return out.String(), talk.String()
}

// tmp is the folder of this call's histories.
var tmp struct {
	sync.Mutex
	dir  string
	made map[string]bool
}

// made returns the folder of a history, which make fills on the first call.
func made(b *testing.B, name string, fill func(tb testing.TB, dir string)) string {
	b.Helper()
	tmp.Lock()
	defer tmp.Unlock()
	if tmp.made == nil {
		tmp.made = make(map[string]bool)
	}
	parent := *keep
	if parent == "" {
		if tmp.dir == "" {
			dir, err := os.MkdirTemp("", "kappa-budget-")
			if err != nil {
				b.Fatal(err)
			}
			tmp.dir = dir
		}
		parent = tmp.dir
	}
	dir := filepath.Join(parent, name)
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return dir
	}
	if err := os.RemoveAll(dir); err != nil {
		b.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, ".kappa"), 0o755); err != nil {
		b.Fatal(err)
	}
	fill(b, dir)
	if err := os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644); err != nil {
		b.Fatal(err)
	}
	return dir
}
