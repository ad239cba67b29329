package experiments

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// TestSchemaAgrees holds the loader and the schema together: what the loader accepts, in canonical form, the schema accepts;
// and what is wrong within one key or one cell, both refuse.
func TestSchemaAgrees(t *testing.T) {
	v := newValidator(t)
	example, err := os.ReadFile("testdata/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(example), string(mustParse(t, everything).Canonical()), head} {
		if err := v.validate(decode(t, text)); err != nil {
			t.Errorf("%v\nin\n%s", err, text)
		}
	}
	cell := func(text string) string { return head + "[[cell]]\n" + text }
	for _, text := range []string{
		strings.TrimPrefix(head, "title = \"t\"\n"),
		head + "train.stepz = 1",
		head + "train.steps = 1.5",
		head + "train.steps = -1",
		head + "train.learning_rate = 0.0",
		head + "train.lambda_primary = 'balanced'",
		head + "train.trace = 0",
		head + "trian.x = 1",
		head + "harmful.dataset_x = 1",
		head + "[[attack]]\nsteps = 3",
		head + "[[attack]]\nmethod = 'gd'",
		head + "synthetic.spectrum_primary = [1, -1]",
		head + "[sweep]\n'train.steps' = []",
		head + "[sweep]\n'train.steps' = [1, 1]",
		head + "[sweep]\n'train.steps' = 1",
		head + "[sweep]\n'train.stepz' = [1]",
		head + "[sweep]\n'attack.steps' = [1]",
		head + "[sweep]\ndistinct = ['primary.class', 'harmful.class']",
		head + "[[override]]\nset = { 'train.steps' = 1 }",
		head + "[[override]]\nwhen = {}\nset = { 'train.steps' = 1 }",
		cell("text = 'x'"),
		cell("kind = 'prose'"),
		cell("kind = 'prose'\ntext = ' '"),
		cell("kind = 'prose'\ntext = 'a'\nid = 'x'"),
		cell("kind = 'table'\nid = 'A'\nsql = 'q'"),
		cell("kind = 'table'\nid = 'a'\nsql = 'q'\nformat = { a = 'sig' }"),
		cell("kind = 'figure'\nid = 'a'\nsql = 'q'\ntype = 'line'\nx = 'x'"),
		cell("kind = 'figure'\nid = 'a'\nsql = 'q'\ntype = 'line'\nx = 'x'\ny = 'y'\nz = 'z'"),
		cell("kind = 'figure'\nid = 'a'\nsql = 'q'\ntype = 'line'\nx = 'x'\ny = 'y'\nlow = 'l'"),
		cell("kind = 'claim'\nid = 'a'\nsql = 'q'\ntext = 't'\nop = '<'\nexpect = [1, 2]"),
		cell("kind = 'claim'\nid = 'a'\nsql = 'q'\ntext = 't'\nop = '<'\nexpect = 1\ntolerance = 0.1"),
		cell("kind = 'claim'\nid = 'a'\nsql = 'q'\ntext = 't'\nop = 'within'\nexpect = 1"),
		cell("kind = 'claim'\nid = 'a'\nsql = 'q'\ntext = 't'\nop = 'order'\nexpect = [1]"),
		cell("kind = 'claim'\nid = 'a'\nsql = 'q'\ntext = 't'\nop = '<'\nexpect = 1\nknown = 'not reproduced'"),
		cell("kind = 'claim'\nid = 'a'\nsql = 'q'\ntext = 't'\nop = '<'\nexpect = 1\npaper = { where = 'x' }"),
	} {
		if _, err := Parse("x.toml", []byte(text), testCatalog()); err == nil {
			t.Errorf("the loader accepts\n%s", text)
		}
		if err := v.validate(decode(t, text)); err == nil {
			t.Errorf("the schema accepts\n%s", text)
		}
	}
}

func TestReferenceNamesEveryKey(t *testing.T) {
	text := Reference(testCatalog())
	table := newKeyTable(testCatalog())
	var want []string
	for _, k := range table.keys {
		_, name, _ := strings.Cut(k.Path, ".")
		want = append(want, "| `"+name+"` |")
	}
	for _, k := range cellKeys() {
		want = append(want, "| `"+k.Path+"` |")
	}
	for _, e := range table.entries() {
		want = append(want, "| `"+e.Name+"` |")
	}
	want = append(want, "| `title` |", "| `distinct` |", "| `when` |", "| `set` |")
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no row %s in\n%s", w, text)
		}
	}
	golden(t, "testdata/reference.md", text)
}

