package reports

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"kappa/store"
)

var cellIDs = regexp.MustCompile(`^[a-zA-Z0-9-_]{1,64}$`)

// checkNotebook checks a notebook against what the schema of nbformat 4.5 requires, and what it allows besides.
func checkNotebook(t *testing.T, data []byte) []map[string]any {
	t.Helper()
	var n map[string]any
	if err := json.Unmarshal(data, &n); err != nil {
		t.Fatal(err)
	}
	only := func(what string, m map[string]any, required ...string) {
		t.Helper()
		for _, k := range required {
			if _, ok := m[k]; !ok {
				t.Errorf("%s has no %s", what, k)
			}
		}
		if len(m) != len(required) {
			t.Errorf("%s has other keys than %q: %v", what, required, m)
		}
	}
	text := func(what string, v any) {
		t.Helper()
		lines, ok := v.([]any)
		for i, l := range lines {
			s, isText := l.(string)
			ok = ok && isText && (strings.HasSuffix(s, "\n") || i == len(lines)-1)
		}
		if !ok {
			t.Errorf("%s is no list of lines: %v", what, v)
		}
	}
	only("a notebook", n, "cells", "metadata", "nbformat", "nbformat_minor")
	if n["nbformat"] != 4.0 || n["nbformat_minor"] != 5.0 {
		t.Errorf("format %v.%v", n["nbformat"], n["nbformat_minor"])
	}
	meta := n["metadata"].(map[string]any)
	kernel, language := meta["kernelspec"].(map[string]any), meta["language_info"].(map[string]any)
	if kernel["name"] == nil || kernel["display_name"] == nil || language["name"] == nil {
		t.Errorf("metadata %v", meta)
	}
	var out []map[string]any
	seen := map[any]bool{}
	for _, c := range n["cells"].([]any) {
		c := c.(map[string]any)
		what := fmt.Sprint("cell ", c["id"])
		if id, ok := c["id"].(string); !ok || seen[id] || !cellIDs.MatchString(id) {
			t.Errorf("%s: no id, or another's", what)
		}
		seen[c["id"]] = true
		text(what, c["source"])
		if _, ok := c["metadata"].(map[string]any); !ok {
			t.Errorf("%s has no metadata", what)
		}
		switch c["cell_type"] {
		case "markdown":
			only(what, c, "cell_type", "id", "metadata", "source")
		case "code":
			only(what, c, "cell_type", "id", "metadata", "source", "execution_count", "outputs")
			for _, o := range c["outputs"].([]any) {
				o := o.(map[string]any)
				if o["output_type"] == "execute_result" {
					only(what, o, "output_type", "data", "metadata", "execution_count")
				} else {
					only(what, o, "output_type", "data", "metadata")
				}
				for kind, v := range o["data"].(map[string]any) {
					text(what+", "+kind, v)
				}
			}
		default:
			t.Errorf("%s is of type %v", what, c["cell_type"])
		}
		out = append(out, c)
	}
	return out
}

// lines joins the lines of a notebook's text.
func lines(v any) string {
	var b strings.Builder
	for _, l := range v.([]any) {
		b.WriteString(l.(string))
	}
	return b.String()
}

// TestNotebook checks the notebook of a report with a cell of every kind.
func TestNotebook(t *testing.T) {
	d := buildSmall(t)
	e, err := d.Notebook("", true)
	if err != nil || len(e.Warnings) > 0 || e.Name != "small.ipynb" {
		t.Fatal(e.Name, e.Warnings, err)
	}
	again, err := buildSmall(t).Notebook(".", true)
	if err != nil || !bytes.Equal(e.Data, again.Data) {
		t.Errorf("written twice, it differs: %v", err)
	}
	var ids []string
	for _, c := range checkNotebook(t, e.Data) {
		id := c["id"].(string)
		ids = append(ids, id)
		source := lines(c["source"])
		switch id {
		case "fig-curves":
			if strings.Contains(source, "![") || !strings.HasPrefix(source, "**Figure 1.**") {
				t.Errorf("the caption is %q", source)
			}
		case "fig-curves-data":
			outputs := c["outputs"].([]any)
			svg := lines(outputs[0].(map[string]any)["data"].(map[string]any)["image/svg+xml"])
			rows := lines(outputs[1].(map[string]any)["data"].(map[string]any)["text/html"])
			picture := lines(outputs[0].(map[string]any)["data"].(map[string]any)["text/html"])
			if !strings.HasPrefix(picture, `<img alt="fig-curves.svg" src="data:image/svg+xml;base64,`) {
				t.Errorf("an untrusted notebook shows %.80s", picture)
			}
			if svg != string(d.file("fig-curves.svg")) || !strings.Contains(rows, "<p>24 rows × 3 columns</p>") {
				t.Errorf("the outputs are %.80s and %.80s", svg, rows)
			}
			want := "fig_curves = read(\"fig-curves.csv\", \"SELECT line FROM attacks\")\nshow(\"fig-curves.svg\")\nfig_curves"
			if source != want {
				t.Errorf("the code is %q", source)
			}
		case "setup":
			if hidden := c["metadata"].(map[string]any)["jupyter"]; hidden == nil {
				t.Error("the first cell is not folded away")
			}
		}
	}
	want := "head setup prose-1 tab-by-method tab-by-method-data tab-limited tab-limited-data fig-curves fig-curves-data fig-map fig-map-data " +
		"claim-immunizes claim-matches claim-ranking claim-undecided claims warnings provenance"
	if got := strings.Join(ids, " "); got != want {
		t.Errorf("the cells are %s", got)
	}
	elsewhere, err := d.Notebook("../exp", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`[small.toml](../exp/small.toml)`, `([CSV](../exp/small_files/tab-by-method.csv))`, `pathlib.Path(\"../exp\")`} {
		if !bytes.Contains(elsewhere.Data, []byte(want)) {
			t.Errorf("a notebook elsewhere has no %s", want)
		}
	}
}

