package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what people write about runs, in bytes.
const (
	tagMost  = 200
	noteMost = 1 << 20
)

// Marked is a run with the tags and the note that it has now.
type Marked struct {
	RunRow
	Changed bool // it had others before
}

// CheckTag says what is wrong with a tag: it is one line of text, at most 200 bytes long, without blanks at its ends.
func CheckTag(tag string) error {
	switch {
	case strings.TrimSpace(tag) == "":
		return fmt.Errorf("tag %q: a word is accepted", tag)
	case strings.TrimSpace(tag) != tag:
		return fmt.Errorf("tag %q: blanks at its ends are not accepted", tag)
	case !utf8.ValidString(tag) || strings.ContainsFunc(tag, unicode.IsControl):
		return fmt.Errorf("tag %q: one line of text is accepted", tag)
	case len(tag) > tagMost:
		return fmt.Errorf("tag %.20q…: %d bytes; at most %d are accepted", tag, len(tag), tagMost)
	}
	return nil
}

// Tag gives the runs that selectors name tags, or takes tags away from them, in one transaction. Tags are sorted; one that a run has
// already, or has not, changes nothing.
func (db *DB) Tag(ctx context.Context, selectors, add, remove []string) ([]Marked, error) {
	for _, tag := range add {
		if err := CheckTag(tag); err != nil {
			return nil, err
		}
	}
	return db.mark(ctx, "tag runs", selectors, func(r *RunRow) (column string, value any) {
		tags := append(slices.Clone(r.Tags), add...)
		tags = slices.DeleteFunc(tags, func(tag string) bool { return slices.Contains(remove, tag) })
		slices.Sort(tags)
		if tags = slices.Compact(tags); slices.Equal(tags, r.Tags) {
			return "", nil
		}
		if tags == nil {
			tags = []string{}
		}
		r.Tags = tags
		return "tags", mustJSON(tags)
	})
}

// SetNote replaces the note of the runs that selectors name, in one transaction; "" takes it away.
func (db *DB) SetNote(ctx context.Context, selectors []string, note string) ([]Marked, error) {
	switch {
	case !utf8.ValidString(note) || strings.ContainsRune(note, 0):
		return nil, fmt.Errorf("note %.20q: text in UTF-8 without NUL is accepted", note)
	case len(note) > noteMost:
		return nil, fmt.Errorf("note %.20q…: %d bytes; at most %d are accepted", note, len(note), noteMost)
	}
	return db.mark(ctx, "write a note", selectors, func(r *RunRow) (column string, value any) {
		if r.Note == note {
			return "", nil
		}
		r.Note = note
		return "note", orNull(note)
	})
}

// mark changes a column of each of the runs that change gives a value for.
func (db *DB) mark(ctx context.Context, op string, selectors []string, change func(r *RunRow) (column string, value any)) ([]Marked, error) {
	var out []Marked
	err := db.write(ctx, true, func(tx *sql.Tx) error {
		rows, err := selectRuns(ctx, tx, selectors, false)
		if err != nil {
			return err
		}
		for _, r := range rows {
			column, value := change(&r)
			if column != "" {
				if err := alter(ctx, tx, "UPDATE run SET "+column+" = ? WHERE key = ?", value, r.Key); err != nil {
					return err
				}
			}
			out = append(out, Marked{r, column != ""})
		}
		return nil
	})
	if err != nil {
		return nil, db.changeFault(op, err)
	}
	return out, nil
}
