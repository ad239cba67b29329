package notebook

import (
	_ "embed"
	"encoding/json"
	"strings"
)

//go:embed setup.py
var setup string

// Plan is the runs that a notebook's queries are about.
type Plan struct {
	Name  string   // of the experiment
	Base  string   // the way from the notebook to the report's folder, with slashes; "" is none
	Paths []string // swept
	Runs  []Run
}

// Run is one run of a plan: where its key begins, enough to tell it, and its value of each path, as JSON.
type Run struct {
	Key    string
	Values []json.RawMessage
}

// Setup is the Python that a notebook's queries need: read(file, sql) and show(file), which find the database or, without one, the
// report's files.
func Setup(p Plan) (string, error) {
	paths, err := json.Marshal(append([]string{}, p.Paths...))
	if err != nil {
		return "", err
	}
	plan := make([]string, len(p.Runs))
	for i, r := range p.Runs {
		line, err := json.Marshal([]any{r.Key, append([]json.RawMessage{}, r.Values...)})
		if err != nil {
			return "", err
		}
		// What would end the string of Python, or part the line, is written as JSON's escape, whose backslash Python takes one of.
		text := strings.ReplaceAll(string(line), `\`, `\\`)
		text = strings.ReplaceAll(text, `'`, `\\u0027`)
		plan[i] = strings.ReplaceAll(text, " ", `\\u0020`)
	}
	base := p.Base
	if base == "" {
		base = "."
	}
	return strings.NewReplacer(
		"{{name}}", Literal(p.Name), "{{base}}", Literal(base), "{{paths}}", string(paths), "{{plan}}", strings.Join(plan, "\n"),
	).Replace(setup), nil
}
