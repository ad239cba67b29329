package notebook

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEncode checks the bytes: those that Jupyter itself would write.
func TestEncode(t *testing.T) {
	got, err := Encode([]Cell{
		{ID: "a", Source: "# <b> & é\n\ntext\n"},
		{ID: "b-1", Code: true, Hidden: true, Source: "1", Outputs: []Output{{Result: true, Data: map[string]string{"text/plain": "1"}}, {Data: map[string]string{"text/plain": ""}}}},
		{ID: "c", Code: true},
	}, map[string]any{"kappa": map[string]any{"x": "y"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "cells": [
  {
   "cell_type": "markdown",
   "id": "a",
   "metadata": {},
   "source": [
    "# <b> & é\n",
    "\n",
    "text\n"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "b-1",
   "metadata": {
    "jupyter": {
     "source_hidden": true
    }
   },
   "outputs": [
    {
     "data": {
      "text/plain": [
       "1"
      ]
     },
     "execution_count": null,
     "metadata": {},
     "output_type": "execute_result"
    },
    {
     "data": {
      "text/plain": []
     },
     "metadata": {},
     "output_type": "display_data"
    }
   ],
   "source": [
    "1"
   ]
  },
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "c",
   "metadata": {},
   "outputs": [],
   "source": []
  }
 ],
 "metadata": {
  "kappa": {
   "x": "y"
  },
  "kernelspec": {
   "display_name": "Python 3",
   "language": "python",
   "name": "python3"
  },
  "language_info": {
   "name": "python"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, ids := range [][]string{{""}, {"a b"}, {"a", "a"}, {strings.Repeat("a", 65)}, {"ä"}} {
		var cells []Cell
		for _, id := range ids {
			cells = append(cells, Cell{ID: id})
		}
		if _, err := Encode(cells, nil); err == nil {
			t.Errorf("%q was taken", ids)
		}
	}
}

// TestTable checks what of a table is shown.
func TestTable(t *testing.T) {
	o, err := Table([]byte("a,b\n1,<x>\n,\"2,\n3\"\n"))
	if err != nil || o.Data["text/plain"] != "2 rows × 2 columns" || !o.Result {
		t.Fatal(o, err)
	}
	for _, want := range []string{"<th>b</th>", "<td>&lt;x&gt;</td>", "<td></td>\n      <td>2,\n3</td>", "<th>1</th>"} {
		if !strings.Contains(o.Data["text/html"], want) {
			t.Errorf("no %q in %s", want, o.Data["text/html"])
		}
	}
	o, err = Table([]byte("a\n" + strings.Repeat("7\n", shownRows)))
	if err != nil || strings.Count(o.Data["text/html"], "<td>7</td>") != shownRows {
		t.Errorf("%d rows are not all shown: %v", shownRows, err)
	}
	o, err = Table([]byte("a\n" + strings.Repeat("7\n", shownRows+1)))
	if err != nil || strings.Count(o.Data["text/html"], "<td>7</td>") != 2*endRows || !strings.Contains(o.Data["text/html"], "<th>...</th>") ||
		!strings.Contains(o.Data["text/html"], "<th>60</th>") {
		t.Errorf("of %d rows: %s, %v", shownRows+1, o.Data["text/html"], err)
	}
	for _, bad := range []string{"", "a\n\"", "a\n1,2\n"} {
		if _, err := Table([]byte(bad)); err == nil {
			t.Errorf("%q is a table", bad)
		}
	}
}

// hostile are texts that could end a string of Python.
var hostile = []string{"", "a", `"`, `"""`, "a\nb", "a\n\"", "a\n\\", "a\n\"\"\"b", `\`, "'", "\t", "é😀\u2028", "a'''b", `\u0041`, "{{plan}}", "\r\n", "{{name}}"}

// TestPython checks that strings and plans come out of Python as they went in, and the statistics as engine/summary has them.
func TestPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not there, by which notebooks are executed")
	}
	plan := Plan{Name: hostile[3], Base: "a'b\\", Paths: hostile}
	var literals []string
	for i, s := range hostile {
		literals = append(literals, Literal(s))
		value, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		plan.Runs = append(plan.Runs, Run{Key: strings.Repeat("a", i), Values: []json.RawMessage{value, json.RawMessage("[1, 2.5, null]")}})
	}
	setup, err := Setup(plan)
	if err != nil {
		t.Fatal(err)
	}
	setup, _, _ = strings.Cut(setup, "\nDB = ")
	code := "import sys, types\nsys.modules['pandas'] = types.ModuleType('pandas')\n" + setup + `
print(json.dumps({"literals": [` + strings.Join(literals, ", ") + `], "plan": PLAN, "paths": PATHS, "name": NAME, "here": str(HERE),
  "student": [student(n) for n in (1, 2, 3, 4, 9, 10, 99, 1000)], "ci": [ci95([1, 2, 4]), ci95([1]), stddev([2, 4, 4, 4, 5, 5, 7, 9])],
  "quantile": [quantile([3, 1, 2, 10], p) for p in (0, 0.25, 0.5, 0.9, 1)]}))
`
	cmd := exec.CommandContext(t.Context(), python, "-")
	cmd.Stdin = strings.NewReader(code)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got struct {
		Literals, Paths       []string
		Plan                  [][]any
		Name, Here            string
		Student, CI, Quantile []any
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := [][]any{}
	for i, s := range hostile {
		want = append(want, []any{strings.Repeat("a", i), []any{s, []any{1.0, 2.5, nil}}})
	}
	for what, pair := range map[string][2]any{
		"literals": {hostile, got.Literals}, "paths": {hostile, got.Paths}, "name": {plan.Name, got.Name}, "here": {plan.Base, got.Here}, "plan": {want, got.Plan},
		// SciPy: scipy.stats.t.ppf(0.975, n)
		"student": {[]float64{12.7062047364, 4.3026527297, 3.1824463053, 2.7764451052, 2.2621571628, 2.2281388520, 1.9842169516, 1.9623390808}, got.Student},
		// 4.30265272991 × 1.52752523165 / √3; none of one number; 32/7 under a root
		"ci":       {[]any{3.7945830336, nil, 2.1380899353}, got.CI},
		"quantile": {[]float64{1, 1.75, 2.5, 7.9, 10}, got.Quantile},
	} {
		if diff := cmp.Diff(rounded(pair[0]), rounded(pair[1])); diff != "" {
			t.Errorf("%s: -want +got:\n%s", what, diff)
		}
	}
}

// rounded writes any value with its numbers rounded.
func rounded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var list []any
	if json.Unmarshal(b, &list) == nil {
		for i, x := range list {
			if f, ok := x.(float64); ok {
				const digits = 1e9
				list[i] = float64(int64(f*digits+0.5)) / digits
			}
		}
		b, _ = json.Marshal(list)
	}
	return string(b)
}
