package experiments

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// object is a JSON object; its keys are written in alphabetical order.
type object = map[string]any

// Schema returns a JSON Schema (2020-12) of the spec, for editors: the keys, types, ranges and names of the catalog and the
// keys that each kind of cell has. It is a little stricter than the loader in form (key paths in [sweep] and [[override]] are
// quoted) and weaker in meaning (nothing that concerns two keys of different tables).
func Schema(cat Catalog) []byte {
	t := newKeyTable(cat)
	properties := object{}
	for _, k := range topKeys() {
		properties[k.Path] = k.schema()
	}
	properties["title"] = object{"type": "string", "pattern": `\S`, "description": topKeys()[0].Doc}
	for _, name := range t.tables {
		properties[name] = t.tableSchema(name)
	}
	attack := t.tableSchema("attack")
	attack["required"] = []string{"method"}
	properties["attack"] = object{"type": "array", "items": attack}

	values := t.pathSchema(func(k Key) object {
		return object{"type": "array", "minItems": 1, "uniqueItems": true, "items": k.schema(), "description": k.Doc}
	})
	values["properties"].(object)["distinct"] = object{
		"type":        "array",
		"items":       object{"type": "array", "minItems": 2, "uniqueItems": true, "items": object{"type": "string"}},
		"description": sweepKeys()[0].Doc,
	}
	properties["sweep"] = values
	properties["override"] = object{"type": "array", "items": object{
		"type": "object", "additionalProperties": false, "required": []string{"when", "set"},
		"properties": object{
			"when": object{"$ref": "#/$defs/settings", "description": sweepKeys()[1].Doc},
			"set":  object{"$ref": "#/$defs/settings", "description": sweepKeys()[2].Doc},
		},
	}}
	axes := t.pathSchema(func(k Key) object {
		return object{"type": "array", "minItems": 1, "uniqueItems": true, "items": k.schema(), "description": k.Doc}
	})
	axes["description"] = sweepKeys()[5].Doc
	properties["variant"] = object{"type": "array", "items": object{
		"type": "object", "additionalProperties": false, "required": []string{"name"},
		"properties": object{
			"name":  object{"type": "string", "pattern": `\S`, "description": sweepKeys()[3].Doc},
			"set":   object{"$ref": "#/$defs/settings", "description": sweepKeys()[4].Doc},
			"sweep": axes,
		},
	}}
	properties["cell"] = object{"type": "array", "items": object{"oneOf": cellSchemas()}}

	settings := t.pathSchema(func(k Key) object { return k.schema() })
	settings["minProperties"] = 1
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(object{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "kappa experiment",
		"type": "object", "required": []string{"title"}, "additionalProperties": false, "properties": properties,
		"$defs": object{"settings": settings},
	})
	if err != nil {
		panic("experiments: schema: " + err.Error()) // finite numbers and strings always encode
	}
	return b.Bytes()
}

// tableSchema describes a table of settings with the tables inside it.
func (t *keyTable) tableSchema(name string) object {
	properties := object{}
	for _, k := range t.under(name) {
		rest := strings.TrimPrefix(k.Path, name+".")
		first, _, deeper := strings.Cut(rest, ".")
		if deeper {
			if _, ok := properties[first]; !ok {
				properties[first] = t.tableSchema(name + "." + first)
			}
			continue
		}
		properties[first] = k.schema()
		if len(t.under(k.Path)) > 0 {
			properties[first] = object{"anyOf": []any{k.schema(), t.tableSchema(k.Path)}}
		}
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties}
}

// pathSchema describes a table whose keys are key paths.
func (t *keyTable) pathSchema(value func(Key) object) object {
	properties, patterns := object{}, object{}
	for _, k := range t.keys {
		if name, ok := strings.CutPrefix(k.Path, "attack."); ok {
			patterns[`^attack\.(0|[1-9][0-9]*)\.`+strings.ReplaceAll(name, ".", `\.`)+"$"] = value(k)
			continue
		}
		properties[k.Path] = value(k)
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties, "patternProperties": patterns}
}