// TestNotebookHostile checks that tags are text in a notebook, that text with a link to a script is shown as its source, and that an id
// too long for a cell is cut.
func TestNotebookHostile(t *testing.T) {
	s, f, o := small()
	s.Cells[0].Text = "a <script>alert(1)</script>"
	s.Cells[5].Text = "[x](javascript:alert(1)) ```"
	s.Cells[2].ID = strings.Repeat("x", 100)
	d, err := Build(t.Context(), s, f, o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Notebook("", true)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, c := range checkNotebook(t, e.Data) {
		switch id := c["id"].(string); {
		case id == "prose-1":
			if got := lines(c["source"]); got != "a &lt;script>alert(1)&lt;/script>" {
				t.Errorf("the tags are %q", got)
			}
			found++
		case id == "claim-immunizes":
			if got := lines(c["source"]); !strings.HasPrefix(got, "````\n> **Claim.** [x](javascript") || !strings.HasSuffix(got, "\n````") {
				t.Errorf("the link is %q", got)
			}
			found++
		case strings.HasPrefix(id, "tab-xxx"):
			found++
		}
	}
	if found != 4 || len(e.Warnings) != 1 {
		t.Errorf("%d cells, warnings %q", found, e.Warnings)
	}
}

// TestNotebookRuns executes a notebook: its queries of the database, and its CSV files without one, give what the report says.
func TestNotebookRuns(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not there, by which notebooks are executed")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, ".kappa", "runs.db")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), path, store.Options{Holder: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s := panel(t)
	plan, settings := panelPlan(t, s)
	fill(t, db, s, plan, settings)
	src, err := db.OpenReport(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	d, err := Build(t.Context(), s, src, Options{Plan: plan})
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Notebook("", true)
	if err != nil {
		t.Fatal(err)
	}
	checkNotebook(t, e.Data)
	if err := os.WriteFile(filepath.Join(dir, e.Name), e.Data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	execute := func() (out struct {
		Rows  map[string][][]any
		Shown []string
	},
	) {
		t.Helper()
		here, err := filepath.Abs("testdata/python")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), python, filepath.Join(here, "execute.py"), e.Name)
		cmd.Dir = dir
		cmd.Env = []string{"PYTHONPATH=" + here, "PATH=" + os.Getenv("PATH"), "PYTHONDONTWRITEBYTECODE=1"}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		text, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr.Bytes())
		}
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	compare := func(rows map[string][][]any) {
		t.Helper()
		const tables = 6 // five of cells, one behind a reference
		if len(rows) != tables {
			t.Errorf("%d tables", len(rows))
		}
		for id, got := range rows {
			name := strings.Replace(strings.TrimSuffix(id, "-data"), "-reference", ".reference", 1) + ".csv"
			want, err := csv.NewReader(bytes.NewReader(d.file(name))).ReadAll()
			if err != nil || len(got) != len(want) {
				t.Errorf("%s: %d rows, want %d, %v", id, len(got), len(want), err)
				continue
			}
			for i := range want {
				for j := range want[i] {
					if !sameValue(got[i][j], want[i][j]) {
						t.Errorf("%s, row %d, %s: %v, want %s", id, i, want[0][j], got[i][j], want[i][j])
					}
				}
			}
		}
	}
	first := execute()
	compare(first.Rows)
	if len(first.Shown) > 0 {
		t.Errorf("shown without files: %q", first.Shown)
	}
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, d, WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	second := execute()
	compare(second.Rows)
	const figures = 4
	if len(second.Shown) != figures {
		t.Errorf("shown: %q", second.Shown)
	}
}

// sameValue compares what Python gave with a field of a CSV file, whose numbers have twelve digits.
func sameValue(got any, want string) bool {
	if got == nil {
		return want == ""
	}
	x, ok := got.(float64)
	if !ok {
		return got == want
	}
	y, err := strconv.ParseFloat(want, 64)
	const digits = 1e-11
	return err == nil && math.Abs(x-y) <= digits*math.Abs(y)
}

// TestShortKeys checks that the beginnings of keys tell them apart.
func TestShortKeys(t *testing.T) {
	for _, keys := range [][]string{{}, {strings.Repeat("a", 64), "b" + strings.Repeat("a", 63)}, {key(0), key(1)}, {"x"}} {
		var plan []store.PlanRow
		for _, k := range keys {
			plan = append(plan, store.PlanRow{Key: k})
		}
		seen := map[string]bool{}
		for i, s := range shortKeys(plan) {
			if seen[s] || !strings.HasPrefix(keys[i], s) {
				t.Errorf("%q of %q", s, keys)
			}
			seen[s] = true
		}
	}
	if got := shortKeys([]store.PlanRow{{Key: strings.Repeat("a", 64)}}); len(got[0]) != keyDigits {
		t.Errorf("%q", got)
	}
}