func TestUpdateReference(t *testing.T) {
	first, err := UpdateReference([]byte("# Head\n"+beginReference+"old\n"+endReference+"tail\n"), testCatalog())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(first), "# Head\n") || !strings.HasSuffix(string(first), "tail\n") || strings.Contains(string(first), "old\n") {
		t.Errorf("got\n%s", first)
	}
	second, err := UpdateReference(first, testCatalog())
	if err != nil || string(second) != string(first) {
		t.Errorf("no fixed point, %v", err)
	}
	for _, text := range []string{"", beginReference, endReference + beginReference} {
		if _, err := UpdateReference([]byte(text), testCatalog()); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// TestReadme: the examples in README.md are accepted, and its markers are there.
func TestReadme(t *testing.T) {
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := UpdateReference(data, testCatalog()); err != nil {
		t.Error(err)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(string(data), -1)
	if len(blocks) < 5 {
		t.Fatalf("%d examples", len(blocks))
	}
	for _, b := range blocks {
		text := b[1]
		if !strings.HasPrefix(text, "title") {
			text = head + text
		}
		if strings.Contains(text, "[harmful]") {
			text = strings.Replace(text, `harmful = { dataset = "digits", class = 8 }`, "", 1)
		}
		if strings.Contains(text, "[primary]") {
			text = strings.Replace(text, `primary = { dataset = "digits", class = 3 }`, "", 1)
		}
		if _, err := Parse("README.md", []byte(text), testCatalog()); err != nil {
			t.Errorf("%v\nin\n%s", err, text)
		}
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	var root map[string]any
	if err := toml.Unmarshal([]byte(text), &root); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	// Through JSON, for the types that a schema is about.
	data, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// validator knows the keywords of JSON Schema that [Schema] uses and fails on others.
type validator struct {
	t    *testing.T
	root map[string]any
}

func newValidator(t *testing.T) validator {
	t.Helper()
	v := validator{t: t}
	if err := json.Unmarshal(Schema(testCatalog()), &v.root); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v validator) validate(x any) error { return v.check(v.root, x) }

func (v validator) check(schema map[string]any, x any) error {
	for word, arg := range schema {
		var err error
		switch word {
		case "$schema", "title", "description", "default", "$defs", "patternProperties":
		case "additionalProperties": // with properties, see there
			if m, ok := x.(map[string]any); ok && schema["properties"] == nil {
				err = v.object(schema, "properties", map[string]any{}, m)
			}
		case "$ref":
			err = v.check(v.root["$defs"].(map[string]any)[strings.TrimPrefix(arg.(string), "#/$defs/")].(map[string]any), x)
		case "type":
			types, ok := arg.([]any)
			if !ok {
				types = []any{arg}
			}
			if !slices.ContainsFunc(types, func(t any) bool { return hasType(x, t.(string)) }) {
				err = fmt.Errorf("%v is no %v", x, arg)
			}
		case "enum":
			if !slices.ContainsFunc(arg.([]any), func(e any) bool { return reflect.DeepEqual(e, x) }) {
				err = fmt.Errorf("%v is none of %v", x, arg)
			}
		case "const":
			if !reflect.DeepEqual(arg, x) {
				err = fmt.Errorf("%v is not %v", x, arg)
			}
		case "anyOf", "oneOf":
			matches := 0
			var all []string
			for _, s := range arg.([]any) {
				if e := v.check(s.(map[string]any), x); e == nil {
					matches++
				} else {
					all = append(all, e.Error())
				}
			}
			if matches == 0 || word == "oneOf" && matches > 1 {
				err = fmt.Errorf("%v matches %d: %s", x, matches, strings.Join(all, "; "))
			}
		case "minimum", "exclusiveMinimum", "maximum":
			if n, ok := x.(float64); ok {
				bound := arg.(float64)
				if word == "minimum" && n < bound || word == "exclusiveMinimum" && n <= bound || word == "maximum" && n > bound {
					err = fmt.Errorf("%v against %s %v", x, word, arg)
				}
			}
		case "pattern":
			if s, ok := x.(string); ok && !regexp.MustCompile(arg.(string)).MatchString(s) {
				err = fmt.Errorf("%q against %s", s, arg)
			}
		case "minItems", "uniqueItems", "items":
			if list, ok := x.([]any); ok {
				err = v.list(word, arg, list)
			}
		case "properties", "required", "dependentRequired", "minProperties":
			if m, ok := x.(map[string]any); ok {
				err = v.object(schema, word, arg, m)
			}
		default:
			v.t.Fatalf("unknown keyword %s", word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v validator) list(word string, arg any, list []any) error {
	switch word {
	case "minItems":
		if len(list) < int(arg.(float64)) {
			return fmt.Errorf("%d items", len(list))
		}
	case "uniqueItems":
		for i, a := range list {
			if slices.ContainsFunc(list[:i], func(b any) bool { return reflect.DeepEqual(a, b) }) {
				return fmt.Errorf("%v twice", a)
			}
		}
	default:
		for _, e := range list {
			if err := v.check(arg.(map[string]any), e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v validator) object(schema map[string]any, word string, arg any, m map[string]any) error {
	switch word {
	case "minProperties":
		if len(m) < int(arg.(float64)) {
			return fmt.Errorf("%d properties", len(m))
		}
	case "required":
		for _, r := range arg.([]any) {
			if _, ok := m[r.(string)]; !ok {
				return fmt.Errorf("no %v", r)
			}
		}
	case "dependentRequired":
		for key, others := range arg.(map[string]any) {
			if _, ok := m[key]; ok {
				if err := v.object(schema, "required", others, m); err != nil {
					return err
				}
			}
		}
	default:
		patterns, _ := schema["patternProperties"].(map[string]any)
		for key, value := range m {
			s, known := arg.(map[string]any)[key].(map[string]any)
			for p, ps := range patterns {
				if !known && regexp.MustCompile(p).MatchString(key) {
					s, known = ps.(map[string]any), true
				}
			}
			if extra, ok := schema["additionalProperties"].(map[string]any); !known && ok {
				s, known = extra, true
			}
			if !known {
				return fmt.Errorf("unknown key %s", key)
			}
			if err := v.check(s, value); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	return nil
}

func hasType(x any, name string) bool {
	switch x := x.(type) {
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && x == math.Trunc(x)
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}