// schema describes the values of a key.
func (k Key) schema() object {
	var options []any
	for _, t := range k.Types {
		switch t {
		case String:
			o := object{"type": "string"}
			if len(k.Enum) > 0 {
				o["enum"] = k.Enum
			}
			options = append(options, o)
		case Bool:
			options = append(options, object{"type": "boolean"})
		case Int:
			options = append(options, k.bounded(object{"type": "integer"}))
		case Float:
			options = append(options, k.bounded(object{"type": "number"}))
		case List:
			elem := Key{Types: []Type{k.Elem}, Enum: k.Enum, Min: k.Min, Max: k.Max, Open: k.Open}
			options = append(options, object{"type": "array", "items": elem.schema()})
		case Any:
			options = append(options, object{"type": []string{"string", "number", "boolean"}})
		}
	}
	out := object{"anyOf": options}
	if len(options) == 1 {
		out = options[0].(object)
	}
	if k.Doc != "" {
		out["description"] = k.Doc
	}
	if k.Default != nil {
		out["default"] = k.Default
	}
	return out
}

// bounded adds the range of a number.
func (k Key) bounded(o object) object {
	if k.Min != nil {
		if k.Open {
			o["exclusiveMinimum"] = *k.Min
		} else {
			o["minimum"] = *k.Min
		}
	}
	if k.Max != nil {
		o["maximum"] = *k.Max
	}
	return o
}

// cellSchemas describes the cells: one schema for each kind, type of figure, and way of comparing in a claim.
func cellSchemas() []any {
	out := []any{cellSchema(Prose, "", nil), cellSchema(Table, "", nil)}
	for _, figure := range figureTypes {
		out = append(out, cellSchema(Figure, figure, nil))
	}
	number, list := numberType, []Type{List}
	for _, c := range []struct {
		ops    []string
		expect []Type
	}{
		{[]string{"<", "<=", ">", ">=", "="}, number},
		{[]string{"within", "ratio"}, number},
		{[]string{"order"}, list},
	} {
		relative := slices.Contains(c.ops, "within")
		out = append(out, cellSchema(Claim, "", func(k Key) (o object, required, drop bool) {
			switch k.Path {
			case "op":
				k.Enum = c.ops
			case "expect":
				k.Types = c.expect
				o = k.schema()
				if slices.Contains(c.expect, List) {
					o["minItems"] = 2
				}
				return o, true, false
			case "tolerance":
				return k.schema(), relative, !relative
			}
			return k.schema(), false, false
		}))
	}
	return out
}

// cellSchema describes the cells of one kind; special, if not nil, gives the schema of a key, whether it is required
// besides, and whether it is left out.
func cellSchema(kind CellKind, figure string, special func(Key) (o object, required, drop bool)) object {
	properties := object{}
	var required []string
	for _, k := range cellKeys() {
		if !k.applies(kind, figure) {
			continue
		}
		o, must, drop := k.schema(), false, false
		if special != nil {
			o, must, drop = special(k.Key)
		}
		if drop {
			continue
		}
		switch k.Path {
		case "kind":
			o = object{"const": string(kind)}
		case "type":
			o = object{"const": figure}
		case "id":
			o["pattern"] = idPattern.String()
		case "format":
			o = object{"type": "object", "additionalProperties": object{"type": "string", "pattern": formatPattern.String()}, "description": k.Doc}
		case "paper":
			o = object{
				"type": "object", "additionalProperties": false, "required": []string{"value"}, "description": k.Doc,
				"properties": object{"value": object{"type": "number"}, "where": object{"type": "string"}},
			}
		default:
			if o["type"] == "string" && o["enum"] == nil {
				o["pattern"] = `\S`
			}
		}
		properties[k.Path] = o
		if must || k.required(kind, figure) {
			required = append(required, k.Path)
		}
	}
	out := object{"type": "object", "additionalProperties": false, "properties": properties, "required": required}
	switch kind {
	case Claim:
		out["dependentRequired"] = object{"known": []string{"because"}, "because": []string{"known"}}
	case Figure:
		out["dependentRequired"] = object{"low": []string{"high"}, "high": []string{"low"}}
	}
	return out
}
