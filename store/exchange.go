package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Runs travel between databases as rows under natural keys: runs by key, attempts by run and number, versions of specs by name and
// hash, provenance by hash. What means something inside one file alone (ids, leases, which attempt is shown) stays behind, and each
// column that a later schema adds travels without a change here.

// ErrRefused says that a file is no export, or not a sound one.
var ErrRefused = errors.New("it cannot be imported")

// exchangeFormat is the version of the JSON lines; a reader refuses a later one.
const exchangeFormat = 1

// inside are the columns of a table that mean something in its own file alone, or are written by hand.
var inside = map[string][]string{
	"experiment":       {"id", "touched"},
	"experiment_runs":  {"experiment", "ordinal", "run"},
	"provenance":       {"id"},
	"run":              {"id", "shown", "removed"},
	"param":            {"run"},
	"dependency":       {"run", "needs"},
	"attempt":          {"id", "run", "provenance", "holder", "lease", "beat", "seq"},
	"metric":           {"attempt"},
	"condition_number": {"attempt"},
	"attack":           {"attempt"},
	"result":           {"attempt"},
	"artifact":         {"attempt", "path"},
	"digest":           {},
	"evaluation":       {"id", "experiment"},
	"claim":            {"evaluation", "ordinal"},
}

// figureTables hold what an attempt has measured: two attempts with the same rows there have the same figures.
var figureTables = []string{"metric", "condition_number", "attack", "result"}

// exchangeFiles is the table of an exported database that holds the content of artifacts, in pieces.
const exchangeFiles = "exported_file"

const createExchangeFiles = `CREATE TABLE ` + exchangeFiles + ` (   -- the content of artifacts
	digest  TEXT NOT NULL,                                           -- SHA-256 of the whole
	ordinal INTEGER NOT NULL,                                        -- 0, 1, …
	data    BLOB NOT NULL,
	PRIMARY KEY (digest, ordinal)
) STRICT, WITHOUT ROWID`

// pieceBytes is the size of a piece of a file.
const pieceBytes = 1 << 20

// field is a column that travels.
type field struct {
	name, kind string // kind: INTEGER, REAL, TEXT, BLOB, ANY
}

// names are the names of fields.
func names(fields []field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name
	}
	return out
}

// list writes the columns of fields, each with a prefix, as SQL has them.
func list(fields []field, prefix string) string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = prefix + quoteName(f.name)
	}
	return strings.Join(out, ", ")
}

// travelling lists the columns of each table that travel, in the order of the schema.
func travelling(ctx context.Context, q querier) (map[string][]field, error) {
	out := make(map[string][]field, len(inside))
	for table, stay := range inside {
		err := each(ctx, q, "SELECT name, type FROM pragma_table_info(?) ORDER BY cid", []any{table}, func(scan func(...any) error) error {
			var f field
			err := scan(&f.name, &f.kind)
			if err == nil && !slices.Contains(stay, f.name) {
				out[table] = append(out[table], f)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// checkValue says what is wrong with a value of a row that comes from elsewhere, beyond what the schema's own constraints refuse.
func checkValue(table, column string, v any) error {
	text, isText := v.(string)
	if v == nil || !isText {
		return nil // the schema knows where there must be one
	}
	switch table {
	case "metric", "condition_number", "param":
		return nil // any text will do, and these are many
	}
	switch table + "." + column {
	case "run.key", "run.train_key", "run.kin", "experiment.hash", "provenance.hash", "artifact.digest", "provenance.diff_hash":
		if err := checkKey(text); err != nil {
			return fmt.Errorf("%s %s: 64 lower-case hexadecimal digits are accepted, not %.80q", table, column, text)
		}
	case "experiment.recorded", "attempt.started", "attempt.finished", "evaluation.evaluated", "digest.recorded":
		if _, err := time.Parse(timeFormat, text); err != nil {
			return fmt.Errorf("%s %s: a time such as 2026-03-01T12:00:00.000Z is accepted, not %.80q", table, column, text)
		}
	case "run.tags", "provenance.argv", "provenance.modules":
		var list []string
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			return fmt.Errorf("%s %s: a JSON array of texts is accepted, not %.80q", table, column, text)
		}
	case "claim.runs":
		var keys []string
		err := json.Unmarshal([]byte(text), &keys)
		for _, k := range keys {
			err = errors.Join(err, checkKey(k))
		}
		if err != nil {
			return fmt.Errorf("claim runs: a JSON array of keys is accepted, not %.80q", text)
		}
	case "experiment_runs.swept", "attack.kinds", "result.kinds":
		if err := checkObject(text); err != nil {
			return fmt.Errorf("%s %s: a JSON object is accepted, not %.80q: %w", table, column, text, err)
		}
	case "attempt.status":
		if text == string(Running) {
			return errors.New("an attempt that is running is not exchanged")
		}
	case "artifact.name":
		return checkArtifactName(text)
	case "experiment.name":
		if text == "" || strings.ContainsAny(text, "/\\\x00") {
			return fmt.Errorf("experiment name: %.80q is no name of a spec", text)
		}
	}
	return nil
}

// maxDepth is how deep JSON from elsewhere may nest, and maxValues how many values a line of it may have: each takes many times the
// memory of its text. A line of ours has some 60,000 at most.
const (
	maxDepth  = 32
	maxValues = 1 << 17
)

// checkObject wants a JSON object that does not nest too deep.
func checkObject(text string) error {
	if err := checkDepth([]byte(text)); err != nil {
		return err
	}
	var m map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &m)
}

// checkDepth refuses JSON that nests too deep or has too many values, before anything else looks at it.
func checkDepth(b []byte) error {
	depth, values, inText := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inText:
			if c == '\\' {
				i++
			}
			inText = c != '"'
		case c == '"':
			inText = true
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				return fmt.Errorf("it nests deeper than %d", maxDepth)
			}
		case c == ']' || c == '}':
			depth--
		case c == ',':
			if values++; values >= maxValues {
				return fmt.Errorf("it has more than %d values", maxValues)
			}
		}
	}
	return nil
}

// checkArtifactName wants a name that can be part of a file's name anywhere.
func checkArtifactName(name string) error {
	if name == "" || len(name) > 100 || name[0] == '.' || strings.ContainsAny(name, `/\:*?"<>|`) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
		return fmt.Errorf("artifact name: %.120q is no file name", name)
	}
	return nil
}

// artifactExtension is the extension of an artifact's file, .npy where it has none that is plain.
func artifactExtension(p string) string {
	i := strings.LastIndexByte(p, '.')
	if i < 0 || len(p)-i > 16 || len(p)-i < 2 || strings.Trim(p[i+1:], "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return ".npy"
	}
	return p[i:]
}
